#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The last step of the dom0 recipe: customize.sh ROOT AGENT MINI-INIT, with ROOT
# the finished tree and the two programs that are built for it.
set -eu

root=$1
agent=$2
mini_init=$3
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
for unit in mullion-test-agent mullion-share mullion-xenstored mullion-xenconsoled mullion-network \
	mullion-store mullion-session; do
	chroot "$root" systemctl -q enable "$unit.service"
done

# The desktop's user, who logs in without being asked on this test image; members of qubes may
# connect to the agents of domains.
chroot "$root" groupadd --system qubes
chroot "$root" groupadd --system mullion
chroot "$root" useradd -m -s /bin/bash -u 1000 -G qubes,mullion,video,input,audio user
cat >"$root/etc/tmpfiles.d/mullion.conf" <<'TMPFILES'
d /run/mullion 0755 root root -
d /run/qubes 0755 root root -
TMPFILES
cat >"$root/etc/udev/rules.d/60-mullion.rules" <<'RULES'
KERNEL=="xen/evtchn|xen/gntdev|xen/gntalloc", SUBSYSTEM=="misc", GROUP="qubes", MODE="0660"
RULES
install -D -m 644 "$here/weston.ini" "$root/etc/mullion/weston.ini"
install -D -m 755 "$here/session-start" "$root/usr/lib/mullion/session-start"
install -D -m 644 "$here/mullion-session.target" "$root/etc/systemd/user/mullion-session.target"
mkdir -p "$root/var/lib/mullion" "$units/mulliond.service.d"
cat >"$units/mulliond.service.d/image.conf" <<'UNIT'
[Unit]
ConditionPathExists=/var/lib/mullion/volumes
After=mullion-xenstored.service mullion-xenconsoled.service mullion-store.service
UNIT

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
# The mini guest: the same kernel, and an initrd of one program and the front-end modules.
mini=$root/usr/lib/mullion/mini
mkdir -p "$mini/root/modules" "$mini/root/proc" "$mini/root/sys" "$mini/root/dev" "$mini/root/sbin"
install -m 755 "$mini_init" "$mini/root/init"
ln -s ../init "$mini/root/sbin/poweroff"
ln -s ../init "$mini/root/sbin/reboot"
install -m 644 "$here/mini/mini.cfg" "$mini/mini.cfg"
for module in "$root"/lib/modules/*/kernel/drivers/block/xen-blkfront.ko \
	"$root"/lib/modules/*/kernel/drivers/net/xen-netfront.ko; do
	cp "$module" "$mini/root/modules/"
done
(cd "$mini/root" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$mini/initrd"
rm -rf "$mini/root"
cp "$root"/boot/vmlinuz-* "$mini/vmlinuz"

mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system.conf.d" "$root/mnt/share"
printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/mullion.conf"
printf '[Manager]\nDefaultTimeoutStopSec=10s\n' >"$root/etc/systemd/system.conf.d/mullion.conf"
chroot "$root" systemctl -q set-default multi-user.target
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old
