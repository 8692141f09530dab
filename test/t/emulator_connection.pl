#!/usr/bin/perl
# The local endpoint: what GetConnection says of clients, and why they went.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/../perl";

BEGIN { $ENV{IOTDATA_EMULATOR} //= "$FindBin::Bin/../../emulator/iotdata-emulator" }

use IotData::Check qw(eventually);
use IotData::Client;
use IotData::Emulator;
use IotDataEmulatorClient;
use Test::More;
use Time::HiRes qw(time);

my $emulator = IotData::Emulator->start(arguments => [ '--thing', 'lamp' ]);
my $begun    = int(time * 1000) - 1;

# Waits until the client is not connected, and returns its data.
sub gone
{
	my ($id) = @_;
	my $data;

	eventually(sub { $data = connection_of($emulator, $id); $data && !$data->{connected} });
	return $data;
}

my $lamp = IotData::Client->start($emulator, 'lamp', keep_alive => 45);
my $data = connection_of($emulator, 'lamp', includeSocketInformation => 'true');
ok($data->{connected}, 'a connected client is connected');
is($data->{clientId},          'lamp', 'a client has its client id');
is($data->{thingName},         'lamp', 'an exclusive thing has a thing name');
is($data->{keepAliveDuration}, 45,     'a client has its own keep-alive');
ok($data->{cleanSession}, 'a clean session is clean');
is($data->{sessionExpiry}, 0, 'a clean session ends with its connection');
cmp_ok($data->{connectedSince}, '>=', $begun, 'connectedSince is in milliseconds, and not before the client connected');
cmp_ok($data->{connectedSince}, '<=', time * 1000 + 1, 'connectedSince is not in the future');
is($data->{sourceIp}, '127.0.0.1', 'sourceIp is the client\'s address');
cmp_ok($data->{sourcePort}, '>', 0, 'sourcePort is the client\'s port');
is($data->{targetPort}, $emulator->mqtt_port, 'targetPort is where the client connected to');
ok(!exists $data->{disconnectedSince} && !exists $data->{disconnectReason}, 'a client that is connected has nothing of a disconnect');
is_deeply([ grep { /Ip|Port/ } keys %{ connection_of($emulator, 'lamp') } ], [], 'there are no addresses unless they are asked for');

$lamp->leave;
$data = gone('lamp');
is($data->{disconnectReason}, 'CLIENT_INITIATED_DISCONNECT', 'a client that says goodbye has disconnected itself');
ok(!exists $data->{connectedSince}, 'a client that has disconnected has no connectedSince');
cmp_ok($data->{disconnectedSince}, '>=', $begun, 'a client that has disconnected has disconnectedSince');

my $door = IotData::Client->start($emulator, 'door', persistent => 1, version => 'mqttv311');
$data = connection_of($emulator, 'door');
ok(!$data->{cleanSession}, 'a persistent session of MQTT 3.1.1 is not clean');
is($data->{sessionExpiry}, 3600, 'a persistent session of MQTT 3.1.1 is kept for an hour');
ok(!exists $data->{thingName}, 'a client that is no thing has no thing name');
$door->vanish;
is(gone('door')->{disconnectReason}, 'CONNECTION_LOST', 'a client that is killed has lost its connection');

my $long = IotDataEmulatorClient->connect($emulator, 'long', clean => 0, properties => pack('CN', 17, 7200));
$data = connection_of($emulator, 'long');
is($data->{sessionExpiry}, 7200, 'an MQTT 5 client has the session expiry it asked for');
$long->send_packet(0xe0, pack('CCCN', 0, 5, 17, 60));
is(gone('long')->{sessionExpiry}, 60, 'an MQTT 5 client can change its session expiry when it goes');

my $since = time;
my $quiet = IotDataEmulatorClient->connect($emulator, 'quiet', keep_alive => 1);
is(gone('quiet')->{disconnectReason}, 'MQTT_KEEP_ALIVE_TIMEOUT', 'a client that says nothing is disconnected');
cmp_ok(time - $since, '>=', 1.5, 'a client that says nothing has one and a half of its keep-alive');
is_deeply([ $quiet->read_packet ], [ 0xe0, "\x8d" ], 'an MQTT 5 client that says nothing is told why it is disconnected');

my $broken = IotDataEmulatorClient->connect($emulator, 'broken');
$broken->send_packet(0x82, "\0\0");
is(gone('broken')->{disconnectReason}, 'CLIENT_ERROR', 'a client that breaks the protocol has made an error');
is_deeply([ $broken->read_packet ], [ 0xe0, "\x81" ], 'a client that breaks the protocol is told its error');

my $old = IotDataEmulatorClient->connect($emulator, 'twice');
my $new = IotDataEmulatorClient->connect($emulator, 'twice', version => 4, keep_alive => 33);
is_deeply([ $old->read_packet ], [ 0xe0, "\x8e" ], 'a client whose id is taken over is told so');
ok($old->is_closed, 'a client whose id is taken over is disconnected');
$data = connection_of($emulator, 'twice');
ok($data->{connected} && $data->{keepAliveDuration} == 33, 'what is seen is the new connection');
like($emulator->log_text, qr/mqtt disconnected twice DUPLICATE_CLIENTID/, 'the log says why');

my $odd = IotDataEmulatorClient->connect($emulator, "a/b%2F \xc3\xa9");
is(call($emulator, GET => '/connections/a%2Fb%252F%20%C3%A9')->{status}, 200, 'a client id may have a slash, a percent sign and more');
is(call($emulator, GET => '/connections/a/b%252F%20%C3%A9')->{status}, 404, 'an encoded slash is not a slash');
is(call($emulator, GET => '/connections/never-seen')->{error}, 'ResourceNotFoundException', 'an unknown client is not found');
is(call($emulator, GET => '/connections/%24aws')->{error}, 'InvalidRequestException', 'a client id with a dollar sign is not valid');
is(call($emulator, GET => '/connections/' . 'x' x 129)->{status}, 400, 'a client id of 129 bytes is not valid');
is(call($emulator, GET => '/connections/' . 'x' x 128)->{status}, 404, 'a client id of 128 bytes is valid');
is(call($emulator, GET => '/connections/lamp', query => { includeSocketInformation => 'yes' })->{status}, 400, 'a flag that is neither true nor false is not valid');
is(call($emulator, PUT => '/connections/lamp')->{error}, 'MethodNotAllowedException', 'another method is not allowed');

my $assigned = IotDataEmulatorClient->connect($emulator, '');
my ($given) = $assigned->{connack} =~ /\x12\x00\x24([0-9a-f-]{36})/;
ok($given && connection_of($emulator, $given)->{connected}, 'a client without an id is given one');
is($emulator->stop, 0, 'the endpoint stops cleanly');

$emulator = IotData::Emulator->start(arguments => [qw(--keep-connection-data 0 --no-socket-information)]);
my $short = IotDataEmulatorClient->connect($emulator, 'short');
is(call($emulator, GET => '/connections/short', query => { includeSocketInformation => 'true' })->{error},
	'ForbiddenException', 'socket information can be forbidden');
is(call($emulator, GET => '/connections/short')->{status}, 200, 'a connection without socket information is found when socket information is forbidden');
$short->disconnect;
ok(eventually(sub { call($emulator, GET => '/connections/short')->{status} == 404 }), 'connection data is forgotten when its time is over');
is($emulator->stop, 0, 'the endpoint stops cleanly');
done_testing;
