# What an argument may be is decided before anything is sent: NULL, types, limits, transactions that
# only read. What is sent is what the API calls for, byte by byte.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $server = IotData::FaultyServer->start(
	answers => {
		good => json_answer({ connected => JSON::PP::true, clientId => 'good' }),
		lamp => json_answer({ message => 'OK', traceId => 't' }),
	});
my $node    = IotData::Node->make('arguments', endpoint => $server->url);
my $session = $node->session;

sub requests { return scalar($server->requests) }

# ---- NULL and empty -----------------------------------------------------------------------------

for my $type (qw(bytea text json jsonb))
{
	fails_with($session, "SELECT iotdata.send_direct_message('lamp', 'a', NULL::$type)", '22004', { message => qr/\Apayload must not be null/ },
		"a payload of type $type that is NULL is an error");
}
fails_with($session, q{SELECT iotdata.send_direct_message('lamp', 'a', '{"speed":' || NULL || '}')}, '22004', {},
	'a payload that became NULL in an expression is an error');
is(requests(), 0, 'nothing is sent for a payload that is NULL');
gives($session, q{SELECT (iotdata.send_direct_message('lamp', 'a')).message}, 'OK', 'a message without a payload is sent');
gives($session, q{SELECT (iotdata.send_direct_message('lamp', 'a', row_to_json(r))).message FROM (SELECT 1 AS n, 'x y' AS s) r}, 'OK',
	'what row_to_json makes is sent');
my @requests = $server->requests('lamp');
is(decode_base64($requests[0]{body}), '', 'a message without a payload has an empty body');
is(decode_base64($requests[1]{body}), '{"n":1,"s":"x y"}', 'json is sent as it was written');
$session->query(q{SELECT iotdata.send_direct_message('lamp', 'a', correlation_data => '', user_properties => '{}')});
@requests = $server->requests('lamp');
is($requests[2]{headers}{'x-amz-mqtt5-correlation-data'}, '', 'empty correlation data is sent, as an empty header');
like($requests[2]{headers}{authorization}, qr/SignedHeaders=[^,]*x-amz-mqtt5-correlation-data/, 'an empty header of correlation data is signed');
is($requests[2]{headers}{'x-amz-mqtt5-user-properties'}, 'W10=', 'no user properties are sent as an empty list');
$session->query(q{SELECT iotdata.send_direct_message('lamp', 'a')});
@requests = $server->requests('lamp');
ok(!exists $requests[3]{headers}{'x-amz-mqtt5-correlation-data'}, 'correlation data that is NULL is not sent');

# ---- what is too much ---------------------------------------------------------------------------

my $before = requests();
fails_with(
	$session,
	q{SELECT iotdata.send_direct_message('lamp', 'a', user_properties => (SELECT jsonb_agg('{"":""}'::jsonb) FROM generate_series(1, 300000)))},
	'22023',
	{ message => qr/\Auser_properties must take at most 8192 bytes in MQTT .*, not 1500000\z/ },
	'user properties whose names and values are empty count, too');
fails_with($session, q{SELECT iotdata.send_direct_message('lamp', 'a', user_properties => (SELECT jsonb_agg('{"":""}'::jsonb) FROM generate_series(1, 1639)))},
	'22023', {}, '1,639 empty user properties are too many');
is(requests(), $before, 'nothing is sent for what is too much');
gives($session, q{SELECT (iotdata.send_direct_message('lamp', 'a', user_properties => (SELECT jsonb_agg('{"":""}'::jsonb) FROM generate_series(1, 1638)))).message},
	'OK', '1,638 empty user properties are not too many');

# ---- what an error tells ------------------------------------------------------------------------

fails_with($session, q{SELECT iotdata.get_connection('$SYS')}, '22023', { message => qr/\Aclient_id must not begin/, context => qr/\Aargument client_id "\$SYS" of AWS IoT GetConnection$/m },
	'CONTEXT names the value of an argument that is wrong');
