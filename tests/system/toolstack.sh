#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in dom0: every command of stock xl, with the mini guest. Prints facts as "NAME: VALUE";
# toolstack.py judges them.
exec 2>&1
cd /root || exit 1
mini=/usr/lib/mullion/mini

fact() { # NAME VALUE...
	local name=$1
	shift
	echo "$name: $*"
}
answer() { # NAME COMMAND...: its exit status, and its output indented, for whoever reads the log
	local name=$1
	shift
	"$@" >/tmp/answer 2>&1
	fact "$name" $?
	sed 's/^/    /' /tmp/answer
}
until_true() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}
yes_or_no() { "$@" && echo yes || echo no; }
patient() { # NAME SECONDS COMMAND...: does it become true?
	local name=$1
	shift
	fact "$name" "$(yes_or_no until_true "$@")"
}

# --- a domain's console: its output goes to NAME.log ---

declare -A tty reader
open_console() { # NAME
	local id
	id=$(xl domid "$1")
	until_true 30 xenstore-exists "/local/domain/$id/console/tty" || return 1
	tty[$1]=$(xenstore-read "/local/domain/$id/console/tty")
	: >"$1.log"
	stty -F "${tty[$1]}" raw -echo
	cat "${tty[$1]}" >>"$1.log" 2>/dev/null &
	reader[$1]=$!
}
says() { grep -q -a -e "$2" "$1.log"; }
tell() { echo "$2" >"${tty[$1]}"; } # NAME LINE
ask() { # FACT NAME LINE PATTERN [SECONDS]: what the domain answers on its console
	: >"$2.log"
	tell "$2" "$3"
	until_true "${5:-30}" says "$2" "$4"
	fact "$1" "$(grep -a -o -m1 -e "$4" "$2.log" || echo "no: $(tail -c 300 "$2.log" | tr '\r\n' '  ')")"
}

# --- what xl says of a domain ---

list_column() { xl list "$1" 2>/dev/null | awk -v n="$2" 'NR == 2 {print $n}'; }
memory_is() { [ "$(list_column "$1" 3)" = "$2" ]; }
vcpus_are() { [ "$(list_column "$1" 4)" = "$2" ]; }
state_has() { [[ "$(list_column "$1" 5)" == *$2* ]]; }
is_id() { [ "$(xl domid "$1" 2>/dev/null)" = "$2" ]; }
is_another_id() { local id; id=$(xl domid "$1" 2>/dev/null) && [ "$id" != "$2" ]; }
is_gone() { ! xl domid "$1" >/dev/null 2>&1; }
has_no() { [ "$(xl "$1-list" "$2" | wc -l)" -lt 2 ]; } # block or network, NAME
vcpu_line() { xl vcpu-list "$1" | awk -v v="$2" '$3 == v'; }
free_memory() { xl info | sed -n 's/^free_memory *: //p'; }
node_count() { xenstore-ls / | wc -l; }
backend_count() { xenstore-ls /local/domain/0/backend 2>/dev/null | wc -l; }
lasting() { # NAME: what a domain may leave behind
	fact "memory $1" "$(free_memory)"
	fact "nodes $1" "$(node_count)"
	fact "backends $1" "$(backend_count)"
}
configure() { # NAME LINE...
	local name=$1
	shift
	sed -e "s/^name.*/name = \"$name\"/" $mini/mini.cfg >"$name.cfg"
	printf '%s\n' "$@" >>"$name.cfg"
}

# --- the machine ---

modprobe -a xen-blkback xen-netback loop
ip link add xenbr0 type bridge && ip addr add 10.0.9.1/24 dev xenbr0 && ip link set xenbr0 up
fact "info version" "$(xl info | awk '/^xen_version/ {print $3}' | sed 's/^\(4\.17\)\.[0-9]*.*/\1/')"
fact "info cpus" "$(xl info | awk '/^nr_cpus/ {print $3}')"
fact "info caps" "$(xl info | grep -c '^xen_caps.*hvm-3.0-x86_64')"
fact "info scheduler" "$(xl info | awk '/^xen_scheduler/ {print $3}')"
answer "info numa" xl info -n
fact "list" "$(xl list | awk 'NR == 2 {print $1, $2, $4}')"
answer "list long" xl list -l
answer "uptime" xl uptime
fact "dmesg" "$(yes_or_no test "$(xl dmesg | wc -l)" -gt 3)"
before=$(xl dmesg | wc -l)
answer "debug-keys" xl debug-keys h
fact "debug-keys help" "$(yes_or_no test "$(xl dmesg | wc -l)" -gt $((before + 3)))"
xl dmesg -c >/dev/null
fact "dmesg cleared" "$(yes_or_no test "$(xl dmesg | wc -l)" -lt 3)"

