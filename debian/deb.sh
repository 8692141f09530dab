#!/bin/bash
# Builds the Debian packages, in a scratch folder of their own, and puts them into dist/. What is
# built is what git would commit or, outside a checkout, all there is; the same files give the same
# packages, byte by byte, whenever and wherever they are built with the same versions of the tools.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"

stop() {
	local rc=$?

	trap '' INT TERM HUP
	[ -z "${scratch:-}" ] || rm -rf "$scratch"
	exit "$rc"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# dist/ may hold an earlier result
exported_files() {
	local file

	# shellcheck disable=SC2034
	(SOURCE=$here && source_files) | while IFS= read -r -d '' file; do
		[[ ${file#./} == dist/* ]] || printf '%s\0' "$file"
	done
}

setup_environment
# a shell's own flags would make other packages of the same source
unset "${!DEB_@}" CC CFLAGS CPPFLAGS LDFLAGS SOURCE_DATE_EPOCH
export TZ=UTC
cd "$here"
command -v dpkg-buildpackage >/dev/null ||
	die "building Debian packages takes the package build-essential; as root run:
  apt-get install --no-install-recommends build-essential"
dpkg-checkbuilddeps ||
	die "Debian packages that the build needs are missing, see above; as root run:
  apt-get build-dep --no-install-recommends $(printf '%q' "$here")"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/iotdata-deb.XXXXXX")
version=$(dpkg-parsechangelog -S Version)
tree=$scratch/iotdata-$version
mkdir "$tree"
exported_files | tar --null --no-recursion -T - -cf - | tar -C "$tree" --no-same-owner -xf -
# files keep their times in a package when they are older than its changelog
find "$tree" -exec touch --no-dereference --date="@$(dpkg-parsechangelog -S Timestamp)" {} +

say "building the Debian packages of iotdata $version ..."
cd "$tree"
quietly "$scratch/build.log" dpkg-buildpackage --no-sign || die "the packages could not be built, see above"

mkdir -p "$here/dist"
cd "$scratch"
for file in *.dsc *.tar.* *.deb; do
	# another build may be putting the same file there
	cp "$file" "$here/dist/.$file.$$"
	mv "$here/dist/.$file.$$" "$here/dist/$file"
	say "dist/$file"
done
