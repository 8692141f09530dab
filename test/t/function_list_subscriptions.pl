# list_subscriptions: all subscriptions of a client, page by page, in bounded memory.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $emulator = IotData::Emulator->start;
my $node     = IotData::Node->make('subscriptions', endpoint => $emulator->url);
my $session  = $node->session;

# ---- real clients -------------------------------------------------------------------------------

my $lamp = IotData::Client->start($emulator, 'lamp', topics => { map { ("lamp/$_/+" => 1) } 'a' .. 'e' });
my $idle = IotData::Client->start($emulator, 'idle', topics => { x => 0 }, arguments => [qw(-U x)]);
$idle->wait_for(qr/UNSUBACK|Unsubscribe/i);

gives($session, q{SELECT * FROM iotdata.list_subscriptions('lamp') ORDER BY 1}, join("\n", map { "lamp/$_/+|1" } 'a' .. 'e'),
	'a client\'s subscriptions are listed with their QoS');
ok(eventually(sub { $session->query(q{SELECT count(*) FROM iotdata.list_subscriptions('idle')}) eq '0' }), 'a client without subscriptions gives no rows');
gives($session, q{SELECT count(*) FROM iotdata.list_subscriptions('nobody')}, '0', 'a client that is unknown gives no rows');
my $before = $emulator->requests;
gives($session, q{SELECT count(*) FROM iotdata.list_subscriptions(NULL)}, '0', 'a NULL client gives no rows');
is($emulator->requests, $before, 'a NULL client makes no request');
gives($session, q{SELECT pg_typeof(topic_filter), pg_typeof(qos) FROM iotdata.list_subscriptions('lamp') LIMIT 1}, 'text|smallint', 'topic_filter is text, and qos smallint');

for my $size (1, 2, 4, 5, 6)
{
	$before = $emulator->requests;
	gives($session, "SELECT string_agg(topic_filter, ',' ORDER BY topic_filter) FROM iotdata.list_subscriptions('lamp', $size)",
		join(',', map { "lamp/$_/+" } 'a' .. 'e'), "in pages of $size each subscription comes once");
	ok(eventually(sub { $emulator->requests - $before >= int((5 + $size - 1) / $size) }), "pages of $size take a request each");
}
gives($session, q{SELECT d.c, count(s.topic_filter) FROM (VALUES ('lamp'), ('idle'), ('nobody')) d(c) LEFT JOIN LATERAL iotdata.list_subscriptions(d.c) s ON true GROUP BY 1 ORDER BY 1},
	"idle|0\nlamp|5\nnobody|0", 'a left join has a row for a client without subscriptions');

# ---- a scripted service -------------------------------------------------------------------------

