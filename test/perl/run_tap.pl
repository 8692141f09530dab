#!/usr/bin/perl
# Runs tests that speak TAP, or reads what they said, and prints it for people: a line per file,
# and under it every failed or skipped test with its reason.
#
#   run_tap.pl --counts FILE [--jobs N] [--limit SECONDS] [--lib FOLDER]... TEST.pl...
#   run_tap.pl --counts FILE --said LOG --status N NAME
#
# The second form takes a log of one or more TAP streams, one after the other, and the exit status
# of the command that wrote it. Both append "PASSED FAILED SKIPPED" to the counts file. A test
# that ends before it could report, or reports fewer tests than it planned, counts as a failure.

use strict;
use warnings FATAL => 'all';

use File::Basename qw(basename);
use Getopt::Long qw(GetOptions);
use TAP::Harness;
use TAP::Parser;
use TAP::Parser::Aggregator;
use Time::HiRes qw(time);

my ($counts, $said);
my ($jobs, $limit, $status) = (1, 1800, 0);
my @lib;
GetOptions(
	'counts=s' => \$counts,
	'said=s'   => \$said,
	'status=i' => \$status,
	'jobs=i'   => \$jobs,
	'limit=i'  => \$limit,
	'lib=s'    => \@lib) && defined $counts && @ARGV
  or die "usage: see the top of $0\n";

my %total = (passed => 0, failed => 0, skipped => 0);
$| = 1;

if   (defined $said) { read_log($said, $status, $ARGV[0]) }
else                 { run_files(@ARGV) }

open my $fh, '>>', $counts or die "cannot write $counts: $!\n";
print $fh join(' ', @total{qw(passed failed skipped)}), "\n";
close $fh or die "cannot write $counts: $!\n";
exit($total{failed} ? 1 : 0);

# What is to be said about one file: counts, and lines about what did not pass.
sub new_report { return { passed => 0, failed => 0, skipped => 0, lines => [], comments => 0 } }

# A failed test is followed by its explanation, as comments, up to the next test.
sub take_result
{
	my ($report, $result) = @_;

	if ($result->is_test)
	{
		my $name = $result->description =~ s/^- //r;

		$report->{comments} = 0;
		if ($result->has_skip)
		{
			$report->{skipped}++;
			push @{ $report->{lines} }, "  skipped: $name (" . $result->explanation . ')';
		}
		elsif ($result->is_ok)
		{
			$report->{passed}++;
		}
		else
		{
			$report->{failed}++;
			$report->{comments} = 60;
			push @{ $report->{lines} }, "  FAILED:  $name";
		}
	}
	elsif ($result->is_bailout)
	{
		push @{ $report->{lines} }, '  ' . $result->as_string;
	}
	elsif (($result->is_comment || $result->is_unknown) && $report->{comments} > 0)
	{
		$report->{comments}--;
		push @{ $report->{lines} }, '    ' . $result->as_string =~ s/^# ?//r;
	}
	return;
}

# What the parser says of the whole: a plan that was not kept, an exit status without a failed test.
sub take_end
{
	my ($report, $parser, $exit) = @_;

	if (defined $parser->skip_all)
	{
		$report->{skipped}++;
		push @{ $report->{lines} }, '  skipped: all of it (' . $parser->skip_all . ')';
	}
	my @broken = $parser->parse_errors;
	push @broken, "exit status $exit" if $exit && !$report->{failed};
	if (@broken)
	{
		$report->{failed}++;
		push @{ $report->{lines} }, map { "  FAILED:  $_" } @broken;
	}
	return;
}

sub print_report
{
	my ($name, $report, $seconds) = @_;
	my $line = sprintf '%-44s %4d passed', $name, $report->{passed};

	$line .= ", $report->{failed} FAILED"    if $report->{failed};
	$line .= ", $report->{skipped} skipped" if $report->{skipped};
	$line .= sprintf '  (%.1f s)', $seconds if defined $seconds;
	print "$line\n", map { "$_\n" } @{ $report->{lines} };
	$total{$_} += $report->{$_} for keys %total;
	return;
}

sub run_files
{
	my @files = @_;
	my (%report, %started, %ended);
	my @command = ('timeout', '--kill-after=15', $limit, $^X, map { "-I$_" } @lib);
	my $harness = TAP::Harness->new(
		{
			jobs            => $jobs,
			merge           => 1,
			formatter_class => 'IotData::Quiet',
			ignore_exit     => 0,
			exec            => \@command,
		});

	$harness->callback(
		made_parser => sub {
			my ($parser, $job) = @_;
			my $file = ref $job ? $job->[0] : $job;

			$report{$file}  = new_report();
			$started{$file} = time;
			$parser->callback(ALL => sub { take_result($report{$file}, $_[0]) });
			$parser->callback(
				EOF => sub {
					my ($ended) = @_;
					my $exit = $ended->exit // 0;

					$ended{$file} = 1;
					push @{ $report{$file}{lines} }, "  stopped: it took more than $limit seconds"
					  if $exit == 124 || $exit == 137;
					take_end($report{$file}, $ended, $exit);
					print_report(basename($file, '.pl'), $report{$file}, time - $started{$file});
				});
		});
	# a test that bails out makes the harness die, and takes those that were to follow with it
	my $lived = eval { $harness->aggregate_tests(TAP::Parser::Aggregator->new, @files); 1 };
	my $why   = $lived ? 'it could not be started' : "the tests were stopped: $@";

	for my $file (grep { !$ended{$_} } @files)
	{
		my $none = new_report();

		$none->{failed} = 1;
		push @{ $none->{lines} }, "  FAILED:  $why";
		print_report(basename($file, '.pl'), $none);
	}
	return;
}

# Every stream begins with its plan (cmocka's do; newer ones say the version of TAP before it), so
# a second plan begins a second stream.
sub read_log
{
	my ($file, $exit, $name) = @_;
	my $report = new_report();
	my @streams;

	open my $in, '<', $file or die "cannot read $file: $!\n";
	while (my $line = <$in>)
	{
		next if $line =~ /^TAP version \d+$/;
		push @streams, '' if !@streams || ($line =~ /^1\.\.\d+/ && $streams[-1] =~ /^1\.\.\d+/m);
		$streams[-1] .= $line;
	}
	close $in;
	for my $stream (grep { /^(?:1\.\.\d+|(?:not )?ok\b)/m } @streams)
	{
		my $parser = TAP::Parser->new({ tap => $stream });

		while (my $result = $parser->next)
		{
			take_result($report, $result);
		}
		take_end($report, $parser, 0);
	}
	if (!$report->{failed} && ($exit || !($report->{passed} + $report->{skipped})))
	{
		$report->{failed} = 1;
		push @{ $report->{lines} },
		  $exit ? "  FAILED:  exit status $exit; the end of its output:" : '  FAILED:  it reported no test; its output:',
		  map { "    $_" } tail($file);
	}
	print_report($name, $report);
	return;
}

sub tail
{
	my ($file) = @_;

	open my $in, '<', $file or return ();
	chomp(my @lines = <$in>);
	return @lines > 30 ? @lines[ -30 .. -1 ] : @lines;
}

# A formatter that says nothing: the reports above are all there is to say.
package IotData::Quiet;

sub new             { return bless {}, shift }
sub verbosity       { return -3 }
sub open_test       { return $_[0] }
sub prepare         { return }
sub result          { return }
sub close_test      { return }
sub clear_for_close { return }
sub header          { return }
sub summary         { return }
