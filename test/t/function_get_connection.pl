# get_connection: what it says of real MQTT clients, field by field.

use strict;
use warnings FATAL => 'all';
use utf8;

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $emulator = IotData::Emulator->start(arguments => [ '--thing', 'lamp' ]);
my $node     = IotData::Node->make('connection', endpoint => $emulator->url);
my $session  = $node->session;

# ---- the type -----------------------------------------------------------------------------------

gives($session, <<'SQL', <<'TYPES' =~ s/\n\z//r, 'a connection has its 15 fields, of the richest types');
SELECT attname, format_type(atttypid, atttypmod)
FROM pg_attribute
WHERE attrelid = 'iotdata.connection'::regclass AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
SQL
connected|boolean
thing_name|text
clean_session|boolean
source_ip|inet
source_port|integer
target_ip|inet
target_port|integer
keep_alive_duration|interval
connected_since|timestamp with time zone
disconnected_since|timestamp with time zone
disconnect_reason|text
session_expiry|interval
client_id|text
vpc_endpoint_id|text
observed_at|timestamp with time zone
TYPES

# ---- every field, from a scripted answer --------------------------------------------------------

my $scripted = IotData::FaultyServer->start(
	answers => {
		all => json_answer(
			{
				connected         => JSON::PP::true,
				thingName         => 'thing',
				cleanSession      => JSON::PP::false,
				sourceIp          => '2001:db8::7',
				sourcePort        => 50123,
				targetIp          => '192.0.2.5',
				targetPort        => 8883,
				keepAliveDuration => 1200,
				connectedSince    => 1700000000123,
				disconnectedSince => 1600000000001,
				disconnectReason  => 'A_REASON_THAT_IS_NEW',
				sessionExpiry     => 604800,
				clientId          => 'all',
				vpcEndpointId     => 'vpce-0815',
			})
	});
$session->query("SET iotdata.endpoint_url = '" . $scripted->url . "'; SET timezone = 'UTC'");
gives($session, q{SELECT * FROM iotdata.get_connection('all')},
	qr/\At\|thing\|f\|2001:db8::7\|50123\|192\.0\.2\.5\|8883\|00:20:00\|2023-11-14 22:13:20\.123\+00\|2020-09-13 12:26:40\.001\+00\|A_REASON_THAT_IS_NEW\|168:00:00\|all\|vpce-0815\|[-0-9: .]+\+00\z/,
	'every member of the answer fills its column');
gives($session, q{SELECT 1 FROM iotdata.get_connection('all', true)}, '1', 'a call with socket information has its row');
my @targets = map { $_->{target} } $scripted->requests('all');
unlike($targets[0], qr/includeSocketInformation=true/, 'socket information is not asked for by default');
like($targets[1], qr/includeSocketInformation=true/, 'socket information is asked for when it is wanted');
$session->query('RESET iotdata.endpoint_url');

# ---- a client that is connected -----------------------------------------------------------------

my $lamp = IotData::Client->start($emulator, 'lamp', persistent => 1, session_expiry => 3600, keep_alive => 45);

gives($session, q{SELECT connected, client_id, clean_session, keep_alive_duration, session_expiry, thing_name FROM iotdata.get_connection('lamp')},
	't|lamp|f|00:00:45|01:00:00|lamp', 'a client with a persistent session has its session\'s fields');
gives($session, q{SELECT connected_since BETWEEN now() - interval '1 hour' AND now() + interval '1 second', disconnected_since, disconnect_reason FROM iotdata.get_connection('lamp')},
	't|NULL|NULL', 'a client that is connected says since when, and nothing of an end');
gives($session, q{SELECT source_ip, source_port, target_ip, target_port, vpc_endpoint_id FROM iotdata.get_connection('lamp')},
	'NULL|NULL|NULL|NULL|NULL', 'there is no socket information unless it is asked for');
gives($session, q{SELECT source_ip, source_port BETWEEN 1024 AND 65535, target_ip, target_port FROM iotdata.get_connection('lamp', include_socket_information => true)},
	'127.0.0.1|t|127.0.0.1|' . $emulator->mqtt_port, 'there is socket information when it is asked for');

my $plain = IotData::Client->start($emulator, 'plain', version => 'mqttv311');
gives($session, q{SELECT connected, clean_session, keep_alive_duration, thing_name FROM iotdata.get_connection('plain')}, 't|t|00:01:00|NULL',
	'a client of MQTT 3.1.1 has a clean session, and no thing');

# ---- clients that went away ---------------------------------------------------------------------

$lamp->leave;
ok(eventually(sub { $session->query(q{SELECT connected FROM iotdata.get_connection('lamp')}) eq 'f' }), 'a client that left is not connected');
gives($session, q{SELECT connected_since, disconnected_since BETWEEN now() - interval '1 hour' AND now() + interval '1 second', disconnect_reason, session_expiry, clean_session FROM iotdata.get_connection('lamp')},
	'NULL|t|CLIENT_INITIATED_DISCONNECT|01:00:00|f', 'a client that left says since when, why, and how long its session stays');
$plain->vanish;
ok(eventually(sub { $session->query(q{SELECT connected FROM iotdata.get_connection('plain')}) eq 'f' }), 'a client that vanished is not connected');
gives($session, q{SELECT disconnect_reason FROM iotdata.get_connection('plain')}, 'CONNECTION_LOST', 'a client that vanished has lost its connection');

my $first  = IotData::Client->start($emulator, 'twin');
my $second = IotData::Client->start($emulator, 'twin');
gives($session, q{SELECT connected FROM iotdata.get_connection('twin')}, 't', 'a client whose ID was taken over by another is connected');

# ---- nothing there ------------------------------------------------------------------------------

gives($session, q{SELECT iotdata.get_connection('nobody') IS NULL}, 't', 'a client that is unknown is NULL, not an error');
gives($session, q{SELECT count(*), count(c.client_id) FROM iotdata.get_connection('nobody') c}, '1|0', 'a client that is unknown is one row of NULLs in FROM');
my $before = $emulator->requests;
gives($session, q{SELECT iotdata.get_connection(NULL) IS NULL}, 't', 'a NULL client is NULL');
is($emulator->requests, $before, 'a NULL client makes no request');
gives($session, q{SELECT connected FROM iotdata.get_connection('twin', NULL)}, 't', 'an optional argument that is NULL counts as not given');

gives($session, <<'SQL', "1|t|twin\n2|NULL|NULL\n3|f|lamp\n4|NULL|NULL", 'a table of devices can be joined with their live state');
CREATE TABLE device (id integer, client_id text);
INSERT INTO device VALUES (1, 'twin'), (2, 'nobody'), (3, 'lamp'), (4, NULL);
SELECT d.id, c.connected, c.client_id
FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true
ORDER BY d.id
SQL

# ---- names --------------------------------------------------------------------------------------

for my $id ('a/b c', 'ümläut-☃', '100%25+x', 'a?b&c=d#e', '-', '~._', 'x' x 128, 'é' x 64, "it's \"quoted\"", 'a;b,c', '..a', '...', 'a/../b', './a', 'a//b')
{
	my $client = eval { IotData::Client->start($emulator, utf8($id), topics => { '#' => 0 }) };
	my $quoted = utf8($id) =~ s/'/''/gr;

	ok($client, 'a client can connect as ' . utf8($id)) or diag($@);
	gives($session, "SELECT connected, client_id = '$quoted' FROM iotdata.get_connection('$quoted')", 't|t', 'a client is found as ' . utf8($id));
}

sub utf8
{
	my ($text) = @_;

	utf8::encode($text);
	return $text;
}

# ---- databases that are not UTF-8 ---------------------------------------------------------------

my $cafe = IotData::Client->start($emulator, utf8('café'));
my $kana = IotData::Client->start($emulator, utf8('カ'));

for my $encoding ('LATIN1', 'EUC_JP', 'SQL_ASCII')
{
	my $name = lc $encoding;

	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($name, 'CREATE EXTENSION iotdata');
}
my $latin1 = $node->session(dbname => 'latin1');
gives($latin1, utf8(q{SELECT connected, client_id, octet_length(client_id) FROM iotdata.get_connection('café')}), utf8('t|café|4'),
	'LATIN1: a client ID with é is converted, there and back');
my $japanese = $node->session(dbname => 'euc_jp');
gives($japanese, utf8(q{SELECT connected, client_id, octet_length(client_id) FROM iotdata.get_connection('カ')}), utf8('t|カ|2'),
	'EUC_JP: a Japanese client ID is converted, there and back');
fails_with($japanese, q{SELECT iotdata.get_connection(E'a\\x8f')}, '22021|22P05', {}, 'EUC_JP: bytes that are no character are an error');

my $ascii = $node->session(dbname => 'sql_ascii', variables => { PGCLIENTENCODING => 'SQL_ASCII' });
gives($ascii, q{SELECT connected FROM iotdata.get_connection('twin')}, 't', 'SQL_ASCII: a client ID in ASCII is found');
gives($ascii, utf8(q{SELECT connected, octet_length(client_id) FROM iotdata.get_connection('café')}), 't|5', 'SQL_ASCII: a client ID whose bytes are UTF-8 is found');
fails_with($ascii, q{SELECT iotdata.get_connection(E'caf\\xe9')}, '22021|22023', {}, 'SQL_ASCII: bytes that are not UTF-8 are an error');

# a text of the service's that the database cannot hold
my $answer = IotData::FaultyServer->start(answers => { a => json_answer({ thingName => '☃' }), b => json_answer({ thingName => 'é' }) });
$latin1->query("SET iotdata.endpoint_url = '" . $answer->url . "'");
fails_with($latin1, q{SELECT * FROM iotdata.get_connection('a')}, '22P05', { context => qr/GetConnection/ },
	'LATIN1: an answer that the encoding cannot hold is an error');
gives($latin1, q{SELECT octet_length(thing_name) FROM iotdata.get_connection('b')}, '1', 'LATIN1: the next call works after an answer that the encoding cannot hold');

no_crash($node);
done_testing();
