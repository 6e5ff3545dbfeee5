#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in dom0: the tests of the live hypervisor that come with Debian's xen-utils, and libvirt. Prints
# facts as "NAME: VALUE"; stock_tools.py judges them.
exec 2>&1
cd /root || exit 1
mini=/usr/lib/mullion/mini

run() { # NAME COMMAND...: exit status, number of failures it tells, and what it says, indented
	local name=$1
	shift
	timeout 120 "$@" >/tmp/answer 2>&1
	echo "$name: $?"
	sed 's/^/    /' /tmp/answer
}
until_true() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.3
	done
}

for program in test-resource test-paging-mempool test-tsx test-cpu-policy test-xenstore; do
	run "$program" "/usr/lib/xen-4.17/bin/$program"
done

cat >v.xml <<XML
<domain type='xen'>
  <name>v</name>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='xenpvh'>xenpvh</type>
    <kernel>$mini/vmlinuz</kernel>
    <initrd>$mini/initrd</initrd>
    <cmdline>console=hvc0 quiet</cmdline>
  </os>
  <on_crash>preserve</on_crash>
  <console type='pty'><target type='xen' port='0'/></console>
</domain>
XML
virsh() { command virsh -q -c xen:///system "$@"; }
state() { virsh domstate v 2>/dev/null; }
waits() { xl list v 2>/dev/null | grep -q -- '-b----'; }
free_memory() { xl info | sed -n 's/^free_memory *: //p'; }

# libvirtd as its service would start it, but without a desktop's policy daemon to ask. Its driver for
# QEMU is there, too, and wants the user that the package of the service makes.
cat >libvirtd.conf <<CONF
auth_unix_rw = "none"
log_outputs = "3:file:/root/libvirtd.log"
CONF
virtlogd -d
useradd --system libvirt-qemu
libvirtd -d -f /root/libvirtd.conf
until_true 60 virsh version >/dev/null 2>&1 || tail -n 30 libvirtd.log
run "virsh version" virsh version
run "virsh capabilities" virsh capabilities
echo "virsh list: $(virsh list --all | awk 'NF {print $1, $2, $3}')"
run "virsh define" virsh define v.xml
echo "virsh state defined: $(state)"
run "virsh start" virsh start v
echo "virsh state started: $(state)"
until_true 60 waits && echo "virsh domain: up"
echo "virsh dominfo: $(virsh dominfo v | awk '/^CPU\(s\)/ {c = $2} /^Max memory/ {m = $3} END {print c, m}')"
run "virsh suspend" virsh suspend v
echo "virsh state suspended: $(state)"
run "virsh resume" virsh resume v
run "virsh start again" virsh start v
run "virsh destroy" virsh destroy v
echo "virsh state destroyed: $(state)"
run "virsh destroy again" virsh destroy v
run "virsh undefine" virsh undefine v
sleep 2
echo "memory start: $(free_memory)"
run "virsh create" virsh create v.xml
echo "virsh state created: $(state)"
run "virsh destroy created" virsh destroy v
echo "virsh list end: $(virsh list --all | awk 'NF {print $1, $2, $3}')"
sleep 2
echo "memory end: $(free_memory)"
echo "end: reached"
