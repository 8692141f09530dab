# Messages that a trigger queues.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $server  = IotData::FaultyServer->start(answers => { lamp => json_answer({ message => 'OK', traceId => 't' }) });
my $node    = IotData::Node->make('outbox_trigger', endpoint => $server->url);
my $session = $node->session;

sub trigger { return "CREATE OR REPLACE TRIGGER send AFTER INSERT OR UPDATE OR DELETE ON device FOR EACH ROW EXECUTE FUNCTION iotdata.queue_direct_message_trigger($_[0])" }
sub waiting { return q{SELECT client_id, topic, convert_from(payload, 'UTF8'), owner, expires_at - queued_at FROM iotdata.outbox ORDER BY id DESC LIMIT 1} }

$session->query('CREATE ROLE owner; CREATE ROLE clerk; GRANT USAGE ON SCHEMA iotdata TO owner; GRANT EXECUTE ON FUNCTION iotdata.queue_direct_message_trigger TO owner');
$session->query('CREATE TABLE device (client_id text, config jsonb, n integer); ALTER TABLE device OWNER TO owner; GRANT ALL ON device TO clerk');
$session->query(trigger(q{'client_id', 'device/{client_id}/{n}', 'config', 'expires_in=1 hour'}));
$session->query('SET ROLE clerk');
$session->query(q{INSERT INTO device VALUES ('lamp', '{"on": true}', 7)});
$session->query('RESET ROLE');
gives($session, waiting(), 'lamp|device/lamp/7|{"on": true}|owner|01:00:00', 'a role that inserts a row queues a message of the table\'s owner');
$session->query('UPDATE device SET n = 8');
gives($session, waiting(), qr{^lamp\|device/lamp/8\|}, 'an update queues the new row');
$session->query(trigger(q{'client_id', 'device', '*'}) . '; DELETE FROM device');
gives($session, waiting(), 'lamp|device|{"client_id":"lamp","config":{"on": true},"n":8}|owner|NULL', 'a delete queues the old row, and * is all of it');
$session->query(trigger(q{'client_id', 'device', 'n'}) . q{; INSERT INTO device VALUES ('lamp', NULL, 9)});
gives($session, waiting(), 'lamp|device|9|owner|NULL', 'a payload of another type is text');
$session->query('CALL iotdata.process_outbox()');
is(decode_base64(($server->requests('lamp'))[-1]{body}), '9', 'it is sent');
is(scalar $server->requests('lamp'), 4, 'and so are the others');

