# How connections are used: again and again where that is safe, through a proxy where one is named,
# and never so that a message is sent twice.

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
		CONNECT     => [ [ "HTTP/1.1 200 Go\r\n\r\n", [ 'tunnel', $emulator->https_port ] ] ],
	});
my $node    = IotData::Node->make('connections', endpoint => $emulator->url);
my $session = $node->session;

sub get     { return "SELECT connected FROM iotdata.get_connection('$_[0]')" }
sub message { return "SELECT message FROM iotdata.send_direct_message('$_[0]', 'a/b', repeat('x', ${\ ($_[1] // 1)})::text)" }

# ---- again and again ----------------------------------------------------------------------------

gives($session, q{SELECT count(*) FROM (SELECT iotdata.get_connection('client-' || n) FROM generate_series(1, 1000) n OFFSET 0) s}, '1000', '1,000 calls');
ok(eventually(sub { $emulator->requests == 1000 }), 'were made');
is($emulator->connections, 1, 'over one connection');
$session->query('BEGIN; ' . get('x') . '; COMMIT; ' . get('y'));
$session->try('BEGIN; ' . get('x') . '; SELECT 1/0');
$session->query('ROLLBACK; ' . get('y'));
$session->query(q{SELECT count(*) FROM iotdata.list_subscriptions('x')});
$session->try(message('x'));
ok(eventually(sub { $emulator->requests == 1006 }), 'more calls, of all kinds, in transactions that end well and badly');
cmp_ok($emulator->connections, '<=', 2, 'need no more connections than one for reads and one for actions');

my $before = $emulator->connections;
my $second = $node->session;
$second->query(get('x'));
ok(eventually(sub { $emulator->connections == $before + 1 }), 'another session has its own');

$session->query("SET iotdata.endpoint_url = '" . $emulator->https_url . "'; SET iotdata.ca_file = '$certificate{ca}'");
$before = $emulator->connections;
gives($session, q{SELECT count(*) FROM (SELECT iotdata.get_connection('client-' || n) FROM generate_series(1, 1000) n OFFSET 0) s}, '1000', '1,000 calls with TLS');
is($emulator->connections - $before, 1, 'are made over one connection');

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
gives($session, message('message', 131072), 'OK', 'a large message');
my ($read)   = $server->requests('good');
my ($action) = $server->requests('message');
ok(!exists $read->{headers}{'accept-encoding'}, 'compressed answers are not asked for');
ok(!exists $action->{headers}{expect}, 'a large message does not wait for leave to go');
is($action->{headers}{'content-length'}, '131072', 'its length is said');
is($read->{headers}{host}, '127.0.0.1:' . $server->port, 'the port is in Host');
like($read->{head}, qr{\AGET /connections/good(?:\?\S*)? HTTP/1\.1\r\n}, 'HTTP/1.1');
like($read->{headers}{authorization}, qr{\AAWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/us-east-1/iotdata/aws4_request, }, 'the signature\'s scope');
gives($session, get('a/b?c#d%41'), 'NULL', 'a client ID with special characters');
my ($special) = $server->requests('a/b?c#d%41');
like($special->{target}, qr{\A/connections/a%2Fb%3Fc%23d%2541(?:\?|\z)}, 'is encoded once');

# ---- connections that end while nobody looks ----------------------------------------------------

for my $client (qw(closing later says_close))
{
	for my $round (1 .. 3)
	{
		gives($session, get($client), 't', "$client: round $round");
		my ($asked) = reverse $server->requests($client);
		ok(eventually(sub { grep { $_->{event} eq 'closed' && $_->{connection} == $asked->{connection} } $server->events }), 'then the connection ends');
	}
	goes_on($session, "a connection that ended, $client");
	$session->query(get($client));
	my ($asked) = reverse $server->requests($client);
	eventually(sub { grep { $_->{event} eq 'closed' && $_->{connection} == $asked->{connection} } $server->events });
	my $sent = $server->requests('message');
	gives($session, message('message'), 'OK', "a message after a connection that ended: $client");
	is($server->requests('message') - $sent, 1, 'is sent once');
}

