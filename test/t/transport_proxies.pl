# Proxies: which the environment names, for which endpoints, how they are asked, and what is said of
# them when they refuse. Never their password.

use strict;
use warnings FATAL => 'all';

use IotData::Blackhole;
use IotData::Certificates;
use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use PostgreSQL::Test::Utils;
use Test::More;

my %certificate = IotData::Certificates::make(PostgreSQL::Test::Utils::tempdir);
my $emulator    = IotData::Emulator->start(certificate => $certificate{good});
my $server      = IotData::FaultyServer->start(
	answers => {
		good    => json_answer({ connected => JSON::PP::true }),
		CONNECT => [ [ "HTTP/1.1 200 Go\r\nX: y\r\n\r\n", [ 'tunnel', $emulator->https_port ] ] ],
	});
my $node = IotData::Node->make('proxies', endpoint => $emulator->url);
my $session;

# names of the tests' certificate that no name server knows
my $far    = "SET iotdata.endpoint_url = 'https://iot.example.test'; SET iotdata.ca_file = '$certificate{ca}'";
my $near   = "SET iotdata.endpoint_url = '" . $emulator->https_url . "'; SET iotdata.ca_file = '$certificate{ca}'";
my $get    = q{SELECT iotdata.get_connection('nobody') IS NULL};
my $secret = 'not-to-be-seen';

sub tunnels { return scalar $server->requests('CONNECT') }

sub with_environment
{
	my (%environment) = @_;

	$session->quit if $session;
	$node->restart_with(\%environment);
	$session = $node->session;
	return;
}

