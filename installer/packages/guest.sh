#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The part of vchan, qrexec and guid that goes into app domains and disposables; see stage.sh. The
# package enables the agents by itself, so an image recipe only has to install it.
set -eu
. "$(dirname "$0")/stage.sh"

put_vchan
put_program "$build/qrexec/qrexec-agent" usr/lib/qubes/qrexec-agent
put_program "$build/qrexec/qrexec-client-vm" usr/bin/qrexec-client-vm
put_program "$build/qrexec/qrexec-fork-server" usr/bin/qrexec-fork-server
put_program "$build/qrexec/services/mullion-copy" usr/bin/mullion-copy
link mullion-copy usr/bin/qvm-copy-to-vm
link mullion-copy usr/bin/qvm-copy
put_program "$build/qrexec/services/mullion-open" usr/bin/mullion-open
put_program "$build/guid/mullion-gui-agent" usr/bin/mullion-gui-agent
put_program "$build/domains/disposable-init" usr/lib/mullion/disposable-init
for program in filecopy-receive vmexec image-rgba open-and-wait; do
	put_program "$build/qrexec/services/$program" "usr/lib/mullion/$program"
done
qrexec=$top/qrexec
put 644 "$qrexec/services/org.mullion.Open.desktop" \
	usr/share/applications/org.mullion.Open.desktop
for service in "$qrexec"/services/rpc/*; do
	put 755 "$service" "etc/qubes-rpc/${service##*/}"
done
for setting in "$qrexec"/services/config/*; do
	put 644 "$setting" "etc/qubes/rpc-config/${setting##*/}"
done
put 644 "$qrexec/systemd/qrexec-agent.service" usr/lib/systemd/system/qrexec-agent.service
link ../qrexec-agent.service usr/lib/systemd/system/multi-user.target.wants/qrexec-agent.service
put 644 "$qrexec/systemd/qrexec-fork-server.service" \
	usr/lib/systemd/user/qrexec-fork-server.service
link ../qrexec-fork-server.service \
	usr/lib/systemd/user/default.target.wants/qrexec-fork-server.service
put 644 "$qrexec/systemd/mullion-guest.tmpfiles" usr/lib/tmpfiles.d/mullion-guest.conf
put 644 "$top/guid/data/mullion-gui-agent.service" usr/lib/systemd/user/mullion-gui-agent.service
link ../mullion-gui-agent.service \
	usr/lib/systemd/user/default.target.wants/mullion-gui-agent.service
put 644 "$qrexec/systemd/qrexec.pam" etc/pam.d/qrexec
put 644 "$qrexec/systemd/mullion-guest.modules" usr/lib/modules-load.d/mullion-guest.conf
put 644 "$qrexec/systemd/mullion-guest.modprobe" usr/lib/modprobe.d/mullion-guest.conf
put 644 "$qrexec/systemd/mullion-guest.rules" usr/lib/udev/rules.d/60-mullion-guest.rules
put_pages "$qrexec"/man/qrexec-agent.8 "$qrexec"/man/qrexec-client-vm.1 \
	"$qrexec"/man/qrexec-fork-server.1 \
	"$qrexec"/man/mullion-copy.1 "$qrexec"/man/mullion-open.1 \
	"$top"/guid/data/mullion-gui-agent.1
put 644 "$qrexec/completion/qrexec" usr/share/bash-completion/completions/qrexec-client-vm
for name in mullion-copy mullion-open; do
	link qrexec-client-vm usr/share/bash-completion/completions/$name
done

finish '#!/bin/sh
set -e
ldconfig
getent group qubes >/dev/null || groupadd --system qubes
if getent passwd user >/dev/null; then
	usermod -a -G qubes user
fi
if [ -d /run/systemd/system ]; then
	systemd-tmpfiles --create mullion-guest.conf
	systemctl daemon-reload
	systemctl start qrexec-agent.service || true
fi' <<'CONTROL'
Package: mullion-guest
Depends: libc6 (>= 2.36), libxenmisc4.17, libxenstore4, libxengnttab1, libxenevtchn1, libseccomp2,
 libpam0g, passwd, libgcc-s1, libgdk-pixbuf-2.0-0, libglib2.0-0, libwlroots10, libpixman-1-0,
 libxkbcommon0
Recommends: xdg-utils, xwayland
Suggests: mailcap
Conflicts: qubes-core-qrexec
Description: programs that a domain of Mullion runs for others
 The agent that starts programs when dom0 or another domain asks and policy
 allows, the agent that shows the windows of programs on dom0's desktop, the
 services that domains offer each other, and the library that connects them.
CONTROL
