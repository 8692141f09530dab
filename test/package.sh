#!/bin/bash
# What is released: the archive of "make dist" and the Debian packages of "make deb". They are
# built twice and compared, installed into root folders with nothing else in them, tested there as
# they are installed, and purged. Prints TAP.
#
# What a root folder is needed for is skipped, with the reason, when that could not be made (no
# network, no mirror). The exit status is 0 when all passed, 1 when a test failed, 3 when none
# failed but some were skipped.
set -uo pipefail

usage() {
	cat <<-'USAGE'
		usage: test/package.sh [--cache FOLDER] [--fresh] [--tap NAME]...

		--cache FOLDER where the root folders are kept, 2.5 GB
		               (${XDG_CACHE_HOME:-~/.cache}/iotdata)
		--fresh        makes the root folders again, with today's packages
		--tap NAME     of the TAP tests runs only those of that name; repeatable
	USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"
# shellcheck source=test/chroot.sh
source "$here/test/chroot.sh"

cache=
fresh=
tap=()
while [ $# -gt 0 ]; do
	case $1 in
		-h | --help) usage && exit ;;
		--fresh) fresh=1 ;;
		--cache | --tap)
			[ $# -gt 1 ] || { usage >&2 && exit 2; }
			if [ "$1" = --tap ]; then tap+=("$2"); else cache=$2; fi
			shift
			;;
		*) usage >&2 && exit 2 ;;
	esac
	shift
done

release=bookworm
major=15
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$here/iotdata.control")
archive=iotdata-$version.0

