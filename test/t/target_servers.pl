# Foreign servers and user mappings as the targets of calls: each function and each row of a join may
# name one, changes of them are seen at once, and two accounts at one endpoint share nothing.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

sub connection { return json_answer({ connected => JSON::PP::true, clientId => $_[0], thingName => $_[1] // 'thing' }) }

# The key that a request was signed with.
sub key_of { return $_[0]{headers}{authorization} =~ m{Credential=([^/]+)/} ? $1 : undef }

sub region_of { return $_[0]{headers}{authorization} =~ m{Credential=[^/]+/\d+/([^/]+)/} ? $1 : undef }

# an answer that says who asked
sub by_key
{
	return sub { connection('who', key_of($_[0])) };
}

my %answers = (
	good => connection('good'),
	who  => by_key(),
	(map { ("c$_" => connection("c$_")) } 1 .. 40),
	(map { ("k$_" => by_key()) } 1 .. 9),
	list => json_answer({ subscriptions => [ { topicFilter => 'a', qos => 0 } ] }),
	send => json_answer({ message => 'OK', traceId => 't' }),
	gone => http_answer(204, ''),
);
my $server = IotData::FaultyServer->start(answers => \%answers);
my $other  = IotData::FaultyServer->start(answers => \%answers);
my $url    = $server->url;
my $node   = IotData::Node->make('servers', endpoint => $other->url, conf => "shared_preload_libraries = 'iotdata'\n");
my $admin  = $node->session;
my $one    = 'ASIAQNZGKIQY56JQ7WML';    # of the account 029608264753
my $two    = 'AKIASP2TPHJSQH3FJXYZ';    # of the account 171436882533

sub mapping { return "(access_key_id '$_[0]', secret_access_key 'secret')" }

$admin->query(<<"SQL");
CREATE SERVER one FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '$url');
CREATE SERVER two FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '$url');
CREATE USER MAPPING FOR PUBLIC SERVER one OPTIONS @{[ mapping($one) ]};
CREATE USER MAPPING FOR PUBLIC SERVER two OPTIONS @{[ mapping($two) ]};
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
GRANT USAGE ON SCHEMA iotdata TO alice, bob;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO alice, bob;
SQL
my $session = $node->session;

# Whoever answers says whose key it was.
sub who { return 'SELECT thing_name FROM iotdata.get_connection(' . "'who'" . (@_ ? ", server => $_[0]" : '') . ')' }

# ---- each function ------------------------------------------------------------------------------

gives($session, who(q{'one'}), $one, 'get_connection goes to the server that it names');
is(region_of(($server->requests('who'))[0]), 'eu-west-1', "requests are signed for the server's region");
gives($session, who(q{'two'}), $two, 'get_connection goes to another server');
gives($session, who(), 'AKIDEXAMPLE', 'a call that names no server goes to the default target');
gives($session, who('NULL'), 'AKIDEXAMPLE', 'a call whose server is NULL goes to the default target');
is(scalar($other->requests('who')), 2, "the default target's endpoint is its own");
for my $call (
	[ 'get_connections',    'SELECT count(connection) FROM iotdata.get_connections(ARRAY[%1$s], server => %2$s)', 'good' ],
	[ 'list_subscriptions', 'SELECT topic_filter FROM iotdata.list_subscriptions(%1$s, server => %2$s)', 'list' ],
	(map { [ "send_direct_message with $_", "SELECT message FROM iotdata.send_direct_message(%1\$s, 'a', '1'::$_, server => %2\$s)", 'send' ] } qw(bytea text json jsonb)),
	[ 'delete_connection', 'SELECT iotdata.delete_connection(%1$s, server => %2$s)', 'gone' ])
{
	my ($name, $sql, $client) = @$call;

	for my $case ([ "'two'", '', $two ], [ 'NULL', 'one', $one ], [ "'two'", 'one', $two ])
	{
		my ($argument, $setting, $key) = @$case;

		$session->query("SET iotdata.server = '$setting'");
		$session->query(sprintf $sql, "'$client'", $argument);
		is(key_of(($server->requests($client))[-1]), $key, "$name goes where the argument ($argument) or else the setting ('$setting') says");
	}
}
gives($session, who(), $one, 'the setting names the server of calls that name none');
gives($session, who(q{''}), 'AKIDEXAMPLE', 'the empty name is the default target');
gives($session, "SELECT server, account_id FROM iotdata.target_info() i", "one|029608264753", 'target_info shows the server that calls go to');
gives($session, "SELECT server, endpoint, endpoint_source, region, region_source, credentials_source, access_key_id_suffix, account_id, error_message FROM iotdata.target_info('two')",
	"two|$url|server option endpoint_url|eu-west-1|server option region|user mapping|XYZ|171436882533|NULL" =~ s/\|XYZ/|JXYZ/r =~ s/JJ/J/r,
	'target_info shows what will be used, and why');
$session->query('RESET iotdata.server');

# ---- whose mapping ------------------------------------------------------------------------------

$admin->query("GRANT USAGE ON FOREIGN SERVER one TO alice, bob; CREATE USER MAPPING FOR alice SERVER one OPTIONS " . mapping('AKIAALICE'));
my $alice = $node->session(user => 'alice');
my $bob   = $node->session(user => 'bob');
gives($alice, who(q{'one'}), 'AKIAALICE', "the current user's mapping comes first");
gives($bob, who(q{'one'}), $one, "without a mapping of the user's own, PUBLIC's is used");
$admin->query('CREATE FUNCTION asks() RETURNS text SECURITY DEFINER LANGUAGE sql AS $$' . who(q{'one'}) . '$$; ALTER FUNCTION asks() OWNER TO alice');
gives($bob, 'SELECT asks()', 'AKIAALICE', "in a SECURITY DEFINER function the owner's mapping is used");
gives($admin, 'SET ROLE alice; ' . who(q{'one'}) . '; RESET ROLE', 'AKIAALICE', 'SET ROLE changes whose mapping is used');

# ---- changes ------------------------------------------------------------------------------------

$admin->query("DROP USER MAPPING FOR alice SERVER one");
gives($alice, who(q{'one'}), $one, "when the user's mapping is dropped, PUBLIC's is used at once");
$admin->query("CREATE USER MAPPING FOR alice SERVER one OPTIONS " . mapping('AKIAALICE'));
gives($alice, who(q{'one'}), 'AKIAALICE', 'a new mapping is used at once');
$alice->query('BEGIN');
gives($alice, who(q{'one'}), 'AKIAALICE', 'a transaction uses a mapping');
$admin->query(q{ALTER USER MAPPING FOR alice SERVER one OPTIONS (SET access_key_id 'AKIAALICE2')});
gives($alice, who(q{'one'}), 'AKIAALICE2', 'a changed mapping is used at once, within a transaction, too');
$alice->query('COMMIT');
my $before = $other->requests('good');
$admin->query("ALTER SERVER one OPTIONS (SET endpoint_url '" . $other->url . "')");
gives($alice, q{SELECT connected FROM iotdata.get_connection('good', server => 'one')}, 't', 'a call goes to the changed endpoint');
is(scalar($other->requests('good')), $before + 1, "a server's changed endpoint is used at once");
$admin->query("ALTER SERVER one OPTIONS (SET endpoint_url '$url')");
$admin->query('REVOKE USAGE ON FOREIGN SERVER one FROM alice');
fails_with($alice, who(q{'one'}), '42501', { message => qr/permission denied for foreign server one/ }, 'a revoked privilege is missed at once');
$admin->query('GRANT USAGE ON FOREIGN SERVER one TO alice');
gives($session, "BEGIN; DROP SERVER two CASCADE; ROLLBACK; " . who(q{'two'}), $two, 'a server whose DROP was rolled back is there');
$session->query('BEGIN; DROP SERVER two CASCADE');
fails_with($session, who(q{'two'}), '42704', { message => qr/server "two" does not exist/ }, 'a dropped server is gone for the same transaction');
$session->query('ROLLBACK');
$admin->query("ALTER SERVER two RENAME TO second");
fails_with($session, who(q{'two'}), '42704', {}, 'a server that was renamed has its old name no longer');
gives($session, who(q{'second'}), $two, 'a server that was renamed has its new name');
$admin->query("ALTER SERVER second RENAME TO two");

# what the server's options leave to the settings
$admin->query("CREATE SERVER short FOREIGN DATA WRAPPER iotdata_fdw; CREATE USER MAPPING FOR PUBLIC SERVER short OPTIONS " . mapping($one));
my $place = "SELECT region, endpoint FROM iotdata.target_info('short')";
gives($session, $place, 'us-east-1|https://data-ats.iot.us-east-1.amazonaws.com', 'a server without options has the region of the environment, and not the endpoint of the settings');
$session->query("SET iotdata.region = 'eu-west-2'");
gives($session, $place, 'eu-west-2|https://data-ats.iot.eu-west-2.amazonaws.com', 'a changed region is used at once');
$session->query('SET iotdata.use_fips_endpoint = on');
gives($session, $place, 'eu-west-2|https://data-ats.iot-fips.eu-west-2.amazonaws.com', 'a setting that the options leave open is used at once');
$session->query('RESET iotdata.region; RESET iotdata.use_fips_endpoint');

# ---- joins --------------------------------------------------------------------------------------

$admin->query(<<'SQL');
CREATE TABLE device (id integer, client_id text, server text);
INSERT INTO device SELECT i, 'k' || i, (ARRAY['one', 'two', NULL])[1 + i % 3] FROM generate_series(1, 9) i;
GRANT SELECT ON device TO alice, bob;
SQL
my $join = q{SELECT d.id, c.thing_name FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id, server => d.server) c ON true};
like($session->query("EXPLAIN (COSTS OFF) $join"), qr/IoT Batched Lookup.*Function: iotdata\.get_connection\(d\.client_id, false, NULL::interval, \(d\.server\)::name\)/s, "a join whose server differs from row to row is batched, and EXPLAIN shows it");
gives($session, "$join ORDER BY 1", join("\n", map { "$_|" . ($one, $two, 'AKIDEXAMPLE')[ $_ % 3 ] } 1 .. 9), 'each row of a join has the answer of its own server');
my $same = q{SELECT s, c.thing_name FROM (VALUES ('one'), ('two'), ('one'), ('two')) v(s), LATERAL iotdata.get_connection('who', server => s) c};
$before = $server->requests('who');
gives($session, $same, "one|$one\ntwo|$two\none|$one\ntwo|$two", 'the same client at two servers is two questions');
is(scalar($server->requests('who')), $before + 2, 'equal questions to one server are asked once');
my $bad = q{SELECT d.id, c.connected FROM (VALUES (1, 'one'), (2, 'nowhere'), (3, 'two')) d(id, s) LEFT JOIN LATERAL iotdata.get_connection('c' || d.id, server => d.s) c ON true};
my $failed = fails_with($session, $bad, '42704', { message => qr/server "nowhere" does not exist/, context => qr/client_id "c2"/ }, 'a row whose server is not there is an error with the client in its CONTEXT');
gives($session, "$bad LIMIT 1", '1|t', 'a row before one whose server is not there is handed on');
gives($session, q{SELECT count(*) FROM device d, LATERAL iotdata.get_connection(d.client_id, server => 'one') c}, '9', 'a join may name one server for all rows');

