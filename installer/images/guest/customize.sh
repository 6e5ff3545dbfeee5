#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The last step of the guest recipe: customize.sh ROOT, with ROOT the finished tree.
set -eu

root=$1
here=$(cd "$(dirname "$0")" && pwd)
units=$root/etc/systemd/system

echo mullion-guest >"$root/etc/hostname"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
: >"$root/etc/machine-id"
cat >"$root/etc/fstab" <<'FSTAB'
/dev/xvda / ext4 noatime 0 0
/dev/xvdb /home ext4 noatime,nosuid,nodev,x-systemd.requires=mullion-home.service 0 0
FSTAB

chroot "$root" useradd -m -s /bin/bash -u 1000 user
chroot "$root" passwd -q -d root
mkdir -p "$root/usr/share/mullion"
mv "$root/home" "$root/usr/share/mullion/home.skel"
mkdir "$root/home"

install -m 755 "$here/mullion-home" "$root/usr/lib/mullion-home"
install -m 644 "$here"/*.service "$units/"
chroot "$root" systemctl -q enable mullion-home.service mullion-swap.service

mkdir -p "$units/serial-getty@.service.d"
cat >"$units/serial-getty@.service.d/autologin.conf" <<'UNIT'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I vt220
UNIT

# What starts within a second must not wait for housekeeping that a domain does not need.
chroot "$root" systemctl -q mask \
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
	e2scrub_reap.service fstrim.timer logrotate.timer man-db.timer motd-news.timer \
	systemd-timesyncd.service systemd-random-seed.service systemd-update-utmp.service \
	systemd-update-utmp-runlevel.service systemd-journal-flush.service systemd-pstore.service \
	systemd-tmpfiles-clean.timer systemd-binfmt.service sys-kernel-debug.mount \
	sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount getty@tty1.service \
	console-getty.service systemd-hwdb-update.service systemd-udev-settle.service
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system.conf.d"
printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/mullion.conf"
printf '[Manager]\nDefaultTimeoutStopSec=10s\n' >"$root/etc/systemd/system.conf.d/mullion.conf"
chroot "$root" systemctl -q set-default multi-user.target
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old
