# What CALL iotdata.process_outbox does with messages: order, attempts, giving up, limits.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use IotData::Wait;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $ok     = json_answer({ message => 'OK', traceId => 't' });
my $error  = sub { http_answer($_[0], '{"message":"no"}', 'x-amzn-ErrorType' => $_[1]) };
my $server = IotData::FaultyServer->start(
	answers => {
		(map { $_ => $ok } qw(good other late one two), map { "many-" . $_ } 1 .. 20),
		away      => [ (not_found()) x 2, $ok ],
		never     => not_found(),
		bad       => $error->(400, 'InvalidRequestException'),
		forbidden => $error->(403, 'ForbiddenException'),
		large     => $error->(413, 'RequestEntityTooLargeException'),
		broken    => [ $error->(500, 'InternalFailureException'), $ok ],
		cut       => [ [ ['close'] ], $ok ],
		busy      => [ ($error->(429, 'ThrottlingException')) x 2, $ok ],
		proxy     => [ http_answer(404, 'nothing here'), $ok ],
		slow      => [ [ [ 'until', 'slow' ], $ok ] ],
		timed     => [ [ [ 'until', 'timed' ], $ok ] ]
	});
my $node    = IotData::Node->make('outbox_process', endpoint => $server->url, conf => "iotdata.outbox_retry_delay = 50\n");
my $session = $node->session;
my $late    = $node->session;

sub queue { my ($id, $payload, $more) = @_; return "iotdata.queue_direct_message('$id', 'a/b', '$payload'::text" . ($more ? ", $more" : '') . ')' }
sub bodies { return map { decode_base64($_->{body}) } $server->requests(@_) }
sub ended { return $session->query("SELECT state, attempts, unknown, error_code FROM iotdata.outbox_ended WHERE id = $_[0]") }

# ---- order --------------------------------------------------------------------------------------

$session->query('SELECT ' . queue('many-\' || (i % 20 + 1) || \'', '\' || i || \'') . ' FROM generate_series(1, 2000) i');
$session->query('CALL iotdata.process_outbox()');
my $wrong = 0;
for my $device (1 .. 20)
{
	my @bodies = bodies("many-$device");
	$wrong++ if "@bodies" ne join ' ', sort { $a <=> $b } @bodies or @bodies != 100;
}
is($wrong, 0, 'each device gets all of its messages once and in order, with many of them waiting');
cmp_ok($server->connections, '>', 1, 'devices do not wait for each other');

$late->query('BEGIN; SELECT ' . queue('late', 'first id, last commit'));
$session->query('SELECT ' . queue('late', 'second id, first commit'));
$session->query('CALL iotdata.process_outbox()');
$late->query('COMMIT');
$session->query('CALL iotdata.process_outbox()');
is_deeply([ bodies('late') ], [ 'second id, first commit', 'first id, last commit' ], 'a message of a transaction that commits late is sent all the same');

# ---- attempts -----------------------------------------------------------------------------------

