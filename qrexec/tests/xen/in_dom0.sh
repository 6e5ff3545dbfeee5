#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in dom0, with the folder that make_share.sh filled as /mnt/share: calls between dom0 and two
# guests over vchans of the hypervisor. The last line is PASS or FAIL. What it says is also written
# to dom0's console as it comes, where a run that hangs shows how far it got.
share=/mnt/share
files=${QREXEC_FILES:-1000}
mib=${QREXEC_MIB:-64}
export LD_LIBRARY_PATH=$share/lib PATH=$share/bin:$PATH QREXEC_CONNECT_TIMEOUT=60
failed=0

say() { echo "$*"; echo "$*" >/dev/console; }
ok() { say "ok: $*"; }
bad() { say "NOT OK: $*"; failed=1; }
is() { # WHAT GOT WANTED
	if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: got '$2', expected '$3'"; fi
}
client() { timeout 600 qrexec-client -d "$@"; }

for module in xen-gntdev xen-gntalloc xen-evtchn; do modprobe $module 2>/dev/null; done
mkdir -p /run/qubes /run/mullion /tmp/policy /tmp/svc
cp $share/vmlinuz $share/initrd /tmp/
printf '#!/bin/sh\necho from dom0 to $QREXEC_REMOTE_DOMAIN\ncat\n' >/tmp/svc/test.Dom0
chmod 755 /tmp/svc/test.Dom0
printf 'test.Deny * @anyvm @anyvm deny\ntest.Dom0 * @anyvm @adminvm allow\n* * @anyvm @anyvm allow user=root\n' >/tmp/policy/50.policy
printf 'aaa type=AppVM running=yes\nbbb type=AppVM running=yes\n' >/run/mullion/domains
mullion-policyd --policy-dir=/tmp/policy 2>/tmp/policy.log &
start_daemon() { # NAME
	QREXEC_SERVICE_PATH=/tmp/svc qrexec-daemon -D "$(xl domid $1)" $1 root 2>>/tmp/$1.log &
}
say "policy is up: $(grep -c 'in force' /tmp/policy.log)"
for name in aaa bbb; do
	printf 'name="%s"\ntype="pvh"\nkernel="/tmp/vmlinuz"\nramdisk="/tmp/initrd"\nmemory=320\nvcpus=1\ncmdline="console=hvc0 quiet"\n' $name >/tmp/$name.cfg
	timeout 300 xl create /tmp/$name.cfg >/tmp/$name.create 2>&1 || { cat /tmp/$name.create; echo FAIL; exit 1; }
	start_daemon $name
	say "domain $name is made"
done
for i in $(seq 600); do
	grep -q connected /tmp/aaa.log && grep -q connected /tmp/bbb.log && break
	sleep 0.5
done
say "$(grep -h . /tmp/aaa.log /tmp/bbb.log)"

is "output and exit code" "$(client aaa 'root:echo hello; exit 7'; echo $?)" $'hello\n7'
is "input" "$(echo ping | client aaa 'root:cat')" ping
is "guest to dom0" "$(client aaa 'root:echo data | qrexec-client-vm @adminvm test.Dom0')" $'from dom0 to aaa\ndata'
is "guest to guest" "$(client aaa 'root:echo over | qrexec-client-vm bbb test.Echo')" over
is "guest to guest, the other way" "$(client bbb 'root:echo back | qrexec-client-vm aaa test.Echo')" back
is "denied" "$(client aaa 'root:qrexec-client-vm bbb test.Deny 2>/dev/null; echo $?')" 126
is "not installed" "$(client aaa 'root:qrexec-client-vm bbb test.None 2>/dev/null; echo $?')" 127
wanted=$(head -c ${mib}M /dev/zero | sha256sum)
is "$mib MiB through one call" "$(head -c ${mib}M /dev/zero | client aaa 'root:cat' | sha256sum)" "$wanted"
# What a call moves, and what plain libxenvchan moves between the same two programs (bench/vchan_speed.c).
milliseconds() { # COMMAND...
	local t0=$(date +%s%N)
	"$@" >/dev/null
	echo $((($(date +%s%N) - t0) / 1000000))
}
call_to() { head -c ${mib}M /dev/zero | client aaa 'root:cat >/dev/null'; }
call_from() { client aaa "root:head -c ${mib}M /dev/zero" </dev/null | cat; }
plain_to() { head -c ${mib}M /dev/zero | vchan_speed call $1 send $mib; }
plain_from() { vchan_speed call $1 receive $mib | cat; }
compare() { # WHAT CALL-MS PLAIN-MS
	say "speed: $1: a call $((mib * 1024000 / $2)) KiB/s, plain libxenvchan $((mib * 1024000 / $3)) KiB/s, $((100 * $3 / $2)) %"
}
id=$(xl domid aaa)
client aaa -e "root:vchan_speed serve 0 receive $mib | cat >/dev/null"
compare "dom0 to guest" $(milliseconds call_to) $(milliseconds plain_to $id 2>/dev/null)
client aaa -e "root:head -c ${mib}M /dev/zero | vchan_speed serve 0 send $mib"
compare "guest to dom0" $(milliseconds call_from) $(milliseconds plain_from $id 2>/dev/null)
t0=$(date +%s%N)
for i in 1 2 3 4 5 6 7 8 9 10; do client aaa root:true; done
t1=$(date +%s%N)
say "speed: a call takes $(((t1 - t0) / 10000000)) ms"
for i in $(seq 20); do client aaa "root:sleep 1; exit $i" & many="$many $!"; done
client bbb 'root:true'
is "others are served meanwhile" $? 0
i=0 wrong=
for job in $many; do
	i=$((i + 1))
	wait $job
	[ $? = $i ] || wrong="$wrong $i"