# A message on a kept connection that ends at that very moment: it may have arrived. libcurl by
# itself would send it once more.
for my $client (qw(lost lost_reset))
{
	for my $warm (get('good'), message('message'))
	{
		my $sent = $server->requests($client);

		$session->query($warm);
		my $failed = fails_with($session, message($client), 'IO006', { context => qr/SendDirectMessage/ }, "$client: IO006 when the connection ends under a message");
		like(join(' ', map { $failed->{$_} // '' } qw(detail hint)), qr/may have arrived/i, 'it may have arrived');
		is($server->requests($client) - $sent, 1, 'the message is sent exactly once');
		$sent = $server->requests($client);
		$session->query($warm);
		fails_with($session, message($client, 131072), 'IO006', {}, "$client: a large one");
		is($server->requests($client) - $sent, 1, 'is sent exactly once, too');
	}
	goes_on($session, $client);
}
my $sent = $server->requests('busy');
fails_with($session, message('busy'), 'IO503', {}, 'a 503');
is($server->requests('busy') - $sent, 1, 'is not tried again for an action');

# ---- proxies ------------------------------------------------------------------------------------

my $proxy  = $server->url;
my $unused = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport;
my $far    = "SET iotdata.endpoint_url = 'https://iot.example.test'; SET iotdata.ca_file = '$certificate{ca}'; SET iotdata.connect_timeout = '10s'";
my $near   = "SET iotdata.endpoint_url = '" . $emulator->https_url . "'; SET iotdata.ca_file = '$certificate{ca}'";
sub tunnels { return scalar $server->requests('CONNECT') }

sub with_environment
{
	my (%environment) = @_;

	$_->quit for grep { $_ } $session, $second;
	$second = undef;
	$node->restart_with(\%environment);
	$session = $node->session;
	return;
}

for my $name ('https_proxy', 'HTTPS_PROXY')
{
	with_environment($name => $proxy);
	my $begun = tunnels();
	$session->query($far);
	gives($session, q{SELECT iotdata.get_connection('nobody') IS NULL}, 't', "$name is used for an https endpoint");
	is(tunnels() - $begun, 1, 'a tunnel is asked for');
	my ($tunnel) = reverse $server->requests('CONNECT');
	is($tunnel->{target}, 'iot.example.test:443', 'to the endpoint');
	ok(!exists $tunnel->{headers}{authorization} && $tunnel->{head} !~ /AKIDEXAMPLE/, 'and the proxy sees no credentials');
	$session->query(get('nobody'));
	is(tunnels() - $begun, 1, 'the tunnel is used again');
	$session->query($near);
	gives($session, q{SELECT iotdata.get_connection('nobody') IS NULL}, 't', "$name is not used for localhost");
	$session->query("SET iotdata.endpoint_url = 'https://127.0.0.1:" . $emulator->https_port . "'");
	gives($session, q{SELECT iotdata.get_connection('nobody') IS NULL}, 't', "nor for 127.0.0.1");
	is(tunnels() - $begun, 1, 'no tunnel is asked for these');
}
for my $case (
	[ no_proxy => 'iot.example.test' ], [ NO_PROXY => '.example.test' ], [ no_proxy => 'a.test, example.test' ], [ no_proxy => '*' ])
{
	my ($name, $value) = @$case;

	with_environment(https_proxy => $proxy, $name => $value);
	my $begun = tunnels();
	$session->query($far);
	fails_with($session, get('nobody'), 'IO001', {}, "$name=$value keeps the endpoint from the proxy");
	is(tunnels(), $begun, 'no tunnel is asked for');
}
with_environment(https_proxy => "http://user:not-to-be-seen\@127.0.0.1:$unused", http_proxy => $proxy);
$session->query($far);
my $failed = fails_with($session, get('nobody'), 'IO001', {}, 'a proxy that is not there');
unlike($failed->{stderr} . $node->log_text, qr/not-to-be-seen/, "the proxy's password is not shown");
my $begun = $server->requests;
$session->query("SET iotdata.endpoint_url = '" . $emulator->url . "'");
gives($session, q{SELECT iotdata.get_connection('nobody') IS NULL}, 't', 'http_proxy is not used for a loopback http endpoint');
is(scalar $server->requests, $begun, 'nothing went there');

my $refusing = IotData::FaultyServer->start(
	answers => { CONNECT => [ http_answer(407, ''), http_answer(502, ''), [ [ 'hold' ] ], [ [ 'close' ] ], "not HTTP at all\r\n\r\n" ] });
with_environment(https_proxy => $refusing->url);
$session->query("$far; SET iotdata.connect_timeout = '1s'");
for my $what ('asks for a password', 'cannot reach the endpoint', 'does not answer', 'hangs up', 'is no proxy')
{
	my $result = fails_with($session, message('nobody'), 'IO001', {}, "IO001 when the proxy $what");
	unlike($result->{stderr}, qr/may have arrived/i, 'and the message has not arrived');
}
$session->query("SET iotdata.endpoint_url = '" . $server->url . "'");
goes_on($session, 'a proxy that refuses');

no_crash($node);
done_testing();
