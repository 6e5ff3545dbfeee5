#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make_share.sh BUILD-DIR MODULES-DIR VMLINUZ SHARE: fills SHARE for in_dom0.sh: the programs and
# their libraries, and a small guest (kernel and initrd) with the agent and the services in it.
# MODULES-DIR is lib/modules/VERSION of the same kernel. Then:
#
#   ./run --headless --hypervisor xen --share SHARE -- bash /mnt/share/in_dom0.sh
set -eu
build=$1 modules=$2 kernel=$3 share=$4
here=$(cd "$(dirname "$0")/../.." && pwd)
root=$share/root
rm -rf "$share"
mkdir -p "$share/bin" "$share/lib" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" "$root/run/qubes" \
	"$root/bin" "$root/etc/qubes-rpc" "$root/modules" "$root/home"

# A program and every library that it loads, under their own paths.
put() { # TARGET-FOLDER PROGRAM [NAME]
	install -D -m 755 "$2" "$root/$1/${3:-${2##*/}}"
	ldd "$2" 2>/dev/null | tr ' \t' '\n\n' | grep '^/' | while read -r library; do
		[ -e "$root$library" ] || install -D -m 755 "$library" "$root$library"
		[ -e "$share/lib/${library##*/}" ] || cp "$library" "$share/lib/"
	done
}

for program in bash cat ls mount mkdir sleep head tr wc sha256sum dd rm touch env find diff dirname seq; do
	put bin "$(command -v $program)"
done
ln -s bash "$root/bin/sh"
cc -O2 -static -o "$root/bin/insmod" "$here/tests/xen/insmod.c"
for program in qrexec-agent qrexec-client-vm services/mullion-copy services/filecopy-receive; do
	put bin "$build/qrexec/$program"
	strip "$root/bin/${program##*/}"
done
cc -O2 -o "$share/bin/vchan_speed" "$here/../bench/vchan_speed.c" -lxenvchan
put bin "$share/bin/vchan_speed"
# Loaded by name when a thread is ended.
libgcc=$(ldconfig -p | sed -n 's/.*x86-64.*=> \(.*libgcc_s.so.1\)$/\1/p' | head -n 1)
install -D "$libgcc" "$root/lib/x86_64-linux-gnu/libgcc_s.so.1"
cp "$libgcc" "$share/lib/"
install -D "$build/vchan/libvchan.so.1" "$root/usr/lib/x86_64-linux-gnu/libvchan.so.1"
for program in qrexec-daemon qrexec-client mullion-policyd; do
	put tmp "$build/qrexec/$program"
	cp "$build/qrexec/$program" "$share/bin/"
	rm "$root/tmp/$program"
done
cp "$build/vchan/libvchan.so.1" "$share/lib/"
# dom0 has its own C library and loader.
rm -f "$share"/lib/libc.so.* "$share"/lib/ld-linux* "$share"/lib/libpthread* "$share"/lib/libdl.*

for module in xen-evtchn xen-gntdev xen-gntalloc xen-privcmd; do
	find "$modules" -name "$module.ko" -exec cp {} "$root/modules/" \;
done
printf '#!/bin/sh\ncat\n' >"$root/etc/qubes-rpc/test.Echo"
printf '#!/bin/sh\ncat >/dev/null\n' >"$root/etc/qubes-rpc/test.Sink"
printf '#!/bin/sh\nHOME=/home exec /bin/filecopy-receive\n' >"$root/etc/qubes-rpc/qubes.Filecopy"
chmod 755 "$root"/etc/qubes-rpc/*
printf 'root:x:0:0:root:/:/bin/sh\n' >"$root/etc/passwd"
cat >"$root/init" <<'INIT'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /home
mkdir -p /dev/shm
for module in /modules/*.ko; do
	case $module in
	*gntalloc*) insmod "$module" limit=65536 ;;
	*) insmod "$module" ;;
	esac
done
echo "guest: up" >/dev/console
while :; do
	QREXEC_NO_ROOT=1 qrexec-agent >/dev/console 2>&1
	sleep 1
done
INIT
chmod 755 "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$share/initrd"
# Unpacked here, once, rather than in an emulated dom0 for each guest.
python3 - "$kernel" "$share/vmlinuz" <<'UNPACK'
import lzma, struct, sys
image = open(sys.argv[1], "rb").read()
start = (image[0x1f1] + 1) * 512 + struct.unpack_from("<I", image, 0x248)[0]
size = struct.unpack_from("<I", image, 0x24c)[0]
open(sys.argv[2], "wb").write(lzma.LZMADecompressor().decompress(image[start:start + size]))
UNPACK
rm -rf "$root"
cp "$here/tests/xen/in_dom0.sh" "$share/"
