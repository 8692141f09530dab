#!/bin/bash
# Which lines and branches of src/ the tests reach: builds the extension and the unit tests for
# gcov in a scratch folder, runs unit tests, pg_regress and the TAP tests, and prints a line for
# each file, then the lines that were not reached. Fails when a test does, or when less than 90 %
# of the lines of src/ are covered.
#
# A server process that is killed, as some tests do, leaves no counts; what only such a process
# has run shows as not covered. The figures differ by some lines from run to run for that.
set -uo pipefail

usage() {
	cat <<-'USAGE'
		usage: test/coverage.sh [--keep] [--least PERCENT] [--branches] [TEST.pl...]

		--keep      leaves the scratch folder in place
		--least     what is to be covered of the lines, instead of 90
		--branches  names the lines of which a branch was never taken, too
		TEST.pl     of the TAP tests, these only
	USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"

keep=remove
least=90
branches=0
files=()
while [ $# -gt 0 ]; do
	case $1 in
		-h | --help) usage && exit ;;
		--keep) keep=keep ;;
		--least) least=${2:?} && shift ;;
		--branches) branches=1 ;;
		*.pl) files+=("test/t/${1##*/}") ;;
		*) usage >&2 && exit 2 ;;
	esac
	shift
done

# What the build adds; -O0, so that a line is a line, and -Wno-cpp, because the C library warns
# that its checks need optimization.
FLAGS='--coverage -O0 -Wno-cpp'

