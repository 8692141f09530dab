# Profiles of AWS's config and credentials files: what they give, as AWS's CLI has it; what is wrong
# with them is an error that names the place and the reason, and the session goes on.

use strict;
use warnings FATAL => 'all';

use File::Temp qw(tempdir);
use IotData::Check;
use IotData::CredentialServer;
use IotData::Node;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $server = IotData::CredentialServer->start;
my $folder = tempdir(CLEANUP => 1);
my ($config, $credentials) = map { "$folder/$_" } qw(config credentials);
my %environment = (
	AWS_ACCESS_KEY_ID           => undef,
	AWS_SECRET_ACCESS_KEY       => undef,
	AWS_CONFIG_FILE             => $config,
	AWS_SHARED_CREDENTIALS_FILE => $credentials,
	AWS_ENDPOINT_URL_STS        => $server->url);
my $who = q{SELECT client_id FROM iotdata.get_connection('who')};
chmod 0755, $folder;

sub file
{
	my ($name, $content) = @_;

	open my $fh, '>', $name or die "cannot write $name: $!";
	print $fh $content;
	close $fh or die "cannot write $name: $!";
	return;
}

# The keys of a profile.
sub keys_of { return "aws_access_key_id = $_[0]\naws_secret_access_key = secret/of+$_[0]\n" }

file($config,      '');
file($credentials, "[default]\n" . keys_of('ONE'));
my $node = IotData::Node->make('profiles', endpoint => $server->url, environment => \%environment, conf => "log_min_messages = debug5\n");

# A new session, with a profile when one is named.
sub with
{
	my ($profile) = @_;
	my $session = $node->session;

	$session->query("SET iotdata.profile = '$profile'") if defined $profile;
	return $session;
}

# Whose key signs, by a config file and a profile.
sub signs
{
	my ($text, $profile, $expected, $name) = @_;

	file($config, $text);
	gives(with($profile), $who, $expected, $name);
	return;
}

sub refuses
{
	my ($text, $profile, $parts, $name) = @_;

	file($config, $text);
	my $session = with($profile);
	fails_with($session, $who, '28000', $parts, $name);
	is($session->try('SELECT 1')->{out}, '1', "the session goes on after: $name");
	return;
}

