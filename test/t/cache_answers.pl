# Answers that any session observed serve those who give a max_age, and several sessions that want
# the same at the same time ask once.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use JSON::PP;
use Test::More;

sub connection { return json_answer({ connected => JSON::PP::true, clientId => $_[0], keepAliveDuration => 60, thingName => "th\x{e4}ng" }) }

my $server = IotData::FaultyServer->start(
	answers => {
		(map { ($_ => connection($_)) } qw(a b good socket region fresh mixed j1 j2 j3)),
		gone   => not_found(),
		broken => http_answer(200, '{"connected":5}'),
		fails  => http_answer(500, '{}'),
		slow   => [ [ [ 'until', 'slow' ], connection('slow') ] ],
		left   => [ [ ['hold'] ], connection('left') ],
		(map { ("stuck$_" => [ [ [ 'until', "stuck$_" ], connection("stuck$_") ], connection("stuck$_") ]) } '', '-2', '-3'),
		(map { ("lead$_" => [ [ [ 'until', "lead$_" ], connection("lead$_") ] ]) } '', '-2', '-3'),
	});
my $node = IotData::Node->make('kept', endpoint => $server->url, conf => "shared_preload_libraries = 'iotdata'\n");
my ($one, $two) = map { $node->session } 1 .. 2;

sub asked { return scalar($server->requests($_[0])) }
# Do all of these sessions wait in a call?
sub is_waiting
{
	my $pids = join ',', map { $_->pid } @_;

	return $node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid IN ($pids) AND wait_event_type = 'Extension'") == @_;
}

