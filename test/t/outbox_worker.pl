# The background workers that send what is in the outbox: when they come, what they survive, when
# they leave.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer not_found);
use IotData::Node;
use IotData::Wait;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $ok     = json_answer({ message => 'OK', traceId => 't' });
my $server = IotData::FaultyServer->start(
	answers => { (map { $_ => $ok } qw(good prepared copy standby adopted), map { 'many-' . $_ } 1 .. 10), away => [ not_found(), $ok ], slow => [ [ [ 'until', 'slow' ], $ok ] ] });
my $node = IotData::Node->make(
	'outbox_worker',
	endpoint => $server->url,
	init     => { allows_streaming => 1 },
	conf     => "shared_preload_libraries = 'iotdata'\nmax_prepared_transactions = 2\nrestart_after_crash = on\niotdata.outbox_retry_delay = 300\n");
my $session = $node->session;

sub queue   { my ($id, $payload) = @_; return "iotdata.queue_direct_message('$id', 'a/b', '$payload'::text)" }
sub bodies  { return map { decode_base64($_->{body}) } $server->requests(@_) }
sub workers { return $session->query(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'iotdata outbox' AND datname = 'postgres'}) }
sub is_empty { return $session->query('SELECT count(*) FROM iotdata.outbox') == 0 }

# ---- they come and send -------------------------------------------------------------------------

gives($session, q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'iotdata launcher'}, '1', 'the launcher is there') if eventually(sub { $session->query(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'iotdata launcher'}) });
$session->query('SELECT ' . queue('good', 'first'));
ok($server->wait_for_request('good'), 'what is committed is sent, with nobody calling anything');
ok(eventually(\&is_empty), 'and recorded');
is(workers(), 1, 'a worker stays for a while');
gives($session, q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'iotdata outbox' AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL OR xact_start IS NOT NULL)}, '0', 'and has no transaction open');
$session->query('BEGIN; SELECT ' . queue('good', 'rolled back') . '; ROLLBACK; SELECT ' . queue('good', 'second'));
ok(eventually(sub { (bodies('good'))[-1] eq 'second' }), 'the next one is sent by it');
is((grep { $_ eq 'rolled back' } bodies('good')), 0, 'what is rolled back is not');

$session->query(q{BEGIN; SELECT } . queue('prepared', 'x') . q{; PREPARE TRANSACTION 'p'});
is($server->requests('prepared'), 0, 'a prepared transaction sends nothing');
$session->query(q{COMMIT PREPARED 'p'});
ok($server->wait_for_request('prepared'), 'COMMIT PREPARED does');

$session->query('SELECT ' . queue('away', 'x'));
ok(eventually(sub { $server->requests('away') == 2 }), 'a device that was away is tried again');

ok(eventually(sub { workers() == 0 }), 'a worker leaves when there is nothing to do');
$session->query('SELECT ' . queue('good', 'third'));
ok(eventually(sub { (bodies('good'))[-1] eq 'third' }), 'and another one comes when there is');

# ---- databases ----------------------------------------------------------------------------------

is(workers(), 1, 'a worker is connected to the database');
$node->safe_psql('template1', 'CREATE DATABASE unused');
$node->safe_psql('unused', 'CREATE EXTENSION iotdata');
$node->safe_psql('unused', 'SELECT ' . queue('copy', 'x'));
$server->wait_for_request('copy');
is($node->psql('postgres', 'CREATE DATABASE copied TEMPLATE unused'), 0, 'a database can be copied while its worker is there');
is($node->psql('postgres', 'ALTER DATABASE unused RENAME TO renamed'), 0, 'it can be renamed');
$node->safe_psql('renamed', 'SELECT ' . queue('copy', 'y'));
ok(eventually(sub { grep { $_ eq 'y' } bodies('copy') }), 'and its messages are sent after that');
is($node->psql('postgres', "DROP DATABASE $_"), 0, 'it can be dropped') for qw(renamed copied);

# ---- ends ---------------------------------------------------------------------------------------

my $queued = 0;
for my $round (1 .. 6)
{
	my $type = $round % 3 == 0 ? 'iotdata launcher' : 'iotdata outbox';

	$session->query(q{SELECT } . queue(q{many-' || (i % 10 + 1) || '}, "' || (i + $queued) || '") . ' FROM generate_series(1, 500) i');
	$queued += 500;
	my $pid = $session->query("SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE backend_type = '$type'");
	next unless $pid;
	$node->crash($pid);
	$session->quit;
	$session = $node->session;
}
ok(eventually(\&is_empty), 'after workers and launchers were killed, everything is sent');
my %arrived = map { $_ => 1 } map { bodies("many-$_") } 1 .. 10;
is(scalar keys %arrived, $queued, 'nothing is lost');
my $repeats = (map { bodies("many-$_") } 1 .. 10) - $queued;
note("repeats: $repeats");
my $wrong = 0;
for my $device (1 .. 10)
{
	my ($last, %seen) = (0);
	for my $body (bodies("many-$device"))
	{
		next if $seen{$body}++;
		$wrong++ if $body < $last;
		$last = $body;
	}
}
is($wrong, 0, 'the order of each device holds');

$session->query('SELECT ' . queue('slow', 'x'));
$server->wait_for_request('slow');
$session->query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = $$iotdata outbox$$');
$server->release('slow');
ok(eventually(\&is_empty), 'a worker that is told to stop records what was in flight');
is($server->requests('slow'), 1, 'and that is not sent again');

$session->quit;
$node->restart_with({});
$session = $node->session;
ok(eventually(sub { $session->query(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'iotdata launcher'}) }), 'the launcher is there after a restart');

$session->quit;
my $crash = $node->log_text;
unlike($crash, qr/signal 11|TRAP: |PANIC:/, 'no server process crashed by itself');
done_testing();
