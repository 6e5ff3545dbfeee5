#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The system of app domains and disposables: Debian 12 with viewers, to be a template's root.img.
# Called by tools/image.py as
#
#   guest.sh OUTPUT-DIR
#
# and leaves there: root.img (ext4, whole disk), vmlinux, initrd (see guest/init.c). Mullion's own
# programs are put in afterwards by tools/assemble.py, so that a change of theirs does not make all
# of it anew; what they need of the system (packages, the user, groups) is here.
#
# vmlinux is Debian's kernel unpacked: to start a domain, dom0 would unpack it each time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1
root=$out/root
mkdir -p "$out"

packages=systemd,systemd-sysv,udev,dbus,kmod,procps,e2fsprogs,less,linux-image-amd64
packages=$packages,libpam-systemd,dbus-user-session,shared-mime-info,xdg-utils
packages=$packages,foot,zathura,zathura-pdf-poppler,swayimg,mousepad,fonts-dejavu-core
packages=$packages,adwaita-icon-theme,libwlroots10,xwayland,libxenmisc4.17,libxenstore4
packages=$packages,libseccomp2,libgdk-pixbuf-2.0-0,mailcap,xkb-data,netsurf-gtk,thunar

set --
for path in '/usr/share/man/*' '/usr/share/locale/*' '/usr/share/doc/*' '/usr/share/info/*' \
	'/lib/modules/*/kernel/drivers/gpu/*' '/lib/modules/*/kernel/drivers/media/*' \
	'/lib/modules/*/kernel/drivers/infiniband/*' '/lib/modules/*/kernel/drivers/staging/*' \
	'/lib/modules/*/kernel/drivers/isdn/*' '/lib/modules/*/kernel/drivers/iio/*' \
	'/lib/modules/*/kernel/drivers/comedi/*' '/lib/modules/*/kernel/drivers/scsi/*' \
	'/lib/modules/*/kernel/drivers/ata/*' '/lib/modules/*/kernel/drivers/hwmon/*' \
	'/lib/modules/*/kernel/drivers/mtd/*' '/lib/modules/*/kernel/sound/*'; do
	set -- "$@" "--dpkgopt=path-exclude=$path"
done
for module in drivers/net/wireless drivers/net/ethernet drivers/usb; do
	set -- "$@" "--dpkgopt=path-exclude=/lib/modules/*/kernel/$module/*"
done

mmdebstrap --variant=minbase --mode=root --skip=check/qemu "$@" \
	--aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
	--include="$packages" \
	--customize-hook="'$here/guest/customize.sh' \"\$1\"" \
	bookworm "$root" - <<'SOURCES'
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
SOURCES

python3 -B "$here/guest/unpack_kernel.py" "$root"/boot/vmlinuz-* "$out/vmlinux"
"$here/guest/make_initrd.sh" "$root" "$out/initrd"
rm -rf "$root"/boot/*
mke2fs -q -F -t ext4 -L mullion-guest -O ^has_journal,^metadata_csum -E lazy_itable_init=1,nodiscard \
	-d "$root" "$out/root.img" 1500M
rm -rf "$root"