# xenstore-*
xenstore-write /tool/test/a one /tool/test/b two
fact "xenstore read" "$(xenstore-read /tool/test/a /tool/test/b | tr '\n' ' ')"
fact "xenstore list" "$(xenstore-list /tool/test | tr '\n' ' ')"
fact "xenstore ls" "$(xenstore-ls /tool/test | tr '\n' ' ')"
(timeout 20 xenstore-watch -n 2 /tool/test/a >watched &)
sleep 1
xenstore-write /tool/test/a three
sleep 1
fact "xenstore watch" "$(tr '\n' ' ' <watched)"
xenstore-chmod /tool/test/a n0 r1
fact "xenstore chmod" "$(xenstore-ls -p /tool/test | awk '$1 == "a" {print $NF}')"
xenstore-rm /tool/test
answer "xenstore exists" xenstore-exists /tool/test

# --- one domain ---

configure a 'vcpus = 1' 'maxvcpus = 2' 'memory = 160'
answer "create" xl create -q a.cfg
first_id=$(xl domid a)
open_console a
patient "up" 60 says a 'mini: up'
kill "${reader[a]}"
fact "console" "$( (sleep 1; echo ping; sleep 2; printf '\035') | timeout 20 script -qec 'xl console a' /dev/null |
	grep -a -o -m1 'mini: pong')"
open_console a
ask "ping" a ping 'mini: pong'
answer "domid" xl domid a
fact "domname" "$(xl domname "$first_id")"
fact "create again" "$(xl create -q a.cfg 2>&1 | grep -c 'already exists')"

answer "vcpu-pin" xl vcpu-pin a 0 1
ask "ping moved" a ping 'mini: pong' # a vCPU that sleeps moves when it wakes up
fact "vcpu-pin list" "$(vcpu_line a 0 | awk '{print $4, $7, $8, $9}')"
answer "vcpu-pin soft" xl vcpu-pin a 0 - 0
fact "vcpu-pin soft list" "$(vcpu_line a 0 | awk '{print $4, $7, $8, $9}')"
answer "vcpu-pin off" xl vcpu-pin a all all all
fact "vcpu-pin off list" "$(vcpu_line a 0 | awk '{print $7, $8, $9}')"
ask "ping pinned" a ping 'mini: pong'
answer "vcpu-pin nowhere" xl vcpu-pin a 0 9
answer "vcpu-pin nobody" xl vcpu-pin a 7 0

answer "vcpu-set" xl vcpu-set a 2
sleep 2
ask "vcpu-set cpus" a cpus 'mini: [0-9]* cpus'
patient "vcpu-set list" 20 vcpus_are a 2
answer "vcpu-set back" xl vcpu-set a 1
patient "vcpu-set back list" 20 vcpus_are a 1
fact "vcpu-set back state" "$(vcpu_line a 1 | awk '{print $5}')"
answer "vcpu-set too many" xl vcpu-set a 9

answer "mem-set" xl mem-set a 128
patient "mem-set list" 30 memory_is a 128
answer "mem-set back" xl mem-set a 160
patient "mem-set back list" 30 memory_is a 160
answer "mem-max" xl mem-max a 300
fact "xentop" "$(xentop -b -i 1 | awk '$1 == "a" {print ($5 > 150000), $7, $9}')"
answer "mem-max back" xl mem-max a 160

answer "pause" xl pause a
fact "pause list" "$(yes_or_no state_has a p)"
: >a.log
tell a ping
sleep 2
fact "pause silent" "$(yes_or_no test ! -s a.log)"
answer "unpause" xl unpause a
patient "unpause speaks" 20 says a 'mini: pong'
answer "unpause again" xl unpause a
answer "rename" xl rename a other
fact "rename list" "$(list_column other 2)"
answer "rename back" xl rename other a

answer "sched-credit2" xl sched-credit2 -d a -w 512 -c 50
fact "sched-credit2 list" "$(xl sched-credit2 -d a | awk '$1 == "a" {print $3, $4}')"
answer "sched-credit2 all" xl sched-credit2
answer "sched-credit2 back" xl sched-credit2 -d a -w 256 -c 0
answer "sched-credit2 weight 0" xl sched-credit2 -d a -w 0
answer "sched-credit2 cap" xl sched-credit2 -d a -c 70000

fact "cpupool-list" "$(xl cpupool-list | awk 'NR == 2 {print $1, $2, $4, $5}')"
answer "cpupool-cpu-remove" xl cpupool-cpu-remove Pool-0 1
answer "cpupool-create" xl cpupool-create 'name="side"' 'cpus=["1"]'
fact "cpupool-list side" "$(xl cpupool-list | awk '$1 == "side" {print $2, $4, $5}')"
answer "cpupool-migrate" xl cpupool-migrate a side
fact "cpupool-migrate list" "$(xl list -c a | awk 'NR == 2 {print $NF}')"
ask "ping in pool" a ping 'mini: pong'
fact "cpupool cpu" "$(vcpu_line a 0 | awk '{print $4}')"
answer "cpupool-destroy busy" xl cpupool-destroy side
answer "cpupool-cpu-remove last" xl cpupool-cpu-remove side 1
answer "cpupool-rename" xl cpupool-rename side edge
answer "cpupool-migrate back" xl cpupool-migrate a Pool-0
answer "cpupool-destroy" xl cpupool-destroy edge
answer "cpupool-cpu-add" xl cpupool-cpu-add Pool-0 1
fact "cpupool-list end" "$(xl cpupool-list | awk 'NR > 1 {print $1, $2, $5}')"
answer "cpupool-migrate dom0" xl cpupool-migrate 0 nowhere

