# How the planner counts calls: dear, so that plans make few of them; but what is only waited for is
# no reason to compile a query (JIT).

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $server = IotData::FaultyServer->start(otherwise => json_answer({ connected => JSON::PP::true }));
my $node   = IotData::Node->make('planning', endpoint => $server->url, conf => "jit = on\n");
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE device AS SELECT i AS id, 'device-' || i AS client_id, i % 50 AS site FROM generate_series(1, 2000) i;
CREATE TABLE site AS SELECT i AS id, 'site ' || i AS name FROM generate_series(1, 50) i;
CREATE VIEW state AS
	SELECT d.*, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true;
ANALYZE;
SQL
my $session = $node->session;
my $join    = 'SELECT d.id, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true';

sub explained { return $session->query("EXPLAIN $_[0]") }

# ---- where the lookup is in a plan --------------------------------------------------------------

for my $most (1, 64, 1000)
{
	$session->query("SET iotdata.max_concurrency = $most");
	like(explained(q{SELECT s.id, s.connected FROM state s JOIN site t ON t.id = s.site WHERE t.name = 'site 7'}),
		qr/\A(?!.*Join.*IoT).*IoT Batched Lookup.*Join/s, "devices are chosen before they are asked about (max_concurrency = $most)");
	like(explained("$join WHERE d.site = 7 ORDER BY d.client_id LIMIT 3"), qr/IoT Batched Lookup.*Sort/s, "devices are sorted before they are asked about (max_concurrency = $most)");
}
$session->query('RESET iotdata.max_concurrency');

# ---- compiling ----------------------------------------------------------------------------------

SKIP:
{
	skip 'this PostgreSQL cannot compile queries', 1 unless $session->query('SELECT pg_jit_available()') eq 't';

	my $compiled = qr/^JIT:/m;
	my $calls    = 'SELECT id, iotdata.get_connection(client_id) FROM device';

	like(explained("SELECT count(*) FROM generate_series(1, 10000000) a"), $compiled, 'a query with much work is compiled');
	unlike($node->session->query("EXPLAIN $join"), $compiled, 'a join with many calls is not compiled in the first statement of a session');
	for my $setting ('iotdata.max_concurrency = 1', 'iotdata.max_concurrency = 1000', 'iotdata.batch_joins = off')
	{
		$session->query("SET $setting");
		for my $sql (
			$join,
			"$join ORDER BY 2",
			'SELECT site, count(*) FROM state GROUP BY site',
			'SELECT t.name, s.* FROM site t JOIN state s ON s.site = t.id',
			"WITH s AS MATERIALIZED ($join) SELECT count(*) FROM s",
			'SELECT t.id, (SELECT count(*) FROM state s WHERE s.site = t.id) FROM site t, generate_series(1, 100)',
			'SELECT t.id, s.* FROM site t LEFT JOIN LATERAL (SELECT * FROM state s WHERE s.site = t.id OFFSET 0) s ON true',
			"SELECT count(*) FROM ($join UNION ALL $join) s",
			$calls,
			'SELECT count(*) FROM device WHERE (iotdata.get_connection(client_id)).connected',
			q{SELECT iotdata.send_direct_message(client_id, 'a/b', 'x'::text) FROM device})
		{
			unlike(explained($sql), $compiled, "a query is not compiled for its calls with $setting: $sql");
		}
		$session->query('RESET ' . $setting =~ s/ =.*//r);
	}
	like(explained('SELECT count(*) FROM state s JOIN generate_series(1, 10000000) a ON a = s.id'), $compiled, 'a query with much other work is compiled');
	$session->query('SET jit_above_cost = 0');
	like(explained($join), $compiled, 'a join is compiled when jit_above_cost is 0');
	$session->query('RESET jit_above_cost');

	$session->query("SET plan_cache_mode = force_generic_plan; PREPARE p AS $join LIMIT 1900");
	unlike($session->query('EXPLAIN (ANALYZE, TIMING OFF) EXECUTE p'), $compiled, 'a cached plan is not compiled') for 1 .. 2;
	$session->query('SET jit_above_cost = 0');
	like($session->query('EXPLAIN EXECUTE p'), $compiled, 'a cached plan is compiled when jit_above_cost is 0');
}

no_crash($node);
done_testing();
