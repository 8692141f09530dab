# Thousands of answers, each broken in another way: the backend stays, every error has an SQLSTATE
# that is documented, no secret shows, and nothing grows. And whatever a message is sent with
# arrives as it was given.
#
# What is answered depends on the number of the call and the seed alone. The seed is printed;
# IOTDATA_FUZZ_SEED gives one, IOTDATA_FUZZ_CALLS another number of calls.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use List::Util qw(shuffle);
use MIME::Base64 qw(decode_base64);
use Test::More;

my $seed  = $ENV{IOTDATA_FUZZ_SEED}  // int(rand 1_000_000_000);
my $calls = $ENV{IOTDATA_FUZZ_CALLS} // 2000;
note("seed $seed");

my $good = json_answer({ connected => JSON::PP::true });
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# ---- chance -----------------------------------------------------------------------------------

sub one_of { return $_[ rand @_ ] }
sub chance { return rand() < $_[0] }

sub random_bytes { return join '', map { chr rand 256 } 1 .. $_[0] }

# Text with a bit of everything that is a character.
sub random_text
{
	my ($length) = @_;
	my @from = ([ 32, 126 ], [ 32, 126 ], [ 1, 31 ], [ 0x7f, 0x7ff ], [ 0x800, 0xd7ff ], [ 0xe000, 0xfdcf ], [ 0x10000, 0x1fffd ]);

	return join '', map { my $range = one_of(@from); chr($range->[0] + int rand($range->[1] - $range->[0] + 1)) } 1 .. $length;
}

# ---- answers ----------------------------------------------------------------------------------

my %members = (
	get  => [qw(connected thingName cleanSession sourceIp sourcePort targetIp targetPort keepAliveDuration connectedSince
		  disconnectedSince disconnectReason sessionExpiry clientId vpcEndpointId)],
	list => [qw(subscriptions nextToken)],
	send => [qw(message traceId)]);

# JSON texts that are likely to be read wrong.
my @values = (
	qw(true false null 0 -0 1 -1 65535 65536 2147483648 9223372036854775807 -9223372036854775808 9223372036854775808
	  1e3 1.5 1e308 1e309 1780315200000 1780315200000.0 8210266876799999 -210866803200000 "" "x" "127.0.0.1" "::1" "1.2.3"
	  "::ffff:1.2.3.4" "fe80::1%eth0" [] {} [1] [[]] {"a":1} "\u0000" "\ud800" "\ud83d\ude00" NaN Infinity tru 01 1. .5 +1 0x1),
	'"' . 'x' x 3000 . '"', "\"\xc3\xa9\"", "\"\xff\"", "\"a\tb\"", '"a\\nb"', '1' x 400, '[' x 40 . ']' x 40, "'x'", '"\\x"', '/**/1');

sub random_subscription
{
	return one_of(@values) if chance(0.1);
	return '{"topicFilter":' . (chance(0.7) ? '"a/b"' : one_of(@values)) . ',"qos":' . (chance(0.7) ? 1 : one_of(@values)) . '}';
}

sub random_member
{
	my ($name) = @_;

	return '[' . join(',', map { random_subscription() } 1 .. rand 4) . ']' if $name eq 'subscriptions' && chance(0.8);
	return one_of(@values);
}

sub random_body
{
	my ($kind, $status, $request) = @_;
	my @names = $status >= 300 || chance(0.1) ? qw(message traceId code Code __type Message) : @{ $members{$kind} };
	my @pairs = map { qq("$_":) . random_member($_) } grep { chance(0.3) } @names;

	# a service that tells what was signed
	push @pairs, '"message":' . $json->encode("signed: $request->{headers}{authorization} <") if $status >= 300 && chance(0.2);
	push @pairs, $pairs[0] if @pairs && chance(0.1);
	return '{' . join(',', shuffle(@pairs)) . '}';
}

# Bytes that are altered, taken away, put in, repeated, or cut off.
sub mutate
{
	my ($bytes) = @_;

	for (1 .. 1 + rand 4)
	{
		my $at   = int rand(1 + length $bytes);
		my $what = int rand 6;

		if    ($what == 0 && $at < length $bytes) { substr $bytes, $at, 1, chr rand 256 }
		elsif ($what == 1 && $at < length $bytes) { substr $bytes, $at, 1, substr($bytes, $at, 1) ^ chr(1 << rand 8) }
		elsif ($what == 2) { substr $bytes, $at, 1 + rand 5, '' if $at < length $bytes }
		elsif ($what == 3) { substr $bytes, $at, 0, random_bytes(1 + rand 4) }
		elsif ($what == 4) { substr $bytes, $at, 0, substr $bytes, rand length $bytes, 1 + rand 40 }
		else               { substr $bytes, $at, length $bytes, '' }
	}
	return $bytes;
}

