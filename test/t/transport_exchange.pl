# A request and its answer on one connection: requests that are taken slowly or not to their end,
# answers in every framing and every split, and what is sent again when a connection breaks.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $body  = '{"connected":true,"clientId":"x"}';
my $large = 131072;

# ---- answers: client => [answer, does the connection stay] -------------------------------------

sub chunks
{
	my ($text, $size, $extension) = @_;

	return join('', map { sprintf "%x%s\r\n%s\r\n", length, $extension // '', $_ } unpack "(A$size)*", $text);
}

my %framed = (
	length          => [ http_answer(200, $body), 1 ],
	length_1_0      => [ "HTTP/1.0 200 OK\r\nContent-Length: " . length($body) . "\r\n\r\n$body", 0 ],
	keep_alive_1_0  => [ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: " . length($body) . "\r\n\r\n$body", 1 ],
	close           => [ http_answer(200, $body, Connection => 'close'), 0 ],
	close_in_a_list => [ http_answer(200, $body, Connection => 'x, Close'), 0 ],
	to_the_end      => [ [ "HTTP/1.1 200 OK\r\n\r\n$body", ['close'] ], 0 ],
	chunks          => [ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" . chunks($body, 7) . "0\r\n\r\n", 1 ],
	extensions      => [ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" . chunks($body, 9, ';a="b"') . "0;c\r\n\r\n", 1 ],
	trailers        => [ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" . chunks($body, 50) . "0\r\nX-Sum: 1\r\n\r\n", 1 ],
	interim         => [ "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" . http_answer(200, $body), 1 ],
	line_feeds      => [ http_answer(200, $body) =~ s/\r\n/\n/gr, 1 ]);

my %refused = (
	folded         => "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 33\r\n\r\n$body",
	two_lengths    => "HTTP/1.1 200 OK\r\nContent-Length: 33\r\nContent-Length: 32\r\n\r\n$body",
	length_chunks  => "HTTP/1.1 200 OK\r\nContent-Length: 33\r\nTransfer-Encoding: chunked\r\n\r\n" . chunks($body, 50) . "0\r\n\r\n",
	gzip_coding    => "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" . chunks($body, 50) . "0\r\n\r\n",
	bare_cr        => "HTTP/1.1 200 OK\r\nX: a\rContent-Length: 33\r\n\r\n$body",
	long_head      => "HTTP/1.1 200 OK\r\nX: " . 'x' x 65536 . "\r\nContent-Length: 33\r\n\r\n$body",
	long_interims  => "HTTP/1.1 100 Continue\r\n\r\n" x 3000 . http_answer(200, $body),
	longer_chunk   => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n",
	switches       => "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");

my %answers = (good => json_answer({ connected => JSON::PP::true }), message => json_answer({ message => 'OK' }));
$answers{"framed_$_"}  = ref $framed{$_}[0] ? [ $framed{$_}[0] ] : $framed{$_}[0] for keys %framed;
$answers{"refused_$_"} = $refused{$_} for keys %refused;

# the same answer with a pause after each of its bytes in turn
my $split = "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n" . chunks($body, 20) . "0\r\nZ: 1\r\n\r\n";
$answers{"split_$_"} = [ [ substr($split, 0, $_), [ 'wait', 0.002 ], substr($split, $_) ] ] for 1 .. length($split) - 1;

# connections that break: with nothing, with some of an answer; the next one is good
$answers{gone}         = [ [ ['close'] ], json_answer({ connected => JSON::PP::true }) ];
$answers{gone_reset}   = [ [ ['reset'] ], json_answer({ connected => JSON::PP::true }) ];
$answers{always_gone}  = [ [ ['close'] ] ];
$answers{begun}        = [ [ 'H', ['close'] ], json_answer({ connected => JSON::PP::true }) ];
$answers{interim_gone} = [ [ "HTTP/1.1 100 Continue\r\n\r\n", ['close'] ], json_answer({ connected => JSON::PP::true }) ];

my $server  = IotData::FaultyServer->start(answers => \%answers);
my $node    = IotData::Node->make('exchange', endpoint => $server->url);
my $session = $node->session;

sub get     { return "SELECT connected FROM iotdata.get_connection('$_[0]')" }
sub message { return "SELECT message FROM iotdata.send_direct_message('$_[0]', 'a/b', repeat('x', $_[1])::text)" }

sub last_connection
{
	my ($request) = reverse $server->requests;

	return $request->{connection};
}

for my $name (sort keys %framed)
{
	gives($session, get("framed_$name"), 't', "an answer is read whatever its framing: $name");
	my $connection = last_connection();
	goes_on($session, "an answer framed by: $name");
	ok((last_connection() == $connection) == $framed{$name}[1],
		'the connection of an answer is ' . ($framed{$name}[1] ? 'reused' : 'not reused') . ": $name");
}
for my $name (sort keys %refused)
{
	fails_with($session, get("refused_$name"), 'IO007', { detail => qr/response is malformed: / }, "an answer that can be read in two ways is IO007: $name");
	goes_on($session, "an answer that is malformed: $name");
}
is($session->query(join ' UNION ALL ', map { "SELECT connected FROM iotdata.get_connection('split_$_')" } 1 .. length($split) - 1),
	join("\n", ('t') x (length($split) - 1)), 'an answer is the same wherever it is split');

# ---- requests that the other side does not take at once ----------------------------------------

# Small segments and a small buffer, so that a message goes out in many pieces.
my $slow = IotData::FaultyServer->start(answers => \%answers, receive_buffer => 4096, segment_size => 536);
$session->query("SET iotdata.endpoint_url = '" . $slow->url . "'");
gives($session, "SELECT message FROM iotdata.send_direct_message('message', 'a/b', (SELECT string_agg(i::text, ',') FROM generate_series(1, 22000) i)::text)",
	'OK', 'a message that goes out in pieces is sent');
my ($sent) = $slow->requests('message');
is(decode_base64($sent->{body}), join(',', 1 .. 22000), 'a message that goes out in pieces arrives as it was given');

# An answer that comes before the request is all out: the service's 413, and then the end.
for my $end ([], ['close'])
{
	my $early = IotData::FaultyServer->start(
		on_accept      => [ [ 'wait', 0.05 ], http_answer(413, '{"message":"too large"}', 'x-amzn-ErrorType' => 'RequestEntityTooLargeException', Connection => 'close'), $end->[0] ? $end : (), ['hold'] ],
		receive_buffer => 4096,
		segment_size   => 536);

	$session->query("SET iotdata.endpoint_url = '" . $early->url . "'");
	fails_with($session, message('x', $large), 'IO413', { message => qr/too large/ }, 'an answer ends the call though the message is not all out' . ($end->[0] ? ', also when the connection is closed' : ''));
	is($early->connections, 1, 'a message that was answered before it was all out is not sent again');
}

# Some of it is out, and then the connection breaks: nobody knows.
my $breaks = IotData::FaultyServer->start(on_accept => [ [ 'wait', 0.05 ], ['reset'] ], receive_buffer => 4096, segment_size => 536);
$session->query("SET iotdata.endpoint_url = '" . $breaks->url . "'; SET iotdata.max_attempts = 3");
fails_with($session, message('x', $large), 'IO006', { hint => qr/may have arrived/ }, 'a message whose connection breaks while it is sent is IO006');
is($breaks->connections, 1, 'a message whose connection broke while it was sent is not sent again');
$session->query("SET iotdata.endpoint_url = '" . $server->url . "'; SET iotdata.max_attempts = 1");
goes_on($session, 'messages that were not taken to their end');

# ---- what is sent again ------------------------------------------------------------------------

for my $client (qw(gone gone_reset))
{
	goes_on($session, 'nothing: it opens a connection');
	gives($session, get($client), 't', "a read is sent again at once when a reused connection breaks: $client");
	my @requests = $server->requests($client);
	is(scalar(@requests), 2, "a read whose reused connection breaks is sent again once: $client");
	isnt($requests[0]{connection}, $requests[1]{connection}, "a read is sent again on a new connection: $client");
}
goes_on($session, 'nothing: it opens a connection');
fails_with($session, get('always_gone'), 'IO006', {}, 'a read fails when the new connection breaks, too');
is(scalar($server->requests('always_gone')), 2, 'a read whose connections break is sent again only once');
fails_with($session, get('always_gone'), 'IO006', {}, 'a read fails when a connection breaks that was not used before');
is(scalar($server->requests('always_gone')), 3, 'a read is not sent again when a connection breaks that was not used before');
for my $client (qw(begun interim_gone))
{
	goes_on($session, 'nothing: it opens a connection');
	fails_with($session, get($client), 'IO006', {}, "a read whose answer breaks off fails: $client");
	is(scalar($server->requests($client)), 1, "a read whose answer has begun is not sent again: $client");
}

no_crash($node);
done_testing();
