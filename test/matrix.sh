#!/bin/bash
# Builds the extension and runs its tests on every supported version of PostgreSQL that Debian has:
# unit tests, pg_regress and TAP tests, by test/run.sh in a root folder of that release of Debian.
# Version 15 runs on this machine where this is Debian 12. The last line counts everything.
#
# A version whose root folder could not be made (no network, no mirror, a package that is not there
# now) was not tested: it counts as skipped, with the reason. The exit status is 0 when all passed,
# 1 when a test failed or the build did, 3 when nothing failed but a version was not tested.
set -uo pipefail

usage() {
	cat <<-'USAGE'
		usage: test/matrix.sh [--cache FOLDER] [--counts FILE] [--jobs N] [--fresh] [MAJOR...] [-- PART...]

		MAJOR          15 17 18 19; all of them when none is named
		--cache FOLDER where the root folders are kept, 1.3 GB for each version
		               (${XDG_CACHE_HOME:-~/.cache}/iotdata)
		--counts FILE  appends a line "PASSED FAILED SKIPPED" to it for every version
		--jobs N       how many versions are tested at a time (1)
		--fresh        makes the root folders again, with today's packages
		PART           what test/run.sh takes, a file of test/t for example (unit regress tap)
	USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"
# shellcheck source=test/chroot.sh
source "$here/test/chroot.sh"

cache=
counts=
jobs=1
fresh=
majors=()
parts=(unit regress tap)
while [ $# -gt 0 ]; do
	case $1 in
		-h | --help) usage && exit ;;
		--cache | --counts | --jobs)
			[ $# -gt 1 ] || { usage >&2 && exit 2; }
			declare "${1#--}=$2"
			shift
			;;
		--fresh) fresh=1 ;;
		--)
			shift
			parts=("$@")
			break
			;;
		15 | 17 | 18 | 19) majors+=("$1") ;;
		*) usage >&2 && exit 2 ;;
	esac
	shift
done
[ "${#majors[@]}" -gt 0 ] || majors=(15 17 18 19)
[[ $jobs =~ ^[1-9][0-9]*$ ]] || { usage >&2 && exit 2; }

# The releases of Debian that have each version, and what to take from the second one.
release() {
	case $1 in
		15) echo bookworm - ;;
		17) echo trixie - ;;
		18) echo forky - ;;
		19) echo sid+experimental postgresql-19 ;;
	esac
}

on_this_machine() {
	# shellcheck disable=SC1091
	[ "$1" = 15 ] && [ "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" = bookworm ]
}