sub chunks
{
	my ($body) = @_;
	my $chunks = '';

	while (length $body)
	{
		my $chunk = substr $body, 0, 1 + rand 30, '';

		$chunks .= sprintf "%x%s\r\n%s\r\n", length $chunk, chance(0.1) ? ';a=b' : '', $chunk;
	}
	return "${chunks}0\r\n" . (chance(0.1) ? "x-trailer: y\r\n" : '') . "\r\n";
}

my @statuses = ((200) x 12, 200 .. 206, 400 .. 405, 409, 413, 415, 418, 429, 500 .. 504, 301, 304, 599, 600, 999, 100, 101, 199, '020', 0, 'abc', '');
my @error_names = ('ResourceNotFoundException', 'aws.iot#ThrottlingException:http://x/', '#', ':', 'x' x 300, "\xc3\x28", 'a b', "a\tb");

sub random_headers
{
	my ($status) = @_;
	my @headers;

	push @headers, 'Content-Type: ' . one_of('application/json', 'text/html', '', "\x80") if chance(0.7);
	push @headers, 'x-amzn-ErrorType: ' . one_of(@error_names) if $status !~ /^2/ && chance(0.6);
	push @headers, 'x-amzn-RequestId: ' . one_of('5f0ba9e1', 'y' x 500, "\xe2\x82", '') if chance(0.5);
	push @headers, 'Content-Encoding: ' . one_of(qw(gzip identity br x)) if chance(0.03);
	push @headers, 'Connection: ' . one_of(qw(close keep-alive upgrade)) if chance(0.1);
	push @headers, 'Location: http://127.0.0.1:1/' if $status =~ /^3/;
	push @headers, one_of('X: ' . random_bytes(20) =~ s/[\r\n\0]/ /gr, ' folded', 'no colon', ': no name', 'Retry-After: 1', 'Set-Cookie: a=b') if chance(0.1);
	return @headers;
}

# The bytes in up to four pieces, with pauses between them.
sub pieces
{
	my ($bytes) = @_;
	my @ends = sort { $a <=> $b } map { int rand length $bytes } 1 .. rand 4;
	my ($at, @steps) = (0);

	for my $end (@ends)
	{
		push @steps, substr($bytes, $at, $end - $at), [ 'wait', 0.001 ];
		$at = $end;
	}
	return (@steps, substr $bytes, $at);
}

# The head's end says how long the body is, rightly or not.
sub framed
{
	my ($body, $wrong) = @_;
	my $length = length $body;

	return ("Transfer-Encoding: chunked\r\n\r\n", chunks($body)) if chance(0.3);
	$length = one_of(0, $length + 1, $length - 1, $length + 5000, -1, 'x', '', "$length, $length", '99999999999999999999', '1e3') if $wrong;
	return ("Content-Length: $length\r\n\r\n", $body);
}

# The steps of one answer (see IotData::FaultyServer).
sub answer
{
	my ($request) = @_;
	my ($number) = $request->{client} =~ /\Am(\d+)\z/ or return $good;

	srand($seed * 10_007 + $number);
	my $kind   = $request->{target} =~ /subscriptions/ ? 'list' : $request->{method} eq 'POST' ? 'send' : 'get';
	my $status = one_of(@statuses);
	my $body   = random_body($kind, $status =~ /^(\d+)/ ? $1 : 0, $request);
	my ($in_body, $in_length, $in_all) = map { chance($_) } (0.25, 0.1, 0.15);

	# half a signature is no secret, but no test could tell
	$body =~ s/AWS4.*?"/"/g if $in_body || $in_all;
	$body = mutate($body) if $in_body;
	my ($length, $framed) = framed($body, $in_length);
	my $head = one_of(('HTTP/1.1') x 20, 'HTTP/1.0', 'HTTP/2', 'HTTP/0.9', 'HTTP/1.1.1', 'http/1.1', 'ICY') . " $status " . one_of('OK', '', "\xff") . "\r\n";
	my $bytes = $head . join('', map { "$_\r\n" } random_headers($status)) . $length . $framed;
	$bytes = mutate($bytes) if $in_all;
	$bytes =~ s/\r\n/\n/g if chance(0.02);
	$bytes = "HTTP/1.1 100 Continue\r\n\r\n$bytes" if chance(0.02);

	# where the other side may wait for more the connection ends; else it may be kept
	my $whole = !$in_length && !$in_all && $head =~ m{\AHTTP/1.1 [2-5]\d\d };
	return [ pieces($bytes) ] if $whole && chance(0.8);
	my $cut = int rand length $bytes;
	return [ substr($bytes, 0, $cut), [ 'wait', 0.002 ], substr($bytes, $cut), [ one_of(qw(close close reset)) ] ];
}

