# When the server starts, databases are looked into one after the other.

use strict;
use warnings FATAL => 'all';

use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use IotData::Wait;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $server = IotData::FaultyServer->start(answers => { good => json_answer({ message => 'OK', traceId => 't' }) });
my $node   = IotData::Node->make('outbox_visits', endpoint => $server->url, conf => "shared_preload_libraries = 'iotdata'\nmax_worker_processes = 16\n");

$node->safe_psql('template1', 'CREATE EXTENSION iotdata');
$node->safe_psql('postgres', "CREATE DATABASE d$_") for 1 .. 10;
$node->append_conf('postgresql.conf', "iotdata.outbox_workers = 0\n");
$node->restart_with({});
$node->safe_psql('d10', q{SELECT iotdata.queue_direct_message('good', 'a/b', 'x'::text)});
$node->append_conf('postgresql.conf', "iotdata.outbox_workers = 1\nlog_min_messages = debug1\n");
my $before = length slurp_file($node->logfile);
$node->restart_with({});

my $log;
ok($server->wait_for_request('good'), 'what waits in a database is sent after a restart');
ok(eventually(sub { $log = slurp_file($node->logfile, $before); (() = $log =~ /starting background worker process "iotdata outbox"/g) >= 12 }), 'each database is looked into');
my ($there, $most) = (0, 0);
while ($log =~ /(starting) background worker process "iotdata outbox"|background worker "iotdata outbox" \(PID \d+\) exited/g)
{
	$there += defined $1 ? 1 : -1;
	$most = $there if $there > $most;
}
cmp_ok($most, '<=', 4, 'and most of them are left before the next one is looked into');
ok(eventually(sub { $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'iotdata outbox'}) == 0 }), 'all workers leave');
done_testing();
