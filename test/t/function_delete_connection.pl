# delete_connection: what becomes of a real MQTT client, its session and its will.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer);
use IotData::Node;
use Test::More;

my $emulator = IotData::Emulator->start;
my $node     = IotData::Node->make('delete', endpoint => $emulator->url);
my $session  = $node->session;

# A client with a session that outlives its connection, and a will.
sub device
{
	my ($id) = @_;

	return IotData::Client->start(
		$emulator, $id,
		persistent     => 1,
		session_expiry => 600,
		arguments      => [ '--will-topic', "wills/$id", '--will-payload', 'gone' ]);
}

# A mosquitto client connects again by itself, so what counts is what the endpoint noted.
sub was_disconnected
{
	my ($id) = @_;

	my $noted = sub { return scalar(() = $emulator->log_text =~ /mqtt disconnected \Q$id\E API_INITIATED_DISCONNECT/g) };

	# the answer may be here before the note is written
	eventually($noted);
	return $noted->();
}

my $watcher = IotData::Client->start($emulator, 'watcher', topics => { 'wills/#' => 1 });
my $door    = device('door');

# ---- what it does -------------------------------------------------------------------------------

gives($session, q{SELECT iotdata.delete_connection('door') IS NOT NULL}, 't', 'delete_connection returns void, not NULL');
is(was_disconnected('door'), 1, 'the client is disconnected, and the reason is the API');
is($watcher->next_message->{topic}, 'wills/door', 'the will of a client that is disconnected is published');
$door->vanish;

my $quiet = device('quiet');
$session->query(q{SELECT iotdata.delete_connection('quiet', prevent_will_message => true)});
is(was_disconnected('quiet'), 1, 'a client whose will is prevented is disconnected');
$quiet->freeze;

# what comes before the will of a client that is disconnected after it
my $last = device('last');
$session->query(q{SELECT iotdata.delete_connection('last')});
my @wills;
push @wills, $watcher->next_message->{topic} until grep { $_ eq 'wills/last' } @wills;
ok(!(grep { $_ eq 'wills/quiet' } @wills), 'a will that is prevented is not published') or diag("@wills");

$session->query(q{SELECT iotdata.delete_connection('door', clean_session => true)});
gives($session, q{SELECT count(*) FROM iotdata.list_subscriptions('door')}, '0', 'with clean_session the subscriptions are gone');
$quiet->thaw;

# ---- what it says when it cannot ----------------------------------------------------------------

fails_with(
	$session, q{SELECT iotdata.delete_connection('nobody')}, 'IO404',
	{ hint => qr/not connected/, context => qr/DeleteConnection.*nobody/ },
	'a client that is not there is an error');

my $server = IotData::FaultyServer->start(
	answers => {
		empty  => http_answer(200, ''),
		denied => http_answer(403, '{"message":"no"}', 'x-amzn-ErrorType' => 'ForbiddenException'),
		lost   => [ [ ['close'] ] ],
		broken => http_answer(500, '{"message":"oops"}'),
	});
$session->query("SET iotdata.endpoint_url = '" . $server->url . "'");
gives($session, q{SELECT iotdata.delete_connection('empty', true, false) IS NOT NULL}, 't', 'an answer without a body is a success');
my ($request) = $server->requests('empty');
like($request->{head}, qr{\ADELETE /connections/empty\?cleanSession=true&preventWillMessage=false HTTP/1\.1\r\n}, 'the request is a DELETE with both options');
fails_with($session, q{SELECT iotdata.delete_connection('denied')}, 'IO403', { hint => qr/iot:DeleteConnection/ }, 'the hint of a 403 names the permission');
for my $case ([ 'lost', 'IO006' ], [ 'broken', 'IO500' ])
{
	my ($client, $sqlstate) = @$case;

	fails_with($session, "SELECT iotdata.delete_connection('$client')", $sqlstate, { hint => qr/may have been disconnected/ }, "the hint says that the client may have been disconnected ($client)");
	is($server->requests($client), 1, "a client that may have been disconnected is not disconnected again ($client)");
}

no_crash($node);
done_testing();