# a running cursor goes on with what it began with
for my $change ("ALTER SERVER one OPTIONS (SET endpoint_url 'http://127.0.0.1:1')", q{ALTER USER MAPPING FOR PUBLIC SERVER one OPTIONS (SET access_key_id 'AKIALATER')}, 'DROP SERVER one CASCADE')
{
	my $cursor = $node->session;

	$cursor->query(q{SET iotdata.max_concurrency = 1});
	$cursor->query(q{BEGIN; DECLARE c CURSOR FOR SELECT c.thing_name FROM generate_series(1, 9) i, LATERAL iotdata.get_connection('k' || i, server => 'one') c});
	gives($cursor, 'FETCH 1 FROM c', $one, "a cursor has begun, before: $change");
	$cursor->query($change);
	gives($cursor, 'FETCH ALL FROM c', join("\n", ($one) x 8), "a cursor goes on with what it began with: $change");
	$cursor->query('ROLLBACK');
	gives($cursor, who(q{'one'}), $one, "the next call is as before when it is rolled back: $change");
}

# ---- two accounts -------------------------------------------------------------------------------

gives($session, q{SELECT thing_name FROM iotdata.get_connection('k1', max_age => '1 hour', server => 'one')}, $one, 'an account has its own answer');
gives($session, q{SELECT thing_name FROM iotdata.get_connection('k1', max_age => '1 hour', server => 'two')}, $two, "an account does not have another's cached answer");
gives($session, q{SELECT thing_name FROM iotdata.get_connection('k1', max_age => '1 hour', server => 'one')}, $one, "an account's answer stays its own");
$admin->query(q{ALTER USER MAPPING FOR PUBLIC SERVER two OPTIONS (SET secret_access_key 'other')});
$before = $server->requests('k1');
gives($session, q{SELECT thing_name FROM iotdata.get_connection('k1', max_age => '1 hour', server => 'two')}, $two, 'an answer is there with another secret');
is(scalar($server->requests('k1')), $before + 1, 'a known access key without its secret is given nothing that is cached');
$admin->query(q{ALTER USER MAPPING FOR PUBLIC SERVER two OPTIONS (SET secret_access_key 'secret')});

