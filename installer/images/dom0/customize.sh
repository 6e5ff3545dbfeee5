#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The last step of the dom0 recipe: customize.sh ROOT AGENT, with ROOT the finished tree.
set -eu

root=$1
agent=$2
here=$(cd "$(dirname "$0")" && pwd)
units=$root/etc/systemd/system

install -m 755 "$agent" "$root/usr/local/sbin/mullion-test-agent"
echo mullion-dom0 >"$root/etc/hostname"
printf '127.0.0.1 localhost mullion-dom0\n' >"$root/etc/hosts"
: >"$root/etc/fstab"
: >"$root/etc/machine-id"
chroot "$root" passwd -q -d root

# A login on whatever the console is (hvc0 below a hypervisor, ttyS0 on the bare machine).
mkdir -p "$units/serial-getty@.service.d"
cat >"$units/serial-getty@.service.d/autologin.conf" <<'UNIT'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I vt220
UNIT

install -m 644 "$here"/*.service "$units/"
for unit in mullion-test-agent mullion-share mullion-xenstored mullion-xenconsoled mullion-network; do
	chroot "$root" systemctl -q enable "$unit.service"
done

# A test machine lives for a minute: no timers, no housekeeping, no wait for what is not there.
# The init scripts of xen-utils-common are replaced by the two units above.
chroot "$root" systemctl -q mask \
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
	e2scrub_reap.service fstrim.timer logrotate.timer man-db.timer motd-news.timer \
	systemd-timesyncd.service systemd-random-seed.service systemd-update-utmp.service \
	systemd-update-utmp-runlevel.service systemd-journal-flush.service systemd-pstore.service \
	systemd-tmpfiles-clean.timer systemd-binfmt.service sys-kernel-debug.mount \
	sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount xfs_scrub_all.timer \
	getty@tty1.service console-getty.service xen.service xendomains.service \
	networking.service
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system.conf.d" "$root/mnt/share"
printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/mullion.conf"
printf '[Manager]\nDefaultTimeoutStopSec=10s\n' >"$root/etc/systemd/system.conf.d/mullion.conf"
chroot "$root" systemctl -q set-default multi-user.target
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old
