# What the service says when it refuses: every error of its model, in every form that it may have,
# becomes an SQLSTATE of its own, with what a person needs to find out more, and without a secret.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my %model = (
	InvalidRequestException              => 400,
	UnauthorizedException                => 401,
	ForbiddenException                   => 403,
	ResourceNotFoundException            => 404,
	MethodNotAllowedException            => 405,
	ConflictException                    => 409,
	RequestEntityTooLargeException       => 413,
	UnsupportedDocumentEncodingException => 415,
	ThrottlingException                  => 429,
	InternalFailureException             => 500,
	ServiceUnavailableException          => 503,
	GatewayTimeoutException              => 504);

my $TOKEN = 'FwoGZXIvYXdzEXAMPLETOKENthatIsNotToBeSeen0123456789==';

sub error
{
	my ($status, $headers, $body) = @_;

	return http_answer($status, ref $body ? encode_json($body) : $body, 'x-amzn-RequestId' => 'request-0815', @$headers);
}

# The forms; each gets the error's name and its status.
my %form = (
	header => sub {
		error($_[1], [ 'x-amzn-ErrorType' => "$_[0]:http://internal.example/coral/" ], { message => "said about $_[0]", traceId => 'trace-4711' });
	},
	code         => sub { error($_[1], [], { code => $_[0], message => "said about $_[0]", traceId => 'trace-4711' }) },
	capital_code => sub { error($_[1], [], { Code => $_[0], Message => "said about $_[0]", traceId => 'trace-4711' }) },
	type         => sub {
		error($_[1], [], { __type => "com.example.iot#$_[0]", message => "said about $_[0]", traceId => 'trace-4711' });
	},
	empty => sub { error($_[1], [], '') },
	text  => sub { error($_[1], [ 'Content-Type' => 'text/plain' ], 'plain words') });

my %answers = (good => json_answer({ connected => JSON::PP::true }));
for my $name (keys %model)
{
	$answers{"$_-$name"} = $form{$_}->($name, $model{$name}) for keys %form;
}

my @redirects = (301, 302, 303, 307, 308);
$answers{"moved-$_"} = http_answer($_, '', Location => '/connections/target') for @redirects;
$answers{"other-$_"} = http_answer($_, 'I say so') for (402, 418, 451, 502, 599);
$answers{target} = json_answer({ connected => JSON::PP::true });

