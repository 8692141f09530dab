#!/bin/bash
# Runs every test there is: unit tests in C, pg_regress, TAP tests with servers of their own, and
# AWS's own client. Does all its set-up on Debian 12, as root or as a user with sudo, and leaves
# nothing running. The last line is "N passed, N failed", with ", N skipped" when any was.
set -uo pipefail

usage() {
	cat <<-'USAGE'
		usage: test/run.sh [--keep] [--with FILE] [PART...]
		       test/run.sh --all

		Parts: unit regress tap interop; all of them when none is named. A part may also be
		a file of test/t, to run that one alone.
		--all   runs all kinds of tests, as test/all.sh does
		--keep  leaves the scratch folder in place, as a failed test does
		--with FILE  a bash file that says how to build and start things in another way, as
		test/sanitize.sh, test/valgrind.sh, test/perturb.sh and test/assertions.sh do
	USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"

keep=remove
parts=()
files=()
with=
while [ $# -gt 0 ]; do
	argument=$1
	shift
	case $argument in
		-h | --help) usage && exit ;;
		--all) exec "$here/test/all.sh" ;;
		--keep) keep=keep ;;
		--with)
			with=${1:-}
			[ -r "$with" ] || { usage >&2 && exit 2; }
			shift
			;;
		unit | regress | tap | interop) parts+=("$argument") ;;
		*.pl) files+=("test/t/${argument##*/}") ;;
		*) usage >&2 && exit 2 ;;
	esac
done
[ "${#files[@]}" -eq 0 ] || parts+=(tap)
[ "${#parts[@]}" -gt 0 ] || parts=(unit regress tap interop)

stop() {
	local rc=$?

	trap '' INT TERM HUP
	# Ctrl-C reaches the tests too; what does not listen to it is ended here.
	if [ -n "${child:-}" ]; then
		kill -TERM -- "-$child" 2>/dev/null || true
		kill -CONT -- "-$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	setup_end "$keep"
	exit "$rc"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Runs a command in a process group of its own, so that all of it can be ended.
in_group() {
	local rc

	set -m
	"$@" &
	child=$!
	set +m
	wait "$child"
	rc=$?
	child=
	return "$rc"
}

# report PASSED FAILED SKIPPED
report() {
	say "$@" >>"$SCRATCH/counts"
}

# What a file given by --with can put something in the place of:
uses=()                              # what more packages are needed for
unit_flags=()                        # make's variables for the unit tests
unit_environment=()
tap_environment=()
prepare() { :; }                     # when the source tree is in place, before it is built
conclude() { :; }                    # after the last part, all servers stopped

wanted() {
	[[ " ${parts[*]} " == *" $1 "* ]]
}

# tap_log NAME LOG STATUS: counts and shows what a part said in TAP
tap_log() {
	perl "$BUILD/test/perl/run_tap.pl" --counts "$SCRATCH/counts" --said "$2" --status "$3" "$1"
}

run_unit() {
	local rc=0

	in_group as_user env "${unit_environment[@]}" CMOCKA_MESSAGE_OUTPUT=TAP make -C "$BUILD/test/unit" "${unit_flags[@]}" check >"$SCRATCH/unit.log" 2>&1 || rc=$?
	in_group as_user env "${unit_environment[@]}" make -C "$BUILD/emulator" "${EMULATOR_FLAGS[@]}" check >>"$SCRATCH/unit.log" 2>&1 || rc=$?
	tap_log unit "$SCRATCH/unit.log" "$rc"
}

run_regress() {
	local rc=0 passed failed

	start_server AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
	in_group as_user env PGHOST="$SCRATCH" PGUSER=postgres make -C "$BUILD" PG_CONFIG="$PG_CONFIG" with_llvm=no TAP_TESTS= installcheck \
		>"$SCRATCH/regress.log" 2>&1 || rc=$?
	stop_server "$SCRATCH/data"
	# from version 19 on pg_regress shows the differences itself
	grep -q '^diff ' "$SCRATCH/regress.log" || find "$BUILD" -name regression.diffs -exec head -n 200 {} +
	# from version 16 on pg_regress speaks TAP
	if grep -q '^1\.\.' "$SCRATCH/regress.log"; then
		tap_log regress "$SCRATCH/regress.log" "$rc"
		return
	fi
	passed=$(grep -cE '^(test|    ) .* \.\.\. ok ' "$SCRATCH/regress.log")
	failed=$(grep -cE '^(test|    ) .* \.\.\. FAILED' "$SCRATCH/regress.log")
	sed -nE 's/^(test|    ) +([^ ]+) +\.\.\. (ok|FAILED).* ([0-9]+ ms)$/  \2: \3 (\4)/p' "$SCRATCH/regress.log"
	if [ "$failed" = 0 ] && { [ "$rc" != 0 ] || [ "$passed" = 0 ]; }; then
		say "  FAILED:  pg_regress ended with status $rc; the end of its output:"
		tail -n 30 "$SCRATCH/regress.log"
		failed=1
	fi
	report "$passed" "$failed" 0
}

run_tap() {
	local pgxs

	[ "${#files[@]}" -gt 0 ] || mapfile -t files < <(cd "$BUILD" && ls test/t/*.pl)
	pgxs=$("$PG_CONFIG" --pgxs)
	pgxs=${pgxs%/makefiles/pgxs.mk}
	cd "$BUILD" || return
	in_group as_user env \
		PATH="$BINDIR:$PATH" \
		TESTDIR="$BUILD" TESTDATADIR="$BUILD/tmp_check" TESTLOGDIR="$BUILD/tmp_check/log" \
		PG_REGRESS="$pgxs/test/regress/pg_regress" \
		PG_TEST_PORT_DIR="$SCRATCH/tmp" \
		IOTDATA_EMULATOR="$BUILD/emulator/iotdata-emulator" \
		"${tap_environment[@]}" \
		perl test/perl/run_tap.pl --counts "$SCRATCH/counts" --jobs "$(($(nproc) * 2))" --limit "$((PG_TEST_TIMEOUT_DEFAULT * 10))" \
		--lib "$BUILD/test/perl" --lib "$pgxs/test/perl" "${files[@]}" ||
		[ "$?" = 1 ] || report 0 1 0
	cd "$SCRATCH" || return
}

run_interop() {
	local rc=0

	in_group as_user env IOTDATA_EMULATOR="$BUILD/emulator/iotdata-emulator" "$BUILD/test/interop/run.sh" >"$SCRATCH/interop.log" 2>&1 || rc=$?
	tap_log interop "$SCRATCH/interop.log" "$rc"
}

begun=$SECONDS
# shellcheck source=/dev/null
[ -z "$with" ] || source "$with"
uses+=(demo test)
! wanted interop || uses+=(interop)
setup_begin "$here" test "${uses[@]}"
as_user touch "$SCRATCH/counts"
prepare

say "== PostgreSQL $("$PG_CONFIG" --version | cut -d' ' -f2-)"
say "== build"
build_emulator || report 0 1 0
build_extension || {
	report 0 1 0
	parts=()
}
for part in unit regress tap interop; do
	if wanted "$part"; then
		say "== $part"
		"run_$part"
	fi
done
stop_servers
conclude

read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$SCRATCH/counts")
say "== $((SECONDS - begun)) seconds"
[ "$failed" = 0 ] || keep=keep
setup_end "$keep"
SCRATCH=
last="$passed passed, $failed failed"
[ "$skipped" = 0 ] || last="$last, $skipped skipped"
say "$last"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
