
# The end of a program that IPC::Run started.

package IotData::Program;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use IotData::Wait;

our @EXPORT_OK = qw(end_program);

# Waits for a program that was told to end, kills it when it does not within the seconds given (the
# deadline's), and returns its status as in $?.
sub end_program
{
	my ($run, $seconds) = @_;

	eventually(sub { eval { $run->pump_nb }; !$run->pumpable }, $seconds) or $run->signal('KILL');
	eval { $run->finish };
	return $run->full_result(0);
}

1;
