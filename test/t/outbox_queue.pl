# Messages put into the outbox: what is checked at once, what a role needs, whose rows it sees, and
# what is not sent twice by a copy.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $server  = IotData::FaultyServer->start(answers => { map { $_ => json_answer({ message => 'OK', traceId => 't' }) } qw(lamp door) });
my $node    = IotData::Node->make('outbox_queue', endpoint => $server->url);
my $session = $node->session;

sub bodies { return map { decode_base64($_->{body}) } $server->requests(@_) }

# ---- transactions -------------------------------------------------------------------------------

gives($session, q{SELECT iotdata.queue_direct_message('lamp', 'a/b', 'one'::text)}, '1', 'queueing returns the id');
gives($session, q{SELECT client_id, topic, convert_from(payload, 'UTF8'), owner, payload_type FROM iotdata.outbox}, 'lamp|a/b|one|postgres|text', 'the message waits in the outbox');
$session->query(q{BEGIN; SELECT iotdata.queue_direct_message('lamp', 'a/b', 'rolled back'::text); ROLLBACK});
$session->query(q{BEGIN; SAVEPOINT s; SELECT iotdata.queue_direct_message('lamp', 'a/b', 'rolled back, too'::text); ROLLBACK TO s; SELECT iotdata.queue_direct_message('lamp', 'a/b', '{"n": 2}'::jsonb); COMMIT});
is($server->requests, 0, 'nothing is sent while it is queued');
$session->query('CALL iotdata.process_outbox()');
is_deeply([ bodies('lamp') ], [ 'one', '{"n": 2}' ], 'what was committed is sent, in order, and nothing that was rolled back');
gives($session, 'SELECT count(*) FROM iotdata.outbox', '0', 'what was delivered does not wait any longer');
gives($session, 'SELECT id, state, attempts, unknown FROM iotdata.outbox_ended ORDER BY id', "1|delivered|1|0\n4|delivered|1|0", 'what was delivered is told of');

# ---- all arguments ------------------------------------------------------------------------------

$session->query(<<'SQL');
SELECT iotdata.queue_direct_message('lamp', 'c/d', '\x00ff'::bytea, content_type => 'text/x', response_topic => 'r/t', confirmation => true,
	timeout => '7 s', user_properties => '{"a": "b"}', payload_format_indicator => 'UTF8_DATA', correlation_data => '\x01')
SQL
$session->query(<<'SQL');
SELECT iotdata.send_direct_message('lamp', 'c/d', '\x00ff'::bytea, content_type => 'text/x', response_topic => 'r/t', confirmation => true,
	timeout => '7 s', user_properties => '{"a": "b"}', payload_format_indicator => 'UTF8_DATA', correlation_data => '\x01')
SQL
$session->query('CALL iotdata.process_outbox()');
my ($direct, $queued) = ($server->requests('lamp'))[ -2, -1 ];
is($queued->{target}, $direct->{target}, 'a queued message has the query of one that is sent');
is($queued->{body},   $direct->{body},   'a queued message has the body of one that is sent');
is_deeply({ map { $_ => $queued->{headers}{$_} } grep { /mqtt5/ } keys %{ $queued->{headers} } },
	{ map { $_ => $direct->{headers}{$_} } grep { /mqtt5/ } keys %{ $direct->{headers} } }, 'a queued message has the MQTT 5 headers of one that is sent');
$session->query(q{SELECT iotdata.queue_direct_message('lamp', 'a/b')});
$session->query('CALL iotdata.process_outbox()');
is((bodies('lamp'))[-1], '', 'a message without a payload is queued');

$session->query('SET iotdata.outbox_message_id = on');
my $id = $session->query(q{SELECT iotdata.queue_direct_message('lamp', 'a/b', 'x'::text, user_properties => '[{"a": "b"}]')});
$session->query('RESET iotdata.outbox_message_id; CALL iotdata.process_outbox()');
is(decode_base64(($server->requests('lamp'))[-1]{headers}{'x-amz-mqtt5-user-properties'}),
	qq([{"a":"b"},{"iotdata-message-id":"$id"}]), 'the id travels in the user properties when that is wished for');

# ---- what is wrong is said at once --------------------------------------------------------------