# Pages of what was asked for, up to 100,000 subscriptions.
my $TOTAL = 100_000;
my $many  = sub {
	my ($request) = @_;
	my ($size)    = $request->{target} =~ /maxResults=(\d+)/;
	my ($from)    = $request->{target} =~ /nextToken=at%2B(\d+)/;

	$from //= 0;
	my $to = $from + ($size // 20);
	$to = $TOTAL if $to > $TOTAL;
	return json_answer(
		{
			subscriptions => [ map { { topicFilter => "filter/$_", qos => $_ % 2 } } $from .. $to - 1 ],
			$to < $TOTAL ? (nextToken => "at+$to") : (),
		});
};

sub page
{
	my ($token, @filters) = @_;

	return json_answer({ subscriptions => [ map { { topicFilter => $_, qos => 0 } } @filters ], nextToken => $token });
}

my $server = IotData::FaultyServer->start(
	answers => {
		many       => $many,
		same       => page('T', 'a'),
		circle     => [ page('A', 'a'), page('B', 'b'), page('A', 'c'), page('B', 'd'), page(undef, 'e') ],
		slow_turn  => sub { $_[0]{target} =~ /nextToken=(\d+)/; return page((($1 // -1) + 1) % 40, 'x') },
		last_null  => [ page('A', 'a'), page(undef, 'b') ],
		last_empty => [ page('A', 'a'), page('',    'b') ],
		hollow     => [ page('A', 'a'), page('B'), page('C'), page(undef, 'b') ],
		odd_token  => [ page("a b&c=d/\x{e9}+%25#?", 'a'), page(undef, 'b') ],
		gone       => [ page('A', 'a'), http_answer(404, '', 'x-amzn-ErrorType' => 'ResourceNotFoundException') ],
		throttled  => [ page('A', 'a'), http_answer(429, '', 'x-amzn-ErrorType' => 'ThrottlingException') ],
		unordered  => [ page('A', 'c', 'a'), page(undef, 'b', 'a') ],
		bare       => json_answer({ subscriptions => [ {} ] }),
	});
$session->query("SET iotdata.endpoint_url = '" . $server->url . "'");
sub asked { return scalar $server->requests($_[0]) }

gives($session, q{SELECT count(*), count(DISTINCT topic_filter), sum(qos) FROM iotdata.list_subscriptions('many')}, "$TOTAL|$TOTAL|50000",
	'100,000 subscriptions come, each once');
is(asked('many'), $TOTAL / 200, 'pages have 200 subscriptions, the most that the service allows');
like(($server->requests('many'))[0]{target}, qr/maxResults=200/, 'maxResults is 200 unless told otherwise');

gives($session, q{SELECT count(*) FROM (SELECT iotdata.list_subscriptions('many') LIMIT 3) s}, '3', 'a LIMIT over a select list gives the first rows');
is(asked('many') - $TOTAL / 200, 1, 'a LIMIT over a select list asks for one page only');

# memory: what the session's process holds must not follow the number of subscriptions
sub memory
{
	open my $in, '<', '/proc/' . $session->pid . '/status' or die "no /proc: $!";
	my ($kb) = map { /^VmHWM:\s*(\d+)/ ? $1 : () } <$in>;
	close $in;
	return $kb;
}
my $peak = memory();
$session->query('SELECT count(*) FROM (SELECT iotdata.list_subscriptions(\'many\') OFFSET 0) s');
my $grown = memory() - $peak;
grows_less($grown, 2048, '100,000 subscriptions are streamed in bounded memory') or diag("the peak grew by $grown kB");

for my $client (qw(same circle slow_turn))
{
	fails_with($session, "SELECT count(*) FROM iotdata.list_subscriptions('$client')", 'IO007', { context => qr/ListSubscriptions.*$client/s },
		"a token that comes a second time is an error ($client)");
}
is(asked('same'), 2, 'a token that comes twice in a row is an error at once');
cmp_ok(asked('circle'), '<=', 4, 'a circle of two tokens ends after four pages at most');
cmp_ok(asked('slow_turn'), '<=', 200, 'a circle of forty tokens ends after 200 pages at most');

gives($session, q{SELECT string_agg(topic_filter, '') FROM iotdata.list_subscriptions('last_null')},  'ab', 'a token of null ends the list');
gives($session, q{SELECT string_agg(topic_filter, '') FROM iotdata.list_subscriptions('hollow')},     'ab', 'a page without subscriptions does not end the list');
gives($session, q{SELECT string_agg(topic_filter, '') FROM iotdata.list_subscriptions('odd_token')},  'ab', 'a token may have any character');
like(($server->requests('odd_token'))[1]{target}, qr/nextToken=a%20b%26c%3Dd%2F%C3%A9%2B%2525%23%3F/, 'a token goes back as it came');
gives($session, q{SELECT string_agg(topic_filter, '') FROM iotdata.list_subscriptions('unordered')}, 'caba', 'subscriptions come in the service\'s order');
gives($session, q{SELECT * FROM iotdata.list_subscriptions('bare')}, 'NULL|NULL', 'missing members are NULL');

# a client that goes away between two pages, and an error on the second one
fails_with($session, q{SELECT * FROM iotdata.list_subscriptions('gone')}, 'IO007', {}, 'a client that is gone at the second page is an error, not a shorter list');
fails_with($session, q{SELECT * FROM iotdata.list_subscriptions('throttled')}, 'IO429', {}, 'an error on the second page is an error');
$session->query(q{CREATE TABLE kept AS SELECT 1 AS x});
$session->try(q{INSERT INTO kept SELECT 2 FROM iotdata.list_subscriptions('throttled')});
gives($session, 'SELECT count(*) FROM kept', '1', 'an error on the second page leaves none of the rows');

# a scan that is given up half way, and one that is started again
gives($session, q{SELECT string_agg(f, ',') FROM (SELECT topic_filter f FROM iotdata.list_subscriptions('many') LIMIT 2) s}, 'filter/0,filter/1', 'a LIMIT gives the first rows');
$session->query(q{BEGIN; DECLARE c CURSOR FOR SELECT iotdata.list_subscriptions('many')});
gives($session, 'FETCH 2 FROM c', "(filter/0,0)\n(filter/1,1)", 'a cursor gives as many rows as are fetched');
gives($session, 'CLOSE c; COMMIT; SELECT 1', '1', 'a cursor can be closed before the end of the list');
gives($session, q{SELECT count(*) FROM generate_series(1, 3) n, LATERAL iotdata.list_subscriptions('last_null', n + 1)}, qr/\A[36]\z/, 'a lateral join calls the function for each row');

no_crash($node);
done_testing();
