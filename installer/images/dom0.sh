#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The dom0 test image: Debian 12 with its stock kernel, systemd and Xen tools, an agent that runs
# the command of `./run --headless`, and what a desktop needs (used with `./run --desktop` only).
# Mullion's own programs are put in afterwards by tools/assemble.py. Called by tools/image.py as
#
#   dom0.sh OUTPUT-DIR
#
# and leaves there: disk.img (ext4, whole disk), vmlinuz, initrd.
#
# In it, for `xl create`, is the mini guest: a kernel and an initrd whose init is ours.
#
# It is for tests only: root logs in without a password on the console.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1
root=$out/root
mkdir -p "$out"

packages=systemd,systemd-sysv,udev,dbus,kmod,procps,iproute2,iputils-ping,pciutils,e2fsprogs
packages=$packages,xfsprogs,less,fio,bridge-utils,linux-image-amd64,initramfs-tools,zstd
packages=$packages,xen-utils-4.17,xen-utils-common,xenstore-utils,grub-xen-host
packages=$packages,libvirt-daemon,libvirt-daemon-driver-xen,libvirt-clients
# What the package mullion-dom0 needs, and the desktop.
packages=$packages,libglib2.0-0,libjson-glib-1.0-0,libseccomp2,libgtk-4-1,libxkbcommon0
packages=$packages,weston,libpam-systemd,dbus-user-session,fonts-dejavu-core,adwaita-icon-theme

# What an emulated machine never needs, and documentation, stays out: it is most of the size.
exclude() {
	printf -- '--dpkgopt=path-exclude=%s\n' "$1"
}
set --
for path in '/usr/share/man/*' '/usr/share/locale/*' '/usr/share/doc/*' '/usr/share/info/*' \
	'/lib/modules/*/kernel/drivers/gpu/drm/amd/*' '/lib/modules/*/kernel/drivers/gpu/drm/nouveau/*' \
	'/lib/modules/*/kernel/drivers/gpu/drm/i915/*' '/lib/modules/*/kernel/drivers/gpu/drm/radeon/*' \
	'/lib/modules/*/kernel/drivers/media/*' '/lib/modules/*/kernel/drivers/net/wireless/*' \
	'/lib/modules/*/kernel/drivers/infiniband/*' '/lib/modules/*/kernel/drivers/staging/*' \
	'/lib/modules/*/kernel/drivers/isdn/*' '/lib/modules/*/kernel/drivers/iio/*' \
	'/lib/modules/*/kernel/drivers/comedi/*' '/lib/modules/*/kernel/sound/soc/*'; do
	set -- "$@" "$(exclude "$path")"
done

cc -static -O2 -Wall -Wextra -Werror -o "$out/mullion-test-agent" "$here/dom0/agent.c"
cc -static -O2 -Wall -Wextra -Werror -o "$out/mini-init" "$here/dom0/mini/init.c" "$here/dom0/mini/net.c"

mmdebstrap --variant=minbase --mode=root --skip=check/qemu "$@" \
	--aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
	--include="$packages" \
	--essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"' \
	--essential-hook="cp '$here/dom0/initramfs.conf' \"\$1/etc/initramfs-tools/conf.d/mullion\"" \
	--essential-hook="cp '$here/dom0/initramfs.modules' \"\$1/usr/share/initramfs-tools/modules.d/mullion\"" \
	--customize-hook="'$here/dom0/customize.sh' \"\$1\" '$out/mullion-test-agent' '$out/mini-init'" \
	bookworm "$root" - <<'SOURCES'
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
SOURCES

cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
cp "$root"/boot/initrd.img-* "$out/initrd"
rm -f "$root"/boot/initrd.img-* "$root"/boot/vmlinuz-*
mke2fs -q -F -t ext4 -L mullion-dom0 -O ^has_journal,^metadata_csum -E lazy_itable_init=1,nodiscard \
	-d "$root" "$out/disk.img" 3G
rm -rf "$root" "$out/mullion-test-agent" "$out/mini-init"
