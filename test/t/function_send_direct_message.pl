# send_direct_message: what arrives at a real MQTT client, and what is said when nothing can.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use Test::More;
use Time::HiRes qw(time);

my $emulator = IotData::Emulator->start;
my $node     = IotData::Node->make('message', endpoint => $emulator->url);
my $session  = $node->session;

# a client of MQTT 5 that is subscribed to something else, and one of MQTT 3.1.1
my $lamp = IotData::Client->start($emulator, 'lamp', topics => { 'other' => 1 });
my $old  = IotData::Client->start($emulator, 'old', topics => { 'other' => 0 }, version => 'mqttv311');

# Sends, and returns what arrived as a string of the wanted parts.
sub arrives
{
	my ($client, $arguments, $parts, $expected, $name) = @_;
	my $result = $session->try("SELECT message IS NOT NULL, trace_id IS NOT NULL FROM iotdata.send_direct_message($arguments)");

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	if (defined $result->{sqlstate})
	{
		fail($name);
		diag($result->{stderr});
		return;
	}
	my $message = $client->next_message;
	return is(join('|', @$message{@$parts}), $expected, $name);
}

sub hex_of { return unpack 'H*', $_[0] }

# ---- payloads -----------------------------------------------------------------------------------

my @what = qw(topic payload qos);
arrives($lamp, q{'lamp', 'a/b'},                               \@what, 'a/b||0',                         'a message without a payload arrives empty');
arrives($lamp, q{'lamp', 'a/b', ''::text},                     \@what, 'a/b||0',                         'an empty payload arrives empty');
arrives($lamp, q{'lamp', 'a/b', '\x00ff0a0d'::bytea},          \@what, 'a/b|00ff0a0d|0',                 'a payload of type bytea arrives byte by byte');
arrives($lamp, "'lamp', 'a/b', '\xe2\x98\x83 snow'::text",     \@what, 'a/b|' . hex_of("\xe2\x98\x83 snow") . '|0', 'a payload of type text arrives in UTF-8');
$session->query(q{SELECT iotdata.send_direct_message('lamp', 'a/b', '{"on": true, "n": [1, 2.50]}'::jsonb)});
my $json = pack 'H*', $lamp->next_message->{payload};
is($session->query("SELECT '$json'::jsonb = '{\"on\": true, \"n\": [1, 2.50]}'::jsonb"), 't', 'a payload of type jsonb arrives as JSON');
arrives($old, q{'old', 'a/b', 'x'::text}, \@what, 'a/b|78|0', 'a message arrives at a client of MQTT 3.1.1');
arrives($lamp, q{'lamp', 'a/b', convert_to(repeat('0123456789abcdef', 8192), 'UTF8')}, \@what, 'a/b|' . hex_of('0123456789abcdef' x 8192) . '|0',
	'a payload of 131,072 bytes arrives');

# ---- properties ---------------------------------------------------------------------------------

my @properties = qw(content_type response_topic correlation_data payload_format_indicator user_properties);
arrives($lamp, q{'lamp', 'a/b', 'x'::text}, \@properties, '||||', 'a message has no properties unless they are given');
arrives($lamp, <<'SQL', \@properties, "application/json|answers/lamp|c\xc3\xa9-7|1|colour:red size:9", 'every property arrives');
'lamp', 'a/b', '{}'::jsonb, content_type => 'application/json', response_topic => 'answers/lamp',
user_properties => '[{"colour": "red"}, {"size": "9"}]', payload_format_indicator => 'UTF8_DATA',
correlation_data => '\x63c3a92d37'
SQL
arrives($lamp, q{'lamp', 'a/b', user_properties => '[{"k": "1"}, {"k": "2"}, {"a": "3"}]'}, ['user_properties'], 'k:1 k:2 a:3',
	'user properties of the API\'s form keep their order, and one name may come again');
arrives($lamp, q{'lamp', 'a/b', user_properties => '{"b": "1", "a": "2"}'}, ['user_properties'], 'a:2 b:1', 'user properties can be an object');
arrives($lamp, "'lamp', 'a/b', user_properties => '{\"\xc3\xa9\": \"\xe2\x98\x83\"}'", ['user_properties'], "\xc3\xa9:\xe2\x98\x83", 'user properties that are not ASCII arrive');
arrives($lamp, q{'lamp', 'a/b', user_properties => '{}'}, ['user_properties'], '', 'an empty object of user properties arrives as none');
arrives($lamp, q{'lamp', 'a/b', payload_format_indicator => 'UNSPECIFIED_BYTES'}, ['payload_format_indicator'], '0', 'the payload format UNSPECIFIED_BYTES arrives')
  or diag('mosquitto_sub may print an indicator of 0 as nothing');
