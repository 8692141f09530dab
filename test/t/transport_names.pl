# Where a name leads: localhost by either address, IPv6 addresses, a name that is looked up once for
# many requests at once, and one whose address changes.

use strict;
use warnings FATAL => 'all';

use IO::Socket::IP;
use IotData::Certificates;
use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use IotData::Preload qw(preload);
use JSON::PP;
use PostgreSQL::Test::Utils qw(append_to_file slurp_file);
use Test::More;

my $folder      = PostgreSQL::Test::Utils::tempdir;
my %certificate = IotData::Certificates::make($folder);
my $emulator    = IotData::Emulator->start(certificate => $certificate{good}, arguments => ['--no-authentication']);
my %answers     = (good => json_answer({ connected => JSON::PP::true }));
my $server      = IotData::FaultyServer->start(answers => \%answers);
my ($names, $asked, $clock) = map { "$folder/$_" } qw(names asked clock);

my $node = IotData::Node->make(
	'names',
	endpoint    => $server->url,
	environment => { LD_PRELOAD => preload(qw(names shifted_clock)), NAMES => $names, NAMES_ASKED => $asked, SHIFTED_CLOCK => $clock },
	conf        => "iotdata.ca_file = '$certificate{ca}'\niotdata.max_concurrency = 64\n");
my $session = $node->session;

sub use_endpoint { return $session->query("SET iotdata.endpoint_url = '$_[0]'") }

sub name_leads_to
{
	my ($address) = @_;

	unlink $names;
	append_to_file($names, "$address\n");
	return;
}

# Time passes, in seconds.
sub let_pass { return append_to_file($clock, 'x' x $_[0]) }
sub look_ups { return -e $asked ? scalar(() = slurp_file($asked) =~ /^/mg) : 0 }

# ---- localhost, and addresses ------------------------------------------------------------------

use_endpoint('http://localhost:' . $server->port);
goes_on($session, 'localhost, where only 127.0.0.1 listens');
SKIP:
{
	my $has_ipv6 = IO::Socket::IP->new(LocalHost => '::1', Listen => 1);

	skip 'this machine has no IPv6', 3 unless $has_ipv6;
	my $server6 = IotData::FaultyServer->start(answers => \%answers, address => '::1');
	use_endpoint('http://localhost:' . $server6->port);
	goes_on($session, 'localhost, where only ::1 listens');
	use_endpoint('http://[::1]:' . $server6->port);
	goes_on($session, 'an IPv6 address');
	my ($request) = reverse $server6->requests('good');
	is($request->{headers}{host}, '[::1]:' . $server6->port, 'Host has an IPv6 address in brackets');
}

# ---- names -------------------------------------------------------------------------------------

# Two doors to one endpoint, on two addresses with the same port.
my $to   = [ [ 'tunnel', $emulator->https_port ] ];
my $one  = IotData::FaultyServer->start(on_accept => $to);
my $two  = IotData::FaultyServer->start(on_accept => $to, address => '127.0.0.2', port => $one->port);
my $many = q{SELECT count(*) FROM iotdata.get_connections((SELECT array_agg('nobody-' || i) FROM generate_series(1, 64) i)) WHERE connection IS NULL AND error_code IS NULL};

name_leads_to('127.0.0.1');
use_endpoint('https://iot.example.test:' . $one->port);
gives($session, $many, '64', 'many requests at once to a name have their answers');
# newer versions of libcurl look up the addresses of each family by themselves
my %look_ups;
$look_ups{$_}++ for split /\n/, slurp_file($asked);
is_deeply([ grep { $_ > 1 } values %look_ups ], [], 'a name is looked up once, in each address family, for many requests at once') or diag(explain(\%look_ups));
cmp_ok($one->connections, '>', 1, 'many requests at once open several connections') or diag($one->connections);

name_leads_to('127.0.0.2');
gives($session, q{SELECT iotdata.get_connection('nobody') IS NULL}, 't', 'a request has its answer after a name\'s address has changed');
is($two->connections, 0, 'a request goes where its connection leads, though the name\'s address has changed');
let_pass(180);
gives($session, q{SELECT iotdata.get_connection('nobody') IS NULL}, 't', 'a request has its answer three minutes later');
cmp_ok($two->connections, '>', 0, 'three minutes later a request goes to the name\'s new address');

# A connection that is always in use does not live for ever either.
name_leads_to('127.0.0.1');
my $before = $one->connections;
for (1 .. 40)
{
	let_pass(5);
	$session->query(q{SELECT iotdata.get_connection('nobody')});
}
cmp_ok($one->connections, '>', $before, 'a connection that is used every few seconds is replaced in time');

# A name that nobody knows is an error for all who wait for it, at once.
unlink $names;
my $fresh = $node->session;
$fresh->query("SET iotdata.endpoint_url = 'https://other.example.test'");
my $looked_up = look_ups();
gives($fresh, $many =~ s/WHERE.*/WHERE error_code IS NOT NULL/r, '64', 'many requests at once to a name that is not known are errors');
cmp_ok(look_ups() - $looked_up, '<', 10, 'a name that is not known is not looked up for each of many requests') or diag(look_ups() - $looked_up);
$fresh->query("SET iotdata.endpoint_url = '" . $server->url . "'");
goes_on($fresh, 'a name that is not known');

# ---- how long connections are idle -------------------------------------------------------------

my %idle = (good => [ undef, 10, 16 ], announces => [ 5, 3, 5 ], announces_long => [ 600, 10, 16 ], announces_none => [ 0, 0, 1 ]);
my $patient = IotData::FaultyServer->start(
	answers => {
		map {
			my $seconds = $idle{$_}[0];

			$_ => "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n" . (defined $seconds ? "Keep-Alive: timeout=$seconds, max=100\r\n" : '') . "\r\n{\"connected\":true }" =~ s/ //r
		} keys %idle
	});
use_endpoint($patient->url);
for my $client (sort keys %idle)
{
	my (undef, $stays, $goes) = @{ $idle{$client} };
	my $connections = sub { return $patient->connections };

	$session->query("SELECT iotdata.get_connection('$client')");
	my $opened = $connections->();
	if ($stays)
	{
		let_pass($stays);
		$session->query("SELECT iotdata.get_connection('$client')");
		is($connections->(), $opened, "a connection is reused after $stays s: $client");
	}
	let_pass($goes);
	$session->query("SELECT iotdata.get_connection('$client')");
	is($connections->(), $opened + 1, "a connection is not reused after $goes s: $client");
}

no_crash($node);
done_testing();
