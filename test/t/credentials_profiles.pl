# AWS's config and credentials files: profiles with keys, roles, web identities and programs; region and
# endpoint; and what is wrong with one of them is an error that names the profile, the file and the reason.

use strict;
use warnings FATAL => 'all';

use File::Temp qw(tempdir);
use IotData::Check;
use IotData::CredentialServer;
use IotData::Node;
use IotData::Wait;
use MIME::Base64 qw(decode_base64);
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $server = IotData::CredentialServer->start;
my $folder = tempdir(CLEANUP => 1);
chmod 0755, $folder;

sub file
{
	my ($name, $content, $mode) = @_;

	unlink "$folder/$name";
	open my $fh, '>', "$folder/$name" or die "cannot write $folder/$name: $!";
	print $fh $content;
	close $fh or die "cannot write $folder/$name: $!";
	chmod $mode // 0644, "$folder/$name";
	return "$folder/$name";
}

my $token = file('token', 'eyJ.token');
my %program = map { $_->[0] => file($_->[0], "#!/bin/sh\n$_->[1]\n", 0755) } (
	[ good    => q(printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"secret/of+process"}' "$1") ],
	[ brief   => q(printf '{"Version":1,"AccessKeyId":"P%s","SecretAccessKey":"s","SessionToken":"t","Expiration":"%s"}' $(date +%s%N) $(date -u -d '+4 seconds' +%Y-%m-%dT%H:%M:%SZ)) ],
	[ version => q(printf '{"Version":2,"AccessKeyId":"a","SecretAccessKey":"b"}') ],
	[ garbage => 'echo no' ],
	[ fails   => 'echo "it is broken, secret: wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" >&2; exit 7' ],
	[ large   => 'yes' ],
	[ hangs   => 'sleep 600' ],
	[ child   => 'sleep 600 & echo no; exit 3' ],
	[ killed  => 'kill -9 $$' ]);

my $config = file('config', <<"CONFIG");
# a comment
[default]
region = eu-central-1

[profile keys]
aws_access_key_id = CONFIGKEYS
aws_secret_access_key = s
region = eu-west-3
[profile half]
aws_access_key_id = HALF
[profile role]
role_arn = arn:aws:iam::123456789012:role/good
source_profile = both
external_id = an id
role_session_name = a-name
duration_seconds = 900
[profile denied]
role_arn = arn:aws:iam::123456789012:role/denied
source_profile = both
[profile environment]
role_arn = arn:aws:iam::123456789012:role/good
credential_source = Environment
[profile nowhere]
role_arn = arn:aws:iam::123456789012:role/good
credential_source = Nowhere
[profile loop]
role_arn = arn:aws:iam::123456789012:role/good
source_profile = pool
[profile pool]
role_arn = arn:aws:iam::123456789012:role/good
source_profile = loop
[profile missing]
role_arn = arn:aws:iam::123456789012:role/good
source_profile = gone
[profile mfa]
role_arn = arn:aws:iam::123456789012:role/good
source_profile = both
mfa_serial = arn:aws:iam::123456789012:mfa/a
[profile web]
role_arn = arn:aws:iam::123456789012:role/good
web_identity_token_file = $token
[profile sso]
sso_account_id = 123456789012
sso_role_name = a
[profile nothing]
region = eu-west-3
[profile urls]
aws_access_key_id = URLS
aws_secret_access_key = s
services = local
[services local]
iot_data_plane =
  endpoint_url = @{[ $server->url ]}
[profile flag]
use_fips_endpoint = perhaps
@{[ map { "[profile p-$_]\ncredential_process = $program{$_} 'AN'\"ID\"\n" } sort keys %program ]}
[profile p-gone]
credential_process = $folder/gone
[profile p-open]
credential_process = $folder/good 'open
CONFIG
$config = file('config', slurp_file($config) =~ s/^ (?=\[)//gmr);
my $credentials = file('credentials', <<'CREDENTIALS');
[both]
aws_access_key_id=BOTHKEYS
aws_secret_access_key = s
aws_session_token = t
CREDENTIALS

my %base = (
	AWS_CONFIG_FILE             => $config,
	AWS_SHARED_CREDENTIALS_FILE => $credentials,
	AWS_ENDPOINT_URL_STS        => $server->url,
	AWS_ACCESS_KEY_ID           => 'ENVIRONMENT',
	AWS_SECRET_ACCESS_KEY       => 's');
my $node = IotData::Node->make('profiles', endpoint => $server->url, environment => \%base, conf => "log_min_messages = debug2\n");
my $who  = q{SELECT client_id FROM iotdata.get_connection('who')};

sub with_profile
{
	my $session = $node->session;

	$session->query("SET iotdata.profile = '$_[0]'");
	return $session;
}

# ---- what a profile may have --------------------------------------------------------------------

is($node->session->query($who),            'ENVIRONMENT', 'the environment comes before profiles');
is(with_profile('keys')->query($who),      'CONFIGKEYS',  'a profile that is named comes before the environment');
is(with_profile('both')->query($who),      'BOTHKEYS',    'keys may be in the credentials file');
like(with_profile('role')->query($who),    qr/\ASTS\d+\z/, 'a role is assumed with the keys of its source_profile');
my ($assumed) = grep { $_->{target} eq '/' } $server->requests;
like($assumed->{headers}{authorization}, qr{Credential=BOTHKEYS/\d{8}/us-east-1/sts/aws4_request}, 'the request to STS is signed with them, for the region');
is($assumed->{headers}{'x-amz-security-token'}, 't', 'their session token goes with it');
is(decode_base64($assumed->{body}), 'Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fgood&RoleSessionName=a-name&ExternalId=an%20id&DurationSeconds=900', 'STS is asked for what the profile says');
like(with_profile('environment')->query($who), qr/\ASTS/, 'a role is assumed with credentials of another place');
like(with_profile('web')->query($who),         qr/\ASTS/, 'a profile may have a web identity');
gives(with_profile('role'), 'SELECT credentials_source, credentials_expire_at > now() FROM iotdata.target_info()', 'profile|t', 'target_info shows a profile as their source');

sub refuses
{
	my ($profile, $detail) = @_;
	my $session = with_profile($profile);

	fails_with($session, $who, '28000', { message => qr/could not get AWS credentials from (?:\w+ of )?profile "(?:$profile|loop|pool)" in "\Q$config\E"/, detail => $detail }, "of a profile: $profile");
	gives($session, 'SELECT 1', '1', "the session goes on after: $profile");
	return;
}
refuses(half    => qr/aws_secret_access_key is missing/);
refuses(nowhere => qr/There is no credential_source "Nowhere"/);
refuses(loop    => qr/leads back to itself/);
refuses(missing => qr/Its source_profile, "gone", is not there/);
refuses(mfa     => qr/mfa_serial, which needs a person/);
refuses(sso     => qr/sso_account_id: it is for IAM Identity Center/);
fails_with(with_profile('denied'),  $who, '28000', { message => qr{role "arn:aws:iam::123456789012:role/denied" could not be assumed}, detail => qr/AccessDenied.*The role is that of profile "denied"/ }, 'a refusal of STS names the profile');
fails_with(with_profile('nothing'), $who, '28000', { message => qr/\Athe AWS profile has no credentials\z/, detail => qr/Profile "nothing" has neither keys/ }, 'a profile may have none');
fails_with(with_profile('absent'),  $who, '28000', { message => qr/\Athere is no AWS profile "absent"\z/, detail => qr/\Q$config\E/ }, 'a profile that is named must be there');

# ---- programs -----------------------------------------------------------------------------------

is(with_profile('p-good')->query($who), 'ANID', "a profile's program prints credentials; its words are those of a command line");
my $session = with_profile('p-brief');
my %keys;
ok(eventually(sub { $keys{ $session->query($who) } = 1; keys %keys >= 2 }), 'a program is run again before what it printed expires');
refuses('p-version' => qr/Its "Version" is not 1/);
refuses('p-garbage' => qr/It is not JSON/);
refuses('p-fails'   => qr/ended with status 7, and said: it is broken, secret: \.+/);
refuses('p-large'   => qr/printed more than 64 kB, and was killed/);
refuses('p-child'   => qr/ended with status 3/);
refuses('p-killed'  => qr/was ended by signal 9/);
refuses('p-gone'    => qr/could not be started: No such file/);
refuses('p-open'    => qr/cannot be split into words/);
$session = with_profile('p-hangs');
$session->query(q{SET iotdata.request_timeout = '100ms'});
fails_with($session, $who, '28000', { detail => qr/did not end within 100 ms, and was killed/ }, 'a program that hangs is killed');
$session->query(q{RESET iotdata.request_timeout; SET statement_timeout = '200ms'});
ok(eventually(sub { ($session->try($who)->{sqlstate} // '') eq '57014' }), 'a program that hangs can be cancelled');
$session->query('RESET statement_timeout');
gives($session, 'SELECT 1', '1', 'the session goes on after that');
my $pid = $session->pid;
ok(eventually(sub { !grep { m{/proc/\d+/stat\z} && (eval { slurp_file($_) } // q{}) =~ /\) \S $pid / } grep { -r } glob '/proc/[0-9]*/stat' }), 'no process is left behind') if -r '/proc/self/stat';

# ---- files --------------------------------------------------------------------------------------

$session = with_profile('both');
is($session->query($who), 'BOTHKEYS', 'a file is read');
file('credentials', "[both]\naws_access_key_id = OTHER\naws_secret_access_key = s\n");
is(with_profile('both')->query($who), 'OTHER', 'a file that has changed is read anew');
file('credentials', "[both\naws_access_key_id = OTHER\n");
fails_with(with_profile('both'), $who, '28000', { message => qr/could not read the AWS credentials file "\Q$credentials\E"/, detail => qr/Line 1/ }, 'a file that cannot be parsed is an error that names the line');
file('credentials', '', 0);
fails_with(with_profile('both'), $who, '28000', { message => qr/could not read the AWS credentials file/, detail => qr/Permission denied/ }, 'a file that cannot be read is an error');
file('credentials', "[both]\naws_access_key_id = BOTHKEYS\naws_secret_access_key = s\n");

# ---- region and endpoint ------------------------------------------------------------------------

my $info = 'SELECT endpoint, region FROM iotdata.target_info()';
sub started { my (%more) = @_; $node->restart_with({ %base, AWS_REGION => undef, %more }); return $node->session }

$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET iotdata.endpoint_url');
$node->append_conf('postgresql.conf', "iotdata.endpoint_url = ''\n");
gives(started(), $info, 'https://data-ats.iot.eu-central-1.amazonaws.com|eu-central-1', 'the region may be in the default profile');
gives(started(AWS_PROFILE => 'keys'), $info, 'https://data-ats.iot.eu-west-3.amazonaws.com|eu-west-3', 'or in that of the environment');
gives(started(AWS_PROFILE => 'keys', AWS_DEFAULT_REGION => 'eu-west-1'), "$info", 'https://data-ats.iot.eu-west-1.amazonaws.com|eu-west-1', 'AWS_DEFAULT_REGION comes before the profile');
gives(started(AWS_PROFILE => 'urls', AWS_REGION => 'us-east-1'), $info, $server->url . '|us-east-1', 'the endpoint may be in the profile\'s services');
gives(started(AWS_ENDPOINT_URL => 'http://localhost:1', AWS_ENDPOINT_URL_IOT_DATA_PLANE => 'http://localhost:2'), 'SELECT endpoint FROM iotdata.target_info()', 'http://localhost:2', "the service's own variable comes before that of all");
gives(started(AWS_ENDPOINT_URL => 'http://localhost:1', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS => 'true'), 'SELECT endpoint FROM iotdata.target_info()', 'https://data-ats.iot.eu-central-1.amazonaws.com', 'configured endpoints can be ignored');
gives(started(AWS_USE_FIPS_ENDPOINT => 'true'), 'SELECT endpoint FROM iotdata.target_info()', 'https://data-ats.iot-fips.eu-central-1.amazonaws.com', 'a variable may ask for FIPS endpoints');
fails_with(started(AWS_USE_FIPS_ENDPOINT => 'true', AWS_ENDPOINT_URL => 'http://localhost:1'), $info, '22023', { message => qr/AWS_ENDPOINT_URL cannot be used together with AWS_USE_FIPS_ENDPOINT/ }, 'but not together with a URL');
fails_with(started(AWS_USE_DUALSTACK_ENDPOINT => 'yes'), $info, '22023', { message => qr/the value of AWS_USE_DUALSTACK_ENDPOINT is not valid/ }, 'such a variable is true or false');
fails_with(started(AWS_PROFILE => 'flag'), $info, '22023', { message => qr/use_fips_endpoint of profile "flag"/ }, 'so it is in a profile');
fails_with(started(AWS_ENDPOINT_URL => 'http://example.com'), $info, '22023', { message => qr/the endpoint's URL in AWS_ENDPOINT_URL is not valid/ }, 'the URL of a variable must be https');

# ---- who may ------------------------------------------------------------------------------------

$node->safe_psql('postgres', 'CREATE ROLE alice LOGIN; GRANT USAGE ON SCHEMA iotdata TO alice; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO alice');
my $alice = $node->session(user => 'alice');
$alice->try(q{SELECT iotdata.target_info()});
fails_with($alice, q{SET iotdata.profile = 'both'}, '42501', {}, 'only superusers choose the profile');

unlike(slurp_file($node->logfile), qr{secret/of\+|eyJ\.token|wJalrXUtnFEMI}, 'no secret is in the log');
no_crash($node);
done_testing();