arrives($lamp, "'lamp', 'one two/%41&x=\xc3\xa9?'", ['topic'], "one two/%41&x=\xc3\xa9?", 'a topic may have any character');
arrives($lamp, q{'lamp', 'a/b', content_type => 'text/plain; charset="utf-8"&x=1+2'}, ['content_type'], 'text/plain; charset="utf-8"&x=1+2', 'a content type may have any character');

# ---- confirmation -------------------------------------------------------------------------------

arrives($lamp, q{'lamp', 'a/b', 'x'::text, confirmation => true}, \@what, 'a/b|78|1', 'a confirmed message goes at QoS 1');
arrives($lamp, q{'lamp', 'a/b', 'x'::text, confirmation => true, timeout => '15 s'}, \@what, 'a/b|78|1', 'a message can be confirmed within 15 s');

$lamp->freeze;
my $begun = time;
my $failed = fails_with($session, q{SELECT iotdata.send_direct_message('lamp', 'a/b', 'late'::text, confirmation => true, timeout => '1 s')}, 'IO504',
	{ message => qr/GatewayTimeout/, context => qr/SendDirectMessage.*lamp/s }, 'a message that is not confirmed in time is IO504');
my $took = time - $begun;
cmp_ok($took, '>=', 1, 'a confirmation is waited for as long as the message\'s time-out says');
like(join(' ', map { $failed->{$_} // '' } qw(detail hint)), qr/may have arrived/i, 'the error of a message that is not confirmed says that it may have arrived');
$lamp->thaw;
is($lamp->next_message->{payload}, hex_of('late'), 'a message that was not confirmed in time arrives once the client is awake');
arrives($lamp, q{'lamp', 'a/b', 'x'::text, confirmation => true, timeout => '15 s'}, \@what, 'a/b|78|1', 'the next message is confirmed');

# the time-out of the message is added to that of the request
$session->query("SET iotdata.request_timeout = '2s'");
$lamp->freeze;
fails_with($session, q{SELECT iotdata.send_direct_message('lamp', 'a/b', 'late'::text, confirmation => true, timeout => '3 s')}, 'IO504', {},
	'the message\'s time-out is added to request_timeout');
$lamp->thaw;
$lamp->next_message;
$session->query('RESET iotdata.request_timeout');

# ---- nobody there -------------------------------------------------------------------------------

fails_with($session, q{SELECT iotdata.send_direct_message('nobody', 'a/b', 'x'::text)}, 'IO404',
	{ message => qr/ResourceNotFound/, detail => qr/404/, context => qr/SendDirectMessage.*nobody/s }, 'a message to a client that is not connected is IO404');
my $gone = IotData::Client->start($emulator, 'gone', persistent => 1, session_expiry => 600);
$gone->leave;
ok(eventually(sub { $session->query(q{SELECT connected FROM iotdata.get_connection('gone')}) eq 'f' }), 'a client with a persistent session leaves');
fails_with($session, q{SELECT iotdata.send_direct_message('gone', 'a/b', 'x'::text)}, 'IO404', {}, 'a message to a client that left is IO404, though it has a session');

# ---- NULL ---------------------------------------------------------------------------------------

my $before = $emulator->requests;
fails_with($session, q{SELECT iotdata.send_direct_message(NULL, 'a/b', 'x'::text)},  '22004', { message => qr/client_id/ }, 'a client that is NULL is 22004');
fails_with($session, q{SELECT iotdata.send_direct_message('lamp', NULL, 'x'::text)}, '22004', { message => qr/topic/ },     'a topic that is NULL is 22004');
is($emulator->requests, $before, 'a client or a topic that is NULL makes no request');
arrives($lamp, q{'lamp', 'a/b', 'x'::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL}, \@what, 'a/b|78|0', 'optional arguments that are NULL count as not given');

# ---- in a database's work -----------------------------------------------------------------------

$session->query(<<'SQL');
CREATE TABLE device (client_id text PRIMARY KEY, config jsonb);
INSERT INTO device VALUES ('lamp', '{}'), ('nobody', '{}');
CREATE FUNCTION tell_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM iotdata.send_direct_message(NEW.client_id, 'device/' || NEW.client_id || '/config', NEW.config);
	RETURN NEW;
EXCEPTION WHEN SQLSTATE 'IO404' THEN
	RAISE NOTICE 'device % is off', NEW.client_id;
	RETURN NEW;
END $$;
CREATE TRIGGER tell AFTER UPDATE ON device FOR EACH ROW EXECUTE FUNCTION tell_device();
SQL
$session->query(q{UPDATE device SET config = '{"level": 3}' WHERE client_id = 'lamp'});
my $told = $lamp->next_message;
is("$told->{topic} " . (pack 'H*', $told->{payload}) =~ s/\s//gr, 'device/lamp/config {"level":3}', 'a trigger tells the device about its row');
my $off = $session->try(q{UPDATE device SET config = '{"level": 4}' WHERE client_id = 'nobody'});
is($off->{notices}[0]{message}, 'device nobody is off', 'PL/pgSQL catches IO404');
gives($session, q{SELECT count(*) FROM device WHERE config ->> 'level' = '4'}, '1', 'a row is changed though PL/pgSQL caught an error of its trigger');
fails_with($session, q{DO $$ BEGIN PERFORM iotdata.send_direct_message('nobody', 'a/b', 'x'::text); END $$}, 'IO404',
	{ context => qr/SendDirectMessage.*PL\/pgSQL/s }, 'the context has the call and the PL/pgSQL function');
fails_with($session, q{BEGIN; INSERT INTO device VALUES ('x'); SELECT iotdata.send_direct_message('nobody', 'a/b', 'x'::text)}, 'IO404', {}, 'a message in a transaction can fail');
$session->query('ROLLBACK');
gives($session, q{SELECT count(*) FROM device WHERE client_id = 'x'}, '0', 'a transaction whose message failed can be rolled back');

gives($session, q{SELECT count(*) FROM (SELECT iotdata.send_direct_message('lamp', 'n/' || n, n::text) FROM generate_series(1, 3) n OFFSET 0) s}, '3', 'a message can be sent for each row');
is(join(' ', map { $lamp->next_message->{topic} } 1 .. 3), 'n/1 n/2 n/3', 'messages for rows arrive in the order of the rows');
is($lamp->waiting, 0, 'no message arrives that was not sent');

# ---- what goes over the wire --------------------------------------------------------------------

my $server = IotData::FaultyServer->start(answers => { lamp => json_answer({ message => 'OK', traceId => 'trace' }), bare => json_answer({}) });
$session->query("SET iotdata.endpoint_url = '" . $server->url . "'");
gives($session, q{SELECT * FROM iotdata.send_direct_message('lamp', 'a/b')}, 'OK|trace', 'the service\'s message and trace id come back');
gives($session, q{SELECT * FROM iotdata.send_direct_message('bare', 'a/b')}, 'NULL|NULL', 'a message and a trace id that the service does not give are NULL');
my ($request) = $server->requests('lamp');
like($request->{target}, qr{\A/connections/lamp/messages\?topic=a%2Fb(?:&confirmation=false)?\z}, 'an argument that is not given is not in the request');
is($request->{headers}{'content-length'}, '0', 'a message without a payload has a length of 0');
ok(!(grep { /^x-amz-mqtt5/ } keys %{ $request->{headers} }), 'a message without properties has no MQTT 5 header');

# bad arguments reach nobody; pg_regress has them all
for my $case (
	[ q{'', 'a/b'},                                    'an empty client ID' ],
	[ q{'.', 'a/b'},                                   'the client ID "."' ],
	[ q{'..', 'a/b'},                                  'the client ID ".."' ],
	[ q{'$x', 'a/b'},                                  'a client ID with $' ],
	[ q{repeat('x', 129), 'a/b'},                      'a client ID of 129 bytes' ],
	[ q{'lamp', ''},                                   'an empty topic' ],
	[ q{'lamp', 'a/+'},                                'a topic with +' ],
	[ q{'lamp', 'a/#'},                                'a topic with #' ],
	[ q{'lamp', '1/2/3/4/5/6/7/8/9'},                  'a topic with 8 slashes' ],
	[ q{'lamp', 'a/b', repeat('x', 131073)::bytea},    'a payload of 131,073 bytes' ],
	[ q{'lamp', 'a/b', content_type => E'a\r\nx: y'},  'CR and LF in the content type' ],
	[ q{'lamp', 'a/b', response_topic => 'a/#'},       'a response topic with #' ],
	[ q{'lamp', 'a/b', user_properties => '{"a": 1}'}, 'user properties that are no text' ],
	[ q{'lamp', 'a/b', confirmation => true, timeout => '16 s'},  'a time-out of 16 s' ],
	[ q{'lamp', 'a/b', confirmation => true, timeout => '1.5 s'}, 'a time-out of half a second' ])
{
	my ($arguments, $what) = @$case;

	$before = $server->requests;
	fails_with($session, "SELECT iotdata.send_direct_message($arguments)", '22\w{3}', {}, "$what is an error");
	is(scalar $server->requests, $before, "$what makes no request");
}
my $ignored = $session->try(q{SELECT message FROM iotdata.send_direct_message('lamp', 'a/b', timeout => '5 s')});
is($ignored->{out}, 'OK', 'a time-out without confirmation is ignored');
is($ignored->{notices}[0]{severity}, 'NOTICE', 'a time-out without confirmation gives a notice');
ok((grep { /timeout/ } $ignored->{notices}[0]{message}), 'the notice about a time-out without confirmation names the argument');

no_crash($node);
done_testing();
