# Failures that come all at once, and an endpoint that is not there, end no query before its time.

use strict;
use warnings FATAL => 'all';

use IotData::Blackhole;
use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $devices = 300;
my %answers = map {
	my $good = json_answer({ connected => JSON::PP::true, clientId => "d$_" });
	("d$_" => [ [ ['close'] ], $good ]);
} 1 .. $devices;
my $server  = IotData::FaultyServer->start(answers => \%answers);
my $node    = IotData::Node->make('bursts', endpoint => $server->url, conf => "iotdata.max_attempts = 3\n");
my $session = $node->session;

# ---- one burst of failures ----------------------------------------------------------------------

sub results_of
{
	my ($from, $to) = @_;

	return "SELECT count(*) FILTER (WHERE (connection).connected), count(error_code) "
	  . "FROM iotdata.get_connections((SELECT array_agg('d' || g) FROM generate_series($from, $to) g))";
}
gives($session, results_of(1, 64), '64|0', 'each of 64 reads in flight is tried again after all of them failed at once');
$session->query('SET iotdata.max_concurrency = 200');
gives($session, results_of(101, 300), '200|0', 'each of 200 reads in flight is tried again after all of them failed at once');

# ---- an endpoint that is not there --------------------------------------------------------------

my $refusing = IotData::Blackhole->refuse;
my $nowhere  = $node->session;
$nowhere->query("SET iotdata.endpoint_url = '" . $refusing->url . "'; SET iotdata.read_rate = 1; SET iotdata.max_attempts = 3");
# with one token a second, and a second between reads of one client, each attempt would cost one
my $begun = time;
fails_with($nowhere, q{SELECT iotdata.get_connection('x')}, 'IO001', { detail => qr/; 3 attempts\.\z/ }, 'an endpoint that is not there is tried three times') for 1 .. 10;
cmp_ok(time - $begun, '<', 29, 'thirty attempts that reached nobody use up none of the seconds that thirty requests would');

no_crash($node);
done_testing();
