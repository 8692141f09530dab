# A plan takes for granted what the catalogs said when it was made. When an object that a batched
# join stands on is changed between planning and execution, the join says so.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $server = IotData::FaultyServer->start(otherwise => json_answer({ connected => JSON::PP::true }));
my $node   = IotData::Node->make('changed', endpoint => $server->url);

# A rule's statements are planned together and then run one after the other, so the first one can
# change what the second one was planned with.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE device AS SELECT i AS id, 'device-' || i AS client_id FROM generate_series(1, 3) i;
CREATE FUNCTION change(statement text) RETURNS integer LANGUAGE plpgsql AS 'BEGIN EXECUTE statement; RETURN 9; END';
CREATE FUNCTION change_while_planning(statement text) RETURNS integer LANGUAGE sql STABLE AS 'SELECT change(statement)';
CREATE TABLE changing (statement text);
CREATE RULE changing AS ON INSERT TO changing DO INSTEAD (
	SELECT change(new.statement);
	SELECT d.id, c.connected, c.observed_at IS NOT NULL
	FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true);
SQL
my $session = $node->session;
my $join    = 'SELECT d.id, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true';
my $rows    = "1|t\n2|t\n3|t";

sub changed_by { return "INSERT INTO changing VALUES (\$change\$ $_[0] \$change\$)" }

my $function = 'iotdata.get_connection(text, boolean, interval, name)';
my $in_sql   = q{CREATE OR REPLACE FUNCTION iotdata.get_connection(client_id text, include_socket_information boolean DEFAULT false, max_age interval DEFAULT NULL, server name DEFAULT NULL)
	RETURNS iotdata.connection LANGUAGE sql AS 'SELECT NULL::iotdata.connection'};
my $in_c     = $in_sql =~ s/LANGUAGE.*/LANGUAGE C/sr;
my ($symbols, $library) = ($in_c . q{ AS '%s', '%s' SUPPORT iotdata.reading_support}, $node->safe_psql('postgres', "SELECT probin FROM pg_proc WHERE oid = '$function'::regprocedure"));

like($session->query("EXPLAIN $join"), qr/IoT Batched Lookup/, 'the join is batched');
gives($session, changed_by('SELECT'), "9\n1|t|t\n2|t|t\n3|t|t", 'a rule with the join gives its rows when nothing is changed');

# ---- between planning and execution -------------------------------------------------------------

for my $change (
	[ 'the function is replaced by one in SQL', $in_sql ],
	[ 'the function is replaced by one of another operation', sprintf $symbols, $library, 'iotdata_list_subscriptions' ],
	[ 'the function is replaced by an action', sprintf $symbols, $library, 'iotdata_delete_connection' ],
	[ 'the function loses its support function', sprintf($symbols, $library, 'iotdata_get_connection') =~ s/SUPPORT.*//r ],
	[ 'the function is dropped', "ALTER EXTENSION iotdata DROP FUNCTION $function; DROP FUNCTION $function CASCADE" ],
	[ 'the extension is dropped', 'DROP EXTENSION iotdata CASCADE' ],
	[ 'a column of its row is dropped', 'ALTER TYPE iotdata.connection DROP ATTRIBUTE connected CASCADE' ],
	[ 'the last column of its row is dropped', 'ALTER TYPE iotdata.connection DROP ATTRIBUTE observed_at CASCADE' ],
	[ 'the last column of its row is another one', 'ALTER TYPE iotdata.connection DROP ATTRIBUTE observed_at CASCADE; ALTER TYPE iotdata.connection ADD ATTRIBUTE observed_at integer' ])
{
	my ($name, $statement) = @$change;

	fails_with($session, changed_by($statement), '55000', { message => qr/^(?:function (?:iotdata\.get_connection\(.*|\d+)|type iotdata\.connection) has changed/, hint => qr/again/ }, "it is an error with a hint when, after the join was planned, $name");
	gives($session, $join, $rows, "the session goes on when, after the join was planned, $name");
}

# ---- while it is planned ------------------------------------------------------------------------

# What a condition on groups is compared with is estimated after the join has been planned.
my $grouped = 'SELECT d.id, count(c.connected) FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true GROUP BY d.id HAVING max(d.id) < change_while_planning($change$ %s $change$) ORDER BY 1';

gives($session, sprintf($grouped, 'SELECT'), "1|1\n2|1\n3|1", 'the planner runs a function when nothing is changed');
fails_with($session, sprintf($grouped, $in_sql), '55000', { message => qr/^function .*get_connection/, hint => qr/again/ }, 'it is an error with a hint when the planner itself replaces the function');

# ---- plans that are kept ------------------------------------------------------------------------

for my $mode ('force_generic_plan', 'force_custom_plan')
{
	my $prepared = "SET LOCAL plan_cache_mode = $mode; PREPARE kept AS $join; EXECUTE kept; EXECUTE kept";

	gives($session, "BEGIN; $prepared; $in_sql; EXECUTE kept; ROLLBACK; DEALLOCATE kept", "$rows\n$rows\n1|NULL\n2|NULL\n3|NULL", "a prepared statement calls the function that took the place of the one before ($mode)");
}
my $replaced = $node->session;
$session->query("PREPARE kept AS $join; EXECUTE kept");
$replaced->query("BEGIN; $in_sql; COMMIT");
gives($session, 'EXECUTE kept', "1|NULL\n2|NULL\n3|NULL", 'a prepared statement calls the function that another session put in the place of the one before');
$replaced->query(sprintf $symbols, $library, 'iotdata_get_connection');
gives($session, 'EXECUTE kept', $rows, 'a prepared statement calls the function when it is back');

# ---- cursors ------------------------------------------------------------------------------------

# A cursor has begun: it goes on with the function that it began with, as with any other function.
for my $change ($in_sql, "ALTER EXTENSION iotdata DROP FUNCTION $function; DROP FUNCTION $function CASCADE", 'DROP EXTENSION iotdata CASCADE')
{
	gives($session, "BEGIN; DECLARE c CURSOR FOR $join; $change; FETCH ALL FROM c; ROLLBACK", $rows, "a cursor that was opened before goes on: $change");
}

no_crash($node);
done_testing();
