
# The local endpoint, started for one test.
#
#   my $emulator = IotData::Emulator->start(arguments => [ '--thing', 'lamp' ]);
#   $emulator->url; $emulator->mqtt_port; $emulator->log_text; $emulator->stop
#
# With "certificate" (a file of IotData::Certificates) it also listens with TLS.

package IotData::Emulator;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use File::Temp qw(tempdir);
use IPC::Run ();
use IotData::Program qw(end_program);
use IotData::Wait;
use Scalar::Util qw(weaken);

# Those that run. What a test still holds when it ends is ended here: later, objects are destroyed
# in no order, and IPC::Run's before ours.
my @running;
END
{
	local $?;
	$_->stop for grep { defined } @running;
}

sub start
{
	my ($class, %options) = @_;
	my $program = $ENV{IOTDATA_EMULATOR} or croak 'IOTDATA_EMULATOR does not name the local endpoint';
	my $self = bless { out => '', err => '', owner => $$, log => tempdir(CLEANUP => 1) . '/emulator.log' }, $class;
	my @command = ($program, qw(--http-port 0 --mqtt-port 0), '--log', $self->{log});

	push @command, qw(--https-port 0 --mqtts-port 0), '--certificate', $options{certificate}, '--key',
	  $options{certificate} =~ s/\.pem\z/.key/r
	  if $options{certificate};
	push @command, @{ $options{arguments} // [] };

	local %ENV = map { $_ => $ENV{$_} } grep { !/^AWS_/ } keys %ENV;
	$self->{timer} = IPC::Run::timer($DEADLINE);
	$self->{run}   = IPC::Run::start(\@command, '<', \'', '>', \$self->{out}, '2>', \$self->{err}, $self->{timer});
	until ($self->{out} =~ /^ready$/m)
	{
		croak "the local endpoint did not start: $self->{out}$self->{err}"
		  if !$self->{run}->pumpable || $self->{timer}->is_expired;
		$self->{run}->pump;
	}
	$self->{timer}->reset;
	push @running, $self;
	weaken($running[-1]);
	$self->{port} = { $self->{out} =~ /^(\w+) \S+:(\d+)$/mg };
	return $self;
}

sub port       { return $_[0]{port}{http} }
sub https_port { return $_[0]{port}{https} }
sub mqtt_port  { return $_[0]{port}{mqtt} }
sub url        { return "http://127.0.0.1:$_[0]{port}{http}" }
sub https_url  { return "https://localhost:$_[0]{port}{https}" }

sub log_text
{
	my ($self) = @_;

	local $/ = undef;
	open my $fh, '<', $self->{log} or croak "cannot read $self->{log}: $!";
	return scalar(<$fh>) // '';
}

# How many HTTP connections were opened, and how many requests were answered, so far. A request is in
# the log before its answer is sent.
sub connections { return scalar(() = $_[0]->log_text =~ /http connection opened/g) }
sub requests    { return scalar(() = $_[0]->log_text =~ /http (?:GET|POST|DELETE|PUT) /g) }

# The direct messages that were sent to clients so far, in order: pairs of client ID and topic.
sub direct_messages
{
	my ($self) = @_;

	$self->{direct_messages} //= [];
	open my $in, '<', $self->{log} or croak "cannot read $self->{log}: $!";
	seek $in, $self->{read} // 0, 0;
	while (my $line = <$in>)
	{
		last unless $line =~ /\n\z/;
		$self->{read} += length $line;
		push @{ $self->{direct_messages} }, [ $1, $2 ] if $line =~ /mqtt direct message (\S+) (\S+)/;
	}
	close $in;
	return @{ $self->{direct_messages} };
}

# What the log ends with once it has stopped: requests, throttled, failed, closed, most-at-once.
sub summary
{
	my ($line) = $_[0]->log_text =~ /^http summary (.*)$/m or croak 'it has not stopped';

	return { split /[= ]/, $line };
}

# Ends it and returns its exit status.
sub stop
{
	my ($self) = @_;

	return unless $self->{run} && $self->{owner} == $$;
	my $run = delete $self->{run};
	$run->signal('TERM');
	return end_program($run);
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	$self->stop;
	return;
}

1;
