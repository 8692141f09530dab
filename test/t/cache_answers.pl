# Answers that any session observed serve those who give a max_age, and several sessions that want
# the same at the same time ask once.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

sub connection { return json_answer({ connected => JSON::PP::true, clientId => $_[0], keepAliveDuration => 60, thingName => "th\x{e4}ng" }) }

my $server = IotData::FaultyServer->start(
	answers => {
		(map { ($_ => connection($_)) } qw(a b good socket region fresh mixed j1 j2 j3)),
		gone   => http_answer(404, '{}'),
		broken => http_answer(200, '{"connected":5}'),
		fails  => http_answer(500, '{}'),
		slow   => [ [ [ 'wait', 0.5 ], connection('slow') ] ],
		left   => [ [ ['hold'] ], connection('left') ],
		stuck  => [ [ [ 'wait', 0.5 ], connection('stuck') ], connection('stuck') ],
	});
my $node = IotData::Node->make('kept', endpoint => $server->url, conf => "shared_preload_libraries = 'iotdata'\n");
my ($one, $two) = map { $node->session } 1 .. 2;

sub asked { return scalar($server->requests($_[0])) }
sub fetch { return "SELECT connected, client_id FROM iotdata.get_connection('$_[0]'" . ($_[1] // '') . ')' }

my $hour = q{, max_age => '1 hour'};

# ---- who gets what ----------------------------------------------------------------------------

gives($one, fetch('a', $hour), 't|a', 'the first one asks');
gives($one, fetch('a', $hour), 't|a', 'the second has the same answer');
gives($two, fetch('a', $hour), 't|a', 'another session, too');
is(asked('a'), 1, 'one request for all three');
gives($two, fetch('a'), 't|a', 'who gives no max_age');
is(asked('a'), 2, 'asks');
gives($one, q{SELECT c IS NULL FROM iotdata.get_connection('gone', max_age => '1 hour') c}, 't', 'nothing is an answer');
gives($two, q{SELECT c IS NULL FROM iotdata.get_connection('gone', max_age => '1 hour') c}, 't', 'that is kept, too');
is(asked('gone'), 1, 'one request for it');
gives($one, fetch('b'),        't|b', 'an answer to one without max_age');
gives($two, fetch('b', $hour), 't|b', 'will do for one with it');
is(asked('b'), 1, 'so that it is not asked for again');
gives($one, fetch('b', q{, max_age => '0'}), 't|b', 'a max_age of 0');
is(asked('b'), 2, 'is as good as none');
fails_with($one, fetch('a', q{, max_age => '-1 s'}), '22023', { message => qr/max_age must not be negative/ }, 'a negative one is refused');
gives($one, fetch('a', q{, max_age => '1000000 years'}), 't|a', 'one longer than time will do');
gives($two, q{SELECT thing_name FROM iotdata.get_connection('a', max_age => '1 hour')}, "th\x{e4}ng" =~ s/\x{e4}/\xc3\xa4/r, 'all of it is kept');

gives($one, fetch('socket', $hour),                                      't|socket', 'without socket information');
gives($one, fetch('socket', "$hour, include_socket_information => true"), 't|socket', 'and with it');
is(asked('socket'), 2, 'are two questions');
gives($one, fetch('region', $hour), 't|region', 'another region');
gives($one, "SET iotdata.region = 'eu-west-1'; " . fetch('region', $hour) . '; RESET iotdata.region', 't|region', 'is another target');
is(asked('region'), 2, 'and has answers of its own');

# ---- observed_at ------------------------------------------------------------------------------

gives($one, q{SELECT observed_at BETWEEN now() AND clock_timestamp() FROM iotdata.get_connection('fresh')}, 't', 'observed_at is when the answer came');
gives($two, q{SELECT observed_at < now() FROM iotdata.get_connection('fresh', max_age => '1 hour')}, 't', 'of a kept one, when it came then');
gives($two, q{SELECT pg_sleep(0.01); SELECT observed_at >= now() FROM iotdata.get_connection('fresh', max_age => '1 ms')}, "\nt", 'one that is too old is not taken');

# ---- what is not kept -------------------------------------------------------------------------

fails_with($one, fetch('broken', $hour), '08P01', {}, 'an answer that is not what it must be') for 1 .. 2;
is(asked('broken'), 2, 'is not kept');
fails_with($one, fetch('fails', $hour), 'IO500', {}, 'a failure') for 1 .. 2;
is(asked('fails'), 2, 'is not kept');

# ---- several at once --------------------------------------------------------------------------

my @sessions = map { $node->session } 1 .. 4;
$_->begin(fetch('slow', $hour)) for @sessions;
is($_->finish->{out}, 't|slow', 'sessions that want the same at the same time have it') for @sessions;
is(asked('slow'), 1, 'one of them has asked');

$one->begin(fetch('left', $hour));
$server->wait_for_request('left');
$two->begin(fetch('left', $hour));
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $one->pid . ')');
fails_with($one, $one->finish, '57014', {}, 'the one that asks is cancelled');
is($two->finish->{out}, 't|left', 'then the one that waited asks');

$one->query("BEGIN; DECLARE c CURSOR FOR SELECT c.client_id FROM unnest(ARRAY['good', 'stuck']) id, iotdata.get_connection(id, max_age => '1 hour') c");
gives($one, 'FETCH 1 FROM c', 'good', 'a cursor has its first row');
$server->wait_for_request('stuck');
gives($two, fetch('stuck', $hour), 't|stuck', 'who wants it does not wait for that for ever');
gives($one, 'FETCH ALL FROM c', 'stuck', 'the cursor goes on');
$one->query('COMMIT');

# ---- in many ----------------------------------------------------------------------------------

my $join = q{SELECT string_agg(c.client_id, ' ' ORDER BY c.client_id) FROM unnest(ARRAY['j1', 'j2', 'j3']) id, iotdata.get_connection(id, max_age => '1 hour') c};
gives($_, $join, 'j1 j2 j3', 'a join') for $one, $two;
gives($two, q{SELECT count((connection).client_id) FROM iotdata.get_connections(ARRAY['j1', 'j2', 'j3'], max_age => '1 hour')}, '3', 'and get_connections');
is(asked($_), 1, "take kept answers ($_)") for qw(j1 j2 j3);
gives($one, q{SELECT count(*) FROM (VALUES ('mixed', '1 hour'::interval), ('mixed', '0')) v(id, age), iotdata.get_connection(id, max_age => age) c}, '2', 'in one query there can be several ages');
is(asked('mixed'), 2, 'and each is heeded');

# ---- the end of it ----------------------------------------------------------------------------

$one->query('SELECT iotdata.cache_reset()');
gives($two, fetch('a', $hour), 't|a', 'after cache_reset');
is(asked('a'), 3, 'everything is asked for again');

my $plain = IotData::Node->make('alone', endpoint => $server->url);
my $alone = $plain->session;
my $told  = $alone->try(fetch('a', $hour));
is($told->{out}, 't|a', 'without preloading');
like($told->{notices}[0]{message} // '', qr/for itself alone/, 'a session is told that answers are its own');
my $before = asked('a');
gives($alone, fetch('a', $hour), 't|a', 'it has them');
is(asked('a'), $before, 'without a request');
gives($plain->session, fetch('a', $hour), 't|a', 'another session');
is(asked('a'), $before + 1, 'has not');

no_crash($_) for $node, $plain;
done_testing();
