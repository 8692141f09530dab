# The payload of send_direct_message is bytea, text, json or jsonb: which one a call means, and what
# arrives then.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::Node;
use Test::More;

my $emulator = IotData::Emulator->start;
my $node     = IotData::Node->make('payload_types', endpoint => $emulator->url);
my $session  = $node->session;
my $lamp     = IotData::Client->start($emulator, 'lamp');

# arrives(SQL, PAYLOAD, NAME): the statement sends one message
sub arrives
{
	my ($sql, $payload, $name) = @_;
	my $result = $session->try($sql);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	if (defined $result->{sqlstate})
	{
		fail($name);
		diag($result->{stderr});
		return;
	}
	return is(pack('H*', $lamp->next_message->{payload}), $payload, $name);
}

# ---- types --------------------------------------------------------------------------------------

sub sending { return "SELECT message FROM iotdata.send_direct_message('lamp', 't', $_[0])" }

arrives(sending(q{'\x00ff41'::bytea}),             "\x00\xffA",           'bytea is sent as its bytes');
arrives(sending(q{'snow'::text}),                  'snow',                'text is sent as it is');
arrives(sending(q{'snow'::varchar(10)}),           'snow',                'varchar is text');
arrives(sending(q{'snow'::name}),                  'snow',                'name is text');
arrives(sending(q{'{"b":1,  "a": 1.50, "a":2}'::json}),  '{"b":1,  "a": 1.50, "a":2}', 'json is sent as it is written');
arrives(sending(q{'{"b":1,  "a": 1.50, "a":2}'::jsonb}), '{"a": 2, "b": 1}',           'jsonb is sent as PostgreSQL prints it');
arrives(sending(q{'null'::json}),                  'null',                'a null of JSON is a payload');
arrives(sending(q{to_json(1.50)}),                 '1.50',                'a number of JSON is a payload');
arrives(sending(q{json_build_object('a', 'é')}),   '{"a" : "' . "\xc3\xa9" . '"}', 'json is sent in UTF-8');
arrives(sending(q{''}),                            '',                    'an empty text is an empty payload');

# what triggers send
$session->query(<<'SQL');
CREATE TABLE device (client_id text, target numeric);
INSERT INTO device VALUES ('lamp', 20);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM iotdata.send_direct_message(NEW.client_id, 'row', row_to_json(NEW));
	RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER UPDATE ON device FOR EACH ROW EXECUTE FUNCTION tell();
SQL
arrives('UPDATE device SET target = 21.50', '{"client_id":"lamp","target":21.50}', 'a trigger sends row_to_json(NEW)');

# ---- without a type -----------------------------------------------------------------------------

arrives(sending(q{'literal'}),               'literal', 'a literal without a type is text');
arrives(sending(q{'\x41'}),                  '\x41',    'a literal that looks like bytea is text');
arrives(sending(q{'{"a":  1}'}),             '{"a":  1}', 'a literal that looks like JSON is text');
arrives(sending(q{'literal', 'text/plain'}), 'literal', 'a literal with more arguments is text');
arrives(q{SELECT message FROM iotdata.send_direct_message(client_id => 'lamp', topic => 't', payload => '\x41')},            '\x41', 'a named literal is text');
arrives(q{SELECT message FROM iotdata.send_direct_message('lamp', 't', confirmation => true, payload => '\x41')},            '\x41', 'a literal named among others is text');
arrives(q{SELECT message FROM iotdata.send_direct_message(payload => '\x41'::bytea, topic => 't', client_id => 'lamp')},     'A',    'a named payload has its own type');
arrives(q{SELECT message FROM iotdata.send_direct_message(payload => '[ 1]'::json, topic => 't', client_id => 'lamp')},      '[ 1]', 'a named payload may be json');

$session->query('PREPARE untyped AS SELECT iotdata.send_direct_message($1, $2, $3)');
gives($session, q{SELECT parameter_types FROM pg_prepared_statements WHERE name = 'untyped'}, '{text,text,text}', 'parameters without a type are text');
arrives(q{EXECUTE untyped('lamp', 't', '\x41')}, '\x41', 'a parameter without a type is sent as text');
$session->query('PREPARE typed(text, text, json) AS SELECT iotdata.send_direct_message($1, $2, $3)');
arrives(q{EXECUTE typed('lamp', 't', '[ 1]')}, '[ 1]', 'a parameter may be json');

# ---- without a payload --------------------------------------------------------------------------

arrives($_, '', "a call without a payload is not ambiguous: $_")
  for q{SELECT iotdata.send_direct_message('lamp', 't')},
  q{SELECT iotdata.send_direct_message('lamp', 't', confirmation => true, timeout => '5 s')},
  q{SELECT iotdata.send_direct_message(topic => 't', client_id => 'lamp')};

# ---- NULL ---------------------------------------------------------------------------------------

my $sent = $emulator->requests;
fails_with($session, sending($_), '22004', { message => qr/\bpayload\b.*null/ }, "a payload that is NULL is an error: $_")
  for 'NULL', q{'{"speed":' || NULL || '}'}, q{row_to_json(NULL::device)};
fails_with($session, q{EXECUTE untyped('lamp', 't', NULL)}, '22004', { message => qr/\bpayload\b.*null/ }, 'a parameter that is NULL is an error');
is($emulator->requests, $sent, 'a payload that is NULL sends nothing');

# ---- limits and encodings -----------------------------------------------------------------------

arrives(sending(q{to_json(repeat('x', 131070))}), '"' . 'x' x 131070 . '"', 'json of 131,072 bytes is sent');
fails_with($session, sending(q{to_json(repeat('x', 131071))}), '22023', { message => qr/payload must be at most 131072 bytes long, not 131073/ }, 'json of more bytes is refused');

$node->safe_psql('postgres', q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'});
$node->safe_psql('latin', 'CREATE EXTENSION iotdata');
$session->quit;
$session = $node->session(dbname => 'latin');
arrives(sending(qq{'\xc3\xa9'::text}),              "\xc3\xa9",       'text of a database in LATIN1 is sent in UTF-8');
arrives(sending(qq{'"\xc3\xa9"'::json}),            "\"\xc3\xa9\"",   'json of a database in LATIN1 is sent in UTF-8');
arrives(sending(qq{'"\xc3\xa9"'::jsonb}),           "\"\xc3\xa9\"",   'jsonb of a database in LATIN1 is sent in UTF-8');
arrives(sending(qq{convert_to('\xc3\xa9', 'LATIN1')}), "\xe9",        'bytea of a database in LATIN1 is sent as it is');

no_crash($node);
done_testing();
