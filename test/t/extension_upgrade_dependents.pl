# What uses the objects of 1.1 goes on working through the update to 1.2, and nothing has to be
# dropped for it: tables with rows of type iotdata.connection, of all kinds, and views, functions,
# rules and prepared statements that call get_connection(text, boolean).

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::Node;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = IotData::Emulator->start;
my $node     = IotData::Node->make('upgrade_dependents', endpoint => $emulator->url);

my $lamp = IotData::Client->start($emulator, 'lamp');

$node->safe_psql('postgres', 'CREATE ROLE somebody');
$node->safe_psql('postgres', 'CREATE DATABASE used');
my $admin = $node->session(dbname => 'used');
$admin->query(q{CREATE EXTENSION iotdata VERSION '1.1'});

# ---- what there is ------------------------------------------------------------------------------

# Rows of the type in everything that can hold them.
$admin->query(<<'SQL');
GRANT CREATE ON SCHEMA public TO somebody;
GRANT USAGE ON SCHEMA iotdata TO somebody;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO somebody;
SET ROLE somebody;

CREATE TABLE plain (id integer, c iotdata.connection CHECK ((c).source_port > 0));
INSERT INTO plain VALUES
	(1, (true, 'thing', false, '::1', 1, '::2', 2, '1 s', '2026-01-01', NULL, NULL, '1 h', 'a', 'vpce')),
	(2, (false, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-02', 'CLIENT_ERROR', NULL, 'b', NULL)),
	(3, NULL);
CREATE INDEX plain_btree ON plain (c);
CREATE INDEX plain_hash ON plain USING hash (c);
CREATE INDEX plain_expression ON plain (((c).client_id));
CREATE TABLE array_of (c iotdata.connection[]);
INSERT INTO array_of SELECT array_agg(c ORDER BY id) FROM plain;
CREATE DOMAIN named AS iotdata.connection CHECK ((VALUE).client_id <> '');
CREATE TABLE domain_over (id integer, c named);
INSERT INTO domain_over SELECT * FROM plain;
CREATE TYPE pair AS (id integer, c iotdata.connection);
CREATE TABLE nested (p pair);
INSERT INTO nested SELECT row(id, c)::pair FROM plain;
CREATE TABLE generated (c iotdata.connection, client_id text GENERATED ALWAYS AS ((c).client_id) STORED);
INSERT INTO generated SELECT c FROM plain;
CREATE TABLE partitioned (c iotdata.connection) PARTITION BY LIST (((c).client_id));
CREATE TABLE partitioned_ab PARTITION OF partitioned FOR VALUES IN ('a', 'b');
INSERT INTO partitioned SELECT c FROM plain WHERE c IS DISTINCT FROM NULL;
CREATE TABLE with_default (id integer);
ALTER TABLE with_default ADD c iotdata.connection DEFAULT ROW(true, NULL, false, NULL, NULL, NULL, NULL, NULL, '2026-01-01'::timestamptz, NULL, NULL, NULL, 'default', NULL)::iotdata.connection;
INSERT INTO with_default VALUES (1);
CREATE TABLE hashed (id integer, c iotdata.connection) PARTITION BY HASH (c);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT * FROM plain;
CREATE MATERIALIZED VIEW materialized AS SELECT * FROM plain;

CREATE TABLE typed OF iotdata.connection (PRIMARY KEY (client_id));
INSERT INTO typed SELECT (c).* FROM plain WHERE id < 3;
CREATE TABLE child (more integer) INHERITS (typed);
INSERT INTO child (client_id, more) VALUES ('child', 1);
CREATE TABLE typed_partitioned OF iotdata.connection PARTITION BY LIST (client_id);
CREATE TABLE typed_partition PARTITION OF typed_partitioned FOR VALUES IN ('a', 'b', 'new');
INSERT INTO typed_partitioned SELECT (c).* FROM plain WHERE id < 3;
CREATE TABLE of_table (t typed, ts typed[]);
INSERT INTO of_table SELECT t, ARRAY[t] FROM typed t;
CREATE VIEW of_typed AS SELECT * FROM typed;
CREATE FUNCTION client_of(iotdata.connection) RETURNS text LANGUAGE sql RETURN ($1).client_id;
SQL
my @stored = (
	'SELECT id, (c).client_id, (c).source_port FROM plain ORDER BY id',
	'SELECT count(*) FROM plain p JOIN plain q ON p.c = q.c',
	q{SELECT id FROM plain WHERE (c).client_id = 'b'},
	'SELECT (x).client_id FROM array_of, unnest(c) x',
	'SELECT id, (c).client_id FROM domain_over ORDER BY id',
	'SELECT (p).id, ((p).c).client_id FROM nested ORDER BY 1',
	'SELECT client_id FROM generated ORDER BY 1',
	'SELECT tableoid::regclass, (c).client_id FROM partitioned ORDER BY 2',
	'SELECT id, (c).client_id FROM hashed ORDER BY id',
	'SELECT id, (c).client_id FROM with_default',
	'SELECT id, (c).client_id FROM materialized ORDER BY 1',
	'SELECT client_id, source_port FROM typed ORDER BY 1',
	'SELECT client_id, more FROM child',
	'SELECT tableoid::regclass, client_id FROM typed_partitioned ORDER BY 2',
	'SELECT (t).client_id, (ts[1]).client_id FROM of_table ORDER BY 1',
	'SELECT * FROM of_typed ORDER BY client_id',
	'SELECT client_of(c) FROM plain ORDER BY id');

# Calls, in everything that can make them.
$admin->query(<<'SQL');
CREATE TABLE device AS SELECT unnest('{lamp,gone,NULL}'::text[]) AS client_id;
CREATE VIEW in_list AS SELECT client_id, iotdata.get_connection(client_id) AS c FROM device;
CREATE VIEW in_join AS SELECT d.client_id AS id, c.* FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true;
CREATE VIEW whole_row AS SELECT d.client_id AS id, c FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true;
CREATE VIEW by_name AS SELECT d.client_id AS id, c.source_ip, c.client_id FROM device d LEFT JOIN LATERAL iotdata.get_connection(include_socket_information => true, client_id => d.client_id) c ON true;
CREATE VIEW expanded AS SELECT client_id AS id, (iotdata.get_connection(client_id, false)).* FROM device;
CREATE VIEW with_ordinality AS SELECT d.client_id, f.* FROM device d LEFT JOIN LATERAL ROWS FROM (iotdata.get_connection(d.client_id), generate_series(1, 2)) WITH ORDINALITY f(a, b, c, d, e, f, g, h, i, j, k, l, m, n, series, place) ON true;
CREATE FUNCTION in_atomic(text) RETURNS boolean LANGUAGE sql BEGIN ATOMIC SELECT connected FROM iotdata.get_connection($1); END;
CREATE FUNCTION in_sql(text) RETURNS iotdata.connection LANGUAGE sql AS 'SELECT * FROM iotdata.get_connection($1)';
CREATE FUNCTION in_plpgsql(text) RETURNS iotdata.connection LANGUAGE plpgsql AS 'DECLARE c iotdata.connection; BEGIN c := iotdata.get_connection($1); RETURN c; END';
CREATE TABLE log (client_id text, connected boolean);
CREATE TABLE inbox (client_id text);
CREATE RULE on_insert AS ON INSERT TO inbox DO ALSO INSERT INTO log VALUES (NEW.client_id, (iotdata.get_connection(NEW.client_id)).connected);
CREATE VIEW sending AS SELECT message IS NOT NULL AS sent FROM iotdata.send_direct_message('lamp', 'lamp/view');
RESET ROLE;
SQL
my @calling = (
	'SELECT client_id, (c).connected, (c).client_id FROM in_list ORDER BY 1',
	'SELECT * FROM in_join ORDER BY 1',
	'SELECT id, (c).client_id FROM whole_row ORDER BY 1',
	'SELECT * FROM by_name ORDER BY 1',
	'SELECT * FROM expanded ORDER BY 1',
	'SELECT * FROM with_ordinality ORDER BY client_id, place',
	q{SELECT in_atomic('lamp'), (in_sql('lamp')).client_id, (in_plpgsql('lamp')).client_id},
	q{INSERT INTO inbox VALUES ('lamp'); TABLE log; TRUNCATE log},
	'EXECUTE prepared');

# What they give to somebody, in a session that was there before the update.
my $session = $node->session(dbname => 'used');
$session->query(q{SET ROLE somebody; PREPARE prepared AS SELECT d.client_id, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true ORDER BY 1});
my %before = map { $_ => $session->query($_) } @stored, @calling;
like($before{'SELECT * FROM in_join ORDER BY 1'}, qr/^lamp\|t\|/m, 'calls answer before the update');
gives($session, 'SELECT sent FROM sending', 't', 'a view sends a message before the update');
$lamp->next_message;

my $dump_of_before = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '-f', $dump_of_before, '-d', $node->connstr('used') ], 'a database of 1.1 can be dumped');