my $server = IotData::FaultyServer->start(answers => { good => $good }, otherwise => \&answer);
my $sound  = IotData::FaultyServer->start(answers => { good => $good });
my $node = IotData::Node->make('mutated', endpoint => $server->url, conf => <<'CONF');
log_statement = none
log_min_messages = log
log_min_error_statement = panic
CONF

# ---- calls ------------------------------------------------------------------------------------

# For each SQLSTATE: how many calls ended so, and the first of them. '00000' is a success, and
# 'shows' is an error that shows a signature, or a character that breaks a line.
my $calls_sql = <<'SQL';
CREATE FUNCTION mutated(first integer, last integer, OUT state text, OUT times integer, OUT example text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	counts jsonb := '{}';
	said text;
	detail text;
	hint text;
BEGIN
	FOR i IN first .. last LOOP
		state := '00000';
		said := NULL;
		BEGIN
			IF i % 3 = 0 THEN
				PERFORM c.* FROM iotdata.get_connection('m' || i, i % 2 = 0) AS c;
			ELSIF i % 3 = 1 THEN
				PERFORM s.* FROM iotdata.list_subscriptions('m' || i) AS s;
			ELSE
				PERFORM d.* FROM iotdata.send_direct_message('m' || i, 'a/b', 'payload'::text) AS d;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			IF concat(said, detail, hint) ~ '[[:cntrl:]]|Signature=[0-9a-f]|wJalrXUtnFEMI' OR said = '' THEN
				state := 'shows';
			END IF;
		END;
		counts := counts || jsonb_build_object(state,
			jsonb_build_array(coalesce((counts -> state ->> 0)::integer, 0) + 1, coalesce(counts -> state ->> 1, format('call %s: %s', i, to_json(concat_ws(' / ', said, detail, hint))))));
	END LOOP;
	RETURN QUERY SELECT key, (value ->> 0)::integer, value ->> 1 FROM jsonb_each(counts);
END $$
SQL

my %seen;

# Makes calls FIRST to LAST, and checks what became of each, and that the session goes on.
sub make_calls
{
	my ($session, $first, $last, $allowed) = @_;
	my $result = $session->try("SELECT * FROM mutated($first, $last) ORDER BY 1");
	my ($total, @strange) = (0);

	for my $line (split /\n/, $result->{out})
	{
		my ($state, $times, $example) = split /\|/, $line, 3;

		$total += $times;
		$seen{$state} += $times;
		push @strange, "$state $example" unless $state =~ /\A(?:00000|$allowed)\z/;
	}
	is($total, $last - $first + 1, "calls $first to $last have all ended") or diag($result->{stderr}, "seed $seed");
	is_deeply(\@strange, [], "each error of calls $first to $last has an SQLSTATE that is documented, one line, and no secret")
	  or diag("seed $seed");
	gives($session, 'SELECT pg_backend_pid()', $session->pid, "the session outlives calls $first to $last");
	# elsewhere, since what is left of a last answer that was too long comes before the next one
	$session->query("SET iotdata.endpoint_url = '" . $sound->url . "'");
	goes_on($session, "calls $first to $last (seed $seed)");
	$session->query('RESET iotdata.endpoint_url');
	return;
}

sub holds
{
	my ($session) = @_;
	my $memory = $session->query('SELECT sum(total_bytes) FROM pg_backend_memory_contexts');

	open my $in, '<', '/proc/' . $session->pid . '/status' or die "no /proc: $!";
	my ($resident) = join('', <$in>) =~ /^VmRSS:\s*(\d+)/m;
	close $in;
	opendir my $dir, '/proc/' . $session->pid . '/fd' or die "no /proc: $!";
	my $files = grep { !/^\./ } readdir $dir;
	closedir $dir;
	return { memory => $memory, resident => $resident * 1024, files => $files };
}

my $documented = 'IO(?:000|400|401|403|404|405|409|413|415|429|500|503|504)|IO001|IO006|IO007|53400';
my $session = $node->session;
$session->query($calls_sql);
my $step = int($calls / 4) || 1;

make_calls($session, 1, $step, $documented);
my $before = holds($session);
make_calls($session, 1 + $step * $_, $step * ($_ + 1), $documented) for 1 .. 3;
my $after = holds($session);
cmp_ok($after->{memory} - $before->{memory},     '<',  100_000,   "PostgreSQL's memory does not grow");
grows_less($after->{resident} - $before->{resident}, 2_000_000, 'the process does not grow');
cmp_ok($after->{files} - $before->{files},       '<=', 1,         'no file stays open');
cmp_ok($server->connections, '>', $calls / 100, 'a connection is not reused after an answer that breaks it');
cmp_ok($server->connections, '<', $calls * 0.9, 'connections are reused after whole answers');
cmp_ok($seen{$_} // 0, '>', 0, "$_ is among the results") for qw(00000 IO007 IO006 IO000 IO403 IO404 IO429);

# ---- a database that cannot hold every character ----------------------------------------------

$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
$node->safe_psql('latin', 'CREATE EXTENSION iotdata');
my $latin = $node->session(dbname => 'latin');
$latin->query($calls_sql);
make_calls($latin, 1_000_001, 1_000_000 + $step, "$documented|22P05");
$latin->quit;
note(join ', ', map { "$_: $seen{$_}" } sort keys %seen);

# ---- what is sent arrives ---------------------------------------------------------------------

srand($seed);

# As jsonb has an object: of equal names the last, shorter names first.
sub as_pairs
{
	my ($object) = @_;
	my %bytes = map { my $name = $_; utf8::encode($name); ($_ => $name) } keys %$object;

	return [ map { { $_ => $object->{$_} } } sort { length $bytes{$a} <=> length $bytes{$b} || $bytes{$a} cmp $bytes{$b} } keys %$object ];
}

my (@messages, %expected);
for my $number (1 .. 400)
{
	my @pairs = map { { random_text(rand 12) => chance(0.97) ? random_text(rand 40) : one_of(undef, [], {}, JSON::PP::true) } } 0 .. rand 6;
	my $properties = chance(0.3) ? { map { %$_ } @pairs } : \@pairs;
	my $payload = random_bytes(rand 200);
	my $expected = ref $properties eq 'HASH' ? as_pairs($properties) : $properties;

	# a text, and nothing else, can be a value
	my $valid = !grep { my ($value) = values %$_; !defined $value || ref $value } @$expected;
	$expected{"p$number"} = [ $valid, $expected, $payload ];
	my $text = $json->encode($properties) =~ s/'/''/gr;
	utf8::decode($text);
	push @messages, "($number, '$text'::jsonb, '\\x" . unpack('H*', $payload) . "'::bytea)";
}
$session->query(<<'SQL');
CREATE FUNCTION sent(number integer, properties jsonb, payload bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM iotdata.send_direct_message('p' || number, 'a/b', payload, user_properties => properties, correlation_data => payload);
	RETURN '00000';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$
SQL
my $statement = 'SELECT number, sent(number, properties, payload) FROM (VALUES ' . join(",\n", @messages) . ') AS m (number, properties, payload)';
utf8::encode($statement);
my %state = map { split /\|/ } split /\n/, $session->query($statement);
my %arrived = map { $_->{client} => $_ } grep { ($_->{client} // '') =~ /^p/ } $server->requests;

my @wrong;
my %outcome = (sent => 0, refused => 0);
for my $client (sort keys %expected)
{
	my ($valid, $properties, $payload) = @{ $expected{$client} };
	my $state = $state{ substr $client, 1 } // 'nothing';

	if (!$valid)
	{
		$outcome{refused}++;
		push @wrong, "$client: $state, not 22023" if $state ne '22023' || $arrived{$client};
		next;
	}
	$outcome{sent}++;
	my $request = $arrived{$client};
	if ($state ne '00000' || !$request)
	{
		push @wrong, "$client: $state";
		next;
	}
	my $encoded = $request->{headers}{'x-amz-mqtt5-user-properties'};
	my $got = defined $encoded ? $json->decode(decode_base64($encoded)) : [];
	push @wrong, "$client: other user properties" if $json->encode($got) ne $json->encode($properties);
	push @wrong, "$client: another payload" if decode_base64($request->{body}) ne $payload;
	push @wrong, "$client: other correlation data"
	  if decode_base64($request->{headers}{'x-amz-mqtt5-correlation-data'} // '') ne $payload;
}
is_deeply(\@wrong, [], "$outcome{sent} messages arrive with what they were given, $outcome{refused} are refused") or diag("seed $seed");
goes_on($session, 'all messages');

no_crash($node);
done_testing();