# shellcheck disable=SC2317
stop() {
	local rc=$?

	trap '' INT TERM HUP
	if [ -n "${child:-}" ]; then
		kill -TERM -- "-$child" 2>/dev/null || true
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

# A part of the tests failed: the figures mean little then.
failed() {
	say "  FAILED: $1; the end of its output:"
	tail -n 30 "$2"
	exit 1
}

run_unit() {
	in_group as_user make -C "$BUILD/test/unit" CFLAGS="-g $FLAGS" LDFLAGS=--coverage check >"$SCRATCH/unit.log" 2>&1 ||
		failed "unit tests" "$SCRATCH/unit.log"
}

run_regress() {
	local rc=0

	start_server AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
	in_group as_user env PGHOST="$SCRATCH" PGUSER=postgres make -C "$BUILD" PG_CONFIG="$PG_CONFIG" with_llvm=no \
		COPT="$FLAGS" TAP_TESTS= installcheck >"$SCRATCH/regress.log" 2>&1 || rc=$?
	# fast: the processes end in order, and write what they counted
	stop_server "$SCRATCH/data"
	[ "$rc" = 0 ] || failed pg_regress "$SCRATCH/regress.log"
}

run_tap() {
	local pgxs

	[ "${#files[@]}" -gt 0 ] || mapfile -t files < <(cd "$BUILD" && ls test/t/*.pl)
	pgxs=$("$PG_CONFIG" --pgxs)
	pgxs=${pgxs%/makefiles/pgxs.mk}
	cd "$BUILD" || return
	in_group as_user env \
		PATH="$BINDIR:$PATH" \
		TESTDIR="$BUILD" \
		PG_REGRESS="$pgxs/test/regress/pg_regress" \
		PG_TEST_PORT_DIR="$SCRATCH/tmp" \
		IOTDATA_EMULATOR="$BUILD/emulator/iotdata-emulator" \
		perl test/perl/run_tap.pl --counts "$SCRATCH/counts" --jobs "$(nproc)" --limit "$((PG_TEST_TIMEOUT_DEFAULT * 10))" \
		--lib "$BUILD/test/perl" --lib "$pgxs/test/perl" "${files[@]}" || tap_failed=1
	cd "$SCRATCH" || return
}

# PostgreSQL's test modules end a server at once ("immediate"), and its processes then leave no
# counts. In this private installation that is a "fast" end.
end_in_order() {
	as_user mv "$BINDIR/pg_ctl" "$BINDIR/pg_ctl.real"
	as_user tee "$BINDIR/pg_ctl" >/dev/null <<-'SCRIPT'
		#!/bin/bash
		exec "$0.real" "${@/#immediate/fast}"
	SCRIPT
	as_user chmod 755 "$BINDIR/pg_ctl"
}

# gcov's own account of every object, as JSON: a line each.
read_counts() {
	find "$BUILD/src" "$BUILD/test/unit" -name '*.gcno' | while read -r notes; do
		(cd "$BUILD" && gcov --json-format --branch-probabilities --stdout "${notes%.gcno}.o" 2>/dev/null)
	done
}

# Adds up what several objects say of one source file (those of src/aws are in the unit tests
# too), and prints it.
print_coverage() {
	perl - "$BUILD/src/" "$least" "$branches" "$SCRATCH/gcov.json" <<'PERL'
use strict;
use warnings;
use Cwd qw(realpath);
use JSON::PP;

my ($source, $least, $show_branches, $counts) = @ARGV;
my (%lines, %branches, %total);

open my $in, '<', $counts or die "cannot read $counts: $!\n";
while (my $text = <$in>)
{
	my $account = decode_json($text);

	for my $file (@{ $account->{files} })
	{
		my $path = $file->{file} =~ m{^/} ? $file->{file} : "$account->{current_working_directory}/$file->{file}";
		my $name = realpath($path) // next;

		next unless index($name, $source) == 0;
		$name = 'src/' . substr $name, length $source;
		for my $line (@{ $file->{lines} })
		{
			my $number = $line->{line_number};
			my @taken = map { $_->{count} } @{ $line->{branches} };

			$lines{$name}{$number} += $line->{count};
			$branches{$name}{$number}[$_] += $taken[$_] for 0 .. $#taken;
		}
	}
}
close $in;

# 3, 5 to 7
sub ranges
{
	my @ranges;

	for my $number (@_)
	{
		if   (@ranges && $ranges[-1][1] == $number - 1) { $ranges[-1][1] = $number }
		else                                            { push @ranges, [ $number, $number ] }
	}
	return join ', ', map { $_->[0] == $_->[1] ? $_->[0] : "$_->[0] to $_->[1]" } @ranges;
}

sub share
{
	my ($some, $all) = @_;

	return $all ? sprintf '%5d of %5d %5.1f %%', $some, $all, 100 * $some / $all : sprintf '%5s    %5s %7s', '', '', '';
}

my $format = "%-36s %-22s  %s\n";
my @missing;
printf $format, '', '  lines', '  branches';
for my $name (sort keys %lines)
{
	my @numbers = sort { $a <=> $b } keys %{ $lines{$name} };
	my @not = grep { !$lines{$name}{$_} } @numbers;
	my $taken = 0;
	my $all = 0;
	my @half;

	for my $number (sort { $a <=> $b } keys %{ $branches{$name} })
	{
		my @counts = @{ $branches{$name}{$number} };

		$all += @counts;
		$taken += grep { $_ } @counts;
		push @half, $number if $lines{$name}{$number} && grep { !$_ } @counts;
	}
	printf $format, $name, share(@numbers - @not, scalar @numbers), share($taken, $all);
	push @missing, "$name: " . ranges(@not) if @not;
	push @missing, "$name, a branch of: " . ranges(@half) if @half && $show_branches;
	$total{lines} += @numbers;
	$total{reached} += @numbers - @not;
	$total{branches} += $all;
	$total{taken} += $taken;
}
die "there are no counts\n" unless $total{lines};
printf $format, 'all of src/', share(@total{qw(reached lines)}), share(@total{qw(taken branches)});
print "\nNot reached:\n", map { "  $_\n" } @missing if @missing;
my $percent = 100 * $total{reached} / $total{lines};
printf "\n%.1f %% of the lines and %.1f %% of the branches of src/ are covered; %s %% of the lines must be\n",
  $percent, 100 * $total{taken} / $total{branches}, $least;
exit($percent < $least ? 1 : 0);
PERL
}

tap_failed=0
setup_begin "$here" coverage demo test
command -v gcov >/dev/null || die "there is no gcov here; Debian has it in the package gcc"
as_user touch "$SCRATCH/counts"
end_in_order

say "== build"
build_emulator || exit 1
quietly "$SCRATCH/build.log" make_in_build COPT="$FLAGS" all || exit 1
quietly "$SCRATCH/install.log" make_in_build COPT="$FLAGS" install || exit 1

say "== unit"
run_unit
say "== regress"
run_regress
say "== tap"
run_tap

say "== coverage"
read_counts >"$SCRATCH/gcov.json"
print_coverage || tap_failed=1
exit "$tap_failed"
