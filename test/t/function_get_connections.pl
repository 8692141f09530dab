# get_connections: a row for each element, in the array's order, with its own error where it
# failed; equal elements are asked for once, and no more at once than iotdata.max_concurrency.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use JSON::PP;
use Test::More;

sub connected { return json_answer({ connected => JSON::PP::true, clientId => $_[0] }) }

my $server = IotData::FaultyServer->start(
	answers => {
		(map { ($_ => connected($_)) } qw(good a b c), map { "n$_" } 1 .. 100),
		later     => [ [ [ 'until', 'later' ], connected('later') ] ],
		gone      => not_found(),
		forbidden => http_answer(403, '{"message":"not yours"}'),
		oops      => http_answer(500, '{"message":"oops"}'),
		broken    => http_answer(200, '{"connected":1}'),
		garbage   => http_answer(200, 'garbage'),
		lost      => [ [ ['close'] ] ],
		never     => [ [ ['hold'] ] ],
	});
my $node    = IotData::Node->make('many', endpoint => $server->url);
my $session = $node->session;

sub rows
{
	my ($array, $more) = @_;

	return 'SELECT client_id, (connection).connected, error_code, error_message FROM iotdata.get_connections('
	  . $array
	  . ($more // '') . ')';
}
sub asked { return scalar($server->requests($_[0])) }

# ---- rows -------------------------------------------------------------------------------------

$session->begin(rows(q{ARRAY['b', 'later', 'a']}));
$server->wait_for_request($_) for qw(a b later);
$server->release('later');
is($session->finish->{out}, "b|t|NULL|NULL\nlater|t|NULL|NULL\na|t|NULL|NULL", 'rows come in the array\'s order, not in that of the answers');
gives($session, rows(q{ARRAY['c', 'c', NULL, 'c']}), "c|t|NULL|NULL\nc|t|NULL|NULL\nNULL|NULL|NULL|NULL\nc|t|NULL|NULL", 'equal elements and NULL have rows of their own');
is(asked('c'), 1, 'equal elements are asked for once');
gives($session, q{SELECT connection IS NULL, (connection).observed_at IS NULL, error_code IS NULL FROM iotdata.get_connections(ARRAY['gone'])}, 't|t|t', 'a client that is not known has no connection, and no error');

my $failures = $session->query(rows(q{ARRAY['a', 'forbidden', 'oops', 'broken', 'garbage', 'lost', '', '$x', repeat('x', 129), '..', 'b']}));
my @failures = map { [ split /\|/ ] } split /\n/, $failures;
is(join(' ', map { $_->[2] } @failures), 'NULL IO403 IO500 IO007 IO007 IO006 22023 22023 22023 22023 NULL', 'each failure is its row\'s own, and stops no other row');
like($failures[1][3], qr/\AAWS IoT answered .*: not yours\z/, 'a row that failed has the message of the error');
like($failures[6][3], qr/\Aclient_id must be 1 to 128 bytes long, not 0\z/, 'a row whose client ID is malformed has the message of that error');
is(scalar(@failures), 11, 'there is a row for each element');

gives($session, rows('NULL::text[]'), '', 'a NULL array gives no rows');
gives($session, rows(q{'{}'::text[]}), '', 'an empty array gives no rows');
gives($session, rows(q{'{{a,b},{b,c}}'::text[]}), join("\n", map { "$_|t|NULL|NULL" } qw(a b b c)), 'an array of two dimensions gives a row for each element, in order');
gives($session, q{SELECT count(*) FROM (SELECT iotdata.get_connections(ARRAY['a', 'b']) UNION ALL SELECT iotdata.get_connections(ARRAY['a'])) x}, '3', 'get_connections can be called in a select list');
gives($session, q{SELECT client_id FROM iotdata.get_connections(ARRAY['a', 'b', 'c']) LIMIT 1}, 'a', 'a LIMIT gives the first rows');

# ---- what stops all of it ---------------------------------------------------------------------

$session->begin(rows(q{ARRAY['a', 'never', 'b']}));
$server->wait_for_request('never');
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $session->pid . ')');
fails_with($session, $session->finish, '57014', {}, 'a cancel ends the statement, and is no row\'s own failure');
goes_on($session, 'a cancel in the middle of many');

my $before = $session->query(q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'iotdata%'}) || 0;
for (1 .. 20)
{
	$session->try(q{DO $$ BEGIN PERFORM iotdata.get_connections(ARRAY['a', 'b', 'lost', 'c']); RAISE 'over'; END $$});
}
is($session->query(q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'iotdata%'}) || 0, $before, 'statements that fail leave no memory behind');

# ---- how many at once -------------------------------------------------------------------------

my $emulator = IotData::Emulator->start(arguments => [ '--delay', 100 ]);
$session->query("SET iotdata.endpoint_url = '" . $emulator->url . "'; SET iotdata.max_concurrency = 7");
gives($session, q{SELECT count(*), count(error_code) FROM iotdata.get_connections(ARRAY(SELECT 'x' || i FROM generate_series(1, 30) i))}, '30|0', 'all of thirty clients have their answers, seven at a time');
$emulator->stop;
my ($most) = $emulator->log_text =~ /most-at-once=(\d+)/;
is($most, 7, 'as many requests are in flight as iotdata.max_concurrency allows, and no more');

# ---- another encoding -------------------------------------------------------------------------

$node->safe_psql('postgres', q{CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'});
$node->safe_psql('latin', 'CREATE EXTENSION iotdata');
my $umlaut = IotData::FaultyServer->start(
	answers => {
		'a'              => json_answer({ thingName => "\x{fc}ber" }),
		"f\xc3\xbcr"     => json_answer({ thingName => 'f' }),
		'snow'           => json_answer({ thingName => "\x{2603}" }),
	});
my $latin = $node->session(dbname => 'latin');
$latin->query("SET iotdata.endpoint_url = '" . $umlaut->url . "'");
gives($latin, q{SELECT client_id, (connection).thing_name = U&'\00fcber', error_code FROM iotdata.get_connections(ARRAY['a', U&'f\00fcr', 'snow'])}, qr/\Aa\|t\|NULL\nf..?r\|f\|NULL\nsnow\|NULL\|22P05\z/s, 'a character that the encoding does not have is its row\'s own failure');

no_crash($node);
done_testing();
