# The service's quotas, kept by all sessions together: requests a second for a target, and one
# read a second for one client. Bounds of time are lower ones, of what must not happen too early; that
# something is not held up shows in the order of requests, or in two of them that are close together.
# They are measured around the statements: a busy machine may note the first request late.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use JSON::PP;
use List::Util qw(min);
use Test::More;
use Time::HiRes qw(time);

my $server = IotData::FaultyServer->start(
	answers => {
		good    => json_answer({ connected => JSON::PP::true, clientId => 'good' }),
		same    => json_answer({ connected => JSON::PP::true, clientId => 'same' }),
		other   => json_answer({ connected => JSON::PP::true, clientId => 'other' }),
		both    => json_answer({ subscriptions => [ { topicFilter => 'a', qos => 0 } ] }),
		deliver => json_answer({ message => 'OK', traceId => 't' }),
		(map { ("m$_" => not_found()) } 1 .. 200),
	});
my $preloaded = "shared_preload_libraries = 'iotdata'\niotdata.max_attempts = 3\n";
my $node = IotData::Node->make('rates', endpoint => $server->url, conf => "${preloaded}iotdata.read_rate = 20\n");

sub clients { return 'ARRAY[' . join(',', map { "'$_'" } @_) . ']::text[]' }
sub ask     { return 'SELECT count(*), count(error_code) FROM iotdata.get_connections(' . clients(@_) . ')' }

# The shortest time from one of these requests to the next.
sub shortest_gap
{
	my @times = sort { $a <=> $b } map { $_->{time} } @_;

	return min(map { $times[ $_ + 1 ] - $times[$_] } 0 .. $#times - 1);
}

# ---- a target's rate ------------------------------------------------------------------------

# A bucket of 20 a second holds 5 at first.
my ($one, $two) = map { $node->session } 1 .. 2;
my $begun = time;
$one->begin(ask(map { "m$_" } 1 .. 20));
$two->begin(ask(map { "m$_" } 21 .. 40));
is($_->finish->{out}, '20|0', 'two sessions that share a rate have all their answers, and no error') for $one, $two;
cmp_ok(time - $begun, '>=', (40 - 5 - 1) / 20, 'two sessions together keep to the rate of one');
my @asked = grep { $_->{client} =~ /\Am/ } $server->requests;
is(scalar(@asked), 40, 'two sessions that share a rate make one request for each client');

# ---- one client's second --------------------------------------------------------------------

$begun = time;
$one->begin("SELECT connected FROM iotdata.get_connection('same')");
$two->begin("SELECT connected FROM iotdata.get_connection('same')");
is($_->finish->{out}, 't', 'each of two sessions that read the same client has its answer') for $one, $two;
cmp_ok(time - $begun, '>=', 1, 'a second read of a client, in another session, waits until a second is over');

$begun = time;
gives($one, q{SELECT count(*) FROM iotdata.list_subscriptions('both'), iotdata.get_connection('both')}, '1', 'GetConnection and ListSubscriptions of one client have their answers');
cmp_ok(time - $begun, '>=', 1, 'GetConnection and ListSubscriptions of one client are a second apart');

# two different reads of one client, and one of another
gives(
	$one, q{SELECT count(*) FROM (VALUES ('other', false), ('other', true), ('good', false)) v (client, socket), iotdata.get_connection(client, socket)},
	'3', 'a join that reads a client twice has its rows');
like(join(' ', map { $_->{client} } grep { $_->{client} =~ /\A(?:other|good)\z/ } $server->requests), qr{\A(?:other good|good other) other\z}, 'a client whose second is not over holds up no other client');

# ---- messages have a rate of their own ------------------------------------------------------

gives($one, q{SELECT count(iotdata.send_direct_message('deliver', 'a')) FROM generate_series(1, 30)}, '30', 'thirty messages to one client are sent');
cmp_ok(shortest_gap($server->requests('deliver')), '<', 1, 'messages to one client are not spaced as reads are');

# ---- while it waits -------------------------------------------------------------------------

my $version = $one->query('SHOW server_version_num');
$node->safe_psql('postgres', 'ALTER SYSTEM SET iotdata.read_rate = 1; SELECT pg_reload_conf()');
my $slow = $node->session;
$slow->begin(ask(map { "m$_" } 41 .. 100));
ok( eventually(
		sub {
			$two->query('SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = ' . $slow->pid) eq
			  ($version >= 170000 ? 'Extension|IotDataRate' : 'Extension|Extension');
		}),
	'pg_stat_activity shows that a session waits for the rate');
$two->query('SELECT pg_cancel_backend(' . $slow->pid . ')');
fails_with($slow, $slow->finish, '57014', {}, 'the wait for the rate can be cancelled');
cmp_ok(scalar(grep { $_->{client} =~ /\Am(?:4[1-9]|[5-9]\d|100)\z/ } $server->requests), '<', 60, 'a cancel does not wait until it is the turn of the last client');
$node->safe_psql('postgres', 'ALTER SYSTEM SET iotdata.read_rate = 0; SELECT pg_reload_conf()');
my $free = $node->session;
gives($free, ask(map { "m$_" } 1 .. 200), '200|0', 'with a rate of 0 all clients have their answers');
gives($free, ask('same'), '1|0', 'with a rate of 0 a client can be read again') for 1 .. 20;
cmp_ok(shortest_gap($server->requests('same')), '<', 1, 'with a rate of 0 reads of one client are not spaced');

# ---- a service that throttles earlier ---------------------------------------------------------

my $emulator = IotData::Emulator->start(arguments => [ qw(--read-rate 20 --client-read-rate 1), '--retry-after', 0 ]);
my $throttled = sub { return scalar(() = $emulator->log_text =~ / 429 /g) };
$node->use_endpoint($emulator->url);
$node->safe_psql('postgres', 'ALTER SYSTEM SET iotdata.read_rate = 20; SELECT pg_reload_conf()');
my @sessions = map { $node->session } 1 .. 3;
$sessions[$_]->begin(ask(map { "q$_" } 12 * $_ .. 12 * $_ + 11)) for 0 .. 2;
is($_->finish->{out}, '12|0', 'three sessions at the rate of the quota have all their answers, and no error') for @sessions;
is($throttled->(), 0, 'sessions that keep to the rate of the quota are not throttled');

$sessions[0]->query('SET iotdata.read_rate = 60; SET iotdata.max_attempts = 10');
gives($sessions[0], ask(map { "r$_" } 1 .. 60), '60|0', 'a session that is faster than the quota has all its answers');
cmp_ok($throttled->(), '>', 0, 'a session that is faster than the quota is throttled');
cmp_ok($throttled->(), '<', 60, 'a session that is throttled slows down');

# ---- without preloading -----------------------------------------------------------------------

my $plain = IotData::Node->make('alone', endpoint => $emulator->url, conf => "iotdata.max_attempts = 5\n");
my $alone = $plain->session;
my $asked = $alone->try('SET client_min_messages = notice; ' . ask(map { "s$_" } 1 .. 25));
is($asked->{out}, '25|0', 'without preloading a session that is throttled has all its answers');
like($asked->{notices}[0]{message} // '', qr/shares no cached answers/, 'without preloading a session that is throttled is told that it keeps rates for itself');
is(scalar(@{ $asked->{notices} }), 1, 'a session is told once that it keeps rates for itself');
is(scalar(@{ $alone->try(ask(map { "t$_" } 1 .. 5))->{notices} }), 0, 'a session is not told again that it keeps rates for itself');

no_crash($_) for $node, $plain;
done_testing();
