# Messages that wait while their database is copied, restored, upgraded, dropped or replicated: nothing
# is lost, and no copy sends anything a second time. And the ways of a transaction to its end.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer not_found);
use IotData::Node;
use IotData::Outbox qw(queue workers);
use IotData::Wait;
use File::Temp ();
use MIME::Base64 qw(decode_base64);
use PostgreSQL::Test::Utils ();
use Test::More;

# Devices that are away come when the test says so. One that hangs answers to nobody.
my ($ok, $away) = (json_answer({ message => 'OK', traceId => 't' }), not_found());
my $present = File::Temp->newdir;
my $is_there = sub { my ($request) = @_; return -e "$present/$request->{client}" ? $ok : $away };
my $server   = IotData::FaultyServer->start(
	answers   => { (map { ("away-$_" => $is_there) } qw(template dump upgrade replica)), hangs => [ [ ['hold'] ] ] },
	otherwise => $ok);
my $conf = <<'CONF';
shared_preload_libraries = 'iotdata'
wal_level = logical
max_wal_senders = 4
max_replication_slots = 4
max_prepared_transactions = 2
iotdata.outbox_retry_delay = 50
iotdata.outbox_max_retry_delay = 200
CONF
my $node    = IotData::Node->make('outbox_copies', endpoint => $server->url, conf => $conf);
my $session = $node->session;

sub bodies  { return map { decode_base64($_->{body}) } $server->requests(@_) }
sub arrived { my ($device, $body) = @_; return eventually(sub { grep { $_ eq $body } bodies($device) }) }

sub comes
{
	open my $fh, '>', "$present/$_[0]" or die "cannot write: $!\n";
	close $fh;
	return;
}

# What a database has waiting, after its worker has been there and has read all of it.
sub waits_in
{
	my ($database, $name) = @_;

	$node->safe_psql($database, 'SELECT ' . queue('good', "seen in $name"));
	arrived('good', "seen in $name");
	eventually(sub { $node->safe_psql($database, q{SELECT count(*) FROM iotdata.outbox WHERE client_id = 'good'}) == 0 });
	return $node->safe_psql($database, 'SELECT client_id, home = 0 FROM iotdata.outbox');
}

# ---- transactions -------------------------------------------------------------------------------

$session->query('BEGIN; SELECT ' . queue('part', 'kept') . '; SAVEPOINT s; SELECT ' . queue('part', 'undone') . '; ROLLBACK TO s; SELECT ' . queue('part', 'last') . '; COMMIT');
ok(arrived('part', 'last'), 'what is queued after ROLLBACK TO is sent');
$session->query('DO $$BEGIN BEGIN PERFORM ' . queue('part', 'failed') . '; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN PERFORM ' . queue('part', 'handled') . '; END; END$$');
ok(arrived('part', 'handled'), 'what an exception handler queues is sent');
is(join(' ', bodies('part')), 'kept last handled', 'what was undone is not');

$session->query("BEGIN; SELECT " . queue('prepared', $_) . "; PREPARE TRANSACTION '$_'") for qw(good bad);
$session->quit;
$node->stop('immediate');
$node->start;
$session = $node->session;
$session->query('SELECT ' . queue('good', 'after the crash'));
ok(arrived('good', 'after the crash'), 'messages are sent after a crash');
is($server->requests('prepared'), 0, 'those of a prepared transaction are not');
$session->query("ROLLBACK PREPARED 'bad'");
$session->query("COMMIT PREPARED 'good'");
ok(arrived('prepared', 'good'), 'they are after COMMIT PREPARED');
is($server->requests('prepared'), 1, 'and after ROLLBACK PREPARED they are not');

$session->query('SET session_replication_role = replica; SELECT ' . queue('good', 'of a replica') . '; RESET session_replication_role');
ok(arrived('good', 'of a replica'), 'what is queued with session_replication_role = replica is sent');

# ---- copies -------------------------------------------------------------------------------------

$node->safe_psql('template1', 'CREATE DATABASE original');
$node->safe_psql('original', 'CREATE EXTENSION iotdata; SELECT ' . queue('away-template', 'x'));
$server->wait_for_request('away-template');
$node->safe_psql('template1', 'CREATE DATABASE copy TEMPLATE original');
is(waits_in('copy', 'the copy'), 'away-template|f', 'a copy has what waits');
comes('away-template');
ok(eventually(sub { $node->safe_psql('original', 'SELECT count(*) FROM iotdata.outbox') == 0 }), 'the original sends it');
is(waits_in('copy', 'the copy again'), 'away-template|f', 'the copy does not');
my $sent = $server->requests('away-template');
is($node->safe_psql('copy', 'SELECT iotdata.adopt_outbox()'), '1', 'until it is adopted');
ok(eventually(sub { $server->requests('away-template') == $sent + 1 }), 'and then it does');