for my $case (
	[ q{'', 'a/b'},                                              '22023', qr/client_id must be 1 to 128 bytes/, 'an empty client ID' ],
	[ q{NULL, 'a/b'},                                            '22004', qr/client_id must not be null/,      'no client ID' ],
	[ q{'lamp', 'a/#'},                                          '22023', qr/topic must not contain/,          'a topic with #' ],
	[ q{'lamp', 'a/b', NULL::text},                              '22004', qr/payload must not be null/,        'a payload that is NULL' ],
	[ q{'lamp', 'a/b', repeat('x', 131073)},                     '22023', qr/payload must be at most 131072/,  'a payload of 131,073 bytes' ],
	[ q{'lamp', 'a/b', user_properties => '{"a": 1}'},           '22023', qr/user_properties must be/,         'user properties that are no text' ],
	[ q{'lamp', 'a/b', confirmation => true, timeout => '16 s'}, '22023', qr/timeout must be/,                 'a time-out of 16 s' ],
	[ q{'lamp', 'a/b', expires_in => '-1 s'},                    '22023', qr/expires_in must not be negative/, 'a message that has expired' ],
	[ q{'lamp', 'a/b', server => 'nowhere'},                     '42704', qr/server "nowhere" does not exist/, 'a server that is not there' ])
{
	my ($arguments, $sqlstate, $message, $what) = @$case;

	fails_with($session, "SELECT iotdata.queue_direct_message($arguments)", $sqlstate, { message => $message }, "$what is an error when it is queued");
}
fails_with($session, q{BEGIN READ ONLY; SELECT iotdata.queue_direct_message('lamp', 'a/b')}, '25006', {}, 'queueing is refused in a read-only transaction');
$session->query('ROLLBACK');
fails_with($session, q{BEGIN; CALL iotdata.process_outbox()}, '2D000', {}, 'process_outbox is refused in a transaction block');
$session->query('ROLLBACK');
my $ignored = $session->try(q{SELECT iotdata.queue_direct_message('lamp', 'a/b', timeout => '5 s')});
is(scalar @{ $ignored->{notices} }, 1, 'a time-out without confirmation gives a notice when it is queued');
is(scalar @{ $session->try('CALL iotdata.process_outbox()')->{notices} }, 0, 'and no notice when it is sent');

# ---- many ---------------------------------------------------------------------------------------

gives($session, q{SELECT count(iotdata.queue_direct_message('bulk-' || i, 'a/b', 'x'::text)) FROM generate_series(1, 100000) i}, '100000', '100,000 messages are queued in one statement');
gives($session, q{SELECT count(*), count(DISTINCT id), count(DISTINCT device) FROM iotdata.outbox}, '100000|100000|100000', 'each of them waits');
gives($session, 'SELECT messages, is_estimate FROM iotdata.outbox_status WHERE state = $$waiting$$', qr/^\d+\|t$/, 'so many are not counted one by one');
$session->query('TRUNCATE iotdata.outbox; SELECT pg_stat_reset()');

$session->query('SET iotdata.outbox_max = 5');
fails_with($session, q{SELECT iotdata.queue_direct_message('lamp', 'a/b') FROM generate_series(1, 6)}, '53400', { message => qr/too many messages wait in the outbox/, detail => qr/outbox_max is 5/ }, 'more than iotdata.outbox_max is an error');
gives($session, q{SELECT count(iotdata.queue_direct_message('lamp', 'a/b')) FROM generate_series(1, 5)}, '5', 'as many as iotdata.outbox_max may wait');
$session->query('RESET iotdata.outbox_max; TRUNCATE iotdata.outbox');

# ---- roles --------------------------------------------------------------------------------------

$session->query('CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; GRANT USAGE ON SCHEMA iotdata TO alice, bob');
my %session = map { $_ => $node->session(user => $_) } qw(alice bob);
fails_with($session{alice}, q{SELECT iotdata.queue_direct_message('lamp', 'a/b', 'x'::text)}, '42501', {}, 'a role without EXECUTE may not queue');
$session->query('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO alice, bob');
$id = $session{alice}->query(q{SELECT iotdata.queue_direct_message('lamp', 'a/b', 'from alice'::text)});
ok($id > 0, 'a role with EXECUTE may queue, and needs nothing else');
fails_with($session{alice}, 'SELECT * FROM iotdata.outbox', '42501', {}, 'a role without SELECT does not see the outbox');
$session->query('GRANT SELECT ON iotdata.outbox, iotdata.outbox_ended, iotdata.outbox_failed TO alice, bob');
gives($session{alice}, 'SELECT owner, convert_from(payload, $$UTF8$$) FROM iotdata.outbox', 'alice|from alice', 'a role sees what it queued');
gives($session{bob}, 'SELECT count(*) FROM iotdata.outbox', '0', 'a role does not see what others queued');
gives($session{bob}, "SELECT iotdata.cancel($id)", 'f', 'a role cannot cancel what others queued');
gives($session{alice}, "SELECT iotdata.cancel($id)", 't', 'a role can cancel what it queued');
gives($session{alice}, "SELECT state, attempts FROM iotdata.outbox_ended WHERE id = $id", 'cancelled|0', 'what was cancelled is told of');
gives($session{bob}, "SELECT iotdata.retry($id)", 'f', 'a role cannot bring back what others queued');
gives($session{alice}, "SELECT iotdata.retry($id)", 't', 'a role can bring back what it has cancelled');
$session->query('CALL iotdata.process_outbox()');
is((bodies('lamp'))[-1], 'from alice', 'what was cancelled and brought back is sent');

