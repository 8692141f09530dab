
# The end of a program that IPC::Run started.

package IotData::Program;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(end_program);

# Waits for a program that was told to end, kills it when it does not within five seconds, and
# returns its status as in $?.
sub end_program
{
	my ($run) = @_;
	my $deadline = time + 5;

	while ($run->pumpable && time < $deadline)
	{
		eval { $run->pump_nb };
		sleep 0.01;
	}
	$run->signal('KILL') if $run->pumpable;
	eval { $run->finish };
	return $run->full_result(0);
}

1;