: >a.log
answer "sysrq" xl sysrq a h
patient "sysrq seen" 10 says a 'sysrq: HELP'
: >a.log
answer "trigger" xl trigger a nmi 0
patient "trigger seen" 10 says a 'NMI'
ask "ping after NMI" a ping 'mini: pong'
answer "trigger power" xl trigger a power
answer "trigger reset" xl trigger a reset
answer "trigger nobody" xl trigger a nmi 5
ask "ping after triggers" a ping 'mini: pong'

# --- disks ---

head -c 16777216 /dev/urandom >one.img
truncate -s 16777216 two.img
first=$(losetup -f --show one.img)
second=$(losetup -f --show two.img)
answer "block-attach" xl block-attach a "phy:$first" xvda r
answer "block-attach second" xl block-attach a "phy:$second" xvdb w
fact "block-list" "$(xl block-list a | awk 'NR > 1 {print $1, $2, $4}' | tr '\n' ' ')"
sleep 1
ask "copy" a copy 'mini: cop.*' 120
answer "block-detach" xl block-detach a xvda
answer "block-detach second" xl block-detach a xvdb
patient "block-list end" 10 has_no block a
ask "no disk" a disk 'mini: no disk'
patient "loop free" 10 losetup -d "$first" "$second"
fact "copy same" "$(yes_or_no cmp one.img two.img)"
answer "block-attach nothing" xl block-attach a phy:/dev/nothing xvdc w
answer "block-detach nothing" xl block-detach a xvdq

# --- network: dom0, a, and another one, b ---

configure b "vif = [ 'bridge=xenbr0' ]"
answer "create b" xl create -q b.cfg
open_console b
answer "network-attach" xl network-attach a bridge=xenbr0 mac=00:16:3e:00:00:0a
fact "network-list" "$(xl network-list a | awk 'NR > 1 {print $1, $2, $3, $5}')"
until_true 60 says b 'mini: up'
ask "net a" a 'net 10.0.9.2' 'mini: net 10.0.9.2'
ask "net b" b 'net 10.0.9.3' 'mini: net 10.0.9.3'
fact "ping from dom0" "$(ping -q -c 10 -i 0.3 10.0.9.2 | sed -n 's/.*transmitted, \([0-9]*\) rec.*/\1/p')"
ask "ping dom0" a 'reach 10.0.9.1' 'mini: .* answered . times' 60
ask "ping each other" b 'reach 10.0.9.2' 'mini: .* answered . times' 60
cat >exchange.py <<'PYTHON'
import hashlib, os, socket, threading, time
data = os.urandom(1 << 20)
count = 16
peer = socket.create_connection(("10.0.9.2", 7))
def send():
    for _ in range(count):
        peer.sendall(data)
    peer.shutdown(socket.SHUT_WR)
start = time.monotonic()
threading.Thread(target=send, daemon=True).start()
got = hashlib.sha256()
size = 0
while piece := peer.recv(1 << 16):
    got.update(piece)
    size += len(piece)
same = got.digest() == hashlib.sha256(data * count).digest()
print(f"exchange: {2 * size / 1e6 / (time.monotonic() - start):.1f} MB/s in both directions together")
print(f"exchange same: {same}")
PYTHON
timeout 120 python3 exchange.py
ask "exchange domains" b "exchange 10.0.9.2 16777216" 'mini: .* came back.*' 120
answer "network-detach" xl network-detach a 0
patient "network-list end" 10 has_no network a
patient "vif gone" 10 test ! -e "/sys/class/net/vif$first_id.0"

# --- ends ---

answer "reboot" xl reboot a
patient "reboot id" 60 is_another_id a "$first_id"
open_console a
until_true 60 says a 'mini: up'
ask "ping rebooted" a ping 'mini: pong'
answer "shutdown" xl shutdown a
patient "shutdown gone" 60 is_gone a
: >b.log
tell b crash
patient "crash kept" 60 state_has b c
answer "destroy" xl destroy b
patient "destroy gone" 20 is_gone b
answer "destroy again" xl destroy b
answer "destroy dom0" xl destroy 0
sleep 1
lasting "start"
answer "pause nobody" xl pause nobody
answer "create without kernel" xl create -q a.cfg 'kernel="/nowhere"'
answer "create no note" xl create -q a.cfg 'kernel="/bin/true"'
answer "create too large" xl create -q a.cfg 'memory=1000000' 'maxmem=1000000'
answer "create many vcpus" xl create -q a.cfg 'vcpus=1000' 'maxvcpus=1000'
answer "create b again" xl create -q b.cfg
answer "destroy b" xl destroy b
fact "nothing left" "$(xl list | tail -n +2 | wc -l)"
sleep 1
lasting "end"
dmesg | grep -E 'Oops:|BUG:|WARNING:|blkback.*error'
fact "end" reached
