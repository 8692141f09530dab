# shellcheck shell=bash disable=SC2034
# How test/run.sh runs on a PostgreSQL that is built with assertions, from Debian's source package;
# test/assertions.sh gives this file to it. What was built is kept as an archive in the cache that
# test/matrix.sh uses, and is built again when Debian has a newer one.

uses=(assertions)
SLOWNESS=2
EXTENSION_FLAGS=('COPT=-O1 -g')

# Debian's folders, so that setup_postgres finds all where it looks for it; only what the tests need.
assertions_options() {
	local lib=/usr/lib/postgresql/$PG_MAJOR

	printf '%s\n' --enable-cassert --enable-tap-tests --without-readline --without-zlib CFLAGS=-O1 \
		--prefix=/usr "--bindir=$lib/bin" "--libdir=$lib/lib" "--datadir=/usr/share/postgresql/$PG_MAJOR" \
		--includedir=/usr/include/postgresql
}

# apt-get with indexes of source packages: this machine's own sources, in the scratch folder.
assertions_apt() {
	as_user apt-get -q -o "Dir::Etc::SourceList=$SCRATCH/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o "Dir::State::Lists=$SCRATCH/apt/lists" -o "Dir::Cache=$SCRATCH/apt" "$@" 2>&1
}

# Fetches the source package into $SCRATCH/apt. The newest version is not on every mirror.
assertions_fetch() {
	local version

	as_user mkdir -p "$SCRATCH/apt/lists/partial" "$SCRATCH/apt/archives/partial"
	# shellcheck disable=SC2016
	apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Component: main' |
		sort -u | as_user tee "$SCRATCH/apt/sources.list" >/dev/null
	assertions_apt update || return
	cd "$SCRATCH/apt" || return
	for version in $(assertions_versions); do
		if assertions_apt --download-only source "postgresql-$PG_MAJOR=$version"; then
			cd "$SCRATCH" || return
			return
		fi
	done
	cd "$SCRATCH" || return
	return 1
}

# The versions that there are sources of, the newest first.
assertions_versions() {
	as_user apt-cache -o "Dir::Etc::SourceList=$SCRATCH/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o "Dir::State::Lists=$SCRATCH/apt/lists" -o "Dir::Cache=$SCRATCH/apt" showsrc --only-source "postgresql-$PG_MAJOR" |
		sed -n 's/^Version: //p' | sort -ruV
}

# assertions_build ARCHIVE: builds what was fetched, and puts it into the cache.
assertions_build() {
	local options

	mapfile -t options < <(assertions_options)
	as_user dpkg-source --no-check -x "$SCRATCH"/apt/*.dsc "$SCRATCH/apt/source" || return
	cd "$SCRATCH/apt/source" || return
	as_user ./configure "${options[@]}" &&
		as_user make -s -j"$(nproc)" -C src all &&
		as_user make -s -C src install "DESTDIR=$SCRATCH/root" &&
		as_user make -s -C contrib/file_fdw install "DESTDIR=$SCRATCH/root" || return
	cd "$SCRATCH" || return
	tar -C "$SCRATCH/root" -cf "$1.new" . && mv "$1.new" "$1"
}

prepare() {
	grep -q '^#define USE_ASSERT_CHECKING 1$' "$("$PG_CONFIG" --includedir-server)/pg_config.h" ||
		die "this PostgreSQL has no assertions"
}

# The private installation is made of what was built.
make_postgres() {
	local cache archive made_for

	# shellcheck source=test/chroot.sh
	source "$SOURCE/test/chroot.sh"
	cache=$(chroot_cache '') || die "there is no place to keep what is built"
	archive=$cache/postgresql-$PG_MAJOR-assertions.tar
	made_for="$(dpkg-query -W -f='${Version}' "postgresql-$PG_MAJOR") $(assertions_options | paste -sd' ')"
	POSTGRES_ROOT=$SCRATCH/root
	if [ -e "$archive" ] && [ "$(cat "$archive.made-for" 2>/dev/null)" = "$made_for" ]; then
		as_user mkdir "$POSTGRES_ROOT"
		as_user tar -C "$POSTGRES_ROOT" -xf - <"$archive" || die "$archive cannot be read"
		return
	fi

	say "== PostgreSQL with assertions"
	if ! assertions_fetch >"$SCRATCH/fetch.log"; then
		tail -n 5 "$SCRATCH/fetch.log"
		say "not tested: PostgreSQL's source package could not be fetched"
		say "0 passed, 0 failed, 1 skipped"
		exit 3
	fi
	if ! assertions_build "$archive" >"$SCRATCH/postgres.log" 2>&1; then
		tail -n 40 "$SCRATCH/postgres.log"
		say "0 passed, 1 failed"
		exit 1
	fi
	say "$made_for" >"$archive.made-for"
}