stop() {
	local rc=$?

	trap '' INT TERM HUP
	[ -z "${work:-}" ] || as_root rm -rf --one-file-system "$work"
	[ -z "${built:-}" ] || as_root rm -rf --one-file-system "$built"
	[ -z "${copy:-}" ] || chroot_remove "$copy"
	exit "$rc"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- TAP --------------------------------------------------------------------------------------

tests=0
failed=0
skipped=0

# check NAME COMMAND...: a test; what the command says is shown when it fails
check() {
	local name=$1

	shift
	tests=$((tests + 1))
	if "$@" >"$work/log" 2>&1; then
		say "ok $tests - $name"
	else
		failed=$((failed + 1))
		say "not ok $tests - $name"
		tail -n 60 "$work/log" | sed 's/^/# /'
		return 1
	fi
}

# skip REASON NAME...
skip() {
	local reason=$1 name

	shift
	for name; do
		tests=$((tests + 1))
		skipped=$((skipped + 1))
		say "ok $tests - $name # SKIP $reason"
	done
}

# need_root NAME PACKAGE...: a root folder with these packages; $why says why it could not be made
need_root() {
	local folder=$cache/package-$1

	shift
	[ -z "$fresh" ] || chroot_remove "$folder"
	chroot_make "$folder" "$release" - "$@" && return
	why=$(grep -E '^(E|error|.*: unable|W: Failed)' "$folder.log" | tail -n 2 | paste -sd' ')
	why="no root folder could be made: ${why:-$(tail -n 1 "$folder.log")}"
	return 1
}

# field FILE NAME: the packages that a control field names, one a line
field() {
	sed -n "/^$2:/,/^[^ ]/{ s/^$2://; /^[^ ]/d; p }" "$1" | field_names
}

field_names() {
	tr , '\n' | sed -E 's/[[(<|].*//; s/ //g; /^$/d; /^\$/d' | sort -u
}

# ---- what is written down in more than one place ----------------------------------------------

# shellcheck disable=SC2016
versions_agree() {
	local place said bad=0

	while IFS='|' read -r place said; do
		if [ "$said" != "$version" ]; then
			say "iotdata.control says $version, but $place says ${said:-nothing}"
			bad=1
		fi
	done <<-PLACES
		META.json|$(meta '$_->{version} =~ s/\.0\z//r')
		META.json of what it provides|$(meta '$_->{provides}{iotdata}{version} =~ s/\.0\z//r')
		CHANGELOG.md|$(sed -nE 's/^## ([0-9.]+).*/\1/p' "$here/CHANGELOG.md" | head -n 1)
		debian/changelog|$(sed -nE '1s/^iotdata \(([^)]*)\).*/\1/p' "$here/debian/changelog")
	PLACES
	return "$bad"
}

# meta PERL: what an expression gives for META.json in $_
meta() {
	perl -MJSON::PP -e 'local $/; $_ = decode_json(<STDIN>); print scalar(eval shift) // die $@' "$1" <"$here/META.json"
}

# The rules of PGXN's meta specification, version 1.0.0, for what META.json uses of it.
meta_is_valid() {
	# shellcheck disable=SC2016
	perl -MJSON::PP -we '
		chdir shift or die;
		my $three = qr/\A(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\z/;
		my $term = qr/\A[^\s\/\\\p{Cntrl}]{2,}\z/;
		my @bad;
		my $rule = sub { push @bad, $_[0] unless $_[1] };
		my $meta = decode_json(do { local (@ARGV, $/) = "META.json"; <> });

		for (qw(name abstract version maintainer license)) { $rule->("$_ is text", length($meta->{$_} // "") && !ref $meta->{$_}) }
		$rule->("name is a term", $meta->{name} =~ $term);
		$rule->("version has three parts", $meta->{version} =~ $three);
		$rule->("license is known", $meta->{license} eq "postgresql");
		$rule->("meta-spec is 1.0.0", $meta->{"meta-spec"}{version} eq "1.0.0");
		$rule->("release_status is known", $meta->{release_status} =~ /\A(?:stable|testing|unstable)\z/);
		$rule->("something is provided", %{ $meta->{provides} });
		for my $name (keys %{ $meta->{provides} })
		{
			my $part = $meta->{provides}{$name};
			$rule->("$name is a term", $name =~ $term);
			$rule->("the version of $name has three parts", $part->{version} =~ $three);
			for (qw(file docfile)) { $rule->("the $_ of $name is there", -f $part->{$_}) }
		}
		for my $phase (keys %{ $meta->{prereqs} })
		{
			$rule->("phase $phase is known", $phase =~ /\A(?:configure|build|test|runtime|develop)\z/);
			for my $relation (keys %{ $meta->{prereqs}{$phase} })
			{
				$rule->("relation $relation is known", $relation =~ /\A(?:requires|recommends|suggests|conflicts)\z/);
				$rule->("a prerequisite has a version of three parts", $_ =~ $three) for values %{ $meta->{prereqs}{$phase}{$relation} };
			}
		}
		$rule->("tag \"$_\" is short text", length $_ && length $_ < 256 && !m{[/\\\p{Cntrl}]}) for @{ $meta->{tags} };
		my %known = map { $_ => 1 } qw(name abstract description version maintainer license prereqs provides tags release_status meta-spec);
		$rule->("field $_ is known", $known{$_}) for keys %$meta;
		print "not so: $_\n" for @bad;
		exit(@bad ? 1 : 0);
	' "$here"
}

# ---- the archive ------------------------------------------------------------------------------

archive_twice() {
	mkdir -p "$work/archive/in another folder" &&
		git clone --quiet "$here" "$work/archive/one" &&
		git clone --quiet "$here" "$work/archive/in another folder/two" &&
		make -C "$work/archive/one" dist &&
		(umask 077 && TZ=Asia/Tokyo make -C "$work/archive/in another folder/two" dist) &&
		cmp "$work/archive/one/dist/$archive.zip" "$work/archive/in another folder/two/dist/$archive.zip"
}

# shellcheck disable=SC2016
archive_builds() {
	as_root cp "$work/archive/one/dist/$archive.zip" "$built/" &&
		in_build 'umask 022
			! command -v git
			cd "$1"
			unzip -q "$2.zip"
			cd "$2"
			make -j2 all emulator
			make install DESTDIR="$1/installed"
			emulator/iotdata-emulator --version
			find "$1/installed" -name iotdata.so -o -name iotdata.control' "$archive"
}

# ---- the Debian packages ----------------------------------------------------------------------

# in_build SCRIPT ARGUMENT...: as nobody in the root folder for builds; the script's first argument
# is the folder of this run
in_build() {
	local script=$1

	shift
	chroot_run "$cache/package-build" LC_ALL=C.UTF-8 setpriv --reuid=65534 --regid=65534 --clear-groups \
		env HOME=/tmp sh -euc "$script" sh "${built#"$cache/package-build"}" "$@"
}

# copy_source FOLDER: what git would commit when this script began
copy_source() {
	as_root mkdir -p "$1" && as_root tar -C "$1" --no-same-owner -xf "$work/source.tar"
}

# build_deb FOLDER UMASK TIMEZONE: "make deb" in a copy, which it must leave as it was
# shellcheck disable=SC2016
build_deb() {
	copy_source "$built/$1" && as_root chown -R 65534:65534 "$built" &&
		in_build 'umask "$3"
			cd "$1/$2"
			find . -type f -exec sha256sum {} + | sort >/tmp/before
			TZ=$4 make deb
			find . -path ./dist -prune -o -type f -exec sha256sum {} + | sort >/tmp/after
			diff /tmp/before /tmp/after' "$1" "$2" "$3"
}

same_packages() {
	diff -r "$built/one/dist" "$built/another/folder/dist" && ls "$built"/one/dist/*.deb
}

# shellcheck disable=SC2016
lintian_is_silent() {
	in_build 'cd "$1/one/dist" && lintian --no-tag-display-limit --fail-on error,warning *.dsc *.deb >/tmp/said 2>&1 || { cat /tmp/said; exit 1; }'
}

# ---- installed --------------------------------------------------------------------------------

# begin_copy ROOT: a copy of a root folder, with the packages in /srv
begin_copy() {
	copy=$(as_root mktemp -d "$cache/package-copy.XXXXXX") &&
		as_root cp -a --reflink=auto "$cache/package-$1/." "$copy/" &&
		as_root mkdir "$copy/srv/packages" &&
		as_root cp "$built/one/dist/postgresql-$major-iotdata_$version"_*.deb "$built/one/dist/iotdata-emulator_$version"_*.deb "$copy/srv/packages/"
}

end_copy() {
	chroot_remove "$copy"
	copy=
}

in_copy() {
	local script=$1

	shift
	chroot_run "$copy" LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		PG_TEST_TIMEOUT_DEFAULT="$PG_TEST_TIMEOUT_DEFAULT" bash -euo pipefail -c "$script" bash "$@"
}

# The files that no program of Debian's own writes as it goes.
# shellcheck disable=SC2016
listing='find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /srv -o -path /run -o -path /var/run -o -path /var/log \
	-o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path "/etc/postgresql/*" -o -path "/var/lib/postgresql/*" \) -prune -o -print | sort'

installs() {
	in_copy "$listing >/srv/before; apt-get -q -y install /srv/packages/*.deb; iotdata-emulator --version"
}

# shellcheck disable=SC2016
answers() {
	in_copy 'setpriv --reuid=65534 --regid=65534 --clear-groups iotdata-emulator --http-port 0 --mqtt-port 0 >/tmp/endpoint &
		endpoint=$!
		for try in $(seq "$((PG_TEST_TIMEOUT_DEFAULT * 10))"); do
			! grep -q "^ready" /tmp/endpoint || break
			sleep 0.1
		done
		port=$(sed -n "s/^http .*:\([0-9]*\)$/\1/p" /tmp/endpoint)
		pg_createcluster "$1" main
		cat >>"/etc/postgresql/$1/main/environment" <<-AWS
			AWS_REGION = "eu-west-1"
			AWS_ACCESS_KEY_ID = "AKIDEXAMPLE"
			AWS_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
		AWS
		sed -i "s/\"/'\''/g" "/etc/postgresql/$1/main/environment"
		pg_ctlcluster "$1" main start
		sql() { setpriv --reuid=postgres --regid=postgres --init-groups psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
		cd /
		sql -c "CREATE EXTENSION iotdata" -c "ALTER DATABASE postgres SET iotdata.endpoint_url = '\''http://127.0.0.1:$port'\''"
		sql >/tmp/said <<-SQL
			SELECT extversion FROM pg_extension WHERE extname = '\''iotdata'\'';
			SELECT iotdata.get_connection('\''nobody'\'') IS NULL;
			SELECT count(*) FROM iotdata.list_subscriptions('\''nobody'\'');
			DO \$\$ BEGIN
				PERFORM iotdata.send_direct_message('\''nobody'\'', '\''a'\'', '\''b'\''::text);
				RAISE '\''a message was sent to nobody'\'';
			EXCEPTION WHEN SQLSTATE '\''IO404'\'' THEN NULL;
			END \$\$;
		SQL
		cat /tmp/said
		[ "$(paste -sd" " /tmp/said)" = "$2 t 0" ]
		pg_dropcluster --stop "$1" main
		kill "$endpoint"
		wait "$endpoint"' "$major" "$version"
}

purges() {
	in_copy "apt-get -q -y purge 'postgresql-$major-iotdata' iotdata-emulator
		! dpkg-query -W '*iotdata*' | grep .
		! find / -xdev -path /srv -prune -o -name '*iotdata*' -print | grep .
		$listing | diff /srv/before -"
}

# The packages' own tests, as the tool that runs them for Debian would.
installs_for_tests() {
	copy_source "$copy/srv/source" && in_copy 'apt-get -q -y install /srv/packages/*.deb'
}

# shellcheck disable=SC2016
package_test() {
	in_copy 'cd /srv/source; mkdir /tmp/test; export AUTOPKGTEST_TMP=/tmp/test; "debian/tests/$1" "${@:2}"' "$@"
}

# ---- all of them ------------------------------------------------------------------------------

setup_environment
setup_packages chroot
cache=$(chroot_cache "$cache") || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/iotdata-package.XXXXXX")
built=
copy=
# shellcheck disable=SC2034
(SOURCE=$here && source_files) | tar -C "$here" --null --no-recursion -T - -cf "$work/source.tar" || exit 2

archive_tests=('the archive is the same from two clones' 'the archive builds and installs where there is no git')
build_tests=('the packages build, and leave the source tree as it was' 'the packages build in another folder, at another time'
	'the packages of both builds are the same' 'lintian finds no error and gives no warning')
install_tests=('apt-get installs the packages' 'the installed extension calls the installed endpoint'
	'a purge leaves nothing behind')
package_tests=('the packages install beside what their tests need' 'the installed extension passes its regression tests'
	'the installed extension and endpoint pass the TAP tests')

check 'the versions agree with the control file' versions_agree
check 'META.json keeps to its rules' meta_is_valid

mapfile -t names < <(field "$here/debian/control" Build-Depends | sed 's/^debhelper-compat$/debhelper/')
if need_root build build-essential lintian unzip "${names[@]}"; then
	built=$(as_root mktemp -d "$cache/package-build/srv/run.XXXXXX")
	as_root chown 65534:65534 "$built"
	as_root chmod 755 "$built"
fi

if ! git -C "$here" rev-parse --verify --quiet HEAD >/dev/null 2>&1; then
	skip 'this is no git checkout' "${archive_tests[@]}"
else
	archived=
	check "${archive_tests[0]}" archive_twice && archived=1
	if [ -z "$built" ]; then
		skip "$why" "${archive_tests[1]}"
	elif [ -n "$archived" ]; then
		check "${archive_tests[1]}" archive_builds
	fi
fi

packages=
if [ -z "$built" ]; then
	skip "$why" "${build_tests[@]}"
elif check "${build_tests[0]}" build_deb one 022 UTC; then
	packages=1
	check "${build_tests[1]}" build_deb another/folder 077 Asia/Tokyo && check "${build_tests[2]}" same_packages
	check "${build_tests[3]}" lintian_is_silent
fi

if [ -z "$built" ]; then
	skip "$why" "${install_tests[@]}" "${package_tests[@]}"
elif [ -n "$packages" ]; then
	# what one root folder is built with is what the other one runs with
	for name in clean test; do
		[ "$cache/package-build/.made-for" -ot "$cache/package-$name/.made-for" ] || chroot_remove "$cache/package-$name"
	done
	mapfile -t names < <(for file in "$built/one/dist/postgresql-$major-iotdata_"*.deb "$built"/one/dist/iotdata-emulator_*.deb; do
		dpkg-deb -f "$file" Depends
	done | field_names)

	if need_root clean "${names[@]}"; then
		check 'the root folder can be copied' begin_copy clean
		check "${install_tests[0]}" installs && check "${install_tests[1]}" answers
		check "${install_tests[2]}" purges
		end_copy
	else
		skip "$why" "${install_tests[@]}"
	fi

	mapfile -t -O "${#names[@]}" names < <(sed -n 's/^Depends://p' "$here/debian/tests/control" | field_names | grep -v iotdata)
	if need_root test "${names[@]}"; then
		check 'the root folder with what the tests need can be copied' begin_copy test
		if check "${package_tests[0]}" installs_for_tests; then
			check "${package_tests[1]}" package_test installcheck
			check "${package_tests[2]}" package_test tap "${tap[@]}"
		fi
		end_copy
	else
		skip "$why" "${package_tests[@]}"
	fi
fi

say "1..$tests"
[ "$failed" = 0 ] || exit 1
[ "$skipped" = 0 ] || exit 3
