# The account's own endpoint, which AWS IoT's control plane knows.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use Test::More;

my %answers = (
	good    => json_answer({ endpointAddress => 'a1b2c3-ats.iot.us-east-1.amazonaws.com' }),
	denied  => http_answer(403, '{"message":"not authorized to perform: iot:DescribeEndpoint"}'),
	failed  => http_answer(500, ''),
	garbage => http_answer(200, '<html>'),
	missing => json_answer({}),
	hostile => json_answer({ endpointAddress => 'example.com/?' }),
	closed  => [ [ ['close'] ] ],
	hold    => [ [ ['hold'] ] ]);
my $discover = 'SELECT iotdata.discover_endpoint()';
my ($node, $server);

sub with
{
	my ($answer) = @_;

	$server = IotData::FaultyServer->start(otherwise => $answers{$answer});
	my %environment = (AWS_ENDPOINT_URL_IOT => $server->url);
	if ($node) { $node->restart_with(\%environment) }
	else       { $node = IotData::Node->make('discover', environment => \%environment) }
	return $node->session;
}

my $session = with('good');
gives($session, $discover, 'https://a1b2c3-ats.iot.us-east-1.amazonaws.com', 'the endpoint is a URL that the setting takes');
my ($asked) = $server->requests;
is("$asked->{method} $asked->{target}", 'GET /endpoint?endpointType=iot%3AData-ATS', 'the control plane is asked for the Data Plane\'s endpoint');
like($asked->{headers}{authorization}, qr{Credential=AKIDEXAMPLE/\d{8}/us-east-1/iot/aws4_request, SignedHeaders=host;x-amz-date, }, 'the request is signed for the control plane');
$session->query("SET iotdata.endpoint_url = 'https://a1b2c3-ats.iot.us-east-1.amazonaws.com'");

fails_with(with('denied'), $discover, 'IO403', { message => qr/HTTP status 403/, detail => qr/not authorized/, hint => qr/iot:DescribeEndpoint/, context => qr/AWS IoT DescribeEndpoint/ }, 'a refusal is an error that says what to allow');
fails_with(with('failed'),  $discover, 'IO000', { message => qr/HTTP status 500/ },        'an error of the service is an error');
fails_with(with($_),        $discover, 'IO007', { message => qr/names no endpoint/ },      "an answer that names no endpoint is an error: $_") for qw(garbage missing hostile);
$node->restart_with({ AWS_ENDPOINT_URL_IOT => 'http://127.0.0.1:1' });
fails_with($node->session,  $discover, 'IO001', {}, 'a control plane that cannot be reached is an error');
fails_with(with('closed'),  $discover, 'IO006', { detail  => qr/closed without a response/ }, 'a connection that is closed is an error');
$session = with('hold');
$session->query(q{SET statement_timeout = '100ms'});
fails_with($session, $discover, '57014', {}, 'a control plane that does not answer can be cancelled');
gives($session, 'SELECT 1', '1', 'the session goes on after that');

$node->safe_psql('postgres', 'CREATE ROLE alice LOGIN; GRANT USAGE ON SCHEMA iotdata TO alice');
fails_with($node->session(user => 'alice'), $discover, '42501', {}, 'a role needs the privilege to ask');
$node->restart_with({ AWS_ENDPOINT_URL_IOT => 'http://example.com' });
fails_with($node->session, $discover, '22023', { message => qr/AWS_ENDPOINT_URL_IOT/, detail => qr/Only a loopback host/ }, 'the URL of the control plane must be https');

no_crash($node);
done_testing();
