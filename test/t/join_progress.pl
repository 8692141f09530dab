# stat_progress: how far another session's lookups have come, in numbers that are right; gone when
# they have ended, in whatever way; and who may see them.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

sub connected { return json_answer({ connected => JSON::PP::true, clientId => $_[0] }) }

my $server = IotData::FaultyServer->start(
	answers => {
		(map { ($_ => connected($_)) } qw(good a b), map { "n$_" } 1 .. 40),
		(map { ($_ => [ [ [ 'until', 'first' ], connected($_) ] ]) } qw(h1 h2)),
		(map { ($_ => [ [ ['hold'] ] ]) } qw(never1 never2)),
		throttled => [ http_answer(429, ''), [ ['hold'] ] ],
		listed    => json_answer({ subscriptions => [] }),
		lost      => [ [ ['close'] ] ],
	});
my $conf = "shared_preload_libraries = 'iotdata'\nrestart_after_crash = on\n";
my $node = IotData::Node->make('progress', endpoint => $server->url, conf => $conf);
my ($session, $other) = map { $node->session } 1 .. 2;
my $authority = $server->url =~ s{\Ahttp://}{}r;
my $numbers   = 'rows_read, asked, answered, cache_hits, duplicates, calls_in_flight';

# seen(COLUMNS, PID): what the other session sees of a session
sub seen { return $other->query("SELECT $_[0] FROM (SELECT * FROM iotdata.stat_progress WHERE pid = $_[1] ORDER BY operation, rows_read, answered) stat_progress") }

# comes_to(COLUMNS, SESSION, EXPECTED, NAME): what the other session sees comes to be this
sub comes_to
{
	my ($columns, $of, $expected, $name) = @_;
	my $last;

	eventually(sub { ($last = seen($columns, $of->pid)) eq $expected });
	is($last, $expected, $name);
	return;
}

sub is_gone
{
	my ($pid, $name) = @_;

	ok(eventually(sub { seen('count(*)', $pid) eq '0' }), $name);
	return;
}

sub cancel
{
	my ($victim, $name) = @_;

	$other->query('SELECT pg_cancel_backend(' . $victim->pid . ')');
	fails_with($victim, $victim->finish, '57014', {}, "$name can be cancelled");
	is_gone($victim->pid, "$name is gone when it was cancelled");
	return;
}

# ---- a join ---------------------------------------------------------------------------------------

gives($other, 'SELECT count(*) FROM iotdata.stat_progress', '0', 'nothing is shown while nothing is looked up');
$other->query(q{SELECT iotdata.get_connection('b')});
my $ids = q{(VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, NULL), (5, ''), (6, 'h1'), (7, 'none'), (8, 'h2')) d(id, client_id)};
$session->begin(qq{SELECT r.client_id, r.error_code FROM $ids LEFT JOIN LATERAL iotdata.get_connection_result(d.client_id, max_age => '1 hour') r ON d.id <> 7 ORDER BY d.id});
comes_to($numbers, $session, '8|6|4|1|1|2', 'rows read, asked and answered, hits, duplicates and calls are those of the join');
is(seen('target, operation, rate_waiting_since, rate', $session->pid), "$authority|GetConnection|NULL|NULL", 'target and operation are shown, and no rate where there is none');
is(seen("(datid, datname, usesysid, usename) = (SELECT datid, datname, usesysid, usename FROM pg_stat_activity a WHERE a.pid = stat_progress.pid)", $session->pid), 't', 'the session is described as pg_stat_activity does');
$server->release('first');
is($session->finish->{out}, "a|NULL\nb|NULL\na|NULL\nNULL|NULL\n|22023\nh1|NULL\nNULL|NULL\nh2|NULL", 'the join has its rows');
is(seen('count(*)', $session->pid), '0', 'a join is gone when it has ended');

my $held = q{SELECT c.connected FROM unnest(ARRAY['a', 'never1', 'never2', 'never1']) id, iotdata.get_connection(id) c};
$session->begin($held);
comes_to($numbers, $session, '4|4|1|0|1|2', 'a join that waits for its calls is shown');
cancel($session, 'a join');

$session->begin(q{SELECT s.qos FROM unnest(ARRAY['listed', 'never1']) id, iotdata.list_subscriptions(id) s});
comes_to("operation, $numbers", $session, 'ListSubscriptions|2|2|1|0|0|1', 'a join with list_subscriptions is shown');
cancel($session, 'a join with list_subscriptions');