done
is "exit codes of 20 calls at once" "$wrong" ""
t0=$(date +%s%N)
is "file copy of $files files" "$(client aaa "root:for i in \$(seq 0 49); do mkdir -p /home/t/\$i; done; for i in \$(seq $files); do echo \$i >/home/t/\$((i % 50))/\$i; done; PATH=/bin mullion-copy -d bbb /home/t; echo \$?")" 0
t1=$(date +%s%N)
say "speed: $files files in $(((t1 - t0) / 1000000)) ms"
is "all of them are there" "$(client bbb 'root:find /home/QubesIncoming/aaa/t -type f | wc -l')" "$files"

# The server's node is there while it waits, and is gone when the client has come.
node=/local/domain/$(xl domid aaa)/data/vchan
is "no node is left of the connections" "$(xenstore-ls $node 2>/dev/null | grep -c event-channel)" 0

# A guest that was saved and restored is another domain: its agent notices, and serves a new daemon.
if [ "$QREXEC_RESTORE" = yes ]; then
	client aaa 'root:sleep 3000' </dev/null &
	middle=$!
	sleep 2
	xl save aaa /tmp/aaa.saved >/tmp/aaa.save.log 2>&1 || { bad "xl save"; tail -3 /tmp/aaa.save.log; }
	wait $middle
	is "a call into a domain that is saved ends" $? 125
	xl restore /tmp/aaa.saved >/tmp/aaa.restore.log 2>&1 || { bad "xl restore"; tail -3 /tmp/aaa.restore.log; }
	start_daemon aaa
	for i in $(seq 120); do
		[ "$(grep -c connected /tmp/aaa.log)" -ge 2 ] && break
		sleep 0.5
	done
	is "dom0 to the restored guest" "$(client aaa 'root:echo again')" again
	is "restored guest to guest" "$(client aaa 'root:echo over | qrexec-client-vm bbb test.Echo')" over
	is "guest to restored guest" "$(client bbb 'root:echo back | qrexec-client-vm aaa test.Echo')" back
fi

# A guest goes away in the middle of a call from dom0.
head -c 100000M /dev/zero 2>/dev/null | client bbb 'root:echo started; cat >/dev/null' >/tmp/middle 2>/dev/null &
middle=$!
until grep -q started /tmp/middle; do sleep 0.1; done
t0=$(date +%s)
xl destroy bbb
wait $middle
is "guest destroyed in the middle: dom0's call ends" $? 125
t1=$(date +%s)
[ $((t1 - t0)) -lt 60 ] && ok "within $((t1 - t0)) s" || bad "after $((t1 - t0)) s only"
client bbb root:true 2>/dev/null
is "calls to it are a problem now" $? 125
client aaa root:true
is "the other guest still answers" $? 0
grep -h . /tmp/bbb.log | tail -2
xl destroy aaa
[ $failed = 0 ] && echo PASS || echo FAIL
exit $failed