$id = $session{alice}->query(q{SELECT iotdata.queue_direct_message('door', 'a/b', 'x'::text)});
my $kept = $session{alice}->query(q{SELECT iotdata.queue_direct_message('door', 'a/b', '1'::json)});
$session->query(q{REVOKE EXECUTE ON FUNCTION iotdata.queue_direct_message(text, text, text, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name) FROM alice});
$session->query('CALL iotdata.process_outbox()');
gives($session{alice}, "SELECT id, state, error_code, error_message FROM iotdata.outbox_failed", qq($id|failed|42501|permission denied for role "alice", which queued the message), 'a message whose role may no longer queue it has failed');
gives($session{alice}, "SELECT state FROM iotdata.outbox_ended WHERE id = $kept", 'delivered', 'and another, for which it still may, is sent');

$session->query(q{CREATE ROLE gone; GRANT ALL ON SCHEMA iotdata TO gone; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO gone});
$session->query(q{SET ROLE gone; SELECT iotdata.queue_direct_message('lamp', 'a/b', 'of nobody'::text); RESET ROLE});
$session->query('DROP OWNED BY gone; DROP ROLE gone; CALL iotdata.process_outbox()');
gives($session, q{SELECT state, error_code FROM iotdata.outbox_failed WHERE error_message ~ 'does not exist'}, 'failed|42501', 'a message of a role that was dropped has failed');
is((grep { $_ eq 'of nobody' } bodies('lamp')), 0, 'and was not sent');

# ---- copies -------------------------------------------------------------------------------------

$session->query(q{SELECT iotdata.queue_direct_message('lamp', 'a/b', 'before the copy'::text)});
my $sent = $server->requests;
$node->safe_psql('template1', 'CREATE DATABASE restored');
$node->command_ok([ 'sh', '-c', 'pg_dump -d "$1" | psql -X -q -v ON_ERROR_STOP=1 -d "$2"', 'sh', map { $node->connstr($_) } qw(postgres restored) ], 'the database can be dumped and restored');
my $restored = $node->session(dbname => 'restored');
$restored->query(q{SET iotdata.endpoint_url = '} . $server->url . q{'});
gives($restored, 'SELECT count(*) FROM iotdata.outbox', '1', 'a dump has the messages that wait');
gives($restored, q{SELECT messages FROM iotdata.outbox_status WHERE state = 'not adopted'}, '1', 'the status tells of messages that were not queued here');
$restored->query('CALL iotdata.process_outbox()');
is($server->requests, $sent, 'a restored message is not sent by itself');
gives($restored, 'SELECT iotdata.adopt_outbox()', '1', 'a restored message can be adopted');
$restored->query('CALL iotdata.process_outbox()');
is($server->requests, $sent + 1, 'and then it is sent');
ok($restored->query(q{SELECT iotdata.queue_direct_message('lamp', 'a/b')}) > $restored->query('SELECT max(id) FROM iotdata.outbox_ended'), 'ids go on after the restored ones');
$restored->quit;

$session->query(q{SET session_replication_role = replica; COPY iotdata.outbox FROM PROGRAM 'printf ""'; RESET session_replication_role});
$session->query(q{SET session_replication_role = replica; INSERT INTO iotdata.outbox SELECT id + 1000000, device, xid, home, owner, payload_type, server, queued_at, expires_at, client_id, topic, payload FROM iotdata.outbox; RESET session_replication_role});
gives($session, 'SELECT id > 1000000, home = 0 FROM iotdata.outbox ORDER BY id', "f|f\nt|t", 'a row that comes another way is marked, whatever session_replication_role is');
$session->quit;
$_->quit for values %session;

$node->safe_psql('template1', 'CREATE DATABASE copied TEMPLATE postgres');
my $copied = $node->session(dbname => 'copied');
$sent = $server->requests;
$copied->query(q{SET iotdata.endpoint_url = '} . $server->url . q{'});
$copied->query('CALL iotdata.process_outbox()');
is($server->requests, $sent, 'a copy of the database does not send what waits');
$copied->query('DROP EXTENSION iotdata CASCADE');
gives($copied, q{SELECT count(*) FROM pg_class WHERE relnamespace = 'iotdata'::regnamespace}, '0', 'DROP EXTENSION leaves nothing behind');
$copied->quit;

no_crash($node);
done_testing();