# ---- the update ---------------------------------------------------------------------------------

ok(!defined $admin->try('ALTER EXTENSION iotdata UPDATE')->{sqlstate}, 'the update succeeds with everything in place');

gives($session, $_, $before{$_}, "stored rows are the same after the update: $_") for @stored;
gives($session, 'EXPLAIN (COSTS OFF) SELECT * FROM in_join', qr/IoT Batched Lookup/, 'a view of before is a batched join after the update');
for my $batched (qw(on off))
{
	$session->query("SET iotdata.batch_joins = $batched");
	gives($session, $_, $before{$_}, "calls give the same after the update, with batch_joins $batched: $_") for @calling;
}
gives($session, 'SELECT sent FROM sending', 't', 'a view sends a message after the update');
is($lamp->next_message->{payload}, '', 'a message without a payload has none, as before');

my $newer = $node->session(dbname => 'used');
gives($newer, 'SELECT id, (c).observed_at IS NOT NULL, (iotdata.get_connection(id, max_age => $$1 min$$)).client_id FROM whole_row ORDER BY 1', "gone|f|NULL\nlamp|t|lamp\nNULL|f|NULL", 'the new column and argument are there');
gives($newer, <<'SQL', 't', 'rows that were stored before have no time of observation');
SELECT bool_and(o IS NULL) FROM (
	SELECT (c).observed_at FROM plain UNION ALL SELECT (x).observed_at FROM array_of, unnest(c) x UNION ALL SELECT (c).observed_at FROM domain_over
	UNION ALL SELECT ((p).c).observed_at FROM nested UNION ALL SELECT (c).observed_at FROM partitioned UNION ALL SELECT (c).observed_at FROM with_default
	UNION ALL SELECT observed_at FROM typed UNION ALL SELECT observed_at FROM typed_partitioned UNION ALL SELECT (t).observed_at FROM of_table) o(o)