stop() {
	local rc=$? job

	trap '' INT TERM HUP
	# each is a process group; what runs in a root folder ends with the unshare that it is in
	for job in $(jobs -p); do
		kill -TERM -- "-$job" 2>/dev/null || true
	done
	wait
	[ -z "${results:-}" ] || rm -rf "$results"
	exit "$rc"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- the root folders -------------------------------------------------------------------------

# make_root MAJOR: leaves the reason in $results/MAJOR.skipped when it cannot
make_root() {
	local folder=$cache/postgresql-$1 suite pin names begun=$SECONDS

	PG_MAJOR=$1
	read -r suite pin < <(release "$1")
	mapfile -t names < <(packages | awk -F'|' '$2 == "demo" || $2 == "test" { print $1 }')
	[ -z "$fresh" ] || chroot_remove "$folder"
	if ! chroot_make "$folder" "$suite" "$pin" "${names[@]}"; then
		grep -E '^(E|error|.*: unable|W: Failed)' "$folder.log" 2>/dev/null | tail -n 3 | paste -sd' ' >"$results/$1.skipped"
		[ -s "$results/$1.skipped" ] || tail -n 1 "$folder.log" >"$results/$1.skipped"
	fi
	echo "$((SECONDS - begun))" >"$results/$1.bootstrap"
}

# ---- the tests --------------------------------------------------------------------------------

run_tests() {
	local folder=$cache/postgresql-$1

	if on_this_machine "$1"; then
		IOTDATA_TEST_MAJOR=$1 "$results/source/test/run.sh" "${parts[@]}"
	else
		as_root rm -rf --one-file-system "$folder/srv/iotdata" &&
			as_root cp -r "$results/source" "$folder/srv/iotdata" &&
			chroot_run "$folder" IOTDATA_TEST_MAJOR="$1" PG_TEST_TIMEOUT_DEFAULT="$PG_TEST_TIMEOUT_DEFAULT" /srv/iotdata/test/run.sh "${parts[@]}"
	fi
}

# one MAJOR: runs its tests and says how it went, in one piece
one() {
	local major=$1 begun=$SECONDS log=$results/$1.log rc=0 last passed=0 failed=0 skipped=0 version place

	if [ -s "$results/$major.skipped" ]; then
		skipped=1
		say "PostgreSQL $major: not tested, its root folder could not be made: $(cat "$results/$major.skipped")"
	else
		run_tests "$major" >"$log" 2>&1 || rc=$?
		last=$(tail -n 1 "$log")
		if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
			passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[4]:-0}
		fi
		# a build that failed, a script that broke off: no count, but never a pass
		[ "$rc" = 0 ] || [ "$failed" != 0 ] || failed=1
		[ "$passed" != 0 ] || [ "$failed" != 0 ] || failed=1
		version=$(sed -n 's/^== PostgreSQL \(.*\)$/\1/p' "$log" | head -n 1)
		read -r place _ < <(release "$major")
		say "PostgreSQL $major ($place, ${version:-version unknown}): $passed passed, $failed failed, $skipped skipped" \
			"($((SECONDS - begun)) s$(bootstrap_time "$major"))"
		if [ "$failed" != 0 ]; then
			grep -av '^PostgreSQL ' "$log" | sed 's/^/    /'
		elif [ "$skipped" != 0 ]; then
			grep -aE '^ +skipped: ' "$log" | sed 's/^ */    /'
		fi
	fi
	say "$passed $failed $skipped" >"$results/$major.counts"
	[ -z "$counts" ] || cat "$results/$major.counts" >>"$counts"
}

bootstrap_time() {
	local seconds

	seconds=$(cat "$results/$1.bootstrap" 2>/dev/null || echo 0)
	[ "$seconds" -lt 2 ] || printf ', and %s s for its root folder' "$seconds"
}

# limited N COMMAND...: in the background, as soon as fewer than N others run
limited() {
	local limit=$1

	shift
	while [ "$(jobs -rp | wc -l)" -ge "$limit" ]; do
		wait -n
	done
	set -m
	"$@" </dev/null &
	set +m
}

setup_environment
setup_packages chroot
cache=$(chroot_cache "$cache") || exit 2
[ -z "$counts" ] || counts=$(realpath "$counts")
results=$(mktemp -d "${TMPDIR:-/tmp}/iotdata-matrix.XXXXXX")
chmod 755 "$results"

# One copy of the source tree for all: what git would commit, as ever, and not what a build made.
mkdir "$results/source"
(SOURCE=$here && source_files) | tar -C "$here" --null --no-recursion -T - -cf - | tar -C "$results/source" -xf - ||
	die "the source tree could not be copied"

for major in "${majors[@]}"; do
	on_this_machine "$major" || limited 2 make_root "$major"
done
wait
for major in "${majors[@]}"; do
	limited "$jobs" one "$major"
done
wait

read -r passed failed skipped < <(cat "$results"/*.counts | awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }')
untested=$(find "$results" -name '*.skipped' -size +0 | wc -l)
[ "$(find "$results" -name '*.counts' | wc -l)" = "${#majors[@]}" ] || failed=$((failed + 1))
say "$passed passed, $failed failed, $skipped skipped"
if [ "$failed" != 0 ] || [ "$passed$untested" = 00 ]; then
	exit 1
fi
[ "$untested" = 0 ] || exit 3
