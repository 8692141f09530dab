# The service's quotas, kept by all sessions together: requests a second for a target, and one
# read a second for one client. All bounds of time are lower ones: what must not happen too early.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $server = IotData::FaultyServer->start(
	answers => {
		good    => json_answer({ connected => JSON::PP::true, clientId => 'good' }),
		same    => json_answer({ connected => JSON::PP::true, clientId => 'same' }),
		other   => json_answer({ connected => JSON::PP::true, clientId => 'other' }),
		both    => json_answer({ subscriptions => [ { topicFilter => 'a', qos => 0 } ] }),
		deliver => json_answer({ message => 'OK', traceId => 't' }),
		(map { ("m$_" => http_answer(404, '{}')) } 1 .. 200),
	});
my $preloaded = "shared_preload_libraries = 'iotdata'\niotdata.max_attempts = 3\n";
my $node = IotData::Node->make('rates', endpoint => $server->url, conf => "${preloaded}iotdata.read_rate = 20\n");

sub clients { return 'ARRAY[' . join(',', map { "'$_'" } @_) . ']::text[]' }
sub ask     { return 'SELECT count(*), count(error_code) FROM iotdata.get_connections(' . clients(@_) . ')' }

# The seconds between the first and the last of these requests.
sub span
{
	my @times = sort { $a <=> $b } map { $_->{time} } @_;

	return $times[-1] - $times[0];
}

# ---- a target's rate ------------------------------------------------------------------------

# A bucket of 20 a second holds 5 at first.
my ($one, $two) = map { $node->session } 1 .. 2;
$one->begin(ask(map { "m$_" } 1 .. 20));
$two->begin(ask(map { "m$_" } 21 .. 40));
is($_->finish->{out}, '20|0', 'a session has all its answers, and no error') for $one, $two;
my @asked = grep { $_->{client} =~ /\Am/ } $server->requests;
is(scalar(@asked), 40, 'each client was asked about once');
cmp_ok(span(@asked), '>=', (40 - 5 - 1) / 20, 'two sessions together keep to the rate of one');

# ---- one client's second --------------------------------------------------------------------

$one->begin("SELECT connected FROM iotdata.get_connection('same')");
$two->begin("SELECT connected FROM iotdata.get_connection('same')");
is($_->finish->{out}, 't', 'two sessions that read the same client have their answers') for $one, $two;
cmp_ok(span($server->requests('same')), '>=', 1, 'the second waits until the first one\'s second is over');

gives($one, q{SELECT count(*) FROM iotdata.list_subscriptions('both'), iotdata.get_connection('both')}, '1', 'two kinds of reads of one client');
cmp_ok(span($server->requests('both')), '>=', 1, 'share its second');

$one->begin(ask(qw(same other)));
my $other = $server->wait_for(sub { $_[0]{event} eq 'request' && $_[0]{client} eq 'other' });
$one->query('SELECT 1') if $one->finish;
$one->begin(ask(qw(other same good)));
$one->finish;
my ($good)       = $server->requests('good');
my @other_reads  = $server->requests('other');
cmp_ok($good->{time}, '<', $other_reads[1]{time}, 'a client whose second is not over keeps no other one waiting');

# ---- messages have a rate of their own ------------------------------------------------------

gives($one, q{SELECT count(iotdata.send_direct_message('deliver', 'a')) FROM generate_series(1, 30)}, '30', 'messages to one client');
cmp_ok(span($server->requests('deliver')), '<', 29, 'are not spaced as reads are');

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
	'a session that waits for the rate says so');
my $cancelled = time;
$two->query('SELECT pg_cancel_backend(' . $slow->pid . ')');
fails_with($slow, $slow->finish, '57014', {}, 'and can be cancelled');
cmp_ok(time - $cancelled, '<', 20, 'at once');
$node->safe_psql('postgres', 'ALTER SYSTEM SET iotdata.read_rate = 0; SELECT pg_reload_conf()');
my $free  = $node->session;
my $begun = time;
gives($free, ask(map { "m$_" } 1 .. 200), '200|0', 'with a rate of 0 there is no limit');
gives($free, ask(('same') x 3), '3|0', 'nor is a client\'s second heeded') for 1 .. 20;
cmp_ok(time - $begun, '<', 19, 'so that 20 reads of one client take no 19 seconds');

# ---- a service that throttles earlier ---------------------------------------------------------

my $emulator = IotData::Emulator->start(arguments => [ qw(--read-rate 20 --client-read-rate 1), '--retry-after', 0 ]);
my $throttled = sub { return scalar(() = $emulator->log_text =~ / 429 /g) };
$node->use_endpoint($emulator->url);
$node->safe_psql('postgres', 'ALTER SYSTEM SET iotdata.read_rate = 20; SELECT pg_reload_conf()');
my @sessions = map { $node->session } 1 .. 3;
$sessions[$_]->begin(ask(map { "q$_" } 30 * $_ .. 30 * $_ + 29)) for 0 .. 2;
is($_->finish->{out}, '30|0', 'three sessions, one quota: all answers, no error') for @sessions;
is($throttled->(), 0, 'and nobody is throttled');

$sessions[0]->query("SET iotdata.read_rate = 40");
gives($sessions[0], 'SET iotdata.max_attempts = 10; ' . ask(map { "r$_" } 1 .. 120), '120|0', 'a session that asks too fast has its answers all the same');
cmp_ok($throttled->(), '>', 0, 'after it was throttled');
cmp_ok($throttled->(), '<', 120, 'and has slowed down');

# ---- without preloading -----------------------------------------------------------------------

my $plain = IotData::Node->make('alone', endpoint => $emulator->url, conf => "iotdata.max_attempts = 5\n");
my $alone = $plain->session;
my $asked = $alone->try('SET client_min_messages = notice; ' . ask(map { "s$_" } 1 .. 60));
is($asked->{out}, '60|0', 'without preloading a session that is throttled has its answers, too');
like($asked->{notices}[0]{message} // '', qr/for itself alone/, 'and is told that it keeps rates for itself');
is(scalar(@{ $asked->{notices} }), 1, 'once');
is(scalar(@{ $alone->try(ask(map { "t$_" } 1 .. 60))->{notices} }), 0, 'not again');

no_crash($_) for $node, $plain;
done_testing();
