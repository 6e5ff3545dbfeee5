#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in dom0 with the folder that mulliond.py filled as /mnt/share: mulliond starts, watches and
# ends real domains. Prints facts as "NAME: VALUE"; mulliond.py judges them.
share=/mnt/share
mkdir -p /opt/m /usr/lib/mullion /var/lib/mullion/volumes /etc/mullion/domains /run/qubes
cp -r $share/bin $share/lib /opt/m/
cp $share/bin/block-ready $share/bin/start-domain /usr/lib/mullion/
export LD_LIBRARY_PATH=/opt/m/lib PATH=/opt/m/bin:$PATH
now() { date +%s%N; }
ms() { echo $((($(now) - $1) / 1000000)); }
state() { mullion domain list --json | tr '{' '\n' | grep "\"name\":\"$1\"" | sed 's/.*"state":"\([a-z]*\)".*/\1/'; }
wait_for() { # STATE NAME
	for i in $(seq 300); do [ "$(state $2)" = "$1" ] && return; sleep 0.2; done
	echo "$2 never became $1"
}
start_daemon() {
	mulliond --kernel /usr/lib/mullion/mini/vmlinuz --initrd /usr/lib/mullion/mini/initrd \
		--command-line "console=hvc0 quiet" >>/tmp/mulliond.log 2>&1 &
	daemon=$!
	for i in $(seq 300); do mullion list >/dev/null 2>&1 && return; sleep 0.1; done
	echo "the daemon does not answer"
}
left() {
	echo "loops of $1: $(losetup -a | grep -c /volumes/)"
	echo "run images of $1: $(ls /var/lib/mullion/volumes/*/*-run.img 2>/dev/null | wc -l)"
	echo "back-ends of $1: $(xenstore-ls /local/domain/0/backend 2>/dev/null | grep -c frontend)"
	echo "machines of $1: $(xl list | tail -n +3 | wc -l)"
}

modprobe -a loop xen-blkback xfs
truncate -s 900M /root/store.img
mkfs.xfs -q /root/store.img
mount -o loop /root/store.img /var/lib/mullion/volumes
cp $share/org.mullion.Domains1.conf /usr/share/dbus-1/system.d/
getent group mullion >/dev/null || groupadd mullion
systemctl reload dbus
# The programs of the share, as they would be installed.
mkdir -p /etc/systemd/system/qrexec-daemon@.service.d
sed 's,/usr/sbin/,/opt/m/bin/,; /mullion-policyd/d' "$share/qrexec-daemon@.service" >"/etc/systemd/system/qrexec-daemon@.service"
printf '[Service]\nEnvironment=LD_LIBRARY_PATH=/opt/m/lib\n' >"/etc/systemd/system/qrexec-daemon@.service.d/test.conf"
systemctl daemon-reload
truncate -s 64M /var/lib/mullion/volumes/system.img

start_daemon
mullion template create tiny /var/lib/mullion/volumes/system.img private_mib=16
for name in one two; do
	mullion domain create $name template=tiny private_mib=16 memory_mib=128 memory_max_mib=128 \
		vcpus=1 disposable.allowed=true disposable.limit=2
done
free_before=$(xl info | sed -n 's/^free_memory.*: //p')
mullion domain start one
echo "start: $?"
for i in 1 2 3 4 5; do t=$(now); mullion domain list >/dev/null; echo "list ms: $(ms $t)"; done
echo "daemon KiB: $(awk '/^Private/ { n += $2 } END { print n }' /proc/$daemon/smaps_rollup)"
echo "one after its start: $(state one)"
echo "unit of one: $(systemctl is-active qrexec-daemon@one)"
grep . /run/mullion/qrexec/one
grep '^one ' /run/mullion/domains

# The daemon is killed and finds what runs.
disposable=$(start-domain @dispvm:two)
echo "disposable: $disposable"
kill -9 $daemon
wait $daemon 2>/dev/null
start_daemon
echo "one after the restart: $(state one)"
echo "disposable after the restart: $(state "$disposable")"
mullion disposable list

# Its only reason ends: so does the disposable.
systemctl stop qrexec-daemon@$disposable
wait_for "" "$disposable"
echo "disposable after its call: $(state "$disposable")"
# One that is killed while it starts.
mullion disposable start two &
starter=$!
for i in $(seq 300); do [ "$(state disp1)$(state disp2)" = starting ] && break; sleep 0.1; done
mullion domain kill $(mullion disposable list --json | grep -o 'disp[0-9]*' | head -n 1)
echo "killed while it starts: $?"
wait $starter
echo "its start: $?"
# A domain dies behind its back.
xl destroy one
wait_for stopped one
echo "one after its death: $(state one)"
echo "unit of one after its death: $(systemctl is-active qrexec-daemon@one)"
left all
mullion domain start two
t=$(now)
mullion domain kill two
echo "kill: $? in $(ms $t) ms"
left two
sleep 2
echo "memory: $free_before $(xl info | sed -n 's/^free_memory.*: //p')"
cat /tmp/mulliond.log
systemctl status --no-pager 'qrexec-daemon@*' 2>&1 | tail -30
