
# A port that connections cannot be made to. One that is started does not refuse them either: its
# queue of connections waiting to be accepted is full, so the kernel drops what else comes. One that
# refuses is taken, so that nobody else can listen at it, and does not listen itself.

package IotData::Blackhole;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use IO::Socket::INET;
use IotData::Wait;
use Socket qw(SOCK_STREAM sockaddr_in inet_aton);

sub start
{
	my ($class) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or croak "cannot listen: $!";
	my $self     = bless { listener => $listener, waiting => [] }, $class;

	# The kernel takes one connection more than the queue's length.
	for (1 .. 2)
	{
		my $socket = IO::Socket::INET->new(Type => SOCK_STREAM, Proto => 'tcp', Blocking => 0) or croak "no socket: $!";

		connect $socket, sockaddr_in($self->port, inet_aton('127.0.0.1'));
		push @{ $self->{waiting} }, $socket;
	}
	eventually(sub { $self->queue_length == 2 }) or croak 'the queue of connections does not fill up';
	return $self;
}

sub refuse
{
	my ($class) = @_;
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'tcp') or croak "no port: $!";

	return bless { listener => $socket }, $class;
}

# How many connections wait to be accepted: of a socket that listens (0A), that is what the kernel
# shows in the place of the bytes that wait to be read.
sub queue_length
{
	my ($self) = @_;
	my $port = sprintf '%04X', $self->port;

	open my $in, '<', '/proc/net/tcp' or croak "no /proc: $!";
	my ($length) = map { /^ *\d+: 0100007F:$port \S+ 0A [0-9A-F]+:([0-9A-F]+) / ? hex $1 : () } <$in>;
	close $in;
	return $length // 0;
}

sub port { return $_[0]{listener}->sockport }
sub url  { return 'http://127.0.0.1:' . $_[0]->port }

1;
