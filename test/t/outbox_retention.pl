# Rows of messages that have ended are removed when they are old enough, though nothing is sent.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use IotData::Wait;
use Test::More;

my $server = IotData::FaultyServer->start(
	answers => {
		good => json_answer({ message => 'OK', traceId => 't' }),
		bad  => http_answer(400, '{"message":"no"}', 'x-amzn-ErrorType' => 'InvalidRequestException')
	});
my $node = IotData::Node->make(
	'outbox_retention',
	endpoint => $server->url,
	conf     => "shared_preload_libraries = 'iotdata'\niotdata.outbox_retention = 10s\niotdata.outbox_failed_retention = 12s\n");
my $session = $node->session;

sub queue  { return "iotdata.queue_direct_message('$_[0]', 'a/b', 'x'::text)" }
sub ended  { return $session->query('SELECT count(*) FROM iotdata.outbox_ended') }
sub worker { return $session->query(q{SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE backend_type = 'iotdata outbox' AND datname = 'postgres'}) }

$session->query('SELECT ' . queue('good') . ', ' . queue('bad'));
ok(eventually(sub { ended() == 2 }), 'what was delivered and what failed is told of for a while');
my $worker = worker();
ok(eventually(sub { worker() != $worker }), 'the worker leaves');
ok(eventually(sub { ended() == 0 }), 'what has ended is removed when it is time, with nobody doing anything');
ok(eventually(sub { worker() == 0 }), 'and then no worker is there');

$session->query('INSERT INTO iotdata.outbox_ended (id, state, ended_at, attempts, unknown, owner) ' . q{SELECT -i, CASE WHEN i % 2 = 0 THEN 'delivered' ELSE 'expired' END, now() - interval '1 day', 1, 0, 'postgres'::regrole FROM generate_series(1, 5000) i});
$session->query('SELECT ' . queue('good'));
ok(eventually(sub { $session->query('SELECT count(*) FROM iotdata.outbox_ended WHERE id < 0') == 0 }), 'many rows are removed, too');
my $cancelled = $session->query(q{BEGIN; SELECT } . queue('good'));
$session->query("SELECT iotdata.cancel($cancelled); COMMIT");
ok(eventually(sub { ended() == 0 }), 'and what was cancelled');

$session->quit;
no_crash($node);
done_testing();
