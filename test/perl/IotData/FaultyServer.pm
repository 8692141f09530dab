
# An HTTP server that does what a good one never does. What it answers is a script, chosen by the
# client ID in the request's path, so that one server plays all the cases of a test and the good
# one beside them:
#
#   my $server = IotData::FaultyServer->start(
#       answers => {
#           good => http_answer(200, '{"connected":true}'),
#           cut  => [ [ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", ['close'] ] ],
#       });
#
# A value of "answers" is one answer, or a list of them: for the first request that names this
# client, the second, and so on; the last one stays. An answer is
#
#   a string          these bytes
#   a list of steps   one after the other
#   a code reference  gets the request and gives one of the two above
#
# and a step is
#
#   a string                       sends these bytes
#   ['until', NAME]                sends nothing until the test calls release(NAME)
#   ['wait', SECONDS]              sends nothing for a while
#   ['trickle', BYTES, SECONDS]    sends one byte, waits, sends the next
#   ['flood', BYTES, COUNT]        sends BYTES again and again, COUNT bytes in all, or for ever
#   ['note', TEXT]                 notes as an event that all before has been sent
#   ['hold']                       leaves the connection open and never sends anything again
#   ['close'], ['reset']           ends the connection, the second one with RST
#   ['tunnel', PORT]               from now on a tunnel to a port of this machine (for CONNECT)
#
# It listens on 127.0.0.1, or on another "address", and on a port that is free, or on that "port".
#
# After the last step the next request on the connection is read. With "on_accept" a list of steps
# is done before anything is read, and what follows a ['hold'] is never read at all; how much of it
# stays with the sender, receive_buffer and segment_size decide (bytes).
#
# It is one process and one loop, so it counts and orders everything that happens; it writes that
# to a file, a JSON object a line, which the methods below read.

package IotData::FaultyServer;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use Exporter qw(import);
use File::Temp qw(tempfile);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::IP;
use IotData::Wait;
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use POSIX qw(_exit :errno_h);
use Socket qw(IPPROTO_TCP SOL_SOCKET SO_LINGER SO_RCVBUF TCP_MAXSEG TCP_NODELAY);
use Time::HiRes qw(time);

our @EXPORT_OK = qw(http_answer json_answer not_found);

my %reason = (
	200 => 'OK',
	204 => 'No Content',
	301 => 'Moved Permanently',
	404 => 'Not Found',
	500 => 'Internal Server Error');

# http_answer(STATUS, BODY, NAME => VALUE...): a whole and correct answer
sub http_answer
{
	my ($status, $body, @headers) = @_;
	my $answer = "HTTP/1.1 $status " . ($reason{$status} // 'Some Reason') . "\r\n";

	while (my ($name, $value) = splice @headers, 0, 2)
	{
		$answer .= "$name: $value\r\n";
	}
	$answer .= 'Content-Length: ' . length($body) . "\r\n" unless $status == 204;
	return "$answer\r\n$body";
}

# json_answer(DATA): the answer of a call that worked
sub json_answer
{
	my ($data) = @_;

	return http_answer(200, JSON::PP->new->utf8->canonical->encode($data),
		'Content-Type' => 'application/json');
}

# The service's own 404; any other is an error.
sub not_found
{
	return http_answer(404, '{"message":"no such connection"}', 'x-amzn-ErrorType' => 'ResourceNotFoundException');
}

sub start
{
	my ($class, %options) = @_;
	my $listener = IO::Socket::IP->new(
		LocalHost => $options{address} // '127.0.0.1',
		LocalPort => $options{port} // 0,
		Listen    => 1000,
		ReuseAddr => 1,
		Blocking  => 0) or croak "cannot listen: $@";
	my (undef, $record) = tempfile('faulty-server-XXXXXX', TMPDIR => 1, UNLINK => 1);

	# The connections inherit these.
	setsockopt $listener, SOL_SOCKET, SO_RCVBUF, pack('i', $options{receive_buffer}) if $options{receive_buffer};
	setsockopt $listener, IPPROTO_TCP, TCP_MAXSEG, pack('i', $options{segment_size}) if $options{segment_size};

	my $parent = $$;
	my $pid    = fork // croak "cannot fork: $!";
	if ($pid == 0)
	{
		# Nothing of the test's own may happen in this process, its END blocks least of all.
		$SIG{$_} = 'DEFAULT' for qw(TERM INT HUP CHLD __DIE__ __WARN__);
		$SIG{PIPE} = 'IGNORE';
		eval { serve($listener, $record, $parent, \%options); 1 } or warn "faulty server: $@";
		_exit(1);
	}
	my $self = bless { pid => $pid, port => $listener->sockport, record => $record, owner => $$, read => 0, events => [], released => [] }, $class;
	close $listener;
	return $self;
}

sub port { return $_[0]{port} }
sub url  { return "http://127.0.0.1:$_[0]{port}" }
sub pid  { return $_[0]{pid} }

# Everything that happened so far: hashes with "event" (open, request, note, closed), "time",
# "connection"; a request also has method, target, client, headers, body (in base64); a note its text.
sub events
{
	my ($self) = @_;

	open my $in, '<', $self->{record} or croak "cannot read $self->{record}: $!";
	seek $in, $self->{read}, 0;
	while (my $line = <$in>)
	{
		last unless $line =~ /\n\z/;
		$self->{read} += length $line;
		push @{ $self->{events} }, read_event($line);
	}
	close $in;
	return @{ $self->{events} };
}

# A long string costs JSON::PP milliseconds, so the body, which is last, does not go through it.
sub read_event
{
	my ($line) = @_;
	my $has_body = $line =~ s/,"body":"([^"]*)"\}\n\z/}/;
	my $body     = $1;
	my $event    = decode_json($line);

	$event->{body} = $body if $has_body;
	return $event;
}

