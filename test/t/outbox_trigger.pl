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
$session->query(trigger(q{'client_id', 'device/{client_id}/{n}', 'config', '1 hour'}));
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
	[ q{'client_id', 'a', 'n', 'soon'},      '22007', qr/interval/,                          'an expiry that is no interval' ])
{
	my ($arguments, $sqlstate, $message, $what) = @$case;

	$session->query(trigger($arguments));
	fails_with($session, q{INSERT INTO device VALUES ('a/b', NULL, 1)}, $sqlstate, { message => $message, context => qr/trigger "send" of table "device"/ }, "$what is an error that names trigger and table");
}
$session->query('REVOKE EXECUTE ON FUNCTION iotdata.queue_direct_message_trigger FROM owner');
$session->query(trigger(q{'client_id', 'device', 'n'}) . q{; INSERT INTO device VALUES ('lamp', NULL, 10); CALL iotdata.process_outbox()});
gives($session, 'SELECT error_code FROM iotdata.outbox_failed', '42501', 'when the owner may no longer call the function the message fails');

no_crash($node);
done_testing();