$session->begin(q{SELECT FROM iotdata.get_connections(ARRAY['a', NULL, '$x', 'never1', 'a'])});
comes_to($numbers, $session, '5|4|3|0|1|1', 'get_connections is shown');
cancel($session, 'get_connections');

$session->begin(q{SELECT iotdata.get_connection_result('never1')});
comes_to($numbers, $session, '1|1|0|0|0|1', 'get_connection_result is shown');
cancel($session, 'get_connection_result');

# ---- more than one --------------------------------------------------------------------------------

my @joins = map { "JOIN LATERAL iotdata.get_connection(CASE d.client_id WHEN 'n$_' THEN 'never1' ELSE d.client_id END) c$_ ON true" } 1 .. 6;
$session->begin("SELECT count(*) FROM unnest(ARRAY['a', 'n2']) d(client_id) @joins[0, 1]");
comes_to($numbers, $session, "2|2|1|0|0|1\n2|2|2|0|0|0", 'each join of a query has its row');
cancel($session, 'a query with two joins');
$session->begin("SELECT count(*) FROM unnest(ARRAY['a', 'n6']) d(client_id) @joins");
comes_to('count(*)', $session, '4', 'of a query with many joins some are shown');
cancel($session, 'a query with many joins');

$session->query(<<"SQL");
CREATE SERVER here FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'us-east-1', endpoint_url '@{[ $server->url ]}');
CREATE SERVER there FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'us-east-1', endpoint_url '@{[ $server->url =~ s/127\.0\.0\.1/localhost/r ]}');
CREATE USER MAPPING FOR CURRENT_USER SERVER here OPTIONS (access_key_id 'AKIDEXAMPLE', secret_access_key 'x');
CREATE USER MAPPING FOR CURRENT_USER SERVER there OPTIONS (access_key_id 'AKIDEXAMPLE', secret_access_key 'x');
SQL
$session->begin(q{SELECT c.connected FROM (VALUES ('here'::name, 'never1'), ('there', 'never2')) d(server, client_id), iotdata.get_connection(d.client_id, server => d.server) c});
comes_to('target, calls_in_flight', $session, '(several)|2', 'a join with several targets says so');
cancel($session, 'a join with several targets');

# ---- the rate -------------------------------------------------------------------------------------

$session->query('SET iotdata.read_rate = 1');
$session->begin(q{SELECT count(*) FROM generate_series(1, 40) i, iotdata.get_connection('n' || i) c});
comes_to('operation, rate, rate_waiting_since IS NOT NULL', $session, 'GetConnection|1|t', 'a join that waits for the rate is shown, and the rate');
is(seen(q{rate_waiting_since BETWEEN (SELECT query_start - interval '1 ms' FROM pg_stat_activity WHERE pid = stat_progress.pid) AND clock_timestamp()}, $session->pid), 't', 'it waits since a time in the statement');
cancel($session, 'a join that waits for the rate');
$session->query('SET iotdata.read_rate = 50; SET iotdata.max_attempts = 3');
$session->begin(q{SELECT c.connected FROM unnest(ARRAY['a', 'throttled']) id, iotdata.get_connection(id) c});
comes_to('calls_in_flight, rate < 50 AND rate > 0', $session, '1|t', 'the rate is the lower one of after a 429');
cancel($session, 'a join that was throttled');
$session->query('RESET iotdata.read_rate; RESET iotdata.max_attempts');

# ---- how it ends ----------------------------------------------------------------------------------

$session->try(q{SELECT c.connected FROM unnest(ARRAY['a', 'lost']) id, iotdata.get_connection(id) c});
is(seen('count(*)', $session->pid), '0', 'a join is gone when it has failed');
$session->query(q{BEGIN; DO $$ BEGIN PERFORM c.connected FROM unnest(ARRAY['a', 'lost']) id, iotdata.get_connection(id) c; EXCEPTION WHEN OTHERS THEN NULL; END $$});
is(seen('count(*)', $session->pid), '0', 'a join is gone when its subtransaction was aborted');
$session->query(q{DECLARE k CURSOR FOR SELECT c.connected FROM unnest(ARRAY['a', 'a', 'a']) id, iotdata.get_connection(id) c; FETCH 2 FROM k});
is(seen('rows_read, answered', $session->pid), '3|3', 'a cursor is shown while it is open');
$session->query('CLOSE k');
is(seen('count(*)', $session->pid), '0', 'a cursor is gone when it is closed');
$session->query(q{DECLARE k CURSOR FOR SELECT c.connected FROM unnest(ARRAY['a', 'a', 'a']) id, iotdata.get_connection(id) c; FETCH 2 FROM k});
$session->query('ROLLBACK');
is(seen('count(*)', $session->pid), '0', 'a cursor is gone after a rollback');