my %id = map { $_ => $session->query('SELECT ' . queue($_, "for $_")) } qw(away bad forbidden large broken cut);
$session->query('SELECT ' . queue('away', 'the next one'));
$session->query("CALL iotdata.process_outbox(max_time => '0 s')");
is($server->requests('away'), 0, 'no time is no message');
$session->query('CALL iotdata.process_outbox()');
is(ended($id{bad}),       'failed|1|0|IO400', 'a message that the service finds wrong is given up');
is(ended($id{forbidden}), 'failed|1|0|IO403', 'a message that is forbidden is given up');
is(ended($id{large}),     'failed|1|0|IO413', 'a message that is too large is given up');
is(ended($id{away}),      '',                 'a message for a device that is away waits');
gives($session, "SELECT attempts, unknown, error_code FROM iotdata.outbox_retry WHERE head = $id{away}", '1|0|IO404', 'and what was answered is told');
gives($session, q{SELECT next_attempt > clock_timestamp() - interval '1 min' FROM iotdata.outbox_status WHERE state = 'retrying'}, 't', 'the status tells when the next attempt is');
eventually(sub { $session->query('CALL iotdata.process_outbox()'); ended($id{away}) ne '' });
is(ended($id{away}), 'delivered|3|0|NULL', 'it is sent when the device is there again');
is_deeply([ bodies('away') ], [ ('for away') x 3, 'the next one' ], 'and what follows it is sent after it');
eventually(sub { $session->query('CALL iotdata.process_outbox()'); ended($id{cut}) ne '' && ended($id{broken}) ne '' });
is(ended($id{broken}), 'delivered|2|1|NULL', 'after an error of the service a message is sent again, and the unknown fate is counted');
is(ended($id{cut}),    'delivered|2|1|NULL', 'after a lost connection a message is sent again, and the unknown fate is counted');
gives($session, 'SELECT count(*) FROM iotdata.outbox_retry', '0', 'nothing is tried again any more');

$id{bad} = $session->query("SELECT id FROM iotdata.outbox_failed WHERE client_id = 'bad'");
$session->query("SELECT iotdata.retry($id{bad})");
gives($session, "SELECT id, client_id, expires_at FROM iotdata.outbox", "$id{bad}|bad|NULL", 'a message that was given up can be brought back, with its id');
$session->query('CALL iotdata.process_outbox()');
is($server->requests('bad'), 2, 'and is sent again');

# ---- the target ---------------------------------------------------------------------------------

%id = map { $_ => $session->query('SELECT ' . queue($_, "for $_")) } qw(busy good);
my $held = $session->try('CALL iotdata.process_outbox()');
like(join(' ', map { $_->{message} } @{ $held->{notices} }), qr/the outbox waits: .*Throttling/, 'when the service throttles, that is told');
gives($session, 'SELECT count(*) FROM iotdata.outbox_retry', '0', 'and is not the fault of a device');
$session->query("CALL iotdata.process_outbox(max_time => '$DEADLINE s')");
like(ended($id{busy}), qr/^delivered\|\d+\|0\|NULL$/, 'what was throttled is sent later');
like(ended($id{good}), qr/^delivered/, 'and so is all else');
$id{proxy} = $session->query('SELECT ' . queue('proxy', 'x'));
$session->query("CALL iotdata.process_outbox(max_time => '$DEADLINE s')");
is(ended($id{proxy}), 'delivered|2|0|NULL', 'a 404 that is not the service\'s own is not the device\'s absence');

