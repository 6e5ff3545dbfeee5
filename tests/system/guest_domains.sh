#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in dom0: each line of /mnt/share/list (NAME VCPUS MIB SECONDS [ARGUMENTS]) is a bare-metal guest
# that becomes a PVH domain, several at a time. What it said on its console is printed after
# "=== NAME after SECONDS s", and a last "===" tells that the list is done.
#
#   guest_domains.sh [AT-A-TIME]
exec 2>&1
cd /root || exit 1
share=/mnt/share
said=/var/log/xen/console

# The console daemon keeps what domains say.
mkdir -p $said
systemctl stop mullion-xenconsoled
/usr/lib/xen-4.17/bin/xenconsoled --log=guest --log-dir=$said

run_one() { # NAME VCPUS MIB SECONDS ARGUMENTS
	local start=$SECONDS log=$said/guest-$1.log
	cat >"$1.cfg" <<-CFG
		name = "$1"
		type = "pvh"
		kernel = "$share/$1.elf"
		cmdline = "$5"
		vcpus = $2
		memory = $3
		max_event_channels = 4095
		on_poweroff = "preserve"
		on_reboot = "preserve"
		on_crash = "preserve"
	CFG
	: >"$log"
	xl create -q -e "$1.cfg" >"$1.out" || echo "FAIL xl create" >>"$1.out"
	until grep -q -a -E '^(PASS|FAIL|SKIP)\b' "$log" "$1.out" || [ $((SECONDS - start)) -ge "$4" ]; do
		sleep 0.2
	done
	xl list "$1" >>"$1.out"
	xl destroy "$1" >>"$1.out" || echo "FAIL xl destroy" >>"$1.out"
	{ # in one piece
		echo "=== $1 after $((SECONDS - start)) s"
		cat "$1.out" "$log"
		echo
	} >"$1.all"
	flock /root cat "$1.all"
}

while read -r name vcpus mib seconds arguments; do
	while [ "$(jobs -r | wc -l)" -ge "${1:-1}" ]; do
		sleep 0.1
	done
	run_one "$name" "$vcpus" "$mib" "$seconds" "$arguments" &
done <$share/list
wait
echo "==="
