#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in dom0: stock xl and a Debian domain, from its start to its end in three ways, and with its
# own kernel. Prints facts as "NAME: VALUE"; debian_domain.py judges them.
exec 2>&1
cd /root || exit 1
log=/root/console.log

sign() { # VALUE: a step is done
	echo "$1, at $SECONDS s"
}

stuck() { # what can be said of a domain that does not go on
	echo "stuck: $1"
	xl list
	xl vcpu-list
	tail -c 2000 $log
}

lasting() { # what may be left behind: free memory, domains, nodes of xenstore, loop devices
	echo "$1 memory: $(xl info | sed -n 's/^free_memory *: //p')"
	echo "$1 domains: $(xl list | tail -n +2 | wc -l)"
	echo "$1 nodes: $(xenstore-ls / | wc -l)"
	echo "$1 backends: $(xenstore-ls /local/domain/0/backend 2>/dev/null | wc -l)"
}

until_true() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.3
	done
}
is_id() { [ "$(xl domid debian 2>/dev/null)" = "$1" ]; }
is_another_id() { local id; id=$(xl domid debian 2>/dev/null) && [ "$id" != "$1" ]; }
is_gone() { ! xl domid debian >/dev/null 2>&1; }
says() { grep -q -a "$1" $log; }

open_console() { # ID; what it says goes to the log
	until_true 60 xenstore-exists "/local/domain/$1/console/tty" || return 1
	tty=$(xenstore-read "/local/domain/$1/console/tty")
	: >$log
	stty -F "$tty" raw -echo
	cat "$tty" >>$log &
}

use_console() { # STEP ID: a login, and a command's output that is not in the command
	local start=$SECONDS
	open_console "$2"
	until_true 300 says 'root@mullion-guest' || { echo "$1 login: no"; tail -c 1500 $log; return; }
	echo "$1 login: yes, after $((SECONDS - start)) s"
	echo 'echo sum-$((40 + 2)) on $(findmnt -n -o SOURCE /)' >"$tty"
	until_true 120 says 'sum-42 on /dev/xvda' && echo "$1 command: yes"
}

cp --reflink=always /var/lib/mullion/images/debian/root.img /var/lib/mullion/run.img
disk=$(losetup -f --show /var/lib/mullion/run.img)
cat >debian.cfg <<CFG
name = "debian"
type = "pvh"
kernel = "/var/lib/mullion/kernel/vmlinux"
ramdisk = "/var/lib/mullion/kernel/initrd"
extra = "console=hvc0 quiet systemd.show_status=false"
memory = 400
vcpus = 1
disk = [ "phy:$disk,xvda,w" ]
CFG

lasting start
xl create -q debian.cfg || exit 1
id=$(xl domid debian)
use_console first "$id"
echo 'systemd-analyze; systemd-analyze blame --no-pager | head -20; systemctl --no-pager --failed' >"$tty"
until_true 60 says 'loaded units listed'
sed -n '/Startup finished/,$p' $log

xl reboot debian
until_true 300 is_another_id "$id" && sign "reboot: yes" || stuck reboot
id=$(xl domid debian)
use_console second "$id"
xl shutdown debian && sign "shutdown: yes"
until_true 300 is_gone && sign "shutdown gone: yes" || stuck shutdown
lasting shutdown

xl create -q debian.cfg || exit 1
until_true 60 open_console "$(xl domid debian)"
xl destroy debian
until_true 60 is_gone && sign "destroy gone: yes" || stuck destroy
lasting destroy

# The same system with a kernel of its own, which Debian's GRUB for PVH domains takes from its disk.
mkdir -p disk
mount "$disk" disk
mkdir -p disk/boot/grub
cp /usr/lib/mullion/mini/vmlinuz /var/lib/mullion/kernel/initrd disk/boot/
cat >disk/boot/grub/grub.cfg <<GRUB
linux /boot/vmlinuz console=hvc0 quiet systemd.show_status=false
initrd /boot/initrd
boot
GRUB
umount disk
grep -v -e '^ramdisk' -e '^extra' debian.cfg |
	sed 's,^kernel.*,kernel = "/usr/lib/grub-xen/grub-i386-xen_pvh.bin",' >grub.cfg
xl create -q grub.cfg || exit 1
use_console grub "$(xl domid debian)"
xl destroy debian
until_true 60 is_gone && sign "grub gone: yes" || stuck grub
lasting grub

losetup -d "$disk" && echo "disk free: yes"
dmesg | grep -E 'Oops:|BUG:|WARNING:|xen-blkback.*error' | head -5
echo "end: reached"