sub fetch { return "SELECT connected, client_id FROM iotdata.get_connection('$_[0]'" . ($_[1] // '') . ')' }

my $hour = q{, max_age => '1 hour'};

# ---- who gets what ----------------------------------------------------------------------------

gives($one, fetch('a', $hour), 't|a', 'a call with a max_age has an answer though none is cached');
gives($one, fetch('a', $hour), 't|a', 'a second call with a max_age has the same answer');
gives($two, fetch('a', $hour), 't|a', 'a call of another session has the same answer');
is(asked('a'), 1, 'one request serves calls with a max_age, also those of another session');
gives($two, fetch('a'), 't|a', 'a call without a max_age has an answer');
is(asked('a'), 2, 'a call without a max_age makes a request, though an answer is cached');
gives($one, q{SELECT c IS NULL FROM iotdata.get_connection('gone', max_age => '1 hour') c}, 't', 'a client that is not there is NULL with a max_age');
gives($two, q{SELECT c IS NULL FROM iotdata.get_connection('gone', max_age => '1 hour') c}, 't', 'a client that is not there is NULL for another session');
is(asked('gone'), 1, 'that a client is not there is cached');
gives($one, fetch('b'),        't|b', 'a call without a max_age has its answer');
gives($two, fetch('b', $hour), 't|b', 'a call with a max_age has the answer to one without');
is(asked('b'), 1, 'the answer to a call without a max_age is cached');
gives($one, fetch('b', q{, max_age => '0'}), 't|b', 'a call with a max_age of 0 has an answer');
is(asked('b'), 2, 'a call with a max_age of 0 makes a request, though an answer is cached');
fails_with($one, fetch('a', q{, max_age => '-1 s'}), '22023', { message => qr/max_age must not be negative/ }, 'a negative max_age is an error');
gives($one, fetch('a', q{, max_age => '1000000 years'}), 't|a', 'a max_age that begins before all time is taken');
gives($two, q{SELECT thing_name FROM iotdata.get_connection('a', max_age => '1 hour')}, "th\x{e4}ng" =~ s/\x{e4}/\xc3\xa4/r, 'a cached answer has every field');

gives($one, fetch('socket', $hour),                                      't|socket', 'a call without socket information has an answer');
gives($one, fetch('socket', "$hour, include_socket_information => true"), 't|socket', 'a call with socket information has an answer');
is(asked('socket'), 2, 'an answer without socket information does not serve a call that wants it');
gives($one, fetch('region', $hour), 't|region', 'a call has an answer of its region');
gives($one, "SET iotdata.region = 'eu-west-1'; " . fetch('region', $hour) . '; RESET iotdata.region', 't|region', 'a call in another region has an answer');
is(asked('region'), 2, 'an answer of one region does not serve a call in another');

# ---- observed_at ------------------------------------------------------------------------------

gives($one, q{SELECT observed_at BETWEEN now() AND clock_timestamp() FROM iotdata.get_connection('fresh')}, 't', 'observed_at is when the answer came');
gives($two, q{SELECT observed_at < now() FROM iotdata.get_connection('fresh', max_age => '1 hour')}, 't', 'observed_at of a cached answer is when that answer came');
gives($two, "SELECT pg_sleep_until(observed_at + '10 ms') FROM iotdata.get_connection('fresh', max_age => '1 hour'); SELECT observed_at >= now() FROM iotdata.get_connection('fresh', max_age => '1 ms')", "\nt", 'a cached answer that is older than max_age is not taken');

# ---- what is not kept -------------------------------------------------------------------------

fails_with($one, fetch('broken', $hour), 'IO007', {}, 'an answer that cannot be read is an error, also with a max_age') for 1 .. 2;
is(asked('broken'), 2, 'an answer that cannot be read is not cached');
fails_with($one, fetch('fails', $hour), 'IO500', {}, 'a failure of the service is an error, also with a max_age') for 1 .. 2;
is(asked('fails'), 2, 'a failure of the service is not cached');

# ---- several at once --------------------------------------------------------------------------

my @sessions = map { $node->session } 1 .. 4;
$_->begin(fetch('slow', $hour)) for @sessions;
eventually(sub { is_waiting(@sessions) }) or die "they do not wait\n";
$server->release('slow');
is($_->finish->{out}, 't|slow', 'each of several sessions that want the same at the same time has an answer') for @sessions;
is(asked('slow'), 1, 'several sessions that want the same at the same time make one request');

$one->begin(fetch('left', $hour));
$server->wait_for_request('left');
$two->begin(fetch('left', $hour));
eventually(sub { is_waiting($two) }) or die "it does not wait\n";
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $one->pid . ')');
fails_with($one, $one->finish, '57014', {}, 'a call that others wait for can be cancelled');
is($two->finish->{out}, 't|left', 'a session that waited for a call that was cancelled has an answer');

$one->query("BEGIN; DECLARE c CURSOR FOR SELECT c.client_id FROM unnest(ARRAY['lead', 'stuck']) id, iotdata.get_connection(id, max_age => '1 hour') c");
$one->begin('FETCH 1 FROM c');
$server->wait_for_request('stuck');
$server->release('lead');
is($one->finish->{out}, 'lead', 'a cursor has its first row while the next one is waited for');
# shorter than any claim lasts
$_->query("SET statement_timeout = '2.5 s'") for $one, $two;
gives($two, fetch('stuck', $hour), 't|stuck', 'a session does not wait for the request of a cursor that nobody reads');
gives($one, fetch('stuck', $hour), 't|stuck', 'a session with such a cursor takes the answer that another one has got');
$server->release('stuck');
gives($one, 'FETCH ALL FROM c', 'stuck', 'a cursor has its next row though another session had the answer first');
$one->query('COMMIT');

$one->query("BEGIN; DECLARE c CURSOR FOR SELECT c.client_id FROM unnest(ARRAY['lead-2', 'stuck-2']) id, iotdata.get_connection(id, max_age => '1 hour') c");
$one->begin('FETCH 1 FROM c');
$server->wait_for_request('stuck-2');
$server->release('lead-2');
is($one->finish->{out}, 'lead-2', 'another cursor has its first row while the next one is waited for');
gives($one, fetch('stuck-2', $hour), 't|stuck-2', 'a session does not wait for the request of its own cursor');
$server->release('stuck-2');
gives($one, 'FETCH ALL FROM c', 'stuck-2', 'that cursor has its next row, too');
$one->query('COMMIT');

$one->query("BEGIN; DECLARE c CURSOR FOR SELECT c.client_id FROM unnest(ARRAY['lead-3', 'stuck-3']) id, iotdata.get_connection(id, max_age => '1 hour') c");
$one->begin('FETCH 1 FROM c');
$server->wait_for_request('stuck-3');
$two->begin(fetch('stuck-3', $hour));
eventually(sub { is_waiting($two) }) or die "it does not wait\n";
is(asked('stuck-3'), 1, 'a session waits for the request of a cursor that is being fetched from');
$server->release('lead-3');
is($one->finish->{out}, 'lead-3', 'that cursor has its first row, and then rests');
is($two->finish->{out}, 't|stuck-3', 'who waits for a cursor stops when nobody fetches from it any more');
$server->release('stuck-3');
gives($one, 'FETCH ALL FROM c', 'stuck-3', 'that cursor has its next row all the same');
$one->query('COMMIT');
$_->query('RESET statement_timeout') for $one, $two;

# ---- in many ----------------------------------------------------------------------------------

my $join = q{SELECT string_agg(c.client_id, ' ' ORDER BY c.client_id) FROM unnest(ARRAY['j1', 'j2', 'j3']) id, iotdata.get_connection(id, max_age => '1 hour') c};
gives($_, $join, 'j1 j2 j3', 'a join with a max_age has its rows') for $one, $two;
gives($two, q{SELECT count((connection).client_id) FROM iotdata.get_connections(ARRAY['j1', 'j2', 'j3'], max_age => '1 hour')}, '3', 'get_connections with a max_age has its rows');
is(asked($_), 1, "joins and get_connections take cached answers ($_)") for qw(j1 j2 j3);
gives($one, q{SELECT count(*) FROM (VALUES ('mixed', '1 hour'::interval), ('mixed', '0')) v(id, age), iotdata.get_connection(id, max_age => age) c}, '2', 'one query can give a max_age for each row');
is(asked('mixed'), 2, 'each row has the max_age that it gives');

# ---- only what is needed ------------------------------------------------------------------------

# The same over rows of the function that has all of them.
sub joined { return "SELECT $_[0] FROM unnest(ARRAY['a', 'gone', 'j1']) WITH ORDINALITY v(id, n) LEFT JOIN LATERAL iotdata.get_connection(id, max_age => '1 hour') c ON " . ($_[1] // 'true') . ' ' . ($_[2] // '') . ' ORDER BY n' }

for my $case (
	[ 'some columns',                         'c.thing_name, c.keep_alive_duration' ],
	[ 'the whole row',                        'c' ],
	[ 'the whole row and a column',           'c.client_id, c' ],
	[ 'no column',                            'n' ],
	[ 'a column in a condition of the join',  'c.client_id', q{c.keep_alive_duration = '60 s'} ],
	[ 'a column in a condition of the query', 'c.client_id', 'true', q{WHERE c.thing_name LIKE 'th%'} ],
	[ 'an expression over two columns',       'c.client_id || c.keep_alive_duration' ])
{
	my ($name, @query) = @$case;

	$one->query(joined('c'));
	my $batched = $one->query(joined(@query));
	is($batched, $one->query('SET iotdata.batch_joins = off; ' . joined(@query) . '; RESET iotdata.batch_joins'), "a join from the cache has $name");
}
fails_with($one, q{SELECT c.client_id FROM unnest(ARRAY['broken']) id, iotdata.get_connection(id) c}, 'IO007', {}, 'a value that cannot be read is an error, though its column is not needed');

# ---- what it says of itself -------------------------------------------------------------------

$one->query('SELECT iotdata.cache_reset(); SELECT iotdata.stat_reset()');
gives($two, 'SELECT entries, bytes_used, hits, misses, evictions, oldest FROM iotdata.stat_cache', '0|0|0|0|0|NULL', 'stat_cache shows an empty cache');
gives($two, 'SELECT capacity BETWEEN 15 * 1024 * 1024 AND 16 * 1024 * 1024 FROM iotdata.stat_cache', 't', 'stat_cache shows the capacity');
gives($one, fetch('a', $hour), 't|a', 'a call with a max_age has an answer after the resets');
gives($_, fetch('a', $hour), 't|a', 'a call with a max_age has a cached answer after the resets') for $one, $two;
gives($one, $join, 'j1 j2 j3', 'a join with a max_age has its rows after the resets') for 1 .. 2;
gives($one, fetch('b'), 't|b', 'a call without a max_age has an answer after the resets');
gives($two, 'SELECT entries, hits, misses, evictions FROM iotdata.stat_cache', '5|5|4|0', 'stat_cache counts what all sessions have found, and calls made with a max_age');
gives($two, 'SELECT bytes_used BETWEEN 5 * 40 AND 5 * 128 FROM iotdata.stat_cache', 't', 'an answer takes at most 128 bytes');
gives($two, q{SELECT s.oldest = c.observed_at FROM iotdata.stat_cache s, iotdata.get_connection('a', max_age => '1 hour') c}, 't', 'stat_cache shows when the oldest answer was observed');
$one->query('SELECT iotdata.stat_reset()');
gives($two, 'SELECT entries, hits, misses FROM iotdata.stat_cache', '5|0|0', 'stat_reset resets what the cache has counted, and leaves the answers');

# ---- the end of it ----------------------------------------------------------------------------

my $asked = asked('a');
$one->query('SELECT iotdata.cache_reset()');
gives($two, fetch('a', $hour), 't|a', 'a call has an answer after cache_reset');
is(asked('a'), $asked + 1, 'after cache_reset nothing is cached');

my $plain = IotData::Node->make('alone', endpoint => $server->url);
my $alone = $plain->session;
my $told  = $alone->try(fetch('a', $hour));
is($told->{out}, 't|a', 'a call with a max_age has an answer without preloading');
like($told->{notices}[0]{message} // '', qr/shares no cached answers/, 'without preloading a session is told that its cache is its own');
my $before = asked('a');
gives($alone, fetch('a', $hour), 't|a', 'without preloading a second call has the same answer');
is(asked('a'), $before, 'without preloading a session has a cache');
gives($plain->session, fetch('a', $hour), 't|a', 'without preloading another session has an answer');
is(asked('a'), $before + 1, 'without preloading a session does not see what another one has cached');

gives($alone, 'SELECT entries, hits, misses FROM iotdata.stat_cache', '1|1|1', 'without preloading stat_cache shows the session\'s own cache');

no_crash($_) for $node, $plain;
done_testing();
