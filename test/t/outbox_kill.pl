# Processes of the server are killed while messages are queued and sent: nothing that was committed is
# lost, nothing that was rolled back is sent, and each device gets its messages in order.
#
# IOTDATA_TEST_KILLS is how many rounds of that there are: 12 when it is not set.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::Node;
use IotData::Outbox qw(workers);
use IotData::Wait;
use Test::More;

my $rounds   = $ENV{IOTDATA_TEST_KILLS} // 12;
my $emulator = IotData::Emulator->start(arguments => [qw(--delay 3 --jitter 20)]);
# nobody is the standby that a session with synchronous_commit = on waits for, for ever
my $node = IotData::Node->make(
	'outbox_kill',
	endpoint => $emulator->url,
	conf     => <<'CONF');
shared_preload_libraries = 'iotdata'
restart_after_crash = on
wal_level = replica
max_wal_senders = 1
synchronous_commit = local
iotdata.outbox_retry_delay = 100
log_statement = none
log_min_error_statement = panic
CONF
my $load = IotData::Outbox->make($node, $emulator, devices => 101);
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'\n");
$node->reload;

# Each of 4 sessions has 25 devices of its own. A part of what it queues is rolled back, with its
# transaction or with a savepoint.
my $script = <<'SQL';
\set device :client_id * 25 + random(1, 25)
\set fate random(1, 10)
BEGIN;
SAVEPOINT one;
WITH it AS (SELECT 'device-' || :device AS device, nextval('message_number') AS n)
SELECT iotdata.queue_direct_message(device, 'message/' || n, 'x'::text) FROM it;
ROLLBACK TO one;
WITH it AS (INSERT INTO committed VALUES ('device-' || :device, nextval('message_number')) RETURNING device, n)
SELECT iotdata.queue_direct_message(device, 'message/' || n, 'x'::text) FROM it;
\if :fate = 1
ROLLBACK;
\else
COMMIT;
\endif
SQL

my $crashes = 0;

# Waits until the server has come back from the crash of one of its processes.
sub comes_back
{
	$crashes++;
	eventually(sub { (() = $node->log_text =~ /all server processes terminated; reinitializing/g) == $crashes })
	  or die "the server has not noticed\n";
	eventually(sub { $node->psql('postgres', 'SELECT 1', stdout => \my $out, stderr => \my $err) == 0 }) or die "the server does not come back\n";
	return;
}

sub pid_of { return $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE $_[0] LIMIT 1") }

sub kill_one
{
	my ($which) = @_;
	my $pid = eventually(sub { pid_of($which) }) or die "there is no process with $which\n";

	kill 'KILL', $pid;
	comes_back();
	return;
}

# A session whose transaction is in the middle of its commit: it is committed on disk, no other
# session sees that yet, and nobody was told.
sub kill_committing
{
	my $session = $node->session(variables => { PGOPTIONS => '-c synchronous_commit=on' });
	my $n       = $node->safe_psql('postgres', q{SELECT nextval('message_number')});

	$session->begin("BEGIN; INSERT INTO committed VALUES ('device-101', $n); SELECT iotdata.queue_direct_message('device-101', 'message/$n', 'x'::text); COMMIT");
	kill_one(q{wait_event = 'SyncRep' AND pid = } . $session->pid);
	$session->finish;
	return;
}

# It cannot start as long as there are processes of the one before.
sub kill_postmaster
{
	$node->kill9;
	unlink $node->data_dir . '/postmaster.pid';
	eventually(sub { $node->start(fail_ok => 1) }) or die "the server does not start\n";
	return;
}

my %killed = (
	worker     => sub { kill_one(q{backend_type = 'iotdata outbox'}) },
	launcher   => sub { kill_one(q{backend_type = 'iotdata launcher'}) },
	commit     => \&kill_committing,
	backend    => sub { kill_one(q{backend_type = 'client backend' AND pid <> pg_backend_pid()}) },
	postmaster => \&kill_postmaster,
	immediate  => sub { $node->stop('immediate'); $node->start });
my @order = qw(worker launcher commit postmaster backend immediate);

my ($repeats, %wrong) = (0);
for my $round (1 .. $rounds)
{
	my $what   = $order[ ($round - 1) % @order ];
	my $before = () = $load->arrived;

	$load->begin(script => $script, clients => 4);
	eventually(sub { $load->arrived > $before + 200 }) or die "nothing arrives\n";
	$killed{$what}->();
	$load->stop;
	$load->drained or die "messages remain\n";
	my $found = $load->compare;
	note(sprintf 'round %d, %s: %d messages, %d repeats', $round, $what, $found->{messages}, $found->{repeats} - $repeats);
	$repeats = $found->{repeats};
}
my $found = $load->compare;
note(sprintf '%d messages, %d repeats', @$found{qw(messages repeats)});
cmp_ok($found->{messages}, '>', 100 * $rounds, 'messages were committed in each round');
is($found->{lost}, 0, 'what was committed arrives, whatever was killed');
is($found->{phantom}, 0, 'what was rolled back does not arrive');
is($found->{disordered}, 0, 'each device gets its messages in the order of their commits');
is($node->safe_psql('postgres', q{SELECT count(*) FROM iotdata.outbox_ended WHERE state <> 'delivered'}), '0', 'nothing is given up');
unlike($node->log_text, qr/signal 11|signal 6|TRAP: |PANIC:/, 'no process of the server crashed by itself');
done_testing();
