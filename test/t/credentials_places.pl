# Where credentials are found when they are not in the environment: a container's endpoint, a token of
# an identity provider, an instance's metadata. What is wrong with one of them is an error that names
# the place and the reason, and shows no secret; a cancel is not held up by any.

use strict;
use warnings FATAL => 'all';

use File::Temp qw(tempdir);
use IotData::Check;
use IotData::CredentialServer;
use IotData::FaultyServer;
use IotData::Node;
use IotData::Wait;
use MIME::Base64 qw(decode_base64);
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $server = IotData::CredentialServer->start;
my $folder = tempdir(CLEANUP => 1);
my %none   = (AWS_ACCESS_KEY_ID => undef, AWS_SECRET_ACCESS_KEY => undef);
my $node   = IotData::Node->make('places', endpoint => $server->url, environment => \%none, conf => "log_min_messages = debug5\n");
my $who    = q{SELECT client_id FROM iotdata.get_connection('who')};

# A session of the server, which was started again with these variables.
sub with
{
	my (%environment) = @_;

	$node->restart_with({ %none, %environment });
	return $node->session;
}

sub file
{
	my ($name, $content) = @_;

	open my $fh, '>', "$folder/$name" or die "cannot write $folder/$name: $!";
	print $fh $content;
	close $fh or die "cannot write $folder/$name: $!";
	return "$folder/$name";
}

# A call fails with 28000 and these parts, and so does target_info in its way.
sub refuses
{
	my ($session, $parts, $name) = @_;

	fails_with($session, $who, '28000', $parts, $name);
	is($session->try('SELECT 1')->{out}, '1', "the session goes on after: $name");
	return;
}

# ---- nothing ------------------------------------------------------------------------------------

refuses(with(), {
		message => qr/\Ano AWS credentials were found\z/,
		detail  => qr/environment: AWS_ACCESS_KEY_ID is not set\. web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set\. .*container: .*instance: AWS_EC2_METADATA_DISABLED is true\./
	}, 'where nothing is found, the error lists what was tried');
like($node->session->query('SELECT credentials_source, error_message, error_detail FROM iotdata.target_info()'),
	qr/\ANULL\|no AWS credentials were found\|environment: .* web identity: .* instance: /, 'target_info shows that there are none, and what was tried');

# ---- containers ---------------------------------------------------------------------------------

sub container
{
	my ($scenario, %more) = @_;

	return with(AWS_CONTAINER_CREDENTIALS_FULL_URI => $server->url . "/container/$scenario?a=b", %more);
}

like(container('good')->query($who), qr/\ACONTAINER\d+\z/, 'a container has credentials');
gives($node->session, 'SELECT credentials_source, credentials_expire_at > now() FROM iotdata.target_info()', 'container|t', 'target_info shows a container as their source');
my ($asked) = grep { $_->{target} =~ m{^/container/good} } $server->requests;
is($asked->{target}, '/container/good?a=b', "a container's URL is asked for as it is");
ok(!exists $asked->{headers}{authorization}, 'without a token none is sent');

sub token_of { return (grep { $_->{target} =~ m{^/container/$_[0]} } $server->requests)[-1]{headers}{authorization} }

container('good', AWS_CONTAINER_AUTHORIZATION_TOKEN => 'Basic abc')->query($who);
is(token_of('good'), 'Basic abc', 'a token in the environment is sent');
my $token = file('token', "Bearer one\n");
my $session = container('brief', AWS_CONTAINER_AUTHORIZATION_TOKEN => 'no', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE => $token);
$session->query($who);
is(token_of('brief'), 'Bearer one', 'a token in a file comes before it');
file('token', 'Bearer two');
ok(eventually(sub { $session->query($who); token_of('brief') eq 'Bearer two' }), "a token's file is read anew");