$session->query(q{SET iotdata.endpoint_url = 'http://127.0.0.1:1'});
$session->query('SELECT ' . queue("nobody-' || i || '", 'x') . ' FROM generate_series(1, 500) i');
$held = $session->try('CALL iotdata.process_outbox()');
like($held->{notices}[0]{message} // '', qr/the outbox waits: could not connect/, 'when the target cannot be reached, that is told');
is(scalar @{ $held->{notices} }, 1, 'once');
gives($session, q{SELECT (SELECT count(*) FROM iotdata.outbox), (SELECT count(*) FROM iotdata.outbox_retry)}, '500|0', 'an outage writes nothing for each device');
$session->query('TRUNCATE iotdata.outbox; RESET iotdata.endpoint_url');

# ---- expiry, limits -----------------------------------------------------------------------------

$id{good}  = $session->query('SELECT ' . queue('good', 'too late', q{expires_in => '0 s'}));
$id{never} = $session->query('SELECT ' . queue('never', 'x', q{expires_in => '0.3 s'}));
my $sent = $server->requests('good');
$session->query('CALL iotdata.process_outbox()');
is(ended($id{good}), 'expired|0|0|NULL', 'a message that has expired is given up');
is($server->requests('good'), $sent, 'and is not sent');
eventually(sub { $session->query('CALL iotdata.process_outbox()'); ended($id{never}) ne '' });
like(ended($id{never}), qr/^expired\|[1-9]\d*\|0\|IO404$/, 'a message for a device that stays away expires, and why it was not sent is told');

$session->query('SELECT ' . queue("many-' || i || '", 'x') . ' FROM generate_series(1, 10) i');
$sent = $server->requests;
$session->query('CALL iotdata.process_outbox(max_messages => 3)');
is($server->requests, $sent + 3, 'no more messages are sent than max_messages');
$session->query('CALL iotdata.process_outbox()');
is($server->requests, $sent + 10, 'the others are sent the next time');

# ---- two at once, and a cancel ------------------------------------------------------------------

$session->query('SELECT ' . queue('slow', 'x'));
$session->begin('CALL iotdata.process_outbox()');
$server->wait_for_request('slow');
$late->query('SELECT ' . queue('other', 'x'));
like($late->try('CALL iotdata.process_outbox()')->{notices}[0]{message}, qr/another session/, 'two sessions do not send the same messages');
gives($late, q{SELECT xact_start IS NULL OR backend_xmin IS NULL AND backend_xid IS NULL FROM pg_stat_activity WHERE pid = } . $session->pid, 't', 'no snapshot and no transaction id is held while the network is waited for');
$late->query('SELECT pg_cancel_backend(' . $session->pid . ')');
is($session->finish->{sqlstate}, '57014', 'it can be cancelled');
$server->release('slow');
$late->query('CALL iotdata.process_outbox()');
gives($late, 'SELECT count(*) FROM iotdata.outbox', '0', 'what was in flight then is sent again');
is($server->requests('other'), 1, 'and the rest, too');

# ---- rows that cannot be recorded ---------------------------------------------------------------

$id{two} = $session->query('SELECT ' . queue('two', 'x'));
$id{one} = $session->query('SELECT ' . queue('one', 'x'));
$session->query(<<"SQL");
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RAISE 'not this one'; END\$\$;
CREATE TRIGGER refuse BEFORE DELETE ON iotdata.outbox FOR EACH ROW WHEN (OLD.id = $id{two}) EXECUTE FUNCTION refuse()
SQL
$held = $session->try('CALL iotdata.process_outbox()');
like($held->{notices}[0]{message} // '', qr/message $id{two} of the outbox could not be recorded: not this one/, 'a row that cannot be recorded is told of');
is(ended($id{one}), 'delivered|1|0|NULL', 'and others are recorded');
is($server->requests('two'), 1, 'and it is not sent again meanwhile');
$session->query('DROP TRIGGER refuse ON iotdata.outbox');
$session->query('CALL iotdata.process_outbox()');
gives($session, 'SELECT count(*) FROM iotdata.outbox', '0', 'later it is');

# ---- whose settings -----------------------------------------------------------------------------

$session->query(q{SET iotdata.request_timeout = '1 ms'});
$id{timed} = $session->query('SELECT ' . queue('timed', 'x'));
$late->begin('CALL iotdata.process_outbox()');
$server->wait_for_request('timed');
$session->query('SELECT pg_sleep(0.1)');
$server->release('timed');
$late->finish;
is(ended($id{timed}), 'delivered|1|0|NULL', 'time-outs are those of the session that sends, not of the one that queued');
$session->query('RESET iotdata.request_timeout');

# ---- retention ----------------------------------------------------------------------------------

$session->query('SET iotdata.outbox_retention = 0; SET iotdata.outbox_failed_retention = 0; SELECT ' . queue('good', 'x'));
$session->query('CALL iotdata.process_outbox()');
eventually(sub { $session->query('SELECT ' . queue('good', 'x') . '; CALL iotdata.process_outbox()'); $session->query('SELECT count(*) FROM iotdata.outbox_ended') == 0 });
gives($session, 'SELECT count(*) FROM iotdata.outbox_ended', '0', 'what has ended is removed when it is old enough');

$_->quit for $session, $late;
no_crash($node);
done_testing();