$admin->query('SELECT iotdata.stat_reset()');
$session->query(q{SELECT iotdata.get_connection('c1', server => s), iotdata.get_connection('c2', max_age => '1 hour', server => s), iotdata.get_connection('c2', max_age => '1 hour', server => s) FROM (VALUES ('one'), ('two'), ('')) v(s)});
gives($admin, 'SELECT target, account, operation, calls, cache_hits FROM iotdata.stat_calls ORDER BY account COLLATE "C"',
	join("\n", map { join '|', @$_, 'GetConnection', 2, 1 } [ $other->url =~ s{http://}{}r, '****MPLE' ], [ $url =~ s{http://}{}r, '029608264753' ], [ $url =~ s{http://}{}r, '171436882533' ]),
	'each account has a line of its own in stat_calls');

$admin->query('SELECT iotdata.stat_reset()');
$session->query(q{SELECT count(c.connected) FROM (VALUES ('one'), ('two')) v(s), LATERAL iotdata.get_connection('c2', max_age => '1 hour', server => s) c});
gives($admin, 'SELECT target, account, calls, cache_hits FROM iotdata.stat_calls ORDER BY account COLLATE "C"',
	join("\n", map { join '|', $url =~ s{http://}{}r, $_, 0, 1 } '029608264753', '171436882533'), "a join's cache hits are counted for each account");

# The account "one" has used up what its bucket holds at 2 requests a second; "two" has its own.
my $limited = $node->session;
$limited->query('SET iotdata.read_rate = 2');
$limited->query(q{SELECT count(*) FROM iotdata.get_connections('{c3}', server => 'one')});
$limited->begin(q{SELECT s || n, c.connected FROM (VALUES ('one', 4), ('one', 5), ('one', 6), ('two', 7)) v(s, n), LATERAL iotdata.get_connection('c' || n, server => s) c});
is($limited->finish->{out}, "one4|t\none5|t\none6|t\ntwo7|t", 'a join over two accounts has all its answers');
my %at = map { $_->{client} => $_->{time} } grep { $_->{client} =~ /\Ac[4-7]\z/ } $server->requests;
cmp_ok($at{c7}, '<', $at{c6}, "an account that waits for its rate does not hold up another one");
cmp_ok($at{c6} - $at{c4}, '>=', 0.9, 'an account keeps to its rate');
$admin->query("ALTER SERVER two OPTIONS (ADD read_rate '1')");
my $begun = time;
$session->query(q{SELECT count(*) FROM iotdata.get_connections('{c11,c12,c13}', server => 'two')});
cmp_ok(time - $begun, '>=', 1.9, 'a rate of the server itself is kept to');
$admin->query("ALTER SERVER two OPTIONS (DROP read_rate)");

# ---- many servers -------------------------------------------------------------------------------

$admin->query(<<"SQL");
DO \$\$ BEGIN
	FOR i IN 1 .. 1000 LOOP
		EXECUTE format('CREATE SERVER many%s FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region ''eu-west-1'', endpoint_url ''$url'')', i);
		EXECUTE format('CREATE USER MAPPING FOR PUBLIC SERVER many%s OPTIONS (access_key_id ''AKIA%s'', secret_access_key ''wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'')', i, i);
	END LOOP;
END \$\$
SQL
my $many = $node->session;
my $held = 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
$many->query($_) for $place, $held, who(q{'many1'}), $held;
my $first = $many->query($held);
gives($many, q{SELECT count(c.thing_name) FROM generate_series(1, 1000) i, LATERAL iotdata.get_connection('who', server => 'many' || i) c}, '1000', 'a join may go to a thousand servers');
my $growth = $many->query($held) - $first;
cmp_ok($growth, '<', 4 * 1024 * 1024, 'a session holds less than 4 MB for a thousand servers');
note("$growth bytes for 1,000 servers");

# ---- dump and restore ---------------------------------------------------------------------------

my $dump = $node->basedir . '/servers.sql';
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'a database with servers can be dumped');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'the dump can be restored');
my $restored = $node->session(dbname => 'restored');
$restored->query("SET iotdata.endpoint_url = '" . $other->url . "'");
gives($restored, who(q{'one'}), $one, 'a restored server with its mapping is used as before');

no_crash($node);
done_testing();
