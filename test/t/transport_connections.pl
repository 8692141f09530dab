# How connections are used: again and again where that is safe, and never so that a message is sent
# twice.

use strict;
use warnings FATAL => 'all';

use IotData::Certificates;
use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my %certificate = IotData::Certificates::make(PostgreSQL::Test::Utils::tempdir);
my $emulator    = IotData::Emulator->start(certificate => $certificate{good});

my $good     = json_answer({ connected => JSON::PP::true });
my $accepted = json_answer({ message => 'OK' });
my $server   = IotData::FaultyServer->start(
	answers => {
		good        => $good,
		closing     => [ [ $good, ['close'] ] ],
		later       => [ [ $good, [ 'wait', 0.2 ], ['close'] ] ],
		says_close  => [ [ http_answer(200, '{"connected":true}', 'Connection' => 'close'), ['close'] ] ],
		message     => $accepted,
		lost        => [ [ ['close'] ] ],
		lost_reset  => [ [ ['reset'] ] ],
		busy        => http_answer(503, ''),
	});
my $node    = IotData::Node->make('connections', endpoint => $emulator->url);
my $session = $node->session;

sub get     { return "SELECT connected FROM iotdata.get_connection('$_[0]')" }
sub message { return "SELECT message FROM iotdata.send_direct_message('$_[0]', 'a/b', repeat('x', ${\ ($_[1] // 1)})::text)" }

# ---- reuse -------------------------------------------------------------------------------------

gives($session, q{SELECT count(*) FROM (SELECT iotdata.get_connection('client-' || n) FROM generate_series(1, 1000) n OFFSET 0) s}, '1000', '1,000 calls have their answers');
ok(eventually(sub { $emulator->requests == 1000 }), 'each of 1,000 calls is a request');
is($emulator->connections, 1, '1,000 calls are made over one connection');
$session->query('BEGIN; ' . get('x') . '; COMMIT; ' . get('y'));
$session->try('BEGIN; ' . get('x') . '; SELECT 1/0');
$session->query('ROLLBACK; ' . get('y'));
$session->query(q{SELECT count(*) FROM iotdata.list_subscriptions('x')});
$session->try(message('x'));
ok(eventually(sub { $emulator->requests == 1006 }), 'calls of all kinds are made, in transactions that end well and badly');
is($emulator->connections, 1, 'calls of all kinds are made over one connection');

my $before = $emulator->connections;
my $second = $node->session;
$second->query(get('x'));
ok(eventually(sub { $emulator->connections == $before + 1 }), 'another session has a connection of its own');

$session->query("SET iotdata.endpoint_url = '" . $emulator->https_url . "'; SET iotdata.ca_file = '$certificate{ca}'");
$before = $emulator->connections;
gives($session, q{SELECT count(*) FROM (SELECT iotdata.get_connection('client-' || n) FROM generate_series(1, 1000) n OFFSET 0) s}, '1000', '1,000 calls over TLS have their answers');
is($emulator->connections - $before, 1, '1,000 calls over TLS are made over one connection');

# the end of a session ends its connections
$session->query("SET iotdata.endpoint_url = '" . $server->url . "'");
my $brief = $node->session;
$brief->query("SET iotdata.endpoint_url = '" . $server->url . "'");
goes_on($brief, 'nothing');
my ($last) = reverse grep { $_->{event} eq 'open' } $server->events;
$brief->quit;
ok(eventually(sub { grep { $_->{event} eq 'closed' && $_->{connection} == $last->{connection} } $server->events }), 'the end of a session closes its connection');

# ---- what is sent -------------------------------------------------------------------------------

goes_on($session, 'a change of endpoint');
gives($session, message('message', 131072), 'OK', 'a large message is sent');
my ($read)   = $server->requests('good');
my ($action) = $server->requests('message');
ok(!exists $read->{headers}{'accept-encoding'}, 'compressed answers are not asked for');
ok(!exists $action->{headers}{expect}, 'a large message does not wait to be asked for');
is($action->{headers}{'content-length'}, '131072', 'the length of a message is in Content-Length');
is($read->{headers}{host}, '127.0.0.1:' . $server->port, 'the port is in Host');
like($read->{head}, qr{\AGET /connections/good(?:\?\S*)? HTTP/1\.1\r\n}, 'requests are of HTTP/1.1');
like($read->{headers}{authorization}, qr{\AAWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/us-east-1/iotdata/aws4_request, }, 'the signature is for the day, the region and the service');
gives($session, get('a/b?c#d%41'), 'NULL', 'a client ID may have special characters');
my ($special) = $server->requests('a/b?c#d%41');
like($special->{target}, qr{\A/connections/a%2Fb%3Fc%23d%2541(?:\?|\z)}, 'special characters of a client ID are encoded once');

# ---- connections that end while nobody looks ----------------------------------------------------

for my $client (qw(closing later says_close))
{
	for my $round (1 .. 3)
	{
		gives($session, get($client), 't', "a call has its answer before its connection ends ($client, $round)");
		my ($asked) = reverse $server->requests($client);
		ok(eventually(sub { grep { $_->{event} eq 'closed' && $_->{connection} == $asked->{connection} } $server->events }), "the connection of an answered call ends ($client, $round)");
	}
	goes_on($session, "a connection that ended, $client");
	$session->query(get($client));
	my ($asked) = reverse $server->requests($client);
	eventually(sub { grep { $_->{event} eq 'closed' && $_->{connection} == $asked->{connection} } $server->events });
	my $sent = $server->requests('message');
	gives($session, message('message'), 'OK', "a message is sent after a connection that ended: $client");
	is($server->requests('message') - $sent, 1, "a message is sent once after a connection that ended: $client");
}

# A message on a reused connection that ends at that very moment: it may have arrived.
for my $client (qw(lost lost_reset))
{
	for my $warm (get('good'), message('message'))
	{
		my $sent = $server->requests($client);

		$session->query($warm);
		my $failed = fails_with($session, message($client), 'IO006', { context => qr/SendDirectMessage/ }, "a message whose connection ends under it is IO006: $client");
		like(join(' ', map { $failed->{$_} // '' } qw(detail hint)), qr/may have arrived/i, "the error of a message whose connection ended says that it may have arrived: $client");
		is($server->requests($client) - $sent, 1, "a message whose connection ends under it is sent exactly once: $client");
		$sent = $server->requests($client);
		$session->query($warm);
		fails_with($session, message($client, 131072), 'IO006', {}, "a large message whose connection ends under it is IO006: $client");
		is($server->requests($client) - $sent, 1, "a large message whose connection ends under it is sent exactly once: $client");
	}
	goes_on($session, $client);
}
my $sent = $server->requests('busy');
fails_with($session, message('busy'), 'IO503', {}, 'a 503 is an error for a message');
is($server->requests('busy') - $sent, 1, 'a message is not sent again after a 503');

no_crash($node);
done_testing();
