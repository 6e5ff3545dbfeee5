#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# build-guest-package.sh BUILD-DIR OUTPUT.deb: the part of vchan and qrexec that goes into guests.
#
# Takes what meson built in BUILD-DIR; needs dpkg-deb, nothing else. The package enables the agent
# by itself, so an image recipe only has to install it.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 BUILD-DIR OUTPUT.deb" >&2; exit 2; }
build=$1
output=$2
here=$(cd "$(dirname "$0")/.." && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"

put() { # MODE SOURCE TARGET
	install -D -m "$1" "$2" "$stage/$3"
}

libdir=usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
put 644 "$build/vchan/libvchan.so.1.0.0" "$libdir/libvchan.so.1.0.0"
ln -s libvchan.so.1.0.0 "$stage/$libdir/libvchan.so.1"
put 755 "$build/qrexec/qrexec-agent" usr/lib/qubes/qrexec-agent
put 755 "$build/qrexec/qrexec-client-vm" usr/bin/qrexec-client-vm
put 755 "$build/qrexec/services/mullion-copy" usr/bin/mullion-copy
ln -s mullion-copy "$stage/usr/bin/qvm-copy-to-vm"
ln -s mullion-copy "$stage/usr/bin/qvm-copy"
put 755 "$build/qrexec/services/mullion-open" usr/bin/mullion-open
for program in filecopy-receive vmexec image-rgba; do
	put 755 "$build/qrexec/services/$program" "usr/lib/mullion/$program"
done
put 755 "$here/services/open-and-wait" usr/lib/mullion/open-and-wait
for service in "$here"/services/rpc/*; do
	put 755 "$service" "etc/qubes-rpc/${service##*/}"
done
for setting in "$here"/services/config/*; do
	put 644 "$setting" "etc/qubes/rpc-config/${setting##*/}"
done
put 644 "$here/systemd/qrexec-agent.service" usr/lib/systemd/system/qrexec-agent.service
mkdir -p "$stage/usr/lib/systemd/system/multi-user.target.wants"
ln -s ../qrexec-agent.service "$stage/usr/lib/systemd/system/multi-user.target.wants/"
put 644 "$here/systemd/qrexec.pam" etc/pam.d/qrexec
put 644 "$here/systemd/mullion-guest.modules" usr/lib/modules-load.d/mullion-guest.conf
put 644 "$here/systemd/mullion-guest.modprobe" usr/lib/modprobe.d/mullion-guest.conf
put 644 "$here/systemd/mullion-guest.rules" usr/lib/udev/rules.d/60-mullion-guest.rules
for page in qrexec-agent.8 qrexec-client-vm.1 mullion-copy.1 mullion-open.1; do
	put 644 "$here/man/$page" "usr/share/man/man${page##*.}/$page"
done
put 644 "$here/completion/qrexec" usr/share/bash-completion/completions/qrexec-client-vm
for name in mullion-copy mullion-open; do
	ln -s qrexec-client-vm "$stage/usr/share/bash-completion/completions/$name"
done
strip --strip-unneeded "$stage/$libdir/libvchan.so.1.0.0" "$stage"/usr/lib/qubes/* \
	"$stage"/usr/bin/qrexec-client-vm "$stage"/usr/bin/mullion-copy "$stage"/usr/bin/mullion-open \
	"$stage"/usr/lib/mullion/filecopy-receive "$stage"/usr/lib/mullion/vmexec \
	"$stage"/usr/lib/mullion/image-rgba

mkdir "$stage/DEBIAN"
(cd "$stage" && find etc -type f | sed 's,^,/,') >"$stage/DEBIAN/conffiles"
cat >"$stage/DEBIAN/control" <<CONTROL
Package: mullion-guest
Version: 0.1.0
Architecture: amd64
Maintainer: Mullion developers <mullion@localhost>
Section: admin
Priority: optional
Installed-Size: $(du -sk "$stage" | cut -f1)
Depends: libc6 (>= 2.36), libxenmisc4.17, libxenstore4, libxengnttab1, libxenevtchn1, libseccomp2,
 libpam0g, passwd, libgcc-s1, libgdk-pixbuf-2.0-0, libglib2.0-0
Recommends: xdg-utils
Suggests: mailcap
Conflicts: qubes-core-qrexec
Description: programs that a domain of Mullion runs for others
 The agent that starts programs when dom0 or another domain asks and policy
 allows, the services that domains offer each other, and the library that
 connects them.
CONTROL
cat >"$stage/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
set -e
ldconfig
getent group qubes >/dev/null || groupadd --system qubes
if getent passwd user >/dev/null; then
	usermod -a -G qubes user
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl start qrexec-agent.service || true
fi
POSTINST
chmod 755 "$stage/DEBIAN/postinst"
dpkg-deb --root-owner-group -Zxz --build "$stage" "$output" >/dev/null
echo "$output"