for my $case (
	[ q{'client_id', 'a'},                   '22023', qr/the trigger's arguments must be/,   'too few arguments' ],
	[ q{'nothing', 'a', 'n'},                '42703', qr/column "nothing" does not exist/,   'a column that is not there' ],
	[ q{'client_id', 'a/{config}', 'n'},     '22023', qr/in the topic must not be null/,     'a NULL in the topic' ],
	[ q{'client_id', 'a/{client_id}', 'n'},  '22023', qr/in the topic must not contain "\/"/, 'a slash in the topic' ],
	[ q('client_id', 'a/{n', 'n'),           '22023', qr/a "\{" without a "\}"/,             'a place without an end' ],
	[ q{'client_id', 'a', 'config'},         '22004', qr/payload must not be null/,          'a payload that is NULL' ],
	[ q{'client_id', 'a', 'n', 'expires_in=soon'}, '22007', qr/interval/, 'an expiry that is no interval' ],
	[ q{'client_id', 'a', 'n', '1 hour'}, '22023', qr/"1 hour" must be an option and its value/, 'an option without a name' ],
	[ q{'client_id', 'a', 'n', 'payload=x'}, '22023', qr/the trigger has no option "payload"/, 'an option that is not there' ],
	[ q{'client_id', 'a', 'n', 'expires_in=1 h', 'expires_in=2 h'}, '22023', qr/the option "expires_in" is there twice/, 'an option that is there twice' ],
	[ q{'client_id', 'a', 'n', 'response_topic=a/{nothing}'}, '42703', qr/column "nothing" does not exist/, 'a column of the response topic that is not there' ],
	[ q{'client_id', 'a', 'n', 'confirmation=on', 'timeout=99 s'}, '22023', qr/timeout must be/, 'a time-out of 99 s' ],
	[ q{'client_id', 'a', 'n', 'server=nowhere'}, '42704', qr/server "nowhere" does not exist/, 'a server that is not there' ])
{
	my ($arguments, $sqlstate, $message, $what) = @$case;

	$session->query(trigger($arguments));
	fails_with($session, q{INSERT INTO device VALUES ('a/b', NULL, 1)}, $sqlstate, { message => $message, context => qr/trigger "send" of table "device"/ }, "$what is an error that names trigger and table");
}

# ---- options ------------------------------------------------------------------------------------

$session->query(trigger(q{'client_id', 'a', 'n', 'content_type=a=b', 'response_topic=answer/{client_id}/{n}', 'confirmation=on', 'timeout=7 s', 'user_properties={"a": "b"}', 'payload_format_indicator=UTF8_DATA', 'correlation_data=\x01'}));
$session->query(q{INSERT INTO device VALUES ('lamp', NULL, 11)});
gives($session, 'SELECT content_type, response_topic, confirmation, timeout, user_properties, payload_format_indicator, correlation_data, expires_at FROM iotdata.outbox ORDER BY id DESC LIMIT 1',
	'a=b|answer/lamp/11|t|00:00:07|{"a": "b"}|UTF8_DATA|\x01|NULL', 'every argument of queue_direct_message is an option');

# ---- for each statement -------------------------------------------------------------------------

$session->query('DROP TRIGGER send ON device; TRUNCATE device; TRUNCATE iotdata.outbox');
$session->query(qq{CREATE TRIGGER $_->[0] AFTER $_->[0] ON device REFERENCING $_->[1] TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION iotdata.queue_direct_message_trigger('client_id', '$_->[0]/{n}', 'config')})
  for [ 'insert', 'NEW' ], [ 'update', 'NEW' ], [ 'delete', 'OLD' ];
sub queued { return q{WITH gone AS (DELETE FROM iotdata.outbox RETURNING *) SELECT string_agg(client_id || ' ' || topic || ' ' || convert_from(payload, 'UTF8') || ' ' || owner, ', ' ORDER BY id) FROM gone} }
$session->query(q{SET ROLE clerk; INSERT INTO device SELECT 'd' || i, to_jsonb(i), i FROM generate_series(1, 3) i; RESET ROLE});
gives($session, queued(), 'd1 insert/1 1 owner, d2 insert/2 2 owner, d3 insert/3 3 owner', 'a statement that inserts queues each new row, in order');
$session->query(q{UPDATE device SET config = to_jsonb(n * 10) WHERE n > 1});
gives($session, queued(), 'd2 update/2 20 owner, d3 update/3 30 owner', 'a statement that updates queues each row as it is then');
$session->query(q{DELETE FROM device WHERE n < 3});
gives($session, queued(), 'd1 delete/1 1 owner, d2 delete/2 20 owner', 'a statement that deletes queues each old row');
$session->query(q{DELETE FROM device WHERE n > 3});
gives($session, queued(), 'NULL', 'a statement that changes no row queues nothing');
$session->query(q{CREATE UNIQUE INDEX ON device (n); INSERT INTO device VALUES ('d3', '3', 3), ('d4', '4', 4) ON CONFLICT (n) DO UPDATE SET config = excluded.config});
gives($session, q{SELECT string_agg(topic, ' ' ORDER BY topic) FROM iotdata.outbox}, 'insert/4 update/3', 'INSERT ON CONFLICT queues what it inserts and what it updates');
$session->query('TRUNCATE iotdata.outbox');
$session->query(q{CREATE TRIGGER again AFTER INSERT ON device REFERENCING NEW TABLE AS others FOR EACH STATEMENT EXECUTE FUNCTION iotdata.queue_direct_message_trigger('client_id', 'again/{n}', '*')});
$session->query(q{INSERT INTO device SELECT 'x', to_jsonb(repeat('y', 1000)), i FROM generate_series(10, 10009) i});
gives($session, q{SELECT count(*), count(*) FILTER (WHERE topic ~ '^again/' AND (convert_from(payload, 'UTF8')::jsonb ->> 'n') = substr(topic, 7)), count(*) FILTER (WHERE length(payload) > 1000) FROM iotdata.outbox},
	'20000|10000|20000', 'two triggers read the same 10,000 rows, whole');
$session->query(q{TRUNCATE iotdata.outbox; DROP TRIGGER again ON device});
$session->query(q{ALTER TABLE device RENAME TO part; CREATE TABLE device (n integer, config jsonb, client_id text) PARTITION BY LIST (n); ALTER TABLE device OWNER TO owner; DROP TRIGGER insert ON part; DROP TRIGGER update ON part; DROP TRIGGER delete ON part; TRUNCATE part; ALTER TABLE device ATTACH PARTITION part DEFAULT});
$session->query(q{CREATE TRIGGER insert AFTER INSERT ON device REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION iotdata.queue_direct_message_trigger('client_id', 'p/{n}', 'config')});
$session->query(q{INSERT INTO device VALUES (1, '7', 'lamp')});
gives($session, queued(), 'lamp p/1 7 owner', 'rows of a partition with another order of columns are the table\'s');
$session->query(q{DROP TABLE device; CREATE TABLE device (client_id text, config jsonb, n integer); ALTER TABLE device OWNER TO owner});

for my $case (
	[ 'AFTER INSERT',                             '39P01', qr/with a transition table/,                                                              'without a transition table' ],
	[ 'BEFORE INSERT',                            '39P01', qr/with a transition table/,                                                              'before a statement' ],
	[ 'AFTER TRUNCATE',                           '39P01', qr/with a transition table/,                                                              'for TRUNCATE' ],
	[ 'AFTER INSERT REFERENCING NEW TABLE AS r', '42703', qr/column "nothing" does not exist/, 'with a bad argument, though there is no row,', 'nothing' ])
{
	my ($when, $sqlstate, $message, $what, $column) = @$case;
	my ($event, $referencing) = split / (?=REFERENCING)/, $when;

	$session->query("CREATE OR REPLACE TRIGGER send $event ON device " . ($referencing // '') . " FOR EACH STATEMENT EXECUTE FUNCTION iotdata.queue_direct_message_trigger('@{[ $column // 'client_id' ]}', 'a', 'n')");
	fails_with($session, $event =~ /TRUNCATE/ ? 'TRUNCATE device' : 'INSERT INTO device SELECT FROM generate_series(1, 0)', $sqlstate, { message => $message, context => qr/trigger "send" of table "device"/ }, "a trigger $what is an error that names trigger and table");
	$session->query('DROP TRIGGER send ON device');
}

# ---- privileges ---------------------------------------------------------------------------------

$session->query('REVOKE EXECUTE ON FUNCTION iotdata.queue_direct_message_trigger FROM owner');
$session->query(trigger(q{'client_id', 'device', 'n'}) . q{; INSERT INTO device VALUES ('lamp', NULL, 10); CALL iotdata.process_outbox()});
gives($session, 'SELECT error_code FROM iotdata.outbox_failed', '42501', 'when the owner may no longer call the function the message fails');

no_crash($node);
done_testing();
