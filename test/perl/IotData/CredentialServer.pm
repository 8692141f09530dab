
# A server that plays the Data Plane, STS, the container endpoint and an instance's metadata service at
# once, on loopback.
#
#   my $server = IotData::CredentialServer->start(metadata => 'good');
#
# With "expired" it takes no credentials.
#
# GET /connections/who answers with a client ID that is the access key that signed the request. What
# the others answer is a scenario: the end of the path of a container's URL, the name of the role
# that STS is asked for, and "metadata". See %scenarios.

package IotData::CredentialServer;

use strict;
use warnings FATAL => 'all';

use parent 'IotData::FaultyServer';

use IotData::FaultyServer qw(http_answer json_answer);
use JSON::PP;
use POSIX qw(strftime);

sub at { return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + $_[0])) }

my $number = 0;

# Credentials with a number of their own: each is another.
sub document
{
	my ($prefix, $seconds, %more) = @_;

	return {
		Code            => 'Success',
		AccessKeyId     => $prefix . ++$number,
		SecretAccessKey => 'secret/of+' . $prefix,
		Token           => "token+of/$prefix",
		Expiration      => at($seconds),
		%more
	};
}

# By name: what a place that answers in JSON says, given the prefix of its access keys.
my %scenarios = (
	good      => sub { json_answer(document($_[0], 6 * 3600)) },
	role      => sub { json_answer(document($_[0], 6 * 3600, RoleArn => 'arn:aws:iam::123456789012:role/a')) },
	brief     => sub { json_answer(document($_[0], 4)) },
	renewed   => sub { json_answer(document($_[0], 4)) },
	expired   => sub { json_answer(document($_[0], -60)) },
	no_time   => sub { json_answer(document($_[0], 60, Expiration => 'soon')) },
	no_secret => sub { json_answer(document($_[0], 60, SecretAccessKey => undef)) },
	line      => sub { json_answer(document($_[0], 60, Token => "a\r\nb: c")) },
	number    => sub { json_answer(document($_[0], 60, AccessKeyId => 5)) },
	garbage   => sub { http_answer(200, '<html>') },
	empty     => sub { http_answer(200, '') },
	failed    => sub { json_answer(document($_[0], 60, Code => 'Failed')) },
	error     => sub { http_answer(500, '{"message":"secret/of+nobody"}') },
	forbidden => sub { http_answer(403, '') },
	large     => sub { http_answer(200, 'x' x 300_000) },
	hold      => sub { [ ['hold'] ] },
	close     => sub { [ ['close'] ] },
	twice     => sub { $number++ ? json_answer(document($_[0], 6 * 3600)) : http_answer(503, '') });

# The same of STS, in XML.
my %sts = (
	good    => sub { sts_answer(6 * 3600) },
	brief   => sub { sts_answer(4) },
	expired => sub { sts_answer(-60) },
	denied  => sub {
		http_answer(403, '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>'
			  . '<Message>User is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>');
	},
	garbage => sub { http_answer(200, 'not XML') },
	entity  => sub { http_answer(200, '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a><AccessKeyId>&e;</AccessKeyId></a>') },
	nothing => sub { http_answer(200, '<AssumeRoleResponse/>') },
	line    => sub { sts_answer(60, SessionToken => "a&#13;&#10;b") },
	hold    => sub { [ ['hold'] ] });

sub sts_answer
{
	my ($seconds, %more) = @_;
	my %values = (
		AccessKeyId     => 'STS' . ++$number,
		SecretAccessKey => 'secret/of+STS',
		SessionToken    => 'token+of/STS',
		Expiration      => at($seconds),
		%more);

	return http_answer(
		200,
		'<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>'
		  . '<Arn>arn:aws:sts::123456789012:assumed-role/r/iotdata</Arn></AssumedRoleUser><Credentials>'
		  . join('', map { "<$_>$values{$_}</$_>" } sort keys %values)
		  . '</Credentials></AssumeRoleResult></AssumeRoleResponse>');
}

sub expired { return http_answer(403, '{"message":"expired"}', 'x-amzn-ErrorType' => 'ExpiredTokenException') }

sub signer { return $_[0]{headers}{authorization} =~ /Credential=([^\/]+)/ ? $1 : 'nobody' }

sub start
{
	my ($class, %options) = @_;
	my $metadata = $options{metadata} // 'good';
	my $first;

	return $class->SUPER::start(
		otherwise => sub {
			my ($request) = @_;
			my $target = $request->{target};

			# as the service sees it, the first key that asks for it has expired
			if ($target =~ m{\A/connections/once})
			{
				$first //= signer($request);
				return expired() if signer($request) eq $first;
			}
			return expired() if $options{expired} && $target =~ m{\A/connections/};
			return json_answer({ connected => JSON::PP::true, clientId => signer($request) }) if $target =~ m{\A/connections/};
			return http_answer(200, 'metadata-token') if $request->{method} eq 'PUT' && $target eq '/latest/api/token' && $metadata ne 'no_service';
			return http_answer(404, '') if $metadata eq 'no_role' || $metadata eq 'no_service';
			return http_answer(200, 'the-role') if $target eq '/latest/meta-data/iam/security-credentials/';
			return $scenarios{$metadata}->('INSTANCE') if $target eq '/latest/meta-data/iam/security-credentials/the-role';
			return $scenarios{$1}->('CONTAINER') if $target =~ m{\A/container/(\w+)};
			return $sts{$1}->() if $target eq '/' && $request->{body} =~ /RoleArn=\S*?role%2F(\w+)/;
			return http_answer(404, '');
		});
}

1;
