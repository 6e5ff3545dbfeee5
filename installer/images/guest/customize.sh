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
: >"$root/etc/fstab" # the initrd mounts the root, mullion-home.service the home

# What the package mullion-guest asks of the system; its files come later (tools/assemble.py).
chroot "$root" groupadd --system qubes
chroot "$root" useradd -m -s /bin/bash -u 1000 -G qubes,video,audio user
chroot "$root" passwd -q -d root
mkdir -p "$root/usr/share/mullion" "$root/var/lib/systemd/linger"
cp -a "$root/home" "$root/usr/share/mullion/home.skel"
: >"$root/var/lib/systemd/linger/user" # the user's session, and with it the display, from the start
cat >"$root/etc/environment" <<'ENVIRONMENT'
WAYLAND_DISPLAY=wayland-0
DISPLAY=:0
XDG_SESSION_TYPE=wayland
NO_AT_BRIDGE=1
ENVIRONMENT
# The devices of the agents are there when systemd starts, so no udev is needed to open them.
cat >"$root/etc/tmpfiles.d/mullion.conf" <<'TMPFILES'
z /dev/xen/evtchn 0660 root qubes -
z /dev/xen/gntalloc 0660 root qubes -
z /dev/xen/gntdev 0660 root qubes -
z /dev/xen/xenbus 0660 root qubes -
TMPFILES

install -m 755 "$here/mullion-home" "$root/usr/lib/mullion-home"
install -m 644 "$here"/*.service "$units/"
chroot "$root" systemctl -q enable mullion-home.service mullion-swap.service

# A click opens these in a disposable (org.mullion.Open). There, and wherever /usr/lib/mullion/open-and-wait
# asks, the second list counts: programs that show one file in one window. Office documents have none in
# this template; the sentence that says so comes from the disposable.
show() { # PROGRAM TYPE...
	program=$1
	shift
	for type; do
		echo "$type=org.mullion.Open.desktop" >>"$root/etc/xdg/mimeapps.list"
		[ "$program" = none ] ||
			echo "$type=$program.desktop" >>"$root/etc/xdg/mullion-viewer-mimeapps.list"
	done
}
for list in mimeapps.list mullion-viewer-mimeapps.list; do
	echo '[Default Applications]' >"$root/etc/xdg/$list"
done
show org.pwmt.zathura-pdf-poppler application/pdf
show swayimg image/bmp image/gif image/jpeg image/png image/svg+xml image/tiff image/webp
show org.xfce.mousepad text/csv text/plain
show netsurf-gtk text/html application/xhtml+xml x-scheme-handler/http x-scheme-handler/https
opendocument=application/vnd.oasis.opendocument
openxml=application/vnd.openxmlformats-officedocument
show none application/msword application/vnd.ms-excel application/vnd.ms-powerpoint \
	$opendocument.presentation $opendocument.spreadsheet $opendocument.text \
	$openxml.presentationml.presentation $openxml.spreadsheetml.sheet \
	$openxml.wordprocessingml.document
echo 'inode/directory=thunar.desktop' >>"$root/etc/xdg/mimeapps.list"
# One window each, and no wait for a session bus that nothing else needs.
echo 'set dbus-service false' >>"$root/etc/zathurarc"

# A login on the console, which dom0 alone can reach. Not serial-getty: that one waits for udev.
mkdir -p "$units/console-getty.service.d"
cat >"$units/console-getty.service.d/autologin.conf" <<'UNIT'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud console 115200,38400,9600 vt220
UNIT
chroot "$root" systemctl -q enable console-getty.service

# What starts within a second must not wait for housekeeping that a domain does not need.
chroot "$root" systemctl -q mask \
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
	e2scrub_reap.service fstrim.timer logrotate.timer man-db.timer motd-news.timer \
	systemd-timesyncd.service systemd-random-seed.service systemd-update-utmp.service \
	systemd-update-utmp-runlevel.service systemd-journal-flush.service systemd-pstore.service \
	systemd-tmpfiles-clean.timer systemd-binfmt.service sys-kernel-debug.mount \
	sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount getty@tty1.service \
	serial-getty@hvc0.service systemd-machine-id-commit.service systemd-hwdb-update.service \
	systemd-modules-load.service systemd-sysusers.service systemd-remount-fs.service \
	kmod-static-nodes.service modprobe@.service sys-fs-fuse-connections.mount \
	sys-kernel-config.mount systemd-udev-trigger.service systemd-udev-settle.service \
	systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system.conf.d"
printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/mullion.conf"
printf '[Manager]\nDefaultTimeoutStopSec=10s\n' >"$root/etc/systemd/system.conf.d/mullion.conf"
chroot "$root" systemctl -q set-default multi-user.target
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old