# The last request whose body has this.
sub last_of { return (grep { decode_base64($_->{body} // '') =~ /\Q$_[0]\E/ } $server->requests)[-1] }

# ---- keys ---------------------------------------------------------------------------------------

my $session = with();
gives($session, $who, 'ONE', 'the default profile of the credentials file signs');
gives($session, 'SELECT credentials_source FROM iotdata.target_info()', 'profile', 'target_info shows a profile as the source');
signs("[profile a]\n" . keys_of('TWO'), 'a', 'TWO', 'a profile of the config file signs');
signs("[profile \"a b\"]\n" . keys_of('BLANK'), 'a b', 'BLANK', 'a profile may have a blank in its name');
signs("[default]\n" . keys_of('CONFIG'), undef, 'ONE', 'the credentials file comes before the config file');
signs("\xef\xbb\xbf[profile a]\r\naws_access_key_id: CRLF\r\nAWS_SECRET_ACCESS_KEY: x\r\n", 'a', 'CRLF', 'lines may end with CR LF, and names may have colons');
file($credentials, "[default]\n" . keys_of('THREE'));
gives(with(), $who, 'THREE', 'the files are read anew');
refuses('', 'nobody', { message => qr/\Athere is no AWS profile "nobody"\z/, detail => qr/\[profile nobody\] in "\Q$config\E" nor \[nobody\] in "\Q$credentials\E"/ }, 'a profile that is named must be there');
refuses("[profile a]\naws_access_key_id = X\n", 'a', { message => qr/\Acould not get AWS credentials from profile "a" in "\Q$config\E"\z/, detail => qr/aws_secret_access_key is missing/ }, 'half of the keys is not enough');
refuses("[profile a]\naws_access_key_id = X # mine\naws_secret_access_key = y\n", 'a', { detail => qr/other than printable ASCII/, hint => qr/line of its own/ }, 'a comment behind a key belongs to it');
refuses("[profile a]\nregion = x\n", 'a', { message => qr/\Athe AWS profile has no credentials\z/, detail => qr/Profile "a" has neither keys/ }, 'a profile may have no credentials');

# ---- files --------------------------------------------------------------------------------------

my $cannot = qr/\Acould not read the AWS config file "\Q$config\E"\z/;
refuses("[default]\nregion\n",                 undef, { message => $cannot, detail => qr/\ALine 2 is neither/ }, 'a line that is nothing is an error');
refuses("[default]\na = 1\na = 2\n",           undef, { message => $cannot, detail => qr/\ALine 3 gives a name/ }, 'a property that is there twice is an error');
refuses("x = 1\n",                             undef, { message => $cannot, detail => qr/\ALine 1 comes before/ }, 'a property without a section is an error');
refuses("[default]\nx = \xff\n",               undef, { message => $cannot, detail => qr/\ALine 2 is not UTF-8/ }, 'a file that is not UTF-8 is an error');
refuses('# ' . 'x' x 1_100_000,                undef, { message => $cannot, detail => qr/larger than 1 MB/ }, 'a file that is too large is an error');
file($config, '');
SKIP:
{
	skip 'root may read everything', 2 if $> == 0;
	chmod 0, $config;
	refuses_as_it_is($cannot, qr/Permission denied/, 'a file that cannot be read is an error');
	chmod 0644, $config;
}
unlink $config;
gives(with(), $who, 'THREE', 'a file that is not there is as good as none');
mkdir $config;
gives(with(), $who, 'THREE', 'so is a folder');
rmdir $config;

sub refuses_as_it_is
{
	my ($message, $detail, $name) = @_;
	my $failing = with();

	fails_with($failing, $who, '28000', { message => $message, detail => $detail }, $name);
	is($failing->try('SELECT 1')->{out}, '1', "the session goes on after: $name");
	return;
}

# ---- roles --------------------------------------------------------------------------------------

my $role = 'role_arn = arn:aws:iam::123456789012:role/good';
signs("[profile base]\n" . keys_of('BASE') . "aws_session_token = t\n[profile a]\n$role\nsource_profile = base\nexternal_id = e x\nrole_session_name = me\nduration_seconds = 900\n", 'a', qr/\A(?!BASE).+\z/, 'a role is assumed with the keys of its source');
my $asked = last_of('Action=AssumeRole&');
like($asked->{headers}{authorization}, qr/Credential=BASE\//, "the source's keys sign for it");
is($asked->{headers}{'x-amz-security-token'}, 't', 'their session token goes with it');
like(decode_base64($asked->{body}), qr/$_/, "it is asked for with $_") for 'ExternalId=e(?:%20|\+)x', 'RoleSessionName=me', 'DurationSeconds=900';
signs("[profile a]\n$role\nsource_profile = a\n" . keys_of('SELF'), 'a', qr/\A(?!SELF).+\z/, 'a profile with keys may be its own source');
signs("[profile c]\n" . keys_of('FIRST') . "[profile b]\n$role\nsource_profile = c\n[profile a]\n$role\nsource_profile = b\n", 'a', qr/\A(?!FIRST).+\z/, 'a role may be assumed with a role');

my $place = qr/\Acould not get AWS credentials from profile "[ab]" in "\Q$config\E"\z/;
refuses("[profile a]\n$role\nsource_profile = b\n[profile b]\n$role\nsource_profile = a\n", 'a', { message => $place, detail => qr/"a", leads back to itself/ }, 'a loop of profiles is an error');
refuses("[profile a]\n$role\nsource_profile = a\n", 'a', { message => $place, detail => qr/leads back/ }, 'a profile without keys may not be its own source');
refuses("[profile a]\n$role\nsource_profile = nobody\n", 'a', { message => $place, detail => qr/"nobody", is not there/ }, 'a source must be there');
refuses("[profile b]\nregion = x\n[profile a]\n$role\nsource_profile = b\n", 'a', { message => $place, detail => qr/"b", has no credentials/ }, 'a source must have credentials');
refuses("[profile a]\n$role\n", 'a', { message => $place, detail => qr/neither source_profile nor credential_source/ }, 'a role must have a source');
refuses("[profile a]\n$role\nsource_profile = a\ncredential_source = Environment\n", 'a', { message => $place, detail => qr/both/ }, 'a role has one source');
refuses("[profile a]\n$role\ncredential_source = Nowhere\n", 'a', { message => $place, detail => qr/no credential_source "Nowhere"/, hint => qr/EcsContainer/ }, 'sources are known by name');
refuses("[profile a]\n$role\ncredential_source = Environment\n", 'a', { message => qr/credential_source of profile "a"/, detail => qr/Environment has none\. AWS_ACCESS_KEY_ID is not set/ }, 'a source that has none says why');
refuses("[profile a]\n$role\nsource_profile = default\nmfa_serial = arn\n", 'a', { message => $place, detail => qr/mfa_serial/ }, 'a role that wants a code is an error');
refuses("[profile a]\nrole_arn = arn:aws:iam::123456789012:role/denied\nsource_profile = default\n", 'a', { detail => qr/The role is that of profile "a" in "\Q$config\E"\./ }, 'what STS says names the profile');
refuses("[profile a]\nsso_account_id = 1\nsso_role_name = r\n", 'a', { message => $place, detail => qr/IAM Identity Center/, hint => qr/credential_process = aws configure export-credentials --profile a/ }, 'IAM Identity Center is an error that says what to do');
refuses("[profile a]\nweb_identity_token_file = /t\n", 'a', { message => $place, detail => qr/no role_arn/ }, 'a web identity has a role');
file("$folder/token", 'a.token');
signs("[profile a]\n$role\nweb_identity_token_file = $folder/token\n", 'a', qr/./, 'a profile may have a web identity');
like(decode_base64(last_of('WebIdentity')->{body}), qr/WebIdentityToken=a\.token/, "the token's file is sent");

# ---- which profile ------------------------------------------------------------------------------

file($config, "[profile a]\n" . keys_of('NAMED') . "[profile b]\n" . keys_of('OTHER'));
$node->restart_with({ %environment, AWS_PROFILE => 'a' });
gives(with(), $who, 'NAMED', 'AWS_PROFILE names the profile');
gives(with('b'), $who, 'OTHER', 'iotdata.profile comes before it');
$node->restart_with({ %environment, AWS_PROFILE => 'b', AWS_DEFAULT_PROFILE => 'a' });
gives(with(), $who, 'NAMED', "AWS_DEFAULT_PROFILE comes before it, as in AWS's CLI");
$node->restart_with({ %environment, AWS_PROFILE => 'nobody' });
refuses_as_it_is(qr/there is no AWS profile "nobody"/, qr/\[profile nobody\]/, 'a profile that a variable names must be there');
$node->restart_with({ %environment, AWS_ACCESS_KEY_ID => 'ENVIRONMENT', AWS_SECRET_ACCESS_KEY => 'x' });
gives(with(), $who, 'ENVIRONMENT', 'keys in the environment come before the default profile');
gives(with('b'), $who, 'OTHER', 'but not before iotdata.profile');
file($config, "[profile a]\n$role\ncredential_source = Environment\n");
like(with('a')->query($who), qr/\ASTS/, 'a role may be assumed with credentials of another place');
like(last_of('Action=AssumeRole&')->{headers}{authorization}, qr/Credential=ENVIRONMENT\//, 'which sign for it');
file($config, "[profile a]\n" . keys_of('NAMED') . "[profile b]\n" . keys_of('OTHER'));
$node->safe_psql('postgres', 'CREATE ROLE somebody');
$session = with('a');
$session->query(q{LOAD 'iotdata'; SET ROLE somebody});
fails_with($session, q{SET iotdata.profile = 'b'}, '42501', {}, 'iotdata.profile is for superusers');

# ---- region and endpoint ------------------------------------------------------------------------

my $info = 'SELECT region, endpoint FROM iotdata.target_info()';

# What target_info shows of a config file and other variables; no endpoint is set otherwise.
sub shows
{
	my ($text, $more, $expected, $name) = @_;

	file($config, $text);
	$node->restart_with({ %environment, AWS_REGION => undef, %$more });
	my $session = $node->session;
	$session->query(q{SET iotdata.endpoint_url = ''});
	if   (ref $expected eq 'ARRAY') { fails_with($session, $info, $expected->[0], $expected->[1], $name) }
	else                            { gives($session, $info, $expected, $name) }
	return;
}

my $services = "services = s\n[services s]\niot_data_plane =\n  endpoint_url = https://service.example\n";
shows("[default]\nregion = eu-west-3\n", {}, 'eu-west-3|https://data-ats.iot.eu-west-3.amazonaws.com', "the profile's region is used");
shows("[default]\nregion = eu-west-3\n", { AWS_DEFAULT_REGION => 'eu-west-1' }, qr/\Aeu-west-1\|/, 'AWS_DEFAULT_REGION comes before it');
shows("[default]\nregion = eu-west-3 # here\n", {}, [ '22023', { message => qr/\Athe AWS region in region of profile "default" in "\Q$config\E" is not valid\z/ } ], "a region's error names the profile");
shows("[default]\nregion = eu-west-3\nendpoint_url = https://all.example\n", {}, 'eu-west-3|https://all.example', "the profile's endpoint_url is used");
shows("[default]\nregion = eu-west-3\nendpoint_url = https://all.example\n$services", {}, 'eu-west-3|https://service.example', 'that of its services comes first');
shows("[default]\nregion = eu-west-3\n$services", { AWS_ENDPOINT_URL => 'https://variable.example' }, 'eu-west-3|https://variable.example', 'AWS_ENDPOINT_URL comes before it');
shows('', { AWS_REGION => 'eu-west-3', AWS_ENDPOINT_URL => 'https://variable.example', AWS_ENDPOINT_URL_IOT_DATA_PLANE => 'https://iot.example' }, 'eu-west-3|https://iot.example', 'AWS_ENDPOINT_URL_IOT_DATA_PLANE comes before that');
shows("[default]\nregion = eu-west-3\n$services", { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS => 'TRUE', AWS_ENDPOINT_URL => 'https://variable.example' }, qr/data-ats/, 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS switches all of them off');
shows("[default]\nregion = eu-west-3\nignore_configured_endpoint_urls = true\nendpoint_url = https://all.example\n", {}, qr/data-ats/, 'and so does the profile');
shows("[default]\nregion = eu-west-3\nservices = t\n", {}, [ '28000', { message => qr/no section \[services t\]/, detail => qr/Profile "default"/ } ], 'services that are not there are an error');
shows("[default]\nregion = eu-west-3\nuse_fips_endpoint = true\n", {}, qr/data-ats\.iot-fips\.eu-west-3/, "the profile's use_fips_endpoint is used");
shows("[default]\nregion = eu-west-3\nuse_fips_endpoint = true\n", { AWS_USE_FIPS_ENDPOINT => 'false' }, qr/data-ats\.iot\.eu-west-3/, 'AWS_USE_FIPS_ENDPOINT comes before it');
shows("[default]\nregion = eu-west-3\n", { AWS_USE_DUALSTACK_ENDPOINT => 'true' }, qr/\.api\.aws\z/, 'AWS_USE_DUALSTACK_ENDPOINT is used');
shows("[default]\nregion = eu-west-3\n", { AWS_USE_DUALSTACK_ENDPOINT => 'yes' }, [ '22023', { message => qr/the value of AWS_USE_DUALSTACK_ENDPOINT is not valid/, detail => qr/"yes"/ } ], 'it must be true or false');
shows("[default]\nregion = eu-west-3\nuse_fips_endpoint = 1\n", {}, [ '22023', { message => qr/the value of use_fips_endpoint of profile "default" in/ } ], 'so must that of the profile');
shows("[default]\nregion = eu-west-3\nuse_fips_endpoint = true\n", { AWS_ENDPOINT_URL => 'https://variable.example' }, [ '22023', { message => qr/\AAWS_ENDPOINT_URL cannot be used together with use_fips_endpoint of profile/ } ], 'a URL and FIPS exclude each other');
shows("[default]\nregion = eu-west-3\nendpoint_url = ftp://x\n", {}, [ '22023', { message => qr/the endpoint's URL in endpoint_url of profile "default" in/ } ], "a URL's error names the profile");

unlike($node->log_text, qr{secret/of\+}, 'no secret is in the log');
no_crash($node);
done_testing();
