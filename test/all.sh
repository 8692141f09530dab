#!/bin/bash
# Runs tests of every kind, one after the other. A line
# for each kind with its counts and its time; what a kind printed is shown when something failed or
# was skipped in it. The last line counts everything, as test/run.sh does.
set -uo pipefail

usage() {
	cat <<-'USAGE'
		usage: test/all.sh [KIND...]

		Kinds: plain resources kills static fuzz sanitize valgrind perturb assertions matrix, which are run
		when none is named; and package. IOTDATA_TEST_CALLS (100000) is for resources,
		IOTDATA_TEST_KILLS (100) for kills, IOTDATA_FUZZ_SECONDS (60) for each fuzz target.
	USAGE
}

test=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run_plain() { "$test/run.sh"; }
run_resources() { IOTDATA_TEST_CALLS=${IOTDATA_TEST_CALLS:-100000} "$test/run.sh" session_resources.pl; }
run_kills() { IOTDATA_TEST_KILLS=${IOTDATA_TEST_KILLS:-100} "$test/run.sh" outbox_kill.pl; }
run_static() { "$test/static.sh"; }
run_fuzz() { "$test/fuzz.sh" "${IOTDATA_FUZZ_SECONDS:-60}"; }
run_sanitize() { "$test/sanitize.sh"; }
run_valgrind() { "$test/valgrind.sh"; }
run_perturb() { "$test/perturb.sh"; }
run_assertions() { "$test/assertions.sh"; }
run_matrix() { "$test/matrix.sh" --jobs 2 17 18 19; }
run_package() { "$test/package.sh"; }

# The counts that a kind ended with: its last line, or its TAP.
count() {
	local log=$1 status=$2 last

	last=$(tail -n 1 "$log")
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
		printf '%s %s %s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[4]:-0}" >>"$logs/counts"
	else
		perl "$test/perl/run_tap.pl" --counts "$logs/counts" --said "$log" --status "$status" tap >/dev/null
	fi
}

# A kind whose exit status says "not tested" (3) has counted what it skipped.
run_kind() {
	local kind=$1 log=$logs/$1 begun=$SECONDS status=0 passed failed skipped

	"run_$kind" >"$log" 2>&1 || status=$?
	[ "$status" != 3 ] || status=0
	count "$log" "$status"
	read -r passed failed skipped < <(tail -n 1 "$logs/counts")
	[ "$status" = 0 ] || [ "$failed" != 0 ] || {
		printf '0 1 0\n' >>"$logs/counts"
		failed=1
	}
	printf '== %s: %s passed, %s failed, %s skipped (%s s)\n' "$kind" "$passed" "$failed" "$skipped" "$((SECONDS - begun))"
	[ "$failed$skipped" = 00 ] || sed 's/^/   /' "$log"
}

kinds=("$@")
case " $* " in
	*" -h "* | *" --help "*) usage && exit ;;
esac
[ $# -gt 0 ] || kinds=(plain resources kills static fuzz sanitize valgrind perturb assertions matrix)
for kind in "${kinds[@]}"; do
	if [ "$kind" = kind ] || ! declare -F "run_$kind" >/dev/null; then
		usage >&2
		exit 2
	fi
done

: >"$logs/counts"
for kind in "${kinds[@]}"; do
	run_kind "$kind"
done

read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$logs/counts")
printf '== %s seconds\n' "$SECONDS"
last="$passed passed, $failed failed"
[ "$skipped" = 0 ] || last="$last, $skipped skipped"
printf '%s\n' "$last"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
