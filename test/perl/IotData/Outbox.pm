
# What the tests of the outbox under load share: many devices, sessions that queue messages for them
# with pgbench and say in a table what they committed, and what the local endpoint got.
#
#   my $load = IotData::Outbox->make($node, $emulator, devices => 100);
#   $load->begin(script => SQL, clients => 4); ... $load->finish;
#   $load->committed;  $load->arrived;  $load->compare
#
# A message is known by its topic, message/N, in which N comes from the sequence message_number. What
# was committed is in the table committed: device, n.

package IotData::Outbox;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use Exporter qw(import);
use IPC::Run ();
use IotData::Fleet;
use IotData::Program qw(end_program);
use IotData::Wait;

our @EXPORT_OK = qw(queue workers);

# queue(DEVICE, PAYLOAD, ARGUMENT...): SQL of the call
sub queue
{
	my ($device, $payload, @more) = @_;

	return 'iotdata.queue_direct_message(' . join(', ', "'$device'", q{'a/b'}, "'$payload'::text", @more) . ')';
}

# workers(NODE): the process IDs of those that send for the database postgres
sub workers
{
	my ($node) = @_;

	return split /\n/, $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'iotdata outbox' AND datname = 'postgres'});
}

sub make
{
	my ($class, $node, $emulator, %options) = @_;
	my $self = bless { node => $node, emulator => $emulator, owner => $$ }, $class;

	$self->{fleet} = IotData::Fleet->make($emulator, count => $options{devices}, stay => 1);
	$node->safe_psql('postgres', 'CREATE SEQUENCE message_number CACHE 1; CREATE TABLE committed (device text, n bigint)');
	return $self;
}

# Starts the load: pgbench, which goes on until it has run its script so many times, or its
# sessions have lost the server. PGOPTIONS are the sessions'.
sub begin
{
	my ($self, %options) = @_;
	my $script = $self->{node}->basedir . '/load.sql';

	open my $fh, '>', $script or croak "cannot write $script: $!";
	print $fh $options{script};
	close $fh;
	local %ENV = (%ENV, PGOPTIONS => $options{settings} // '');
	$self->{out} = '';
	$self->{run} = IPC::Run::start(
		[
			$self->{node}->installed_command('pgbench'), '-n', '-c', $options{clients}, '-j', 2, '-t', $options{transactions} // 1_000_000,
			'-f', $script, $self->{node}->connstr('postgres')
		],
		'<', \'', '>&', \$self->{out});
	return;
}

# Does it still go on?
sub runs { return $_[0]{run}->pumpable }

# Waits for its end, or ends it; what pgbench said.
sub finish { return $_[0]->end }
sub stop   { return $_[0]->end('TERM') }

sub end
{
	my ($self, $signal) = @_;

	return unless $self->{run} && $self->{owner} == $$;
	my $run = delete $self->{run};
	$run->signal($signal) if $signal;
	end_program($run, $DEADLINE);
	return $self->{out};
}

# What was committed, in order of N: pairs of device and N.
sub committed
{
	my ($self) = @_;

	return map { [ split /\|/ ] } split /\n/, $self->{node}->safe_psql('postgres', 'SELECT device, n FROM committed ORDER BY n');
}

# What arrived so far, in order.
sub arrived
{
	my ($self) = @_;

	return map { $_->[1] =~ m{^message/(\d+)$} ? [ $_->[0], $1 ] : () } $self->{emulator}->direct_messages;
}

# What arrived and what was committed, held against each other: {messages, lost, phantom, repeats,
# disordered}, numbers; the order is that of first arrivals, and of N at each device. With AFTER only
# those with a higher N.
sub compare
{
	my ($self, $after) = @_;
	my %committed = map { ("@$_" => 1) } grep { $_->[1] > ($after // 0) } $self->committed;
	my %found     = (messages => scalar keys %committed, phantom => 0, repeats => 0, disordered => 0);
	my (%arrived, %last);

	for my $message ($self->arrived)
	{
		my ($device, $n) = @$message;

		next if $n <= ($after // 0);
		if ($arrived{"@$message"}++)
		{
			$found{repeats}++;
			next;
		}
		$found{phantom}++ unless $committed{"@$message"};
		$found{disordered}++ if $n < ($last{$device} // 0);
		$last{$device} = $n;
	}
	$found{lost} = grep { !$arrived{$_} } keys %committed;
	return \%found;
}

# The highest N so far.
sub last_number { return $_[0]{node}->safe_psql('postgres', 'SELECT last_value FROM message_number') }

# Waits until nothing waits any more.
sub drained
{
	my ($self) = @_;

	return eventually(sub { $self->{node}->safe_psql('postgres', 'SELECT count(*) FROM iotdata.outbox') == 0 });
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	$self->stop;
	return;
}

1;
