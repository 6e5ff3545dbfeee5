# SPDX-License-Identifier: GPL-2.0-or-later
#
# What scripts that run in dom0 share (document.sh, tests/system/disposables.sh): wait, look for what a
# disposable leaves, make the domains of a first start. `program` is the name in messages, `limit` the
# longest wait in seconds.
export LC_ALL=C

die() {
	echo "$program: $*"
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
name_disposable() { mullion disposable list | awk 'NR == 2 { print $1 }'; }
is_listed() { mullion list >/dev/null 2>&1; }
has_disposable() { [ "$(mullion disposable list --json)" != "[]" ]; }
has_none() { ! has_disposable; }
is_free() { [ "$(free_memory)" -ge "$1" ]; } # MIB
free_memory() { xl info | sed -n 's/^free_memory.*: //p'; }
traces() { # what a disposable could leave in dom0
	xl list | grep -c ' *disp[0-9]'
	ls -d /var/lib/mullion/volumes/disp* 2>/dev/null | wc -l
	xenstore-ls -f /local/domain 2>/dev/null | grep -c '"disp[0-9]'
	losetup -a | grep -c /volumes/disp
	ps -eo args | grep -v grep | grep -cE '(mullion-guid|qrexec-daemon).*disp[0-9]'
	ls /run/mullion/qrexec /run/mullion/disposables | grep -c '^disp'
}
is_clean() { [ "$(traces | tr -d '\n')" = 000000 ]; }

has_desktop() {
	local session
	session=$(loginctl --no-legend list-sessions | awk '$4 == "seat0" { print $1 }')
	# The screen may still show the text console, which nobody left.
	[ -n "$session" ] && loginctl activate "$session" && [ -S /run/user/1000/wayland-0 ]
}

start_daemons() {
	systemctl start mulliond mullion-policyd
	until_true $limit is_listed || die "mulliond does not answer"
}

make_domains() {
	mullion domain show untrusted >/dev/null 2>&1 && return
	mullion template create debian /var/lib/mullion/images/debian/root.img private_mib=64 || die "no template"
	for domain in personal:blue work:green untrusted:red; do
		mullion domain create ${domain%:*} template=debian label=${domain#*:} memory_mib=400 \
			memory_max_mib=400 private_mib=256 || die "no domain ${domain%:*}"
	done
	mullion domain create viewer template=debian label=orange memory_mib=400 memory_max_mib=400 \
		private_mib=64 disposable.allowed=true disposable.limit=8 || die "no domain viewer"
	for domain in personal work untrusted; do
		mullion domain set $domain disposables=viewer || die "disposables of $domain"
	done
}
