
# A port that connections cannot be made to, and that does not refuse them either: its queue of
# connections waiting to be accepted is full, so the kernel drops what else comes.

package IotData::Blackhole;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOCK_STREAM sockaddr_in inet_aton);

sub start
{
	my ($class) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or croak "cannot listen: $!";
	my $self     = bless { listener => $listener, waiting => [] }, $class;

	# Connections are made until one does not come through.
	for (1 .. 64)
	{
		my $socket = IO::Socket::INET->new(Type => SOCK_STREAM, Proto => 'tcp', Blocking => 0) or croak "no socket: $!";

		connect $socket, sockaddr_in($self->port, inet_aton('127.0.0.1'));
		push @{ $self->{waiting} }, $socket;
		return $self unless IO::Select->new($socket)->can_write(0.3);
	}
	croak 'the queue of connections does not fill up';
}

sub port { return $_[0]{listener}->sockport }
sub url  { return 'http://127.0.0.1:' . $_[0]->port }

1;