my $victim = $node->session;
$victim->begin($held);
comes_to('count(*)', $victim, '1', 'a session is shown before it is terminated');
$other->query('SELECT pg_terminate_backend(' . $victim->pid . ')');
ok($victim->finish->{ended}, 'the session has ended');
is_gone($victim->pid, 'a join is gone when its session was terminated');

# ---- who may see it -------------------------------------------------------------------------------

$session->query(<<'SQL');
CREATE ROLE alice LOGIN; CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher;
GRANT USAGE ON SCHEMA iotdata TO alice;
GRANT EXECUTE ON FUNCTION iotdata.get_connection(text, boolean, interval, name) TO alice;
SQL
my ($alice, $watcher, $hers) = map { $node->session(user => $_) } qw(alice watcher alice);
fails_with($alice, 'SELECT * FROM iotdata.stat_progress', '42501', {}, 'a role without privileges may not read stat_progress');
$session->query('GRANT SELECT ON iotdata.stat_progress TO alice; GRANT EXECUTE ON FUNCTION iotdata.stat_progress() TO alice');
$session->begin($held);
$hers->begin($held);
comes_to('usename, asked, calls_in_flight', $_->[0], "$_->[1]|4|2", "a superuser sees the numbers of $_->[1]") for [ $session, 'postgres' ], [ $hers, 'alice' ];
my $everything = 'SELECT pid, datname, usename, operation, asked, calls_in_flight FROM iotdata.stat_progress ORDER BY pid';
my %full   = map { ($_->[0] => join '|', $_->[0], 'postgres', $_->[1], 'GetConnection', 4, 2) } [ $session->pid, 'postgres' ], [ $hers->pid, 'alice' ];
my %hidden = (%full, $session->pid => join '|', $session->pid, 'postgres', ('NULL') x 4);
gives($watcher, $everything, join("\n", map { $full{$_} } sort { $a <=> $b } keys %full),     'a member of pg_monitor sees all of every session');
gives($alice,   $everything, join("\n", map { $hidden{$_} } sort { $a <=> $b } keys %hidden), 'other roles see their own sessions, and of others no more than pid and database');
cancel($_, 'a session that was looked at') for $session, $hers;

# ---- a crash --------------------------------------------------------------------------------------

$victim = $node->session;
$victim->begin($held);
comes_to('count(*)', $victim, '1', 'a session is shown before it is killed');
my $pid = $victim->pid;
kill 'KILL', $pid;
ok($victim->finish->{ended}, 'a session ends when its process is killed');
ok(eventually(sub { $node->log_text =~ /was terminated by signal 9.*ready to accept connections/s }), 'the server comes up again');
($session, $other) = map { $node->session } 1 .. 2;
gives($other, 'SELECT count(*) FROM iotdata.stat_progress', '0', 'a join is gone after a crash');
$session->begin($held);
comes_to($numbers, $session, '4|4|1|0|1|2', 'after a crash joins are shown again');
cancel($session, 'a join after a crash');
is(scalar(() = $node->log_text =~ /was terminated by signal/g), 1, 'no process crashed but the one that was killed');

# ---- not preloaded --------------------------------------------------------------------------------

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->restart_with({});
($session, $other) = map { $node->session } 1 .. 2;
$session->query(q{BEGIN; DECLARE k CURSOR FOR SELECT c.connected FROM unnest(ARRAY['a', 'a', 'a']) id, iotdata.get_connection(id) c; FETCH 2 FROM k});
gives($session, "SELECT pid, $numbers FROM iotdata.stat_progress", $session->pid . '|3|3|3|0|2|0', 'without preloading a session sees its own lookups');
gives($other, 'SELECT count(*) FROM iotdata.stat_progress', '0', 'without preloading a session sees none of others');
$session->query('COMMIT');
gives($session, 'SELECT count(*) FROM iotdata.stat_progress', '0', 'without preloading they are gone when they have ended');

done_testing();