SQL
for my $table ('plain (c)', 'domain_over (c)', 'generated (c)')
{
	gives($newer, "INSERT INTO $table SELECT c FROM iotdata.get_connection('lamp', true) c RETURNING (c).observed_at IS NOT NULL", 't', "a new row has a time of observation in $table");
}
for my $table ('typed', 'typed_partitioned')
{
	gives($newer, "INSERT INTO $table (client_id, observed_at) VALUES ('new', now()) RETURNING observed_at IS NOT NULL", 't', "a new row has a time of observation in $table");
}
gives($newer, q{UPDATE plain SET c.observed_at = '2026-01-03' WHERE id = 1 RETURNING (c).client_id}, 'a', 'an old row can be given a time of observation');

# A hash of a row depends on how many columns its type has. That is so for every type to which
# PostgreSQL adds an attribute.
$newer->query('REINDEX INDEX plain_hash; SET enable_seqscan = off; SET enable_bitmapscan = off; DROP INDEX plain_btree');
gives($newer, 'SELECT id FROM plain WHERE c = (SELECT c FROM plain WHERE id = 2)', '2', 'a hash index finds an old row after REINDEX');
$newer->query('CREATE TEMPORARY TABLE reload AS TABLE hashed; TRUNCATE hashed; INSERT INTO hashed TABLE reload');
my $row = $newer->query('SELECT quote_literal(c) FROM plain WHERE id = 2');
gives($newer, "SELECT id FROM hashed WHERE c = $row\::iotdata.connection", '2', 'a table that is partitioned by the hash of a row finds an old row when it is reloaded');
$newer->query("DELETE FROM $_ WHERE observed_at IS NOT NULL") for qw(typed typed_partitioned);
$newer->query("DELETE FROM $_ WHERE (c).observed_at IS NOT NULL AND (c).client_id = 'lamp'") for qw(plain domain_over generated);
$_->quit for $newer, $session, $admin;

# ---- dumps --------------------------------------------------------------------------------------

# as_before(DATABASE, NAME): a restored database has what there was before the update
sub as_before
{
	my ($database, $name) = @_;
	my $restored = $node->session(dbname => $database);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$restored->query('SET ROLE somebody');
	is_deeply([ map { $restored->try($_)->{out} } @stored ], [ @before{@stored} ], "$name has the rows of before");
	gives($restored, 'SELECT * FROM in_join ORDER BY 1', $before{'SELECT * FROM in_join ORDER BY 1'}, "$name has views that make calls");
	gives($restored, q{SELECT connected FROM iotdata.get_connection('lamp')}, 't', "$name lets a role make calls that could before");
	$restored->quit;
	return;
}

$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(restored restored_old);
$node->command_ok([ 'sh', '-c', 'pg_dump -d "$1" | psql -X -q -v ON_ERROR_STOP=1 -d "$2"', 'sh', map { $node->connstr($_) } qw(used restored) ], 'the updated database can be dumped and restored');
as_before('restored', 'the restored database');

# A dump says nothing of the extension's version. One of 1.1 needs the types of 1.1 for its rows, and
# the functions of 1.1 for its grants.
my $said = '';
$node->psql('restored_old', q{CREATE EXTENSION iotdata VERSION '1.1'}, on_error_die => 1);
$node->psql('restored_old', "\\i $dump_of_before", on_error_stop => 0, stderr => \$said);
is(join("\n", $said =~ /ERROR: *(.*)/g), 'schema "iotdata" already exists', 'a dump of 1.1 can be restored where there is 1.1');
$node->psql('restored_old', 'ALTER EXTENSION iotdata UPDATE', on_error_die => 1);
as_before('restored_old', 'the database that was restored from a dump of 1.1, and updated,');

no_crash($node);
done_testing();
