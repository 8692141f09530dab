# What is sent again, when and how often: reads after what passes, actions only when it is certain
# that they did not happen; each attempt is signed anew, with the service's clock if need be.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(strftime);
use Test::More;

my $good      = json_answer({ connected => JSON::PP::true, clientId => 'x' });
my $delivered = json_answer({ message   => 'OK', traceId => 't' });

sub failure { return http_answer($_[0], '{"message":"no"}', @_[ 1 .. $#_ ]) }

sub http_date { return strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time + $_[0])) }

# Refuses signatures until they are of its own time, an hour ahead of ours.
sub skewed
{
	my ($answer) = @_;

	return sub {
		my ($request) = @_;
		my $expected = strftime('%Y%m%dT%H', gmtime(time + 3600));

		return ($request->{headers}{'x-amz-date'} // '') =~ /\A$expected/
		  ? $answer
		  : failure(403, Date => http_date(3600));
	};
}

my $server = IotData::FaultyServer->start(
	answers => {
		good       => $good,
		twice      => [ failure(503), failure(500), $good ],
		always     => failure(503),
		(map { ("status_$_" => failure($_)) } 400, 403, 404, 500, 501, 502, 503, 504, 429),
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

gives($session, read_of('twice'), 't', 'a read is tried again after 503 and 500');
requests_are('twice', 3, 'three requests for that');

for my $status (500, 502, 503, 504, 429)
{
	fails_with(
		$session,
		read_of("status_$status"),
		$status == 502 ? 'IO000' : "IO$status",
		{ detail => qr/ 3 attempts\.\z/ },
		"a read that meets $status again and again fails in the end");
	requests_are("status_$status", 3, "after three requests ($status)");
}
for my $status (400, 403, 501)
{
	fails_with($session, read_of("status_$status"), $status == 501 ? 'IO000' : "IO$status", { detail => qr/ 1 attempt\.\z/ }, "$status is final");
	requests_are("status_$status", 1, "one request ($status)");
}
gives($session, "SELECT iotdata.get_connection('status_404') IS NULL", 't', '404 is an answer');
requests_are('status_404', 1, 'one request (404)');
gives($session, read_of('lost'), 't', 'a read is tried again when the connection is lost');
requests_are('lost', 3, 'three requests for that, too');
gives($session, read_of('throttled'), 't', 'a read is tried again after 429');

my $closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
my $port   = $closed->sockport;
close $closed;
fails_with(
	$session,
	"SET iotdata.endpoint_url = 'http://127.0.0.1:$port'; " . read_of('x'),
	'08001',
	{ detail => qr/; 3 attempts\.\z/ },
	'a connection is tried three times');
fails_with($session, message_to('x'), '08001', { detail => qr/; 3 attempts\.\z/ }, 'for a message too: nothing was sent');
$session->query('RESET iotdata.endpoint_url');

# ---- actions --------------------------------------------------------------------------------

for my $client (qw(fails vanishes status_504))
{
	my $before = $server->requests($client);

	fails_with(
		$session, message_to($client), 'IO503|08006|IO504',
		{ detail => qr/1 attempt\.\z/, hint => qr/may have arrived/ },
		"a message that may have arrived is not sent again ($client)");
	requests_are($client, $before + 1, "one request ($client)");
}
gives($session, message_to('busy'), 'OK', 'a message that was throttled is sent again');
requests_are('busy', 2, 'two requests for that');

# ---- when -----------------------------------------------------------------------------------

gives($session, read_of('late'), 't', 'x-amz-retry-after is heeded');
my @late = $server->requests('late');
cmp_ok($late[1]{time} - $late[0]{time}, '>=', 1.3, 'it makes the delay longer');
isnt($late[1]{headers}{'x-amz-date'}, $late[0]{headers}{'x-amz-date'}, 'each attempt is signed with its own time');
isnt($late[1]{headers}{authorization}, $late[0]{headers}{authorization}, 'and has a signature of its own');
gives($session, read_of('odd'), 't', 'one that is no number changes nothing');

$session->query("SET statement_timeout = '300ms'");
fails_with($session, read_of('very_late'), '57014', {}, 'the wait for a retry can be cancelled');
$session->query('RESET statement_timeout');
goes_on($session, 'a cancelled wait');

$session->query('SET iotdata.max_attempts = 1');
fails_with($session, read_of('always'), 'IO503', { detail => qr/ 1 attempt\.\z/ }, 'iotdata.max_attempts = 1: nothing is tried again');
$session->query('RESET iotdata.max_attempts');

# ---- the clock ------------------------------------------------------------------------------

for my $case ([ skew => read_of('skew'), 't', 2 ], [ skew_again => read_of('skew_again'), 't', 1 ], [ skew_send => message_to('skew_send'), 'OK', 1 ])
{
	my ($client, $sql, $expected, $count) = @$case;

	gives($session, $sql, $expected, "the service's clock is an hour ahead: $client");
	requests_are($client, $count, $count > 1 ? 'the second attempt has its time' : 'after that the first one has');
}
my $fresh = $node->session;
gives($fresh, message_to('skew_send'), 'OK', 'a message that was refused for its time is sent again');

# ---- the quota ------------------------------------------------------------------------------

my $tired = $node->session;
my ($most, $last) = (0, 99);
for (1 .. 60)
{
	my ($attempts) = ($tired->try(read_of('always'))->{detail} // '') =~ / (\d+) attempt/;

	$most = $attempts if ($attempts // 0) > $most;
	$last = $attempts // 0;
}
is($most, 3, 'while there are few failures, each call is tried three times');
is($last, 1, 'when all fail, nothing is tried again any more');
gives($tired, read_of('good'), 't', 'and the session goes on');

no_crash($node);
done_testing();
