
# How tests wait: for a condition, never for a time. The deadline only ends the test in which the
# condition never comes to hold; it is PostgreSQL's own, in seconds, which a run that is slower on
# purpose sets higher (valgrind/with.sh does).

package IotData::Wait;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use Time::HiRes qw(sleep time);

our @EXPORT = qw($DEADLINE eventually);

our $DEADLINE = $ENV{PG_TEST_TIMEOUT_DEFAULT} || 180;

# Waits until a condition holds, or for so many seconds at most, and returns what the condition
# gave last: false when it never held.
sub eventually
{
	my ($condition, $seconds) = @_;
	my $end = time + ($seconds // $DEADLINE);
	my $holds;

	until ($holds = $condition->())
	{
		last if time > $end;
		sleep 0.01;
	}
	return $holds;
}

1;