sub fails_without_secret
{
	my ($sql, $parts, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $failed = fails_with($session, $sql, 'IO001', $parts, $name);
	return unlike($failed->{stderr} . $node->log_text, qr/\Q$secret\E|to-be-seen/, "the password is not shown: $name");
}

# ---- which, and for what -----------------------------------------------------------------------

for my $name ('https_proxy', 'HTTPS_PROXY')
{
	with_environment($name => $server->url);
	my $begun = tunnels();
	$session->query($far);
	gives($session, $get, 't', "$name is used for an https endpoint");
	is(tunnels() - $begun, 1, "the proxy is asked for one tunnel: $name");
	my ($tunnel) = reverse $server->requests('CONNECT');
	is($tunnel->{target}, 'iot.example.test:443', "the tunnel leads to the endpoint: $name");
	ok(!exists $tunnel->{headers}{authorization} && $tunnel->{head} !~ /AKIDEXAMPLE/, "the proxy sees no credentials of AWS: $name");
	$session->query($get);
	is(tunnels() - $begun, 1, "the tunnel is reused: $name");
	$session->query($near);
	gives($session, $get, 't', "localhost is reached without $name");
	$session->query("SET iotdata.endpoint_url = 'https://127.0.0.1:" . $emulator->https_port . "'");
	gives($session, $get, 't', "127.0.0.1 is reached without $name");
	is(tunnels() - $begun, 1, "no tunnel is asked for loopback: $name");
}

# As libcurl documents NO_PROXY.
for my $case (
	[ no_proxy => 'iot.example.test' ],
	[ NO_PROXY => '.example.test' ],
	[ no_proxy => 'a.test, example.test' ],
	[ no_proxy => '*' ])
{
	my ($name, $value) = @$case;

	with_environment(https_proxy => $server->url, $name => $value);
	my $begun = tunnels();
	$session->query($far);
	fails_with($session, $get, 'IO001', { detail => qr/resolve/ }, "$name=$value keeps the endpoint from the proxy");
	is(tunnels(), $begun, "no tunnel is asked for: $name=$value");
}
with_environment(https_proxy => $server->url, NO_PROXY => 'other.test,ample.test,127.0.0.0/8');
$session->query($far);
gives($session, $get, 't', 'NO_PROXY with other names leaves the endpoint to the proxy');

with_environment(http_proxy => $server->url);
my $begun = $server->requests;
$session->query("SET iotdata.endpoint_url = '" . $emulator->url . "'");
gives($session, $get, 't', 'http_proxy is not used for an http endpoint, which is loopback');
is(scalar $server->requests, $begun, 'http_proxy is sent nothing for a loopback endpoint');

# ---- user and password -------------------------------------------------------------------------

my $port = $server->port;
for my $case ([ "http://us%40er:$secret%3A%2F\@127.0.0.1:$port", "us\@er:$secret:/" ], [ "user:$secret\@127.0.0.1:$port/", "user:$secret" ])
{
	my ($url, $expected) = @$case;

	with_environment(https_proxy => $url);
	$session->query($far);
	gives($session, $get, 't', 'a call succeeds through a proxy with user and password');
	my ($tunnel) = reverse $server->requests('CONNECT');
	is(decode_base64($tunnel->{headers}{'proxy-authorization'} =~ s/\ABasic //r), $expected, 'the proxy is told user and password');
}
unlike($node->log_text, qr/\Q$secret\E/, 'the log does not have the password');

# ---- proxies that are none, or refuse ----------------------------------------------------------

my $absent = IotData::Blackhole->refuse;
with_environment(https_proxy => "http://user:$secret\@127.0.0.1:" . $absent->port);
$session->query($far);
fails_without_secret($get, { detail => qr/connect/i }, 'a proxy that is not there is IO001');
with_environment(https_proxy => "http://user:$secret\@proxy.example.invalid:1");
$session->query($far);
fails_without_secret($get, { detail => qr/resolve proxy/i }, 'a proxy whose name nobody knows is IO001');

# libcurl cuts what it says after 255 bytes, wherever that is.
for my $url (
	"http://user:$secret\@" . 'x' x 300 . ' y:1',
	"http://user:$secret" . 'x' x 300 . '@127.0.0.1:port',
	'http://' . 'u' x 200 . ":$secret\@127.0.0.1:99999",
	"http://user:$secret\@127.0.0.1:port",
	"http://user:not/to-be-seen\@127.0.0.1:1",
	"http://user:not?to-be-seen\@127.0.0.1:1",
	"http://user:$secret\@[::1",
	"http://user:$secret\@a b:1",
	"http://user:$secret\@@",
	"user:$secret\@",
	"gopher+x://user:$secret\@127.0.0.1:1")
{
	with_environment(https_proxy => $url);
	$session->query($far);
	fails_without_secret($get, {}, 'a proxy that is not a URL is IO001: ' . ($url =~ s/$secret|to-be-seen/***/r =~ s/(.{60}).*/$1.../r));
}

my $refusing = IotData::FaultyServer->start(
	answers => {
		CONNECT => [
			http_answer(407, '', 'Proxy-Authenticate' => 'Basic realm="x"'),
			http_answer(407, ''),
			http_answer(403, '<p>no</p>'),
			http_answer(502, ''),
			[ ['hold'] ], [ ['close'] ], "not HTTP at all\r\n\r\n"
		]
	});
with_environment(https_proxy => "http://user:$secret\@127.0.0.1:" . $refusing->port);
$session->query($far);
for my $case (
	[ 'wants another password', qr/does not accept the user and password .*407/ ],
	[ 'wants a password, and does not say how', qr/407/ ],
	[ 'forbids it', qr/refused the connection .*403/ ],
	[ 'cannot reach the endpoint', qr/refused the connection .*502/ ],
	[ 'does not answer', qr/./ ],
	[ 'hangs up', qr/./ ],
	[ 'is no proxy', qr/./ ])
{
	my ($what, $detail) = @$case;
	my $message = q{SELECT iotdata.send_direct_message('nobody', 'a/b', 'x'::text)};

	# the only one of them that waits for it
	$session->query($what eq 'does not answer' ? q{SET iotdata.connect_timeout = '1s'} : 'RESET iotdata.connect_timeout');
	fails_without_secret($message, { detail => $detail, hint => qr/\A(?!.*may have arrived)/ }, "a proxy that $what is IO001");
}
$session->query("SET iotdata.endpoint_url = '" . $server->url . "'");
goes_on($session, 'proxies that refuse');

no_crash($node);
done_testing();