my $message = qr/\Athe AWS credentials of the container could not be got\z/;
refuses(container($_->[0]), { message => $message, detail => qr{\AOf http://127\.0\.0\.1:\d+/container/$_->[0]: $_->[1]} }, "of a container: $_->[0]")
  for [ expired => 'It has expired\.' ], [ no_time => 'Its expiration is not a time\.' ], [ no_secret => 'It has no secret access key' ],
  [ line => 'It has a session token that cannot be used\.' ], [ number => '"AccessKeyId" is not a string\.' ], [ garbage => 'It is not JSON' ],
  [ empty => 'It is not JSON' ], [ error => 'It answered with HTTP status 500\.' ], [ forbidden => 'It answered with HTTP status 403\.' ],
  [ large => 'The response has too large a body' ], [ close => 'The connection was closed without a response' ];
is(scalar(grep { $_->{target} =~ m{/container/error} } $server->requests), 3, 'a container that answers 500 is asked three times');
like(container('twice')->query($who), qr/CONTAINER/, 'a container that answers after an error is asked again');

refuses(with(AWS_CONTAINER_CREDENTIALS_FULL_URI => $_->[0]), { message => $message, detail => qr/\AThe URL of AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be used: $_->[1]/ }, "a container's URL may not be $_->[0]")
  for [ 'http://example.com/a', 'http is possible for loopback' ], [ 'http://169.254.169.254/a', 'http is possible' ], [ 'ftp://localhost/', 'The scheme must' ], [ '/a', 'An endpoint has the form' ];
refuses(container('good', AWS_CONTAINER_AUTHORIZATION_TOKEN => "a\r\nb: c"), { message => $message, detail => qr/line break/ }, 'a token may not have a line break');
refuses(container('good', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE => $_->[0]), { message => $message, detail => qr/AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be used: .*$_->[1]/ }, "a token's file may not be $_->[1]")
  for [ file('empty', " \n"), 'is empty' ], [ "$folder/missing", 'No such file' ], [ $folder, 'not a regular file' ], [ file('nul', "a\0b"), 'NUL byte' ], [ file('long', 'x' x 70_000), 'more than 65536 bytes' ];

# ---- instances ----------------------------------------------------------------------------------

sub instance
{
	my ($scenario) = @_;
	my $metadata = IotData::CredentialServer->start(metadata => $scenario);

	return (with(AWS_EC2_METADATA_DISABLED => undef, AWS_EC2_METADATA_SERVICE_ENDPOINT => $metadata->url), $metadata);
}

($session, my $metadata) = instance('good');
like($session->query($who), qr/\AINSTANCE\d+\z/, 'an instance has the credentials of its role');
my @asked = $metadata->requests;
is_deeply([ map { "$_->{method} $_->{target}" } @asked ], [ 'PUT /latest/api/token', map { "GET /latest/meta-data/iam/security-credentials/$_" } '', 'the-role' ], 'an instance is asked for a token, its role and the credentials');
is($asked[0]{headers}{'x-aws-ec2-metadata-token-ttl-seconds'}, '21600', 'a token is asked for hours');
is($_->{headers}{'x-aws-ec2-metadata-token'}, 'metadata-token', "the token goes with $_->{target}") for @asked[ 1, 2 ];
gives($session, 'SELECT credentials_source FROM iotdata.target_info()', 'instance', 'target_info shows an instance as their source');

for (['no_service', 'gave no token\. It answered with HTTP status 404\.'], [ 'no_role', 'The instance has no role\.' ])
{
	my ($scenario, $detail) = @$_;

	refuses((instance($scenario))[0], { message => qr/no AWS credentials were found/, detail => qr/instance: .*$detail/ }, "an instance with $scenario has no credentials");
}
for ([ failed => 'It says "Failed"\.' ], [ garbage => 'It is not JSON' ], [ expired => 'It has expired' ], [ error => 'It answered with HTTP status 500' ], [ close => 'The connection was closed without a response' ])
{
	my ($scenario, $detail) = @$_;

	refuses((instance($scenario))[0], { message => qr/\Athe AWS credentials of the EC2 instance could not be got\z/, detail => qr{/security-credentials/the-role: $detail} }, "of an instance: $scenario");
}
my $silent = IotData::FaultyServer->start(on_accept => [ ['hold'] ]);
refuses(with(AWS_EC2_METADATA_DISABLED => undef, AWS_EC2_METADATA_SERVICE_ENDPOINT => $silent->url), { message => qr/no AWS credentials were found/, detail => qr/instance: .*gave no token\. After 1000 ms/ }, 'a metadata service that never answers is given up after a second');
refuses(with(AWS_EC2_METADATA_DISABLED => undef, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE => 'IPv5'), { detail => qr/neither IPv4 nor IPv6/ }, 'the mode of the metadata service is IPv4 or IPv6');

# ---- web identity -------------------------------------------------------------------------------

sub web_identity
{
	my ($scenario, %more) = @_;

	return with(
		AWS_WEB_IDENTITY_TOKEN_FILE => file('jwt', "eyJ.token+/=\n"),
		AWS_ROLE_ARN                => "arn:aws:iam::123456789012:role/$scenario",
		AWS_ENDPOINT_URL_STS        => $server->url,
		%more);
}

like(web_identity('good')->query($who), qr/\ASTS\d+\z/, 'a token of an identity provider is good for credentials of a role');
my ($exchange) = grep { $_->{target} eq '/' } $server->requests;
is(decode_base64($exchange->{body}), 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fgood&RoleSessionName=iotdata&WebIdentityToken=eyJ.token%2B%2F%3D', 'STS is asked for what the variables say');
ok(!exists $exchange->{headers}{authorization}, 'the request for a web identity is not signed');
is($exchange->{headers}{'content-type'}, 'application/x-www-form-urlencoded; charset=utf-8', 'the request is a form');
web_identity('good', AWS_ROLE_SESSION_NAME => 'me')->query($who);
like(decode_base64((grep { $_->{target} eq '/' } $server->requests)[-1]{body}), qr/RoleSessionName=me&/, 'the session has the name that the variables say');

refuses(web_identity($_->[0]), { message => qr{\Athe AWS role "arn:aws:iam::123456789012:role/$_->[0]" could not be assumed\z}, detail => qr/$_->[1]/ }, "of STS: $_->[0]")
  for [ denied => 'STS answered AccessDenied: User is not authorized to perform: sts:AssumeRole' ], [ expired => 'cannot be used\. It has expired' ], [ garbage => 'not XML' ],
  [ entity => 'document type declaration' ], [ nothing => 'no expiration' ], [ line => 'session token that cannot be used' ];
refuses(web_identity('good', AWS_WEB_IDENTITY_TOKEN_FILE => file('empty', '')), { detail => qr/web identity token cannot be used: .*is empty/ }, 'the file of a web identity token may not be empty');
refuses(web_identity('good', AWS_ROLE_ARN => undef), { message => qr/web identity .* is incomplete/, detail => qr/AWS_ROLE_ARN is not set/ }, 'a web identity needs a role');
refuses(web_identity('good', AWS_ENDPOINT_URL_STS => 'http://example.com'), { detail => qr/endpoint of STS by AWS_ENDPOINT_URL_STS cannot be used: Only a loopback host/ }, 'the URL of STS must be https');

$session = web_identity('good', AWS_ENDPOINT_URL_STS => undef, HTTPS_PROXY => 'http://127.0.0.1:1');
refuses($session, { detail => qr/\ASTS was not reached or did not answer\. .*127\.0\.0\.1/ }, "without a URL the region's own STS is asked, through the proxy");

# ---- order --------------------------------------------------------------------------------------

is(web_identity('good', AWS_ACCESS_KEY_ID => 'ENV', AWS_SECRET_ACCESS_KEY => 's')->query($who), 'ENV', 'the environment comes first');
like(web_identity('good', AWS_CONTAINER_CREDENTIALS_FULL_URI => $server->url . '/container/good')->query($who), qr/\ASTS/, 'a web identity comes before a container');

# ---- cancel -------------------------------------------------------------------------------------

for my $start (\&container, \&web_identity)
{
	my $waiting = $start->('hold');

	$waiting->begin($who);
	ok(eventually(sub { $node->safe_psql('postgres', 'SELECT wait_event_type FROM pg_stat_activity WHERE pid = ' . $waiting->pid) eq 'Extension' }), 'a session waits for credentials');
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $waiting->pid . ')');
	is($waiting->finish->{sqlstate}, '57014', 'a wait for credentials can be cancelled');
	is($waiting->try('SELECT 1')->{out}, '1', 'the session goes on after that');
}

# ---- secrets ------------------------------------------------------------------------------------

my $log = slurp_file($node->logfile);
unlike($log, qr/secret\/of\+|token\+of|eyJ\.token|metadata-token|Bearer one/, 'no secret is in the log, at debug5');
no_crash($node);
done_testing();