$session->query('SELECT ' . queue('away-dump', 'x'));
$server->wait_for_request('away-dump');
$node->safe_psql('template1', 'CREATE DATABASE restored');
$node->command_ok([ 'sh', '-c', 'pg_dump -d "$1" | psql -X -q -v ON_ERROR_STOP=1 -d "$2"', 'sh', map { $node->connstr($_) } qw(postgres restored) ], 'a database can be dumped and restored');
like(waits_in('restored', 'what was restored'), qr/^away-dump\|t$/, 'what was restored waits');
comes('away-dump');
ok(eventually(sub { $session->query('SELECT count(*) FROM iotdata.outbox') == 0 }), 'the database that was dumped sends it');
$sent = $server->requests('away-dump');
is($node->safe_psql('restored', 'SELECT iotdata.adopt_outbox()'), '1', 'what was restored can be adopted');
ok(eventually(sub { $server->requests('away-dump') == $sent + 1 }), 'and then it is sent');

# ---- logical replication ------------------------------------------------------------------------

$node->safe_psql('template1', 'CREATE DATABASE subscriber');
$node->safe_psql('subscriber', 'CREATE EXTENSION iotdata');
$session->query('CREATE PUBLICATION messages FOR TABLE iotdata.outbox');
$session->query(q{SELECT pg_create_logical_replication_slot('messages', 'pgoutput')});
$node->safe_psql('subscriber', q{CREATE SUBSCRIPTION messages CONNECTION '} . $node->connstr('postgres') =~ s/'/''/gr . q{' PUBLICATION messages WITH (create_slot = false, copy_data = false, slot_name = 'messages')});
$session->query('SELECT ' . queue('away-replica', 'x'));
ok(eventually(sub { $node->safe_psql('subscriber', 'SELECT count(*) FROM iotdata.outbox') == 1 }), 'a subscriber gets what waits');
is(waits_in('subscriber', 'the subscriber'), 'away-replica|t', 'and does not send it');
comes('away-replica');
ok(eventually(sub { $node->safe_psql('subscriber', 'SELECT count(*) FROM iotdata.outbox') == 0 }), 'what the publisher has sent does not wait there any longer');
$node->safe_psql('subscriber', 'DROP SUBSCRIPTION messages');

# ---- drops --------------------------------------------------------------------------------------

my $other = $node->session(dbname => 'copy');
$other->query('SELECT ' . queue('hangs', 'x') . ', ' . queue('hangs', 'y'));
$server->wait_for_request('hangs');
$other->query('DROP EXTENSION iotdata');
ok(1, 'the extension can be dropped while messages are in flight');
$other->query('CREATE EXTENSION iotdata');
$other->query('SELECT ' . queue('good', 'of a new extension'));
ok(arrived('good', 'of a new extension'), 'and created again: messages are sent');
$other->quit;

$node->safe_psql('original', 'SELECT ' . queue('hangs', 'z'));
eventually(sub { $server->requests('hangs') == 2 });
is($node->psql('postgres', 'DROP DATABASE original'), 0, 'a database can be dropped while a message is in flight');
$session->query('SELECT ' . queue('good', 'after the drop'));
ok(arrived('good', 'after the drop'), 'other databases go on');
$session->quit;

# ---- pg_upgrade ---------------------------------------------------------------------------------

$node->safe_psql('postgres', 'DROP DATABASE copy');
$node->safe_psql('postgres', 'SELECT ' . queue('away-upgrade', $_)) for 1, 2;
$server->wait_for_request('away-upgrade');
$node->stop('fast');
my $upgraded = IotData::Node->new('upgraded');
$upgraded->init;
$upgraded->append_conf('postgresql.conf', $conf . "iotdata.endpoint_url = '" . $server->url . "'\n");
my $bin = $node->config_data('--bindir');
chdir $node->basedir or die "cannot enter a folder: $!\n";
$sent = $server->requests('away-upgrade');
{
	local %ENV = $node->server_environment;
	PostgreSQL::Test::Utils::command_ok([ 'pg_upgrade', '--no-sync', '-d', $node->data_dir, '-D', $upgraded->data_dir, '-b', $bin, '-B', $bin, '-p', $node->port, '-P', $upgraded->port, '-s', $node->host ], 'pg_upgrade takes a server with messages that wait');
}
is($server->requests('away-upgrade'), $sent, 'and none is sent meanwhile');
comes('away-upgrade');
$upgraded->start;
my $after = $upgraded->session;
ok(eventually(sub { $after->query('SELECT count(*) FROM iotdata.outbox') == 0 }), 'the new server sends them');
is(join(' ', (bodies('away-upgrade'))[ $sent .. $server->requests('away-upgrade') - 1 ]), '1 2', 'once and in order');
$after->query('SELECT ' . queue('good', 'upgraded'));
ok(arrived('good', 'upgraded'), 'and what is queued there');
$after->quit;

no_crash($_) for $node, $upgraded;
done_testing();