# Lets answers go on that stand at ['until', NAME], now and from now on.
sub release
{
	my ($self, $name) = @_;

	open my $fh, '>', "$self->{record}.$name" or croak "cannot write $self->{record}.$name: $!";
	close $fh;
	push @{ $self->{released} }, "$self->{record}.$name";
	return;
}

# The requests so far; with a client ID, those that name it.
sub requests
{
	my ($self, $client) = @_;

	return
	  grep { $_->{event} eq 'request' && (!defined $client || ($_->{client} // '') eq $client) }
	  $self->events;
}

# How many connections were opened so far.
sub connections
{
	my ($self) = @_;

	return scalar grep { $_->{event} eq 'open' } $self->events;
}

# Waits until a condition on the events holds and returns the event that fulfils it.
sub wait_for
{
	my ($self, $condition) = @_;

	return eventually(sub { (grep { $condition->($_) } $self->events)[0] }) || croak 'what the faulty server was to see did not happen';
}

sub wait_for_request
{
	my ($self, $client) = @_;

	return $self->wait_for(sub { $_[0]{event} eq 'request' && $_[0]{client} eq $client });
}

sub stop
{
	my ($self) = @_;

	return unless $self->{pid} && $self->{owner} == $$;
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	$self->{pid} = 0;
	unlink @{ $self->{released} };
	return;
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	$self->stop;
	return;
}

# ---- the server's process ---------------------------------------------------------------------

my ($record_name, $record_fh, %open, %asked, $count);

sub serve
{
	my ($listener, $record, $parent, $options) = @_;

	$record_name = $record;
	open $record_fh, '>>:raw', $record or die "cannot write $record: $!\n";
	$count = 0;
	while (getppid == $parent)
	{
		my $readers = IO::Select->new($listener, map { $_->{socket} } grep { $_->{reads} } values %open);
		my $writers = IO::Select->new(map { $_->{socket} } grep { length $_->{out} } values %open);
		my ($readable, $writable) = IO::Select->select($readers, $writers, undef, next_wake());

		for my $socket (@{ $readable // [] })
		{
			if   ($socket == $listener)       { accept_one($listener, $options) }
			elsif (my $one = $open{$socket}) { read_some($one) }
		}
		for my $socket (@{ $writable // [] })
		{
			write_some($open{$socket}) if $open{$socket};
		}
		advance($_, $options) for values %open;
	}
	return;
}

sub record
{
	my ($event, $connection, %more) = @_;
	my $body = delete $more{body};
	my $line =
	  JSON::PP->new->ascii->canonical->encode({ event => $event, time => time, connection => $connection, %more });

	# base64 needs no escapes, and JSON::PP takes milliseconds to find none in a long string
	substr $line, -1, 0, qq(,"body":"$body") if defined $body;
	syswrite $record_fh, "$line\n";
	return;
}

# How long select may sleep: not at all when a step is to follow, else until the first wait is
# over or it is time to look for a release, and a second at most, so that the server notices that
# its test is gone.
sub next_wake
{
	my $wake = 1;

	for my $one (values %open)
	{
		return 0 if $one->{again} && !length $one->{out};
		$wake = 0.01 if defined $one->{until} && $wake > 0.01;
		next unless $one->{wait_until};
		my $left = $one->{wait_until} - time;
		$wake = $left if $left < $wake;
	}
	return $wake < 0 ? 0 : $wake;
}

sub accept_one
{
	my ($listener, $options) = @_;
	my $socket = $listener->accept or return;

	$socket->blocking(0);
	setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
	my $one = new_connection($socket);
	$one->{steps} = [ @{ $options->{on_accept} // [] } ];
	$one->{reads} = 0 if @{ $one->{steps} };
	return;
}

sub new_connection
{
	my ($socket) = @_;
	my $one =
	  { socket => $socket, number => ++$count, in => '', out => '', steps => [], reads => 1, wait_until => 0 };

	$open{$socket} = $one;
	record('open', $one->{number});
	return $one;
}

sub end_connection
{
	my ($one, $why) = @_;

	return unless delete $open{ $one->{socket} };
	close $one->{socket};
	record('closed', $one->{number}, by => $why);
	if (my $other = delete $one->{tunnel})
	{
		delete $other->{tunnel};
		end_connection($other, $why);
	}
	return;
}

sub read_some
{
	my ($one) = @_;
	my $got = sysread $one->{socket}, my $bytes, 1 << 16;

	if (!defined $got)
	{
		end_connection($one, 'client') unless $! == EAGAIN || $! == EINTR;
	}
	elsif ($got == 0)          { end_connection($one, 'client') }
	elsif ($one->{tunnel})     { $one->{tunnel}{out} .= $bytes }
	else                       { $one->{in} .= $bytes }
	return;
}

sub write_some
{
	my ($one) = @_;
	my $sent = syswrite $one->{socket}, $one->{out};

	if (defined $sent) { substr $one->{out}, 0, $sent, '' }
	elsif ($! != EAGAIN && $! != EINTR) { end_connection($one, 'client') }
	return;
}

# Does what can be done now for one connection: the next steps, or the next request.
sub advance
{
	my ($one, $options) = @_;

	$one->{again} = 0;
	while ($open{ $one->{socket} } && !length $one->{out} && !$one->{held} && !$one->{tunnel})
	{
		if ($one->{wait_until})
		{
			return if $one->{wait_until} > time;
			$one->{wait_until} = 0;
		}
		if (defined $one->{until})
		{
			return unless -e "$record_name.$one->{until}";
			$one->{until} = undef;
		}
		if (@{ $one->{steps} })
		{
			do_step($one, shift @{ $one->{steps} });
			write_some($one) if $open{ $one->{socket} } && length $one->{out};
			# one step a turn, so that an endless answer does not keep the others waiting
			$one->{again} = 1;
			return;
		}
		$one->{reads} = 1;
		my $request = take_request($one) or return;
		$one->{steps} = steps_for($request, $options);
	}
	return;
}

sub do_step
{
	my ($one, $step) = @_;

	if (!ref $step)
	{
		$one->{out} .= $step;
		return;
	}
	my ($what, @with) = @$step;
	if    ($what eq 'until') { $one->{until}      = $with[0] }
	elsif ($what eq 'wait')  { $one->{wait_until} = time + $with[0] }
	elsif ($what eq 'trickle')
	{
		my ($bytes, $seconds) = @with;

		$one->{out} .= substr $bytes, 0, 1;
		unshift @{ $one->{steps} }, [ 'wait', $seconds ], [ 'trickle', substr($bytes, 1), $seconds ]
		  if length $bytes > 1;
	}
	elsif ($what eq 'flood')
	{
		my ($bytes, $left) = @with;

		$bytes = substr $bytes, 0, $left if defined $left && $left < length $bytes;
		$one->{out} .= $bytes;
		$left -= length $bytes if defined $left;
		unshift @{ $one->{steps} }, [ 'flood', $bytes, $left ] if !defined $left || $left > 0;
	}
	elsif ($what eq 'note')  { record('note', $one->{number}, text => $with[0]) }
	elsif ($what eq 'hold')  { $one->{held} = 1 }
	elsif ($what eq 'close') { end_connection($one, 'server') }
	elsif ($what eq 'reset')
	{
		setsockopt $one->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
		end_connection($one, 'server');
	}
	elsif ($what eq 'tunnel')
	{
		my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $with[0]) or die "no tunnel: $!\n";

		$socket->blocking(0);
		my $other = new_connection($socket);
		@$one{qw(tunnel reads)} = ($other, 1);
		$other->{tunnel} = $one;
		$other->{out}    = $one->{in};
	}
	else { die "unknown step $what\n" }
	return;
}

# The next whole request of a connection, or nothing.
sub take_request
{
	my ($one) = @_;

	return unless $one->{in} =~ /\A(.*?)\r\n\r\n/s;
	my ($head, $size) = ($1, $+[0]);
	my ($line, @lines) = split /\r\n/, $head;
	my ($method, $target) = split / /, $line;
	my %headers = map { /\A([^:]+):\s*(.*?)\s*\z/ ? (lc $1 => $2) : () } @lines;
	my $length = $headers{'content-length'} // 0;

	return if length $one->{in} < $size + $length;
	my $body = substr $one->{in}, $size, $length;
	substr $one->{in}, 0, $size + $length, '';

	my ($client) = $target =~ m{\A/connections/([^/?]*)};
	$client = $method unless defined $client;
	$client =~ s/%([0-9A-F]{2})/chr hex $1/gei;
	my %request =
	  (method => $method, target => $target, client => $client, headers => \%headers, head => $head, body => $body);
	record('request', $one->{number}, %request, body => encode_base64($body, ''));
	return \%request;
}

sub steps_for
{
	my ($request, $options) = @_;
	my $answers = $options->{answers}{ $request->{client} } // $options->{otherwise}
	  // not_found();
	my @answers = ref $answers eq 'ARRAY' ? @$answers : ($answers);
	my $nth     = $asked{ $request->{client} }++;
	my $answer  = $answers[ $nth < @answers ? $nth : -1 ];

	$answer = $answer->($request) if ref $answer eq 'CODE';
	return ref $answer eq 'ARRAY' ? [@$answer] : [$answer];
}

1;