# A service that gives back what it was sent, in every place that an error can show.
my $secret_parts = sub {
	my ($request) = @_;
	my $authorization = $request->{headers}{authorization} // '';
	my ($signature) = $authorization =~ /Signature=([0-9a-f]+)/;

	return ($authorization, $request->{headers}{'x-amz-security-token'} // '', $signature // '', $IotData::Node::SECRET);
};
$answers{echo_message} = sub {
	error(403, [ 'x-amzn-ErrorType' => 'ForbiddenException' ], { message => join(' and ', 'you sent', $secret_parts->($_[0])), traceId => 't' });
};
$answers{echo_text}    = sub { error(403, [], $_[0]{head}) };
$answers{echo_request} = sub { http_answer(403, '{}', 'x-amzn-RequestId' => join ' ', $secret_parts->($_[0])) };
$answers{echo_trace}   = sub { error(403, [], { message => 'm', traceId => join ' ', $secret_parts->($_[0]) }) };
for my $part (1 .. 3)
{
	$answers{"echo_name_$part"} = sub { error(403, [ 'x-amzn-ErrorType' => ($secret_parts->($_[0]))[$part] ], '{"message":"m"}') };
}
$answers{echo_code}    = sub { error(403, [], { code => ($secret_parts->($_[0]))[1], message => 'm' }) };
$answers{echo_json}    = sub { http_answer(200, join ' ', $secret_parts->($_[0])) };
$answers{echo_reason}  = sub { 'HTTP/1.1 403 ' . join(' ', $secret_parts->($_[0])) . "\r\nContent-Length: 0\r\n\r\n" };
my @echoes = sort grep { /^echo_/ } keys %answers;

$answers{accent} = error(403, [], encode_json({ message => "d\x{e9}fense d'entrer", traceId => 't' }));
$answers{snow}   = error(403, [], encode_json({ message => "\x{2603} stop", traceId => 't' }));
$answers{long}   = error(403, [], encode_json({ message => 'x' x 100_000 }));
$answers{lines}  = error(403, [], encode_json({ message => "one\r\ntwo\ttab\e[31mred" }));
$answers{nul}    = error(403, [], '{"message":"a\u0000b","traceId":"t"}');
$answers{broken} = error(403, [ 'x-amzn-ErrorType' => 'ForbiddenException' ], "\xff\xfe not UTF-8");
$answers{halves} = error(403, [ 'x-amzn-ErrorType' => 'ForbiddenException' ], '{"message":"stops');
$answers{types}  = error(403, [ 'x-amzn-ErrorType' => 'ForbiddenException' ], '{"message":7,"code":[],"traceId":{}}');
$answers{deep}   = error(403, [ 'x-amzn-ErrorType' => 'ForbiddenException' ], '[' x 100_000);
$answers{no_id}  = http_answer(403, '');
$answers{other_id} = http_answer(403, '', 'x-amz-request-id' => 'request-other');

my $server = IotData::FaultyServer->start(answers => \%answers);
my $node   = IotData::Node->make('errors', endpoint => $server->url, environment => { AWS_SESSION_TOKEN => $TOKEN });
my $session = $node->session;

sub get  { return "SELECT connected FROM iotdata.get_connection('$_[0]')" }
sub list { return "SELECT topic_filter FROM iotdata.list_subscriptions('$_[0]')" }
sub message { return "SELECT message FROM iotdata.send_direct_message('$_[0]', 'a/b', 'x'::text)" }

for my $name (sort { $model{$a} <=> $model{$b} } keys %model)
{
	for my $form (sort keys %form)
	{
		my $client = "$form-$name";
		my $said = $form eq 'empty' ? qr/./ : $form eq 'text' ? qr/plain words/ : qr/said about $name/;
		my %parts = (message => $said, detail => qr/$model{$name}.*request-0815/s, context => qr/SendDirectMessage.*$client/s);

		if ($form ne 'empty' && $form ne 'text')
		{
			my $short = $name =~ s/Exception\z//r;

			$parts{detail} = qr/$short.*$model{$name}.*request-0815.*trace-4711.*1/s;
			my $result = fails_with($session, message($client), "IO$model{$name}", \%parts, "$name by $form is IO$model{$name} for an action");
			like($result->{message}, qr/$short/, "$name by $form is named in the message");
		}
		else
		{
			fails_with($session, message($client), "IO$model{$name}", \%parts, "$model{$name} by $form is IO$model{$name} for an action");
		}
		$parts{context} = qr/GetConnection.*$client/s;
		if ($model{$name} == 404 && $said ne qr/said about $name/)
		{
			fails_with($session, get($client), 'IO404', { hint => qr/proxy/ }, "a 404 of $form is not the service's: get_connection fails");
			fails_with($session, list($client), 'IO404', { hint => qr/proxy/ }, "a 404 of $form is not the service's: list_subscriptions fails");
		}
		elsif ($model{$name} == 404)
		{
			gives($session, "SELECT c IS NULL FROM iotdata.get_connection('$client') c", 't', "404 by $form is NULL for get_connection");
			gives($session, list($client), '', "404 by $form is no row for list_subscriptions");
		}
		else
		{
			fails_with($session, get($client), "IO$model{$name}", \%parts, "$model{$name} by $form is IO$model{$name} for get_connection");
			fails_with($session, list($client), "IO$model{$name}", { context => qr/ListSubscriptions/ }, "$model{$name} by $form is IO$model{$name} for list_subscriptions");
		}
	}
}

# Of an action that the service may have done before it failed, that is said.
for my $name (sort keys %model)
{
	my $result = $session->try(message("header-$name"));
	my $text   = join ' ', map { $result->{$_} // '' } qw(detail hint);

	if   ($model{$name} >= 500) { like($text, qr/may have arrived/i, "the error of a $model{$name} says that the message may have arrived") }
	else                        { unlike($text, qr/may have arrived/i, "the error of a $model{$name} leaves no doubt about the message") }
}

fails_with($session, get("other-$_"), 'IO000', { detail => qr/$_/ }, "status $_ is IO000") for (402, 418, 451, 502, 599);
for my $status (@redirects)
{
	fails_with($session, get("moved-$status"),     'IO000', { detail => qr/$status/ }, "status $status is IO000 for a read");
	fails_with($session, message("moved-$status"), 'IO000', { detail => qr/$status/ }, "status $status is IO000 for an action");
}
is(scalar $server->requests('target'), 0, 'a redirect is not followed');

# Error texts of any kind
fails_with($session, get('long'),   'IO403', {}, 'an error message of 100,000 characters is reported');
fails_with($session, get('lines'),  'IO403', { message => qr/one/ }, 'an error message of several lines is reported');
fails_with($session, get('nul'),    'IO403', {}, 'an error whose message has \u0000 keeps its SQLSTATE');
fails_with($session, get('broken'), 'IO403', { message => qr/Forbidden/ }, 'an error whose body is not UTF-8 keeps its SQLSTATE');
fails_with($session, get('halves'), 'IO403', { message => qr/Forbidden/ }, 'an error whose body is half JSON keeps its SQLSTATE');
fails_with($session, get('types'),  'IO403', { message => qr/Forbidden/ }, 'an error whose body has wrong types keeps its SQLSTATE');
fails_with($session, get('deep'),   'IO403', { message => qr/Forbidden/ }, 'an error whose body is 100,000 brackets keeps its SQLSTATE');
fails_with($session, get('no_id'),  'IO403', { detail => qr/403/ }, 'a 403 with an empty body and no request id is IO403');
fails_with($session, get('other_id'), 'IO403', { detail => qr/request-other/ }, 'a request id of another header is shown');
unlike($session->try(get('lines'))->{stderr}, qr/\e/, 'no control character of an answer reaches the terminal');

# EXCEPTION WHEN SQLSTATE 'IO429' reads itself.
gives($session, <<'SQL', 'throttled', 'PL/pgSQL catches an error by its SQLSTATE');
CREATE FUNCTION look(client text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT connected FROM iotdata.get_connection(client));
EXCEPTION WHEN SQLSTATE 'IO429' THEN
	RETURN 'throttled';
END $$;
SELECT look('header-ThrottlingException')
SQL
goes_on($session, 'errors');

# Other encodings
for my $encoding ('LATIN1', 'SQL_ASCII', 'EUC_JP')
{
	my $name = lc $encoding;

	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($name, 'CREATE EXTENSION iotdata');
	my $other = $node->session(dbname => $name, variables => { PGCLIENTENCODING => $encoding eq 'SQL_ASCII' ? 'SQL_ASCII' : 'UTF8' });
	my %parts = $encoding eq 'LATIN1' ? (message => qr/d\xc3\xa9fense/) : ();

	fails_with($other, get('accent'), 'IO403', \%parts, "$encoding: an error text with an accent is reported");
	fails_with($other, get('snow'),   'IO403', {},      "$encoding: an error text that the encoding may not have keeps its SQLSTATE");
	goes_on($other, "error texts in $encoding");
}

# ---- secrets ------------------------------------------------------------------------------------

my $shown = '';
for my $client (@echoes)
{
	for my $sql (get($client), list($client), message($client))
	{
		my $result = $session->try($sql);

		ok(defined $result->{sqlstate}, "an answer that repeats what was sent is an error ($client)");
		$shown .= $result->{stderr};
	}
}
my ($sent) = $server->requests('echo_message');
my %secret = (
	'the secret access key'    => $IotData::Node::SECRET,
	'the session token'        => $TOKEN,
	'the signature'            => $sent->{headers}{authorization} =~ /Signature=([0-9a-f]{64})/,
	'the Authorization header' => 'AWS4-HMAC-SHA256 Credential=');

is($sent->{headers}{'x-amz-security-token'}, $TOKEN, 'the session token is sent');
like($sent->{headers}{authorization}, qr/SignedHeaders=[^,]*x-amz-security-token/, 'the session token is signed');
my $log = $node->log_text;
my %signature = map { $_->{headers}{authorization} =~ /Signature=([0-9a-f]{64})/ ? ($1 => 1) : () } $server->requests;
for my $what (sort keys %secret)
{
	ok(index($shown, $secret{$what}) < 0, "no error shows $what");
	ok(index($log,   $secret{$what}) < 0, "the server's log does not show $what");
}
ok(!(grep { index($shown, $_) >= 0 || index($log, $_) >= 0 } keys %signature), 'no signature of any request is shown anywhere');
like($shown, qr/you sent/, 'what is not secret in an echoed message is shown');

no_crash($node);
done_testing();