fails_with($session, q{SELECT iotdata.send_direct_message('lamp', 'a/+', 'secret')}, '22023', { context => qr/\Aargument topic "a\/\+" of AWS IoT SendDirectMessage, client_id "lamp"$/m },
	'CONTEXT names the client, too, when another argument is wrong');
fails_with($session, q{SELECT * FROM (VALUES ('good'), ('$SYS')) d (id) LEFT JOIN LATERAL iotdata.get_connection(d.id) c ON true}, '22023',
	{ context => qr/\Aargument client_id "\$SYS" of AWS IoT GetConnection$/m }, 'CONTEXT names the value in a join');
my $long = fails_with($session, q{SELECT iotdata.get_connection(repeat('x', 100000))}, '22023', {}, 'a client ID of 100,000 bytes is refused');
cmp_ok(length $long->{context}, '<', 300, 'CONTEXT cuts a long value');
my $big = fails_with($session, q{SELECT iotdata.send_direct_message('lamp', 'a', repeat('secret', 100000))}, '22023', {}, 'a payload of 600,000 bytes is refused');
unlike($big->{context}, qr/secret/, 'CONTEXT shows nothing of a payload');

# ---- transactions that only read ----------------------------------------------------------------

$before = requests();
for my $action (q{iotdata.send_direct_message('lamp', 'a')}, q{iotdata.delete_connection('lamp')})
{
	fails_with($session, "BEGIN READ ONLY; SELECT $action", '25006', { message => qr/read-only transaction/ }, "a read-only transaction does nothing: $action");
	$session->query('ROLLBACK');
}
fails_with($session, q{SET default_transaction_read_only = on; SELECT iotdata.send_direct_message(NULL, 'a')}, '25006', {}, 'a read-only transaction comes before the arguments');
is(requests(), $before, 'nothing is sent in a read-only transaction');
gives($session, q{SELECT connected FROM iotdata.get_connection('good')}, 't', 'a read-only transaction reads');
$session->query('RESET default_transaction_read_only');

# ---- SQL objects that are not the extension's ---------------------------------------------------

my $library = q{'$libdir/iotdata', 'iotdata_get_connection' LANGUAGE C};
$session->query("CREATE FUNCTION by_number(integer) RETURNS iotdata.connection AS $library");
$session->query("CREATE FUNCTION by_name(name) RETURNS iotdata.connection AS $library");
$session->query("CREATE FUNCTION with_five(text, boolean, interval, text, text) RETURNS iotdata.connection AS $library");
$session->query("CREATE TYPE pair AS (connected boolean, thing_name bytea)");
$session->query("CREATE FUNCTION to_bytes(text) RETURNS pair AS $library");
$session->query("CREATE FUNCTION to_record(text) RETURNS record AS $library");
$session->query("CREATE FUNCTION to_number(text) RETURNS integer AS $library");
$session->query("CREATE TYPE wide AS (" . join(', ', map { "c$_ text" } 1 .. 40) . ")");
$session->query("CREATE FUNCTION to_wide(text) RETURNS wide AS $library");
$before = requests();
for my $call ('by_number(1)', q{by_name('good')}, q{with_five('good', true, NULL, '', '')}, q{to_bytes('good')}, q{to_record('good')},
	q{to_number('good')}, q{to_wide('good')})
{
	fails_with($session, "SELECT $call", '55000', { hint => qr/ALTER EXTENSION iotdata UPDATE/ }, "a function that does not fit the library is an error: $call");
}
is(requests(), $before, 'nothing is sent by a function that does not fit the library');
$session->query("CREATE FUNCTION to_one(text) RETURNS boolean AS $library");
gives($session, q{SELECT to_one('good')}, 't', 'a function may return the first column alone');
$session->query("CREATE FUNCTION to_nothing(text) RETURNS void AS $library");
gives($session, q{SELECT to_nothing('good') IS NULL}, 'f', 'a function may return nothing');

goes_on($session, 'all of it');
no_crash($node);
done_testing();
