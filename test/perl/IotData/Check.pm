
# What most tests of the extension ask: does this statement fail as it must, does it give what it
# must, does the session go on.

package IotData::Check;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use IotData::Wait;
use Test::More;

our @EXPORT = qw(fails_with gives goes_on eventually grows_less no_crash);

# fails_with(SESSION, SQL, SQLSTATE, {message, detail, hint, context => PATTERN}, NAME): one test.
# Where two SQLSTATEs will do, A|B. Instead of SQL, the result of a statement that was run.
# Returns what was reported.
sub fails_with
{
	my ($session, $sql, $sqlstate, $parts, $name) = @_;
	my $result = ref $sql ? $sql : $session->try($sql);
	my @wrong;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	push @wrong, "SQLSTATE is $result->{sqlstate}, not $sqlstate"
	  if defined $result->{sqlstate} && $result->{sqlstate} !~ /\A(?:$sqlstate)\z/;
	push @wrong, 'there is no error' unless defined $result->{sqlstate};
	for my $part (sort keys %$parts)
	{
		push @wrong, "$part is not like $parts->{$part}" unless ($result->{$part} // '') =~ $parts->{$part};
	}
	ok(!@wrong, $name) or diag(join "\n", @wrong, "printed: " . shortened($result->{out}), $result->{stderr});
	return $result;
}

# gives(SESSION, SQL, EXPECTED, NAME): what the statement prints; a pattern will do, too.
sub gives
{
	my ($session, $sql, $expected, $name) = @_;
	my $result = $session->try($sql);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	if (defined $result->{sqlstate} || $result->{ended})
	{
		fail($name);
		diag($result->{stderr});
		return;
	}
	return ref $expected ? like($result->{out}, $expected, $name) : is($result->{out}, $expected, $name);
}

# After whatever happened, the same session makes a good call. The client "good" must be there.
sub goes_on
{
	my ($session, $after) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return gives($session, q{SELECT connected FROM iotdata.get_connection('good')}, 't', "the next call works, after: $after");
}

# How much a process grew, in any unit. A sanitizer keeps what was freed, to see whether it is used
# again, so with one this says nothing; leaks are its own to report.
sub grows_less
{
	my ($grown, $limit, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	SKIP:
	{
		skip "$name: not measured, a sanitizer keeps freed memory", 1 if $ENV{IOTDATA_SANITIZED};
		return cmp_ok($grown, '<', $limit, $name);
	}
	return 1;
}

# The last test of each file: no process of the server ended by a signal.
sub no_crash
{
	my ($node) = @_;
	my ($crash) = $node->log_text =~ /(.*(?:was terminated by signal|TRAP: |PANIC:).*)/;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(!defined $crash, 'no server process crashed') || diag($crash);
}

sub shortened
{
	my ($text) = @_;

	return length $text > 1000 ? substr($text, 0, 1000) . '...' : $text;
}

1;
