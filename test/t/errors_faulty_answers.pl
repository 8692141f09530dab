# What a good endpoint never does, and what an answer must not look like: each gives a clear error
# with its SQLSTATE, or the right answer, and the session goes on.

use strict;
use warnings FATAL => 'all';

use IotData::Blackhole;
use IotData::Certificates;
use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $good = '{"connected":true,"clientId":"x"}';

# An answer of status 200 with this body, whatever it is.
sub body { return http_answer(200, $_[0], 'Content-Type' => 'application/json') }

# ---- answers that break as bytes: client => [answer, SQLSTATE, what it is] ----------------------

my %broken = (
	before_head => [ [ [ ['close'] ] ], 'IO006', 'the connection is closed before the head' ],
	reset       => [ [ [ ['reset'] ] ], 'IO006', 'the connection is reset before the head' ],
	in_status   => [ [ [ 'HTTP/1.1 2', ['close'] ] ], 'IO006', 'the connection is closed within the status line' ],
	in_head  => [ [ [ "HTTP/1.1 200 OK\r\nContent-Le", ['close'] ] ], 'IO006', 'the connection is closed within the head' ],
	in_404   => [ [ [ "HTTP/1.1 404 Not Found\r\nContent-Le", ['close'] ] ], 'IO006', 'the connection is closed within the head of a 404' ],
	in_404_line => [ [ [ "HTTP/1.1 404 Not", ['close'] ] ], 'IO006', 'the connection is closed within the status line of a 404' ],
	in_404_body => [ [ [ "HTTP/1.1 404 Not Found\r\nContent-Length: 20\r\n\r\n{", ['close'] ] ], 'IO006', 'the connection is closed within the body of a 404' ],
	in_body  => [ [ [ "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n$good", ['close'] ] ], 'IO006', 'the body is cut short' ],
	in_reset => [ [ [ "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n$good", ['reset'] ] ], 'IO006', 'the connection is reset within the body' ],
	no_body => [ [ [ "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", ['close'] ] ], 'IO006', 'the connection is closed after the head' ],
	in_chunk => [
		[ [ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"conn", ['close'] ] ],
		'IO006', 'a chunk is cut short'
	],
	no_last_chunk => [
		[ [ sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", length $good, $good), ['close'] ] ],
		'IO006', 'the last chunk is missing'
	],
	not_chunks => [
		[ [ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n", ['close'] ] ],
		'IO007', 'the chunks are no chunks'
	],
	garbage     => [ [ [ "SSH-2.0-OpenSSH_9.2\r\n",  ['close'] ] ], 'IO007', 'an answer is not HTTP' ],
	binary      => [ [ [ join('', map { chr } 0 .. 255), ['close'] ] ], 'IO007', 'an answer is binary' ],
	bad_status  => [ [ [ "HTTP/1.1 abc OK\r\n\r\n", ['close'] ] ], 'IO007', 'a status is no number' ],
	bad_length  => [ [ [ "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n$good", ['close'] ] ], 'IO007', 'a length is no number' ],
	status_204  => [ http_answer(204, ''), 'IO007', 'an answer has status 204' ],
	empty       => [ http_answer(200, ''), 'IO007', 'an answer is empty' ],
	gzip        => [ http_answer(200, "\x1f\x8b\x08\0\0\0\0\0", 'Content-Encoding' => 'gzip'), 'IO007', 'an answer is compressed though nobody asked' ]);

# ---- answers that are too much ------------------------------------------------------------------

my %too_much = (
	endless      => [ [ [ "HTTP/1.1 200 OK\r\n\r\n", [ 'flood', '{"a":"' . 'x' x 65536 ] ] ], '53400', 'a body without end' ],
	endless_fail => [ [ [ "HTTP/1.1 500 Oops\r\n\r\n", [ 'flood', '{"a":"' . 'x' x 65536 ] ] ], '53400', 'the body of an error without end' ],
	mb_100       => [
		[ [ "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", [ 'flood', 'x' x 65536, 104857600 ] ] ],
		'53400', 'a body of 100 MB'
	],
	mb_100_chunks => [
		[ [ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", [ 'flood', "10000\r\n" . 'x' x 65536 . "\r\n" ] ] ],
		'53400', 'chunks without end'
	],
	head      => [ [ [ "HTTP/1.1 200 OK\r\n", [ 'flood', "X-More: abcdefgh\r\n" x 1000 ] ] ], 'IO007', 'a head without end' ],
	head_line => [ [ [ "HTTP/1.1 200 OK\r\nX-Long: ", [ 'flood', 'x' x 65536 ] ] ], 'IO007', 'a line of the head without end' ],
	continue  => [ [ [ [ 'flood', "HTTP/1.1 100 Continue\r\n\r\n" x 100 ] ] ], 'IO007', 'interim answers without end' ]);

# ---- answers that take too long -----------------------------------------------------------------

my %too_slow = (
	hold         => [ [ [ ['hold'] ] ], 'IO006', 'no answer' ],
	trickle_head => [ [ [ "HTTP/1.1 200 OK\r\n", [ 'trickle', 'X-Long: ' . 'x' x 10_000, 0.1 ] ] ], 'IO006', 'a head that comes byte by byte' ],
	trickle_body => [ [ [ "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", [ 'trickle', ' ' x 10_000, 0.1 ] ] ], 'IO006', 'a body that comes byte by byte' ]);

# ---- bodies that are not what they should be ----------------------------------------------------

my %wrong = (
	not_json       => [ 'connected',                               'text that is not JSON' ],
	half_json      => [ '{"connected":tr',                         'JSON that stops' ],
	html           => [ '<html></html>',                           'a web page' ],
	trailing       => [ "$good x",                                 'text behind the JSON' ],
	two            => [ "$good$good",                              'two objects' ],
	comma          => [ '{"connected":true,}',                     'a comma too many' ],
	single_quotes  => [ "{'connected':true}",                      'single quotes' ],
	comment        => [ "/* c */ $good",                           'a comment' ],
	nan            => [ '{"keepAliveDuration":NaN}',               'NaN' ],
	nul_byte       => [ "{\"clientId\":\"a\0b\"}",                 'a NUL byte' ],
	nul_after      => [ "$good\0",                                 'a NUL byte behind the JSON' ],
	control        => [ "{\"clientId\":\"a\nb\"}",                 'a bare control character in a string' ],
	array          => [ '[]',                                      'an array' ],
	string         => [ '"connected"',                             'a string' ],
	number         => [ '7',                                       'a number' ],
	null           => [ 'null',                                    'null' ],
	boolean_number => [ '{"connected":1}',                         'a number for a boolean' ],
	boolean_string => [ '{"connected":"true"}',                    'a string for a boolean' ],
	text_number    => [ '{"clientId":5}',                          'a number for a text' ],
	text_object    => [ '{"clientId":{}}',                         'an object for a text' ],
	text_array     => [ '{"thingName":["a"]}',                     'an array for a text' ],
	number_string  => [ '{"sourcePort":"80"}',                     'a string for a number' ],
	number_boolean => [ '{"sourcePort":true}',                     'a boolean for a number' ],
	number_part    => [ '{"sourcePort":1.5}',                      'a fraction for a whole number' ],
	number_32      => [ '{"sourcePort":4294967376}',               'a port beyond 32 bits' ],
	number_64      => [ '{"connectedSince":18446744073709551617}', 'a time beyond 64 bits' ],
	number_minus   => [ '{"connectedSince":-9223372036854775809}', 'a time below 64 bits' ],
	number_huge    => [ '{"sourcePort":' . '9' x 400 . '}',        'a number of 400 digits' ],
	number_exp     => [ '{"keepAliveDuration":1e999}',             'a number beyond a double' ],
	time_range     => [ '{"connectedSince":9223372036854775807}',  'a time after the last one' ],
	time_string    => [ '{"disconnectedSince":"yesterday"}',       'a text for a time' ],
	address        => [ '{"sourceIp":"256.1.1.1"}',                'an address that is none' ],
	address_number => [ '{"targetIp":1}',                          'a number for an address' ],
	nul            => [ '{"clientId":"a\u0000b"}',                 'a \u0000' ],
	utf8           => [ "{\"clientId\":\"\xc3\x28\"}",             'broken UTF-8' ],
	utf8_long      => [ "{\"clientId\":\"\xc0\xaf\"}",             'overlong UTF-8' ],
	utf8_surrogate => [ "{\"clientId\":\"\xed\xa0\x80\"}",         'a surrogate in UTF-8' ],
	utf8_cut       => [ "{\"clientId\":\"\xe2\x82\"}",             'UTF-8 that is cut' ],
	surrogate_high => [ '{"clientId":"\ud800"}',                   'a lone high surrogate' ],
	surrogate_low  => [ '{"clientId":"\udc00 "}',                  'a lone low surrogate' ],
	surrogate_swap => [ '{"clientId":"\udc00\ud800"}',             'surrogates the wrong way round' ],
	surrogate_text => [ '{"clientId":"\ud83dx"}',                  'a high surrogate before a letter' ],
	escape         => [ '{"clientId":"\x41"}',                     'an escape that JSON does not have' ],
	deep_array     => [ '[' x 100_000 . ']' x 100_000,             'arrays 100,000 deep' ],
	deep_object    => [ '{"a":' x 100_000 . '1' . '}' x 100_000,   'objects 100,000 deep' ],
	deep_member    => [ '{"more":' . '[' x 100_000 . ']' x 100_000 . ",\"connected\":true}", 'an unknown member 100,000 deep' ],
	deep_open      => [ '[' x 100_000,                             'brackets that only open' ]);

# ---- bodies of ListSubscriptions that are wrong, and of SendDirectMessage -----------------------

my %wrong_list = (
	list_object    => [ '{"subscriptions":{}}',                                 'an object for the list' ],
	list_string    => [ '{"subscriptions":"a"}',                                'a string for the list' ],
	list_of_text   => [ '{"subscriptions":["a"]}',                              'texts in the list' ],
	list_of_null   => [ '{"subscriptions":[null]}',                             'null in the list' ],
	list_qos       => [ '{"subscriptions":[{"topicFilter":"a","qos":"1"}]}',    'a string for the QoS' ],
	list_qos_range => [ '{"subscriptions":[{"topicFilter":"a","qos":70000}]}',  'a QoS beyond its type' ],
	list_filter    => [ '{"subscriptions":[{"topicFilter":1,"qos":1}]}',        'a number for the topic filter' ],
	list_second    => [ '{"subscriptions":[{"topicFilter":"a","qos":1},7]}',    'a second element of the wrong type' ],
	list_token     => [ '{"subscriptions":[],"nextToken":7}',                   'a number for the token' ],
	list_no_json   => [ 'subscriptions',                                        'text that is not JSON' ]);

# ---- answers that are unusual, and right --------------------------------------------------------

my %right = (
	unknown => [
		body('{"connected":true,"newThing":{"a":[1,{"b":null}]},"clientId":"x","other":"\u00e9"}'),
		'connected, client_id', 't|x', 'unknown members are ignored'
	],
	missing => [ body('{}'), 'c::text', qr{^\(,,,,,,,,,,,,,,"[-0-9:.+ ]+"\)$}, 'missing members are NULL' ],
	nulls   => [
		body('{"connected":null,"clientId":null,"sourcePort":null,"sourceIp":null,"connectedSince":null,"sessionExpiry":null}'),
		'c::text', qr{^\(,,,,,,,,,,,,,,"[-0-9:.+ ]+"\)$}, 'null members are NULL'
	],
	blanks   => [ body(" \r\n\t$good\n "), 'connected', 't', 'white space around the JSON is no fault' ],
	pair     => [ body('{"clientId":"\ud83d\ude00"}'), 'client_id', "\xf0\x9f\x98\x80", 'a pair of surrogates is a character' ],
	escapes  => [ body('{"clientId":"\u00e9\/\"\\\\"}'), 'client_id', "\xc3\xa9/\"\\", 'escapes are read' ],
	chunks   => [
		[ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"c\r\n", [ 'wait', 0.05 ], "10\r\nonnected\": true}\r\n0\r\n\r\n" ],
		'connected', 't', 'an answer in chunks is read'
	],
	until_close => [ [ "HTTP/1.1 200 OK\r\n\r\n$good", ['close'] ], 'connected', 't', 'an answer that ends with the connection is read' ],
	http_10     => [ [ "HTTP/1.0 200 OK\r\n\r\n$good", ['close'] ], 'connected', 't', 'an answer of HTTP/1.0 is read' ],
	interim     => [ "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" . body($good), 'connected', 't', 'an interim answer is passed over' ],
	large       => [ body('{"connected":true,"more":"' . 'x' x 1_000_000 . '"}'), 'connected', 't', 'an answer just within the limit is read' ],
	byte_bits   => [ [ [ 'trickle', body($good), 0.002 ] ], 'connected', 't', 'an answer may come byte by byte' ],
	max_64      => [ body('{"sourcePort":2147483647}'), 'source_port', '2147483647', 'the largest number of its type is read' ]);

my %answers = (good => body($good));
$answers{$_} = $broken{$_}[0]   for keys %broken;
$answers{$_} = $too_much{$_}[0] for keys %too_much;
$answers{$_} = $too_slow{$_}[0] for keys %too_slow;
$answers{$_} = body($wrong{$_}[0]) for keys %wrong;
$answers{$_} = body($wrong_list{$_}[0]) for keys %wrong_list;
# a list of steps stands inside a list of answers
$answers{$_} = ref $right{$_}[0] ? [ $right{$_}[0] ] : $right{$_}[0] for keys %right;

# The same answers byte by byte: client "x" becomes "x in bytes".
sub in_bytes
{
	my ($answer) = @_;
	my @steps = ref $answer ? @{ $answer->[0] } : ($answer);

	return [ [ map { ref || length() < 2 ? $_ : [ 'trickle', $_, 0.001 ] } @steps ] ];
}
my @in_bytes = grep { $_ ne 'large' && $_ ne 'byte_bits' } keys %broken, keys %right;
$answers{"$_ in bytes"} = in_bytes($answers{$_}) for @in_bytes;

my $server  = IotData::FaultyServer->start(answers => \%answers);
my $node    = IotData::Node->make('faulty', endpoint => $server->url);
my $session = $node->session;
my $backend = $session->pid;

sub get  { return "SELECT connected FROM iotdata.get_connection('$_[0]')" }
sub list { return "SELECT * FROM iotdata.list_subscriptions('$_[0]')" }
sub message { return "SELECT * FROM iotdata.send_direct_message('$_[0]', 'a/b', 'x'::text)" }

my $about = qr/GetConnection/;
my $may   = qr/may have arrived/i;

# What must be said of an action whose fate nobody knows.
sub fails_in_doubt
{
	my ($in, $sql, $sqlstate, $name) = @_;
	my $result = fails_with($in, $sql, $sqlstate, { context => qr/SendDirectMessage/ }, $name);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like(join(' ', map { $result->{$_} // '' } qw(detail hint)), $may, "$name, and the error says that the message may have arrived");
}

for my $group (\%broken, \%too_much)
{
	for my $client (sort keys %$group)
	{
		my (undef, $sqlstate, $what) = @{ $group->{$client} };

		fails_with($session, get($client), $sqlstate, { context => qr/GetConnection.*$client/s }, "$sqlstate when a read meets this: $what");
		goes_on($session, $what);
	}
}
for my $client (sort grep { $broken{$_} } @in_bytes)
{
	my (undef, $sqlstate, $what) = @{ $broken{$client} };

	fails_with($session, get("$client in bytes"), $sqlstate, {}, "$sqlstate when a read meets this byte by byte: $what");
}
goes_on($session, 'answers that come byte by byte');
for my $client (qw(before_head reset in_head in_body no_body garbage empty))
{
	my (undef, $sqlstate, $what) = @{ $broken{$client} };

	fails_in_doubt($session, message($client), $sqlstate, "$sqlstate when an action meets this: $what");
	is(scalar(grep { $_->{method} eq 'POST' } $server->requests($client)), 1, "an action is sent once though $what");
	# a connection that libcurl keeps although it is closed would put the next action in doubt
	goes_on($session, "an action that meets: $what");
}
goes_on($session, 'actions in doubt');

for my $client (sort keys %too_slow)
{
	my (undef, $sqlstate, $what) = @{ $too_slow{$client} };

	$session->query("SET iotdata.request_timeout = '1s'");
	my $begun = time;
	fails_with($session, get($client), $sqlstate, { context => qr/GetConnection.*$client/s }, "$sqlstate at request_timeout when a read meets this: $what");
	cmp_ok(time - $begun, '>=', 0.99, "a read that meets this is given as long as request_timeout says: $what");
	$session->query('RESET iotdata.request_timeout');
	goes_on($session, $what);
}
$session->query("SET iotdata.request_timeout = '1s'");
fails_in_doubt($session, message('hold'), 'IO006', 'IO006 at request_timeout when an action has no answer');
$session->query('RESET iotdata.request_timeout');
goes_on($session, 'an action without an answer');

for my $client (sort keys %wrong)
{
	fails_with($session, get($client), 'IO007', { context => qr/GetConnection.*$client/s }, "an answer with this is IO007: $wrong{$client}[1]");
}
goes_on($session, 'bodies that are wrong');
for my $client (sort keys %wrong_list)
{
	fails_with($session, list($client), 'IO007', { context => qr/ListSubscriptions.*$client/s }, "a list with this is IO007: $wrong_list{$client}[1]");
}
goes_on($session, 'lists that are wrong');
fails_in_doubt($session, message($_), 'IO007', "an action that is answered with this is IO007: $wrong{$_}[1]") for qw(not_json array surrogate_high);

for my $client (sort keys %right)
{
	my (undef, $column, $expected, $name) = @{ $right{$client} };

	gives($session, "SELECT $column FROM iotdata.get_connection('$client') c", $expected, $name);
	gives($session, "SELECT $column FROM iotdata.get_connection('$client in bytes') c", $expected, "$name, byte by byte") if $answers{"$client in bytes"};
}

$session->query("SET iotdata.max_response_size = '4kB'");
fails_with($session, get('large'), '53400', { context => $about }, 'an answer of more than max_response_size is 53400');
goes_on($session, 'a smaller limit');
$session->query('RESET iotdata.max_response_size');

is($session->query('SELECT pg_backend_pid()'), $backend, 'all of this happened in one session');

# ---- no connection ------------------------------------------------------------------------------

my ($refusing, $blackhole) = (IotData::Blackhole->refuse, IotData::Blackhole->start);
my %nowhere = (
	$refusing->url                  => 'nothing listens',
	'https://nothing.example.invalid' => 'the name does not resolve',
	$blackhole->url                 => 'the connection is not accepted in time');

for my $url (sort keys %nowhere)
{
	# the only one of them that waits for it
	$session->query("SET iotdata.connect_timeout = '500ms'") if $url eq $blackhole->url;
	$session->query("SET iotdata.endpoint_url = '$url'");
	fails_with($session, get('good'), 'IO001', { context => $about }, "IO001 for a read when $nowhere{$url}");
	my $result = fails_with($session, message('good'), 'IO001', { context => qr/SendDirectMessage/ }, "IO001 for an action when $nowhere{$url}");
	unlike($result->{stderr}, $may, "the error leaves no doubt about the message when $nowhere{$url}");
	$session->query('RESET iotdata.endpoint_url; RESET iotdata.connect_timeout');
	goes_on($session, $nowhere{$url});
}

# ---- TLS ----------------------------------------------------------------------------------------

my %certificate = IotData::Certificates::make(PostgreSQL::Test::Utils::tempdir);

for my $case (
	[ 'wrong_name',     'the certificate is for another name' ],
	[ 'expired',        'the certificate has expired' ],
	[ 'unknown_issuer', 'the certificate is from an unknown issuer' ],
	[ 'good',           'the authority is not one of ca_file', 'other_ca' ])
{
	my ($name, $what, $ca) = @$case;
	my $emulator = IotData::Emulator->start(certificate => $certificate{$name});

	$session->query("SET iotdata.endpoint_url = '" . $emulator->https_url . "'");
	$session->query("SET iotdata.ca_file = '" . $certificate{ $ca // 'ca' } . "'");
	fails_with($session, get('good'), 'IO001', { context => $about }, "IO001 when $what");
	fails_with($session, message('good'), 'IO001', {}, "IO001 for an action when $what");
	is($emulator->requests, 0, "nothing is sent when $what");
	$session->query('RESET iotdata.endpoint_url');
	goes_on($session, $what);
	$emulator->stop;
}

my $emulator = IotData::Emulator->start(certificate => $certificate{good});
$session->query("SET iotdata.endpoint_url = '" . $emulator->https_url . "'; SET iotdata.ca_file = '$certificate{ca}'");
gives($session, q{SELECT iotdata.get_connection('nobody') IS NULL}, 't', 'with the right ca_file a call over TLS succeeds');
$session->query('RESET iotdata.ca_file');
fails_with($session, get('good'), 'IO001', {}, "without ca_file the system's authorities count, though a connection was open");
$session->query("SET iotdata.ca_file = '/nonexistent/ca.pem'");
fails_with($session, get('good'), '\w{5}', { message => qr/./ }, 'a ca_file that is not there is an error');
$session->query('RESET iotdata.ca_file; RESET iotdata.endpoint_url');
goes_on($session, 'TLS');

# TLS asked of a port that speaks something else
$session->query("SET iotdata.endpoint_url = 'https://localhost:" . $server->port . "'; SET iotdata.connect_timeout = '1s'");
fails_with($session, get('good'), 'IO001', {}, 'IO001 when the other side does not speak TLS');
$session->query('RESET iotdata.endpoint_url; RESET iotdata.connect_timeout');
goes_on($session, 'a port without TLS');

no_crash($node);
done_testing();
