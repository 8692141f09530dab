# What DETAIL and HINT of a service's error say, where it matters what they leave out.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer);
use IotData::Node;
use Test::More;

my $server = IotData::FaultyServer->start(
	answers => {
		nameless => http_answer(403, ''),
		denied   => http_answer(403, '{"message":"no"}', 'x-amzn-ErrorType' => 'ForbiddenException'),
		proxy    => http_answer(404, '<html>no such page</html>', 'Content-Type' => 'text/html'),
	});
my $node    = IotData::Node->make('hints', endpoint => $server->url);
my $session = $node->session;

fails_with($session, q{SELECT iotdata.get_connection('nameless')}, 'IO403', { detail => qr/\AHTTP status 403, 1 attempt\.\z/ },
	'DETAIL says the status once when the error has no name');
fails_with($session, q{SELECT iotdata.send_direct_message('denied', 'a')}, 'IO403', { hint => qr/allows iot:SendDirectMessage\..*device's own policy must allow iot:Receive/ },
	"the hint of a message's 403 names both policies");
fails_with($session, q{SELECT iotdata.get_connection('denied')}, 'IO403', { hint => qr/iot:GetConnection/ }, "the hint of a read's 403 names its permission");
fails_with($session, q{SELECT iotdata.get_connection('proxy')}, 'IO404', { message => qr/no such page/, hint => qr/not the service's own answer/ },
	"a proxy's 404 is an error, not a device that is off");
fails_with($session, q{SELECT count(*) FROM generate_series(1, 3) LEFT JOIN LATERAL iotdata.get_connection('proxy') c ON true}, 'IO404', {},
	"a proxy's 404 is an error in a join");
fails_with($session, q{SELECT * FROM iotdata.list_subscriptions('proxy')}, 'IO404', {}, "a proxy's 404 is an error, not a device without subscriptions");
fails_with($session, q{SELECT iotdata.delete_connection('proxy')}, 'IO404', { hint => qr/not the service's own answer/ }, "the hint of an action's 404 does not say that the device is off");

no_crash($node);
done_testing();
