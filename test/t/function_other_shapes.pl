# An operation is a table. Tables of other shapes than those that the extension has today do what
# they say: a body as a whole, items that are plain strings, bytes and JSON in base64, and an
# operation that is about nothing.

use strict;
use warnings FATAL => 'all';

use File::Basename qw(dirname);
use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Utils;
use Test::More;

sub message { return json_answer({ topic => 't', qos => 1, lastModifiedTime => 1_700_000_000_123, @_ }) }
sub base64 { return encode_base64($_[0], '') }

my $server = IotData::FaultyServer->start(
	answers => {
		lamp    => http_answer(200, qq({"state": {"desired": {"on":true,"level":1.50,"name":"\xc3\xa9"}}, "version": 9007199254740993})),
		text    => http_answer(200, '"just text"'),
		number  => http_answer(200, '12.50'),
		nothing => http_answer(200, 'null'),
		halves  => http_answer(200, '{"state":'),
		many    => [ json_answer({ results => [ 'a', 'b' ], nextToken => 'more' }), json_answer({ results => ['c'] }) ],
		mixed   => json_answer({ results => [ 'a', 5 ] }),
		holes   => http_answer(200, '{"results":["a",null,"b"]}'),
		bytes   => message(payload => base64("\0\xff\x01"), userProperties => base64('[{"a": "1"}, {"a": "2"}]')),
		empty   => message(payload => '', userProperties => undef),
		one     => message(payload => base64('x')),
		two     => message(payload => base64('xy')),
		three   => message(payload => base64('xyz')),
		(map { ("bad_$_" => message(payload => ('AAA', 'AA=A', '====', 'AA A', "AAAA\n", '*AAA', 'AAAA=')[$_])) } 0 .. 6),
		not_json => message(userProperties => base64('[{"a":')),
		not_utf8 => message(userProperties => base64("[\"\xff\"]")),
	},
	otherwise => json_answer({ retainedTopics => [ { topic => 'a/b', payloadSize => 5_000_000_000 } ] }));
my $node    = IotData::Node->make('shapes', endpoint => $server->url);
my $src     = dirname(__FILE__) . '/../../src';
my $probe   = PostgreSQL::Test::Utils::tempdir . '/operation_probe.so';
my $headers = $node->config_data('--includedir-server');
plan skip_all => "PostgreSQL's headers are not installed" unless -f "$headers/postgres.h";

chomp(my @flags = map { split ' ' } scalar `pkg-config --cflags --libs libcurl libcrypto libxml-2.0`);
system('cc', '-O1', '-D_GNU_SOURCE', '-shared', '-fPIC', '-Wl,-Bsymbolic', '-o', $probe, "-I$src", "-I$headers", '-DIOTDATA_VERSION="probe"',
	dirname(__FILE__) . '/../perl/operation_probe.c', grep({ !m{/(?:join|iotdata\.c)} } glob("$src/*.c $src/*/*.c")), @flags) == 0
  or die 'the probe could not be built';

my $session = $node->session;
$session->query($_) for split /;\n/, <<"SQL";
CREATE TYPE message AS (topic text, payload bytea, qos smallint, last_modified_time timestamptz, user_properties jsonb);
CREATE TYPE summary AS (topic text, payload_size bigint);
CREATE FUNCTION shadow(text) RETURNS jsonb AS '$probe', 'probe_get_thing_shadow' LANGUAGE C;
CREATE FUNCTION names(text) RETURNS SETOF text AS '$probe', 'probe_list_named_shadows_for_thing' LANGUAGE C;
CREATE FUNCTION message(text) RETURNS message AS '$probe', 'probe_get_retained_message' LANGUAGE C;
CREATE FUNCTION summaries() RETURNS SETOF summary AS '$probe', 'probe_list_retained_messages' LANGUAGE C
SQL

my $malformed = 'IO007';

gives($session, q{SELECT shadow('lamp') = '{"state": {"desired": {"on":true,"level":1.5,"name":"é"}}, "version": 9007199254740993}'}, 't',
	'a whole body is a value of jsonb');
gives($session, q{SELECT shadow('lamp')->'state'->'desired'->>'level'}, '1.50', 'numbers stay as they were written');
gives($session, q{SELECT shadow('text') = '"just text"'}, 't', 'a body may be a string');
gives($session, q{SELECT shadow('number')}, '12.50', 'a body may be a number');
gives($session, q{SELECT shadow('nothing') IS NULL}, 't', 'a body that is null is NULL');
fails_with($session, q{SELECT shadow('halves')}, $malformed, {}, 'a body that is not JSON is an error');

gives($session, q{SELECT string_agg(n, ' ' ORDER BY ord) FROM names('many') WITH ORDINALITY x (n, ord)}, 'a b c', 'items may be plain strings, over pages');
gives($session, q{SELECT count(*), count(n) FROM names('holes') x (n)}, '3|2', 'an item that is null is NULL');
fails_with($session, q{SELECT * FROM names('mixed')}, $malformed, { message => qr/an element of "results" is not a string/ }, 'an item of another type is an error');

gives($session, q{SELECT topic, encode(payload, 'hex'), qos, extract(epoch FROM last_modified_time)::numeric, user_properties = '[{"a": "1"}, {"a": "2"}]' FROM message('bytes')},
	't|00ff01|1|1700000000.123000|t', 'bytes and JSON are read out of base64');
gives($session, q{SELECT payload = '', user_properties IS NULL FROM message('empty')}, 't|t', 'empty bytes are empty, and null is NULL');
gives($session, "SELECT convert_from(payload, 'UTF8') FROM message('$_->[0]')", $_->[1], "base64 of $_->[1] is read") for [ one => 'x' ], [ two => 'xy' ], [ three => 'xyz' ];
fails_with($session, "SELECT message('bad_$_')", $malformed, { message => qr/"payload" is not bytes in base64/ }, "what is not base64 is an error ($_)") for 0 .. 6;
fails_with($session, "SELECT message('$_')", $malformed, { message => qr/"userProperties" is not JSON in base64/ }, "what is $_ in base64 is an error") for qw(not_json not_utf8);

gives($session, 'SELECT topic, payload_size FROM summaries()', 'a/b|5000000000', 'an operation may be about nothing');

no_crash($node);
done_testing();
