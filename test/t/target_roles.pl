# What a server and a user mapping bring along besides keys: a role that is assumed with them, authorities
# of its own for TLS, and the control plane of its region.

use strict;
use warnings FATAL => 'all';

use IotData::Certificates;
use IotData::Check;
use IotData::CredentialServer;
use IotData::Emulator;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use IotData::Wait;
use MIME::Base64 qw(decode_base64);
use PostgreSQL::Test::Utils;
use Test::More;

my $server  = IotData::CredentialServer->start;
my $control = IotData::FaultyServer->start(otherwise => json_answer({ endpointAddress => 'a1b2c3-ats.iot.eu-west-1.amazonaws.com' }));
my $node    = IotData::Node->make(
	'roles',
	endpoint    => 'http://127.0.0.1:1',
	environment => { AWS_ENDPOINT_URL_STS => $server->url, AWS_ENDPOINT_URL_IOT => $control->url },
	conf        => "shared_preload_libraries = 'iotdata'\n");
my $session = $node->session;

# A server of this name, with a mapping of these options for everybody.
sub mapped
{
	my ($name, $options) = @_;

	$session->query("CREATE SERVER $name FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '" . $server->url . "'); CREATE USER MAPPING FOR PUBLIC SERVER $name OPTIONS ($options)");
	return;
}
sub who { return "SELECT client_id FROM iotdata.get_connection('who', server => '$_[0]')" }
sub assumed { return grep { $_->{target} eq '/' } $server->requests }

# ---- a role -------------------------------------------------------------------------------------

my $keys = q{access_key_id 'AKIASIGNER', secret_access_key 's', session_token 't'};

sub role { return "role_arn 'arn:aws:iam::123456789012:role/$_[0]'" }

mapped('factory', "$keys, " . role('good') . q{, external_id 'an-id', role_session_name 'a-name'});
my $key = $session->query(who('factory'));
like($key, qr/\ASTS\d+\z/, "calls are signed with the credentials of the mapping's role");
my ($asked) = assumed();
like($asked->{headers}{authorization}, qr{Credential=AKIASIGNER/\d{8}/eu-west-1/sts/aws4_request}, "STS is asked with the mapping's keys, in the server's region");
is($asked->{headers}{'x-amz-security-token'}, 't', 'their session token goes with it');
is(decode_base64($asked->{body}), 'Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fgood&RoleSessionName=a-name&ExternalId=an-id', 'STS is asked for what the mapping says');
is($session->query(who('factory')), $key, 'the credentials of the role are kept');
is(scalar(assumed()),               1,    'and STS is asked once');
isnt($node->session->query(who('factory')), $key, "credentials of a mapping's keys are each session's own");
gives($session, q{SELECT credentials_source, credentials_origin LIKE '%role/good%', credentials_expire_at > now(), error_message FROM iotdata.target_info('factory')}, 'role|t|t|NULL', 'target_info shows the role');
$session->query(q{ALTER USER MAPPING FOR PUBLIC SERVER factory OPTIONS (SET external_id 'another')});
isnt($session->query(who('factory')), $key, 'a changed mapping has credentials of its own');
like(decode_base64((assumed())[-1]{body}), qr/ExternalId=another\z/, 'and STS is asked for what it says now');

