# SPDX-License-Identifier: GPL-2.0-or-later
#
# What guest.sh and dom0.sh share; they are called as
#
#   NAME.sh BUILD-DIR OUTPUT.deb     a Debian package
#   NAME.sh BUILD-DIR OUTPUT-DIR/    only the files, as they lie in the package
#
# BUILD-DIR is meson's; dpkg-deb is needed for the package, nothing else.
[ $# -eq 2 ] || { echo "usage: $0 BUILD-DIR OUTPUT.deb|OUTPUT-DIR/" >&2; exit 2; }
build=$1
output=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
case $output in
*/)
	stage=${output%/}
	mkdir -p "$stage"
	;;
*)
	stage=$(mktemp -d)
	trap 'rm -rf "$stage"' EXIT
	chmod 755 "$stage"
	;;
esac

put() { # MODE SOURCE TARGET
	install -D -m "$1" "$2" "$stage/$3"
}

put_program() { # SOURCE TARGET
	put 755 "$1" "$2"
	strip --strip-unneeded "$stage/$2"
}

put_pages() { # FILE...
	for page; do
		put 644 "$page" "usr/share/man/man${page##*.}/${page##*/}"
	done
}

link() { # TARGET NAME
	mkdir -p "$(dirname "$stage/$2")"
	ln -sf "$1" "$stage/$2"
}

put_vchan() {
	libdir=usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
	put_program "$build/vchan/libvchan.so.1.0.0" "$libdir/libvchan.so.1.0.0"
	chmod 644 "$stage/$libdir/libvchan.so.1.0.0"
	link libvchan.so.1.0.0 "$libdir/libvchan.so.1"
}

# The package, with the control file's fields from standard input and postinst from the argument.
finish() { # POSTINST
	case $output in */) return ;; esac
	mkdir "$stage/DEBIAN"
	(cd "$stage" && find etc -type f | sed 's,^,/,') >"$stage/DEBIAN/conffiles"
	{
		cat
		echo "Version: 0.1.0"
		echo "Architecture: amd64"
		echo "Maintainer: Mullion developers <mullion@localhost>"
		echo "Section: admin"
		echo "Priority: optional"
		echo "Installed-Size: $(du -sk "$stage" | cut -f1)"
	} >"$stage/DEBIAN/control"
	printf '%s\n' "$1" >"$stage/DEBIAN/postinst"
	chmod 755 "$stage/DEBIAN/postinst"
	dpkg-deb --root-owner-group -Zxz --build "$stage" "$output" >/dev/null
	echo "$output"
}
