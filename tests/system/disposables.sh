#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# disposables.sh ONE-BY-ONE AT-ONCE: runs in dom0 for disposables.py. Lines "ok: WHAT" and "FAILED: WHAT".
share=/mnt/share
one_by_one=$1
at_once=$2
limit=600
program=disposables
. $share/dom0_lib.sh

say() { # STATUS WHAT
	if [ "$1" = 0 ]; then echo "ok: $2"; else echo "FAILED: $2"; fi
}
nothing_is_left() { # AFTER-WHAT
	until_true 120 is_clean
	say $? "nothing is left after $1: $(traces | tr '\n' ' ')"
	until_true 60 is_free $((before - 4))
	say $? "the memory is free again after $1: $before MiB before, $(free_memory) MiB now"
}
in_disposable() { timeout $limit mullion run --disposable --from=viewer "$@"; }

start_daemons
make_domains
before=$(free_memory)

for n in $(seq "$one_by_one"); do
	began=$(date +%s%N)
	answer=$(in_disposable "echo here \$((40 + 2))")
	[ "$answer" = "here 42" ] || say 1 "disposable $n answers: $answer"
	echo "disposable $n: $((($(date +%s%N) - began) / 1000000)) ms"
done
say 0 "$one_by_one disposables ran one after the other"
nothing_is_left "$one_by_one one after the other"

for n in $(seq "$at_once"); do
	in_disposable "echo here; sleep 5" >/tmp/at-once.$n 2>&1 &
done
wait
[ "$(cat /tmp/at-once.* | grep -c '^here$')" = "$at_once" ]
say $? "$at_once disposables at once answer: $(cat /tmp/at-once.* | tr '\n' ' ')"
nothing_is_left "$at_once at once"

used=$(in_disposable "sleep 5; free -m" | awk '$1 == "Mem:" { print $3 }')
[ "${used:-999}" -le 200 ]
say $? "an idle disposable uses at most 200 MiB: $used MiB"
used=0
for process in $(pgrep 'mullion|qrexec-daemon'); do
	size=$(awk '$1 == "Pss:" { print $2 }' /proc/$process/smaps_rollup)
	echo "memory: $(cat /proc/$process/comm) $size KiB"
	used=$((used + size))
done
[ $used -le 61440 ]
say $? "dom0's daemons use at most 60 MiB together: $((used / 1024)) MiB"

# What it wrote is not in the next one.
in_disposable "echo secret >\$HOME/left; sudo true; cat \$HOME/left" >/dev/null 2>&1
answer=$(in_disposable "cat \$HOME/left 2>&1")
case $answer in *"No such file"*) say 0 "a new disposable has nothing of the one before" ;;
*) say 1 "a new disposable has nothing of the one before: $answer" ;; esac

# Killed while it starts.
mullion disposable start viewer >/tmp/start.log 2>&1 &
call=$!
until_true 60 has_disposable
mullion domain kill "$(name_disposable)"
say $? "a disposable is killed while it starts"
wait $call
nothing_is_left "one that was killed while it started"

# The daemon dies while a disposable works; its successor takes over and ends it with the call.
in_disposable "echo here; sleep 20; echo there" >/tmp/survivor.log 2>&1 &
call=$!
until_true 300 grep -q here /tmp/survivor.log
systemctl kill -s KILL mulliond
until_true $limit is_listed
say $? "mulliond is back after its death"
has_disposable
say $? "and knows the disposable that ran"
wait $call
say $? "whose call went on: $(tr '\n' ' ' </tmp/survivor.log)"
nothing_is_left "the death of mulliond"

# It tries what a captured viewer would.
in_disposable 'ls /sys/class/net; ping -c1 -W2 10.0.2.2; mount /dev/xvdd /mnt; xenstore-ls /local/domain/0' \
	>/tmp/hostile.log 2>&1
grep -qE 'eth|enX|bytes from' /tmp/hostile.log
[ $? -ne 0 ]
say $? "a disposable has no network: $(head -c 300 /tmp/hostile.log | tr '\n' ' ')"
timeout 120 mullion run --disposable --from=viewer 'dd if=/dev/zero of=$HOME/fill bs=1M count=100000' >/tmp/fill.log 2>&1
grep -q 'No space left' /tmp/fill.log
say $? "it can fill its own disk only: $(tail -n 1 /tmp/fill.log)"
timeout 60 mullion run --disposable --from=viewer ':(){ :|:& };: ; sleep 20' >/dev/null 2>&1
mullion list >/dev/null
say $? "and fork until it dies, while mulliond answers"
for name in $(mullion disposable list | awk 'NR > 1 { print $1 }'); do mullion domain kill "$name"; done
nothing_is_left "hostile ones"

# No memory: a sentence, and nothing begun.
mullion domain set viewer memory_mib=60000 memory_max_mib=60000
answer=$(in_disposable true 2>&1)
case $answer in *"MiB of memory"*"stop another domain"*) say 0 "no memory: $answer" ;; *) say 1 "no memory: $answer" ;; esac
mullion domain set viewer memory_mib=400 memory_max_mib=400

# A template that is broken.
truncate -s 64M /var/lib/mullion/images/broken.img
mullion template create broken /var/lib/mullion/images/broken.img private_mib=64 &&
	mullion domain create bad template=broken label=gray memory_mib=400 memory_max_mib=400 private_mib=64 \
		disposable.allowed=true
answer=$(timeout 200 mullion run --disposable --from=bad true 2>&1)
say $((!$?)) "a broken template: $answer"
nothing_is_left "refusals"

# The template gets a new system while it is in use.
in_disposable "echo here; sleep 15; cat /etc/hostname" >/tmp/in-use.log 2>&1 &
call=$!
until_true 300 grep -q here /tmp/in-use.log
mullion template update debian /var/lib/mullion/images/debian/root.img
say $? "a template is updated while it is in use"
wait $call
say $? "and what runs from it goes on: $(tr '\n' ' ' </tmp/in-use.log)"
nothing_is_left "the update"

began=$(date +%s%N)
for n in 1 2 3 4 5; do mullion list >/dev/null; done
echo "mullion list: $((($(date +%s%N) - began) / 5000000)) ms (must: 50, on a quiet machine)"
