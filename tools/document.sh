#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# document.sh [--stay] NAME...: runs in dom0 for ./run --open. The template and the domains personal,
# work and untrusted are made, the documents are copied into untrusted and opened from there one after
# the other, as a double click does: in a disposable. When the screen has shown one, its window is
# closed (--stay: when the user closes it), and what is left of the disposable is looked for. See
# tools/document.py, which is the other side of the files in /mnt/share.
share=/mnt/share
limit=${OPEN_LIMIT:-420}
stay=
if [ "$1" = --stay ]; then
	stay=yes
	shift
fi
program=open
. $share/dom0_lib.sh

start_daemons
until_true $limit has_desktop || die "there is no desktop"
make_domains
echo "open: starting untrusted"
mullion domain start untrusted || die "untrusted does not start"
until_true $limit test -S /run/qubes/qrexec.untrusted || die "untrusted cannot be called"

copy_in() { # NUMBER NAME
	timeout $limit qrexec-client -d untrusted \
		"user:mkdir -p Documents/$1 && cat >'Documents/$1/$2'" <"$share/documents/$1/$2"
}

# The parts: what the journal says of this disposable, in ms after the request.
tell_parts() { # DISPOSABLE BEGAN-NS
	journalctl -b --no-pager -o json --output-fields=MESSAGE,__REALTIME_TIMESTAMP |
		sed -n 's/.*"__REALTIME_TIMESTAMP":"\([0-9]*\)".*/\1 &/p' |
		while read -r stamp line; do
			at=$((stamp / 1000 - $2 / 1000000))
			[ $at -ge 0 ] || continue
			case $line in
			*"allow: qubes.OpenInVM"*) echo "part: policy answered after $at ms" ;;
			*"$1 runs as"*) echo "part: machine built after $at ms" ;;
			*"$1: agent connected"*) echo "part: its agent connected after $at ms" ;;
			*"windows of $1"*) echo "part: its display connected after $at ms" ;;
			esac
		done
	echo "part: machine: $(journalctl -b --no-pager -o cat -u mulliond | grep "$1 runs as")"
	echo "memory: $1 has $(xl list "$1" | awk 'NR == 2 { print $3 }') MiB and uses" \
		"$(qrexec-client -d "$1" "user:free -m" | awk '$1 == "Mem:" { print $3 }') MiB"
}

close_document() { # NUMBER DISPOSABLE
	local viewers
	if [ -n "$stay" ]; then
		echo "open: close the document's window to end this"
		return
	fi
	: >$share/close.$1
	until_true 180 has_none && return
	# The window may have been left open: what happens then is seen in the journal.
	viewers=$(qrexec-client -d "$2" 'user:ps -eo args | grep opened- | grep -v grep')
	die "the window was clicked, and the disposable is still there with: $viewers"
}

open_document() { # NUMBER NAME
	local before began call end disposable status has_begun=
	before=$(free_memory)
	began=$(date +%s%N)
	: >$share/requested.$1
	in_untrusted "mullion-open 'Documents/$1/$2'" >/tmp/open.log 2>&1 &
	call=$!
	end=$((SECONDS + limit))
	until [ -e $share/seen.$1 ]; do
		if ! kill -0 $call 2>/dev/null; then
			wait $call
			status=$?
			cat /tmp/open.log
			die "mullion-open ended with $status before anything was seen"
		fi
		[ $SECONDS -lt $end ] || die "nothing was seen within $limit s"
		# A call between two guests is not told when one crashes: xenstore says so to dom0 only.
		if [ -n "$has_begun" ] && has_none; then
			die "the disposable ended before anything was seen"
		fi
		has_disposable && has_begun=yes
		sleep 0.1
	done
	disposable=$(name_disposable)
	echo "open: the first pixels of $2 came from $disposable"
	tell_parts "$disposable" "$began"
	close_document "$1" "$disposable"
	wait $call
	echo "open: mullion-open ended with $?"
	until_true 60 is_clean || die "something is left of the disposable: $(traces | tr '\n' ' ')"
	echo "left: $(traces | tr '\n' ' ')"
	until_true 30 is_free $((before - 4))
	echo "free memory: $before MiB before, $(free_memory) MiB after"
}

number=0
for name; do
	number=$((number + 1))
	copy_in $number "$name" || die "$name cannot be copied into untrusted"
done
echo "open: $number documents are in untrusted"
number=0
for name; do
	number=$((number + 1))
	open_document $number "$name"
done
