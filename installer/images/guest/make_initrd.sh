#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The initrd of app domains: make_initrd.sh ROOT OUT with ROOT a tree that has /lib/modules.
# Holds guest/init.c and the modules named here with what they depend on, in loading order. Those
# that the agents use are loaded here, too: it is quicker than by systemd-modules-load.
set -eu

root=$1
out=$2
here=$(cd "$(dirname "$0")" && pwd)
version=$(ls "$root/lib/modules")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/dev" "$work/proc" "$work/sys" "$work/root" "$work/m"
cc -static -Os -Wall -Wextra -Werror -o "$work/init" "$here/init.c"
strip "$work/init"
: >"$work/modules"
for module in xen-blkfront crc32c_generic ext4 xen-evtchn xen-gntdev xen-gntalloc; do
	# The tree's own modprobe: the machine that builds it may have none.
	chroot "$root" modprobe -S "$version" --show-depends "$module" >"$work/depends"
	while read -r verb path _; do
		name=m/$(basename "$path")
		if [ "$verb" = insmod ] && [ ! -e "$work/$name" ]; then
			cp "$root$path" "$work/$name"
			# 262144 pages: see mullion-guest.modprobe.
			case $name in */xen-gntalloc.ko) options=" limit=262144" ;; *) options= ;; esac
			echo "/$name$options" >>"$work/modules"
		fi
	done <"$work/depends"
	rm "$work/depends"
done
(cd "$work" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) | zstd -q -19 -o "$out" -f
