# What hardly ever comes, and must be right all the same: characters that a terminal would obey,
# lists that end in the middle, a server that has no region or no credentials.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $page  = json_answer({ subscriptions => [ { topicFilter => 'a', qos => 1 } ], nextToken => 'T' });
my $gone  = http_answer(404, '{"message":"gone"}', 'x-amzn-ErrorType' => 'ResourceNotFoundException');
my $token = json_answer({ subscriptions => [], nextToken => 'T' x 8193 });
my $server = IotData::FaultyServer->start(
	answers => {
		good     => json_answer({ connected => JSON::PP::true }),
		controls => http_answer(
			400,
			"{\"message\":\"a\xc2\x9d\xc2\x80\\u0085\\u009fb\\u0007\x7f\xc2\xa0c\",\"traceId\":\"t\xc2\x9bu\"}",
			'x-amzn-RequestId' => "r\xc2\x9b31m"),
		ends_early => [ $page, $gone ],
		long_token => $token,
		folded     => [ [ "HTTP/1.1 200 OK\r\n folded: " . 'x' x 200 . "\r\nContent-Length: 2\r\n\r\n{}", ['close'] ] ]
	});
my $node    = IotData::Node->make('rare', endpoint => $server->url);
my $session = $node->session;

# ---- control characters -----------------------------------------------------------------------

fails_with($session, q{SELECT iotdata.get_connection('controls')}, 'IO400',
	{ message => qr/: a    b  \xc2\xa0c\z/, detail => qr/request id r 31m, trace id t u,/ },
	'control characters of a stranger become blanks, those beyond ASCII too');
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
$node->safe_psql('latin', 'CREATE EXTENSION iotdata');
my $latin = $node->session(dbname => 'latin');
fails_with($latin, q{SELECT iotdata.get_connection('controls')}, 'IO400', { message => qr/: a    b  \xc2\xa0c\z/ },
	'control characters of a stranger become blanks in a database of another encoding, too');
$latin->quit;

# ---- heads ------------------------------------------------------------------------------------

# Several times, because what this once did was to write to memory that was free again.
for my $time (1 .. 5)
{
	goes_on($session, "$time good calls");
	my $result = $session->try(q{SELECT iotdata.get_connection('folded')});
	ok(!$result->{ended}, 'a head whose first line goes on with nothing leaves the session alive') or last;
	like($result->{sqlstate} // '00000', qr/\A(?:00000|IO007|IO006)\z/, 'a head whose first line goes on with nothing is an answer, or none');
}

# ---- lists ------------------------------------------------------------------------------------

fails_with($session, q{SELECT * FROM iotdata.list_subscriptions('ends_early')}, 'IO007', { message => qr/the next page is gone/ },
	'a list whose second page is not there is not a shorter list');
fails_with($session, q{SELECT * FROM iotdata.list_subscriptions('long_token')}, 'IO007', { message => qr/"nextToken" is too long/ },
	'a token of more than 8,192 bytes is an error');
goes_on($session, 'lists that break off');

# ---- targets ----------------------------------------------------------------------------------

my $info = 'SELECT region, credentials_source, access_key_id_suffix FROM iotdata.target_info()';
my $why  = 'SELECT error_message, error_detail FROM iotdata.target_info()';
my $get  = q{SELECT connected FROM iotdata.get_connection('good')};

# A session on the server once it was started again with these variables.
sub session_with
{
	my (%environment) = @_;

	$session->quit;
	$node->restart_with(\%environment);
	return $session = $node->session;
}

session_with(AWS_ACCESS_KEY_ID => undef, AWS_SECRET_ACCESS_KEY => undef);
gives($session, $info, 'us-east-1|NULL|NULL', 'target_info says that there are no credentials');
fails_with($session, $get, '28000', {}, 'a call without credentials fails');

session_with(AWS_SECRET_ACCESS_KEY => undef);
gives($session, $info, 'us-east-1|NULL|NULL', 'target_info shows no credentials that are not complete');
like($session->query($why), qr/incomplete\|AWS_SECRET_ACCESS_KEY/, 'target_info says that credentials are not complete');

session_with(AWS_ACCESS_KEY_ID => 'SHORT');
gives($session, $info, 'us-east-1|environment|NULL', 'of a short access key ID nothing is shown');
gives($session, $why, 'NULL|NULL', 'target_info shows no error where there is none');

session_with(AWS_REGION => 'not a region');
fails_with($session, $get, '22023', { message => qr/region in AWS_REGION is not valid/, detail => qr/1 to 63/ }, 'a malformed region in the environment is an error');

session_with(AWS_REGION => undef);
fails_with($session, $get, '22023', { message => qr/no AWS region/, hint => qr/AWS_REGION/ }, 'without a region the hint says what to set');
session_with();
goes_on($session, 'all of it');

no_crash($node);
done_testing();
