
# A real MQTT client, mosquitto_sub, that plays a device.
#
#   my $lamp = IotData::Client->start($emulator, 'lamp', topics => { 'lamp/#' => 1 });
#   my $message = $lamp->next_message;    # what arrived, see below
#   $lamp->freeze; $lamp->thaw; $lamp->leave; $lamp->vanish
#
# start() returns once it is connected and subscribed. Options: version (mqttv5; mqttv311),
# topics (filter => QoS, all of one QoS), persistent, session_expiry, keep_alive, arguments.
#
# A message is a hash: topic, payload (as hex digits), qos, content_type, response_topic,
# correlation_data, payload_format_indicator, user_properties ("name:value", with blanks between).

package IotData::Client;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use IPC::Run ();
use IotData::Program qw(end_program);
use IotData::Wait;

my @fields = qw(topic payload qos content_type response_topic correlation_data payload_format_indicator user_properties);
# no byte of these two is in what the tests send
my ($between, $end) = ("\x1f", "\x1e");
my $format  = "MESSAGE $between" . join($between, qw(%t %x %q %C %R %D %F %P)) . $end;
my $pattern = qr/^MESSAGE $between([^$end]*)$end\n/m;

sub start
{
	my ($class, $emulator, $id, %options) = @_;
	my %topics  = %{ $options{topics} // { "$id/#" => 1 } };
	my ($qos)   = values %topics;
	my @command = (
		qw(stdbuf -oL mosquitto_sub -d -h 127.0.0.1 -p), $emulator->mqtt_port, '-i', $id, '-V',
		$options{version} // 'mqttv5',
		'-k', $options{keep_alive} // 60,
		'-q', $qos, '-F', $format, map { ('-t', $_) } sort keys %topics);

	push @command, '-c' if $options{persistent};
	push @command, '-x', $options{session_expiry} if defined $options{session_expiry};
	push @command, @{ $options{arguments} // [] };

	my $self = bless { id => $id, out => '', owner => $$, again => sub { $class->start($emulator, $id, %options) } }, $class;
	$self->{timer} = IPC::Run::timer($DEADLINE);
	$self->{run}   = IPC::Run::start(\@command, '<', \'', '>&', \$self->{out}, $self->{timer});
	$self->wait_for(qr/received SUBACK/);
	return $self;
}

# Waits until what the client printed matches.
sub wait_for
{
	my ($self, $pattern) = @_;

	$self->{timer}->start($DEADLINE);
	until ($self->{out} =~ $pattern)
	{
		croak "client $self->{id} did not print $pattern but: $self->{out}"
		  if !$self->{run}->pumpable || $self->{timer}->is_expired;
		$self->{run}->pump;
	}
	$self->{timer}->reset;
	return;
}

# The next message that arrived and was not asked for before.
sub next_message
{
	my ($self) = @_;
	my %message;

	$self->wait_for($pattern);
	$self->{out} =~ s/$pattern//;
	@message{@fields} = split /$between/, $1, -1;
	return \%message;
}

# How many messages arrived that were not asked for; what is on the way is not waited for.
sub waiting
{
	my ($self) = @_;

	$self->{run}->pump_nb;
	return scalar(() = $self->{out} =~ /$pattern/g);
}

# Neither reads nor confirms anything until it is thawed; its connection stays.
sub freeze { return $_[0]{run}->signal('STOP') }
sub thaw   { return $_[0]{run}->signal('CONT') }

# Ends it with a DISCONNECT, as a device that is switched off. mosquitto_sub sends it from within
# its signal handler, and hangs there for ever when the signal comes while it is busy (in what prints
# SUBACK, for example), so it is sent when it sleeps. Should it hang all the same it is killed, which
# is no goodbye, and another one with the same ID says it. A slow one looks the same, so each is given
# more time than the one before.
sub leave
{
	my ($self) = @_;

	for (my $seconds = 5; $seconds < 2 * $DEADLINE; $seconds *= 2)
	{
		eventually(sub { $self->sleeps }) or croak "client $self->{id} does not come to rest";
		my $status = $self->end('TERM', $seconds);

		return if !defined $status || ($status & 127) != 9;
		$self->{run} = delete $self->{again}->()->{run};
	}
	croak "client $self->{id} does not leave";
}

# Does it wait for something to happen?
sub sleeps
{
	my ($self) = @_;
	my ($pid) = map { $_->{PID} } @{ $self->{run}{KIDS} };

	open my $in, '<', "/proc/$pid/stat" or croak "no /proc: $!";
	my $stat = <$in>;
	close $in;
	return $stat =~ /.*\) S /s;
}

# Ends it without a word, as a device that loses its network.
sub vanish { return $_[0]->end('KILL') }

sub end
{
	my ($self, $signal, $seconds) = @_;

	return unless $self->{run} && $self->{owner} == $$;
	my $run = delete $self->{run};
	$run->signal($signal);
	$run->signal('CONT');
	return end_program($run, $seconds);
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	$self->end('KILL');
	return;
}

1;