mapped('brief', "$keys, " . role('brief'));
my %seen;
ok(eventually(sub { $seen{ $session->query(who('brief')) } = 1; keys %seen >= 2 }), 'the credentials of a role are renewed before they expire');
for my $case ([ denied => qr/AccessDenied/ ], [ garbage => qr/not XML/ ], [ nothing => qr// ], [ expired => qr/expired/ ], [ line => qr// ])
{
	my ($role, $detail) = @$case;

	mapped($role, "$keys, " . role($role));
	fails_with($session, who($role), '28000', { message => qr{role/$role" could not be assumed}, detail => $detail }, "what STS answers is an error: $role");
	like($session->query("SELECT error_message FROM iotdata.target_info('$role')"), qr{role/$role" could not be assumed}, "and target_info shows it: $role");
}
mapped('hold', "$keys, " . role('hold'));
$session->query(q{SET statement_timeout = '200ms'});
fails_with($session, who('hold'), '57014', {}, 'to wait for STS can be cancelled');
$session->query('RESET statement_timeout');

# Answers are cached for the role. What it is called is no secret, and is not taken for a key.
my $cached = q{SELECT client_id FROM iotdata.get_connection('cached', max_age => '1 hour', server => '%s')};
my $answer = $session->query(sprintf $cached, 'factory');
gives($node->session, sprintf($cached, 'factory'), $answer, 'sessions share the cached answers of a role');
mapped('pretender', q{access_key_id 'identity', secret_access_key 'arn:aws:sts::123456789012:assumed-role/r/iotdata'});
gives($session, sprintf($cached, 'pretender'), 'identity', 'keys that look like the name of a role are given none of its cached answers');

# The database server's own credentials take a role, because a superuser says so.
mapped('own', q{use_default_credentials 'on', } . role('good'));
my $number = assumed();
like($session->query(who('own')), qr/\ASTS/, "the database server's own credentials can take a role");
like((assumed())[$number]{headers}{authorization}, qr{Credential=AKIDEXAMPLE/}, 'STS is then asked with them');
is($node->session->query(who('own')), $session->query(who('own')), "sessions share what comes of the database server's own");
is(scalar(assumed()), $number + 1, 'and STS is asked once');

# A profile, because a superuser says so.
my $config = PostgreSQL::Test::Utils::tempdir . '/config';
append_to_file($config, "[profile p]\naws_access_key_id = PROFILE\naws_secret_access_key = s\n");
$node->restart_with({ AWS_CONFIG_FILE => $config, AWS_ENDPOINT_URL_IOT => $control->url });
$session = $node->session;
mapped('profile', q{profile 'p'});
is($session->query(who('profile')), 'PROFILE', "a mapping may name an AWS profile of the database server's");
like($session->query(q{SELECT credentials_origin FROM iotdata.target_info('profile')}), qr/\Q$config\E/, 'target_info shows the file');

# ---- authorities --------------------------------------------------------------------------------

my %certificate = IotData::Certificates::make(PostgreSQL::Test::Utils::tempdir);
my $emulator    = IotData::Emulator->start(certificate => $certificate{good});
my $get         = q{SELECT iotdata.get_connection('nobody', server => 'tls') IS NULL};

$session->query("CREATE SERVER tls FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'us-east-1', endpoint_url '" . $emulator->https_url . "'); CREATE USER MAPPING FOR PUBLIC SERVER tls OPTIONS (use_default_credentials 'on')");
fails_with($session, $get, 'IO001', { detail => qr/certificate/i }, 'a server whose certificate nobody vouches for is not trusted');
$session->query("ALTER SERVER tls OPTIONS (ADD ca_file '$certificate{ca}')");
gives($session, $get, 't', 'a server may have authorities of its own');
$session->query("CREATE SERVER other FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'us-east-1', endpoint_url '" . $emulator->https_url . "', ca_file '$certificate{other_ca}'); CREATE USER MAPPING FOR PUBLIC SERVER other OPTIONS (use_default_credentials 'on')");
fails_with($session, $get =~ s/tls/other/r, 'IO001', { detail => qr/certificate/i }, "a connection that one server's authorities have vouched for is not used for another server");

# ---- the control plane --------------------------------------------------------------------------

$session->query(q{ALTER USER MAPPING FOR PUBLIC SERVER factory OPTIONS (DROP role_arn, DROP external_id, DROP role_session_name)});
gives($session, q{SELECT iotdata.discover_endpoint('factory')}, 'https://a1b2c3-ats.iot.eu-west-1.amazonaws.com', "a server's account has an endpoint of its own");
like(($control->requests)[-1]{headers}{authorization}, qr{Credential=AKIASIGNER/\d{8}/eu-west-1/iot/aws4_request}, "it is asked for with the mapping's keys, in the server's region");
fails_with($session, q{SELECT iotdata.discover_endpoint('nowhere')}, '42704', {}, 'the server must be there');

no_crash($node);
done_testing();
