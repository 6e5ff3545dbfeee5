#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fetch Debian's kernel and Debian's Xen, unpacked but not installed, into build/cache/debian/:
#
#   vmlinuz            the kernel of linux-image-amd64, as Debian ships it
#   modules/           its modules (lib/modules/VERSION)
#   xen-4.17-amd64     Debian's Xen, gunzipped: QEMU's multiboot loader wants the bare ELF
#   initrd             a small initramfs (busybox): a shell on the console, for trying a boot
#                      before, or without, the dom0 image
#
# Run again to refresh; files that are there already are kept.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$top/build/cache/debian}
mkdir -p "$out"
exec 9>"$out/.lock"
flock 9

if [ -e "$out/vmlinuz" ] && [ -e "$out/xen-4.17-amd64" ] && [ -e "$out/initrd" ]; then
	exit 0
fi

tmp=$(mktemp -d "$out/.tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"

candidate() {
	apt-cache policy "$1" | grep -q 'Candidate: [0-9]'
}
if ! candidate xen-hypervisor-4.17-amd64 || ! candidate linux-image-amd64; then
	echo "fetch_debian: refreshing the package lists" >&2
	apt-get update -q >&2
fi

kernel=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" { print $2; exit }')
echo "fetch_debian: $kernel, xen-hypervisor-4.17-amd64, busybox-static" >&2
(
	cd "$tmp"
	apt-get -q -o APT::Sandbox::User=root download \
		"$kernel" xen-hypervisor-4.17-amd64 busybox-static >&2
	for deb in *.deb; do
		dpkg -x "$deb" "root-${deb%%_*}"
	done
)

gzip -dc "$tmp"/root-xen-hypervisor-4.17-amd64/boot/xen-4.17-amd64.gz >"$tmp/xen"
cp "$tmp/root-$kernel"/boot/vmlinuz-* "$tmp/vmlinuz"

mkdir -p "$tmp/initrd/bin" "$tmp/initrd/proc" "$tmp/initrd/sys" "$tmp/initrd/dev"
cp "$tmp/root-busybox-static/bin/busybox" "$tmp/initrd/bin/busybox"
cat >"$tmp/initrd/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo "initrd: $(uname -r) on $(nproc) CPUs, hypervisor: $(cat /sys/hypervisor/type 2>/dev/null || echo none)"
for word in $(cat /proc/cmdline); do
	[ "$word" = initrd=poweroff ] && poweroff -f
done
exec setsid cttyhack sh
INIT
chmod 755 "$tmp/initrd/init"
(cd "$tmp/initrd" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$tmp/initrd.cpio"

rm -rf "$out/modules"
mv "$tmp/root-$kernel/lib/modules" "$out/modules"
mv "$tmp/xen" "$out/xen-4.17-amd64"
mv "$tmp/initrd.cpio" "$out/initrd"
mv "$tmp/vmlinuz" "$out/vmlinuz"
ls -l "$out" >&2
