#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The part of vchan, qrexec, guid and domains that goes into dom0; see stage.sh.
set -eu
. "$(dirname "$0")/stage.sh"

put_vchan
qrexec=$top/qrexec
put_program "$build/qrexec/qrexec-daemon" usr/sbin/qrexec-daemon
put_program "$build/qrexec/qrexec-client" usr/bin/qrexec-client
put_program "$build/qrexec/mullion-policyd" usr/lib/mullion/mullion-policyd
put_program "$build/qrexec/mullion-policy" usr/bin/mullion-policy
put_program "$build/qrexec/ask/mullion-ask" usr/bin/mullion-ask
put 644 "$qrexec/ask/org.mullion.Ask.desktop" usr/share/applications/org.mullion.Ask.desktop
put 644 "$qrexec/ask/org.mullion.Ask.desktop" etc/xdg/autostart/org.mullion.Ask.desktop
for unit in mullion-policyd.service qrexec-daemon@.service; do
	put 644 "$qrexec/systemd/$unit" "usr/lib/systemd/system/$unit"
done
put 755 "$qrexec/services/dom0-rpc/qubes.GetDate" etc/qubes-rpc/qubes.GetDate
for policy in "$qrexec"/policy/*; do
	put 644 "$policy" "etc/qubes/policy.d/${policy##*/}"
done
put 644 "$qrexec/completion/qrexec" usr/share/bash-completion/completions/qrexec-client
link qrexec-client usr/share/bash-completion/completions/mullion-policy

put_program "$build/domains/mulliond" usr/sbin/mulliond
put_program "$build/domains/mullion" usr/bin/mullion
put_program "$build/domains/manager/mullion-manager" usr/bin/mullion-manager
put 644 "$top/domains/manager/org.mullion.Manager.desktop" \
	usr/share/applications/org.mullion.Manager.desktop
for program in start-domain block-ready; do
	put_program "$build/domains/$program" "usr/lib/mullion/$program"
done
put 644 "$top/domains/data/mulliond.service" usr/lib/systemd/system/mulliond.service
for unit in mulliond.service mullion-policyd.service; do
	link "../$unit" "usr/lib/systemd/system/multi-user.target.wants/$unit"
done
put 644 "$top/domains/data/org.mullion.Domains1.conf" \
	usr/share/dbus-1/system.d/org.mullion.Domains1.conf
put 644 "$top/domains/data/mullion.bash" usr/share/bash-completion/completions/mullion

put_program "$build/desktop-files/mullion-menu" usr/bin/mullion-menu
for program in mullion-guid mullion-clipboard mullion-desktop; do
	put_program "$build/guid/$program" "usr/bin/$program"
done
for unit in mullion-desktop.service mullion-clipboard.service; do
	put 644 "$top/guid/data/$unit" "usr/lib/systemd/user/$unit"
	link "../$unit" "usr/lib/systemd/user/graphical-session.target.wants/$unit"
done
put_pages "$qrexec"/man/qrexec-daemon.8 "$qrexec"/man/qrexec-client.1 \
	"$qrexec"/man/mullion-policy.1 "$qrexec"/man/mullion-policyd.8 \
	"$qrexec"/man/qrexec-policy.5 "$qrexec"/man/mullion-ask.1 \
	"$top"/domains/data/mulliond.8 "$top"/domains/data/mullion.1 \
	"$top"/domains/data/mullion-manager.1 \
	"$top"/guid/data/mullion-guid.1 "$top"/guid/data/mullion-desktop.1 \
	"$top"/guid/data/mullion-clipboard.1 "$top"/desktop-files/mullion-menu.1

finish '#!/bin/sh
set -e
ldconfig
for group in qubes mullion; do
	getent group $group >/dev/null || groupadd --system $group
done
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi' <<'CONTROL'
Package: mullion-dom0
Depends: libc6 (>= 2.36), libxenmisc4.17, libxenstore4, libxengnttab1, libxenevtchn1, libseccomp2,
 libgcc-s1, libglib2.0-0, libjson-glib-1.0-0, libgtk-4-1, libpixman-1-0, libxkbcommon0, dbus
Conflicts: qubes-core-dom0
Description: daemons and tools of Mullion for dom0
 Start and stop domains (mulliond, mullion), run programs in them (qrexec) as
 far as policy allows, and show their windows (mullion-guid).
CONTROL
