#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# document.sh NAME [--stay]: runs in dom0 for ./run --open. The template and the domains personal,
# work and untrusted are made, the document is copied into untrusted and opened from there, as a
# double click does: in a disposable. When the screen has shown it, it is closed (--stay: when the
# user closes it), and what is left of the disposable is looked for. See tools/document.py.
share=/mnt/share
name=$1
stay=$2
limit=${OPEN_LIMIT:-420}
export LC_ALL=C

die() {
	echo "open: $*"
	journalctl -b --no-pager -o short-monotonic -u mulliond -u 'qrexec-daemon@*' -u mullion-policyd | tail -n 40
	exit 1
}
until_true() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}
in_untrusted() { qrexec-client -d untrusted "user:$1"; }
is_listed() { mullion list >/dev/null 2>&1; }
has_disposable() { [ "$(mullion disposable list --json)" != "[]" ]; }
has_none() { ! has_disposable; }
free_memory() { xl info | sed -n 's/^free_memory.*: //p'; }
traces() { # what a disposable could leave in dom0
	xl list | grep -c ' *disp[0-9]'
	ls -d /var/lib/mullion/volumes/disp* 2>/dev/null | wc -l
	xenstore-ls -f /local/domain 2>/dev/null | grep -c '"disp[0-9]'
	losetup -a | grep -c /volumes/disp
	ps -eo args | grep -v grep | grep -cE '(mullion-guid|qrexec-daemon).*disp[0-9]'
	ls /run/mullion/qrexec /run/mullion/disposables | grep -c '^disp'
}

has_desktop() {
	local session
	session=$(loginctl --no-legend list-sessions | awk '$4 == "seat0" { print $1 }')
	# The screen may still show the text console, which nobody left.
	[ -n "$session" ] && loginctl activate "$session" && [ -S /run/user/1000/wayland-0 ]
}

systemctl start mulliond mullion-policyd
until_true 120 has_desktop || die "there is no desktop"
until_true 120 is_listed || die "mulliond does not answer"
if ! mullion domain show untrusted >/dev/null 2>&1; then
	mullion template create debian /var/lib/mullion/images/debian/root.img private_mib=64 || die "no template"
	for domain in personal:blue work:green untrusted:red; do
		mullion domain create ${domain%:*} template=debian label=${domain#*:} memory_mib=400 \
			memory_max_mib=400 private_mib=256 || die "no domain ${domain%:*}"
	done
	mullion domain create viewer template=debian label=orange memory_mib=400 memory_max_mib=400 \
		private_mib=64 disposable.allowed=true disposable.limit=4 || die "no domain viewer"
	for domain in personal work untrusted; do
		mullion domain set $domain disposables=viewer || die "disposables of $domain"
	done
fi
echo "open: starting untrusted"
mullion domain start untrusted || die "untrusted does not start"
until_true 60 test -S /run/qubes/qrexec.untrusted || die "untrusted cannot be called"
timeout $limit qrexec-client -d untrusted "user:mkdir -p Documents && cat >'Documents/$name'" \
	<"$share/document/$name" || die "the document cannot be copied into untrusted"
echo "open: the document is in untrusted"
before=$(free_memory)

began=$(date +%s%N)
: >$share/requested
in_untrusted "mullion-open 'Documents/$name'" >/tmp/open.log 2>&1 &
call=$!
end=$((SECONDS + limit))
until [ -e $share/seen ]; do
	if ! kill -0 $call 2>/dev/null; then
		wait $call
		cat /tmp/open.log
		die "mullion-open ended with $? before anything was seen"
	fi
	[ $SECONDS -lt $end ] || die "nothing was seen within $limit s"
	sleep 0.1
done
disposable=$(mullion disposable list | awk 'NR == 2 { print $1 }')
seen=$(cat $share/seen)
echo "open: the first pixels came from $disposable"

# The parts: what the journal says of this disposable, in ms after the request.
journalctl -b --no-pager -o json --output-fields=MESSAGE,__REALTIME_TIMESTAMP |
	sed -n 's/.*"__REALTIME_TIMESTAMP":"\([0-9]*\)".*/\1 &/p' |
	while read -r stamp line; do
		at=$((stamp / 1000 - began / 1000000))
		[ $at -ge 0 ] || continue
		case $line in
		*"allow: qubes.OpenInVM"*) echo "part: policy answered after $at ms" ;;
		*"$disposable runs as"*) echo "part: machine built after $at ms" ;;
		*"$disposable: agent connected"*) echo "part: its agent connected after $at ms" ;;
		*"windows of $disposable"*) echo "part: its display connected after $at ms" ;;
		esac
	done
echo "part: machine: $(journalctl -b --no-pager -o cat -u mulliond | grep "$disposable runs as")"
echo "memory: $disposable has $(xl list "$disposable" | awk 'NR == 2 { print $3 }') MiB"

if [ "$stay" = --stay ]; then
	echo "open: close the document's window to end this"
	wait $call
else
	# As if the user closed the viewer: it ends, and with it the call and the disposable.
	qrexec-client -d "$disposable" 'user:pkill -x zathura; pkill -x imv-wayland; pkill -x mousepad; pkill -x foot; true' 2>/dev/null
fi
until_true 90 has_none || die "the disposable is still there"
wait $call
echo "open: mullion-open ended with $?"
sleep 2
echo "left: $(traces | tr '\n' ' ')"
echo "free memory: $before MiB before, $(free_memory) MiB after"
[ "$(traces | tr -d '\n')" = 000000 ] || die "something is left of the disposable"
