# What is sent again, when and how often: reads after what passes, actions only when it is certain
# that they did not happen; each attempt is signed anew, with the service's clock if need be.

use strict;
use warnings FATAL => 'all';

use IotData::Blackhole;
use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use JSON::PP;
use POSIX qw(strftime);
use Test::More;
use Time::Local qw(timegm);
use Time::HiRes qw(time);

my $good      = json_answer({ connected => JSON::PP::true, clientId => 'x' });
my $delivered = json_answer({ message   => 'OK', traceId => 't' });

sub failure { return http_answer($_[0], '{"message":"no"}', @_[ 1 .. $#_ ]) }

sub http_date { return strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(int time + $_[0])) }

# Refuses signatures until they are of its own time, an hour ahead of ours.
sub skewed
{
	my ($answer) = @_;

	return sub {
		my ($request) = @_;
		my ($year, $month, @rest) = ($request->{headers}{'x-amz-date'} // '') =~ /\A(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\z/;

		return $year && abs(timegm(reverse(@rest), $month - 1, $year) - time - 3600) < 900
		  ? $answer
		  : failure(403, Date => http_date(3600));
	};
}

my $server = IotData::FaultyServer->start(
	answers => {
		good       => $good,
		twice      => [ failure(503), failure(500), $good ],
		always     => failure(503),
		(map { ("status_$_" => failure($_)) } 400, 403, 500, 501, 502, 503, 504, 429),
		status_404 => not_found(),
		throttled  => [ failure(429), failure(429), $good ],
		lost       => [ [ ['close'] ], [ ['reset'] ], $good ],
		late       => [ failure(503, 'x-amz-retry-after' => 1300), $good ],
		odd        => [ failure(503, 'x-amz-retry-after' => 'soon'), $good ],
		very_late  => [ failure(503, 'x-amz-retry-after' => 60000), $good ],
		message    => $delivered,
		busy       => [ failure(429), $delivered ],
		fails      => failure(503),
		vanishes   => [ [ ['close'] ], $delivered ],
		skew       => skewed($good),
		skew_again => skewed($good),
		skew_send  => skewed($delivered),
	});
my $node = IotData::Node->make('retries', endpoint => $server->url, conf => "iotdata.max_attempts = 3\n");
my $session = $node->session;

sub read_of    { return "SELECT connected FROM iotdata.get_connection('$_[0]')" }
sub message_to { return "SELECT message FROM iotdata.send_direct_message('$_[0]', 'a')" }

sub requests_are
{
	my ($client, $count, $name) = @_;

	return is(scalar($server->requests($client)), $count, $name);
}

# ---- reads ----------------------------------------------------------------------------------

gives($session, read_of('twice'), 't', 'a read that meets 503 and then 500 is tried again, and has its answer');
requests_are('twice', 3, 'a read that is tried again twice makes three requests');

for my $status (500, 502, 503, 504, 429)
{
	fails_with(
		$session,
		read_of("status_$status"),
		$status == 502 ? 'IO000' : "IO$status",
		{ detail => qr/ 3 attempts\.\z/ },
		"a read that always meets $status fails after three attempts, with IO" . ($status == 502 ? '000' : $status));
	requests_are("status_$status", 3, "a read that always meets $status makes three requests");
}
for my $status (400, 403, 501)
{
	fails_with($session, read_of("status_$status"), $status == 501 ? 'IO000' : "IO$status", { detail => qr/ 1 attempt\.\z/ }, "a read that meets $status fails after one attempt");
	requests_are("status_$status", 1, "a read that meets $status makes one request");
}
gives($session, "SELECT iotdata.get_connection('status_404') IS NULL", 't', 'a read that meets 404 is NULL');
requests_are('status_404', 1, 'a read that meets 404 makes one request');
gives($session, read_of('lost'), 't', 'a read is tried again after a lost connection');
requests_are('lost', 3, 'a read that loses its connection twice makes three requests');
gives($session, read_of('throttled'), 't', 'a read is tried again after 429');

my $refusing = IotData::Blackhole->refuse;
fails_with(
	$session,
	"SET iotdata.endpoint_url = '" . $refusing->url . "'; " . read_of('x'),
	'IO001',
	{ detail => qr/; 3 attempts\.\z/ },
	'a read makes three attempts to connect');
fails_with($session, message_to('x'), 'IO001', { detail => qr/; 3 attempts\.\z/ }, 'a message makes three attempts to connect, for nothing was sent');
$session->query('RESET iotdata.endpoint_url');

# ---- actions --------------------------------------------------------------------------------

for my $client (qw(fails vanishes status_504))
{
	my $before = $server->requests($client);

	fails_with(
		$session, message_to($client), 'IO503|IO006|IO504',
		{ detail => qr/1 attempt\.\z/, hint => qr/may have arrived/ },
		"a message that may have arrived is not sent again ($client)");
	requests_are($client, $before + 1, "a message that may have arrived makes one request ($client)");
}
gives($session, message_to('busy'), 'OK', 'a message that was throttled is sent again');
requests_are('busy', 2, 'a message that was throttled once makes two requests');

# ---- when -----------------------------------------------------------------------------------

my $begun = time;
gives($session, read_of('late'), 't', 'a read that is told to come back later is tried again');
cmp_ok(time - $begun, '>=', 1.3, 'a read comes back no earlier than x-amz-retry-after says');
my @late = $server->requests('late');
isnt($late[1]{headers}{'x-amz-date'}, $late[0]{headers}{'x-amz-date'}, 'each attempt is signed with its own time');
isnt($late[1]{headers}{authorization}, $late[0]{headers}{authorization}, 'each attempt has a signature of its own');
gives($session, read_of('odd'), 't', 'a read is tried again after an x-amz-retry-after that is no number');

$session->query("SET statement_timeout = '300ms'");
fails_with($session, read_of('very_late'), '57014', {}, 'the wait for a retry can be cancelled');
$session->query('RESET statement_timeout');
goes_on($session, 'a cancelled wait');

$session->query('SET iotdata.max_attempts = 1');
fails_with($session, read_of('always'), 'IO503', { detail => qr/ 1 attempt\.\z/ }, 'with iotdata.max_attempts = 1 nothing is tried again');
$session->query('RESET iotdata.max_attempts');

# ---- the clock ------------------------------------------------------------------------------

for my $case ([ skew => read_of('skew'), 't', 2 ], [ skew_again => read_of('skew_again'), 't', 1 ], [ skew_send => message_to('skew_send'), 'OK', 1 ])
{
	my ($client, $sql, $expected, $count) = @$case;

	gives($session, $sql, $expected, "a call succeeds though the service's clock is an hour ahead: $client");
	requests_are($client, $count, $count > 1 ? "a call that was refused for its time is signed with the service's: $client" : "once a session knows the service's time its first attempt is signed with it: $client");
}
my $fresh = $node->session;
gives($fresh, message_to('skew_send'), 'OK', 'a message that was refused for its time is sent again, with the service\'s');

# ---- the quota ------------------------------------------------------------------------------

my $tired = $node->session;
my ($most, $last) = (0, 99);
for (1 .. 60)
{
	my ($attempts) = ($tired->try(read_of('always'))->{detail} // '') =~ / (\d+) attempt/;

	$most = $attempts if ($attempts // 0) > $most;
	$last = $attempts // 0;
}
is($most, 3, 'while there are few failures each call makes three attempts');
is($last, 1, 'when all calls fail they are not tried again any more');
goes_on($tired, 'calls that all failed');

no_crash($node);
done_testing();
