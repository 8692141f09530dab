#!/usr/bin/perl
# The local endpoint: messages to one client, confirmed and not, and disconnecting it.

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
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time);

my $emulator = IotData::Emulator->start;

sub send_to
{
	my ($id, $query, %options) = @_;

	return call($emulator, POST => '/connections/' . encode($id) . '/messages', query => { topic => 'some/topic', %$query }, %options);
}

my $properties = encode_base64('[{"b":"1"},{"a":"2"},{"b":"\u00e9"}]', '');
my %all = (
	body    => "\0\xff bytes",
	headers => {
		'x-amz-mqtt5-user-properties'          => $properties,
		'x-amz-mqtt5-payload-format-indicator' => 'UTF8_DATA',
		'x-amz-mqtt5-correlation-data'         => encode_base64('12', ''),
	});
my $lamp = IotData::Client->start($emulator, 'lamp');
my $answer = send_to('lamp', { contentType => 'text/x', responseTopic => 're/ply', confirmation => 'true' }, %all);
is($answer->{status}, 200, 'a message that the client confirms is a success');
like($answer->{json}{traceId}, qr/^[0-9a-f-]{36}$/, 'the answer to a message has a trace id');
ok(length $answer->{json}{message}, 'the answer to a message has a message');
like($answer->{headers}{'x-amzn-requestid'}, qr/^[0-9a-f-]{36}$/, 'every answer has a request id');
my $message = $lamp->next_message;
is($message->{topic}, 'some/topic', 'a direct message comes without a subscription');
is($message->{payload}, '00ff206279746573', 'a direct message has its bytes');
is($message->{qos}, 1, 'a message that is to be confirmed comes at QoS 1');
is($message->{content_type}, 'text/x', 'a direct message has its content type');
is($message->{response_topic}, 're/ply', 'a direct message has its response topic');
is($message->{correlation_data}, '12', 'a direct message has its correlation data');
is($message->{payload_format_indicator}, 1, 'a direct message has its payload format indicator');
is($message->{user_properties}, "b:1 a:2 b:\xc3\xa9", 'a direct message has its user properties, in order');

is(send_to('lamp', {}, body => '')->{status}, 200, 'an empty message is sent without confirmation');
is($lamp->next_message->{qos}, 0, 'a message that is not to be confirmed comes at QoS 0');

my $old = IotDataEmulatorClient->connect($emulator, 'old', version => 4);
is(send_to('old', {}, %all)->{status}, 200, 'a message with MQTT 5 properties is sent to a client of MQTT 3.1.1');
is($old->read_message->{payload}, "\0\xff bytes", 'a client of MQTT 3.1.1 gets a message without MQTT 5 properties');

my $mute = IotDataEmulatorClient->connect($emulator, 'mute', clean => 0, properties => pack('CN', 17, 600));
my $begun = time;
$answer = send_to('mute', { confirmation => 'true', timeout => 1 });
is($answer->{status}, 504, 'a message that is not confirmed in time is a 504');
is($answer->{error}, 'GatewayTimeoutException', 'a message that is not confirmed in time is a GatewayTimeoutException');
cmp_ok(time - $begun, '>=', 1, 'a confirmation is waited for as long as was asked for');
$message = $mute->read_message;
is($message->{qos}, 1, 'a message that is not confirmed has arrived');
my $waiting = begin_call($emulator, POST => '/connections/mute/messages', query => { topic => 'x', confirmation => 'true', timeout => 15 });
ok($mute->read_message, 'another message arrives at a client that did not confirm one');
$begun = time;
$mute->vanish;
is(finish_call($waiting)->{status}, 504, 'a message whose client goes before it confirms is a 504');
cmp_ok(time - $begun, '<', 15, 'a client that goes is not waited for until the message\'s time-out');
$mute = IotDataEmulatorClient->connect($emulator, 'mute', clean => 0, properties => pack('CN', 17, 600));
$mute->send_packet(0xc0, '');
is(($mute->read_packet)[0], 0xd0, 'direct messages are not sent again at the next connection');

my $narrow = IotDataEmulatorClient->connect($emulator, 'narrow', properties => pack('CnCN', 33, 1, 39, 100));
my @calls = map { begin_call($emulator, POST => '/connections/narrow/messages', query => { topic => "n/$_", confirmation => 'true', timeout => 15 }) } 1 .. 2;
my $first = $narrow->read_message;
is($narrow->read_message(0.3), undef, 'a client gets no more at once than its Receive Maximum');
$narrow->acknowledge($first->{packet_id});
my $second = $narrow->read_message;
$narrow->acknowledge($second->{packet_id});
is_deeply([ map { finish_call($_)->{status} } @calls ], [ 200, 200 ], 'a client gets the rest when it has confirmed');
is(send_to('narrow', {}, body => 'x' x 200)->{status}, 200, 'a message larger than a client\'s Maximum Packet Size is taken');
is(send_to('narrow', {}, body => 'y')->{status}, 200, 'a message within a client\'s Maximum Packet Size is taken');
is($narrow->read_message->{payload}, 'y', 'a client gets no message larger than its Maximum Packet Size');

my $busy = IotData::Client->start($emulator, 'busy');
@calls = map { begin_call($emulator, POST => '/connections/busy/messages', query => { topic => "b/$_", confirmation => 'true', timeout => 15 }) } 1 .. 100;
is(scalar(grep { finish_call($_)->{status} == 200 } @calls), 100, 'a hundred messages at once are all confirmed');
is(send_to('nobody', {})->{error}, 'ResourceNotFoundException', 'a client that is not there is not found');
my $gone = IotDataEmulatorClient->connect($emulator, 'gone', clean => 0, properties => pack('CN', 17, 600));
$gone->disconnect;
ok(eventually(sub { !connection_of($emulator, 'gone')->{connected} }), 'a client with a session goes');
is(send_to('gone', {})->{status}, 404, 'a client that is away is not found, whatever session it has');

for my $case (
	[ 'no topic', { topic => '' } ], [ 'a wildcard in the topic', { topic => 'a/+' } ], [ 'a dollar topic', { topic => '$a' } ],
	[ 'a topic of 257 bytes', { topic => 'x' x 257 } ], [ '8 slashes', { topic => 'a/b/c/d/e/f/g/h/i' } ],
	[ 'a timeout of 0', { confirmation => 'true', timeout => 0 } ], [ 'a timeout of 16', { confirmation => 'true', timeout => 16 } ],
	[ 'a wildcard in the response topic', { responseTopic => '#' } ], [ 'a content type of 257 bytes', { contentType => 'x' x 257 } ],
	[ 'an unknown format indicator', {}, 'payload-format-indicator', 'UTF8' ], [ 'correlation data that is not base64', {}, 'correlation-data', '!' ],
	map { [ "user properties $_->[0]", {}, 'user-properties', encode_base64($_->[1], '') ] }[ 'that are not JSON', '[' ], [ 'that are no array', '{"a":"b"}' ],
	[ 'with two in one', '[{"a":"b","c":"d"}]' ], [ 'with a number', '[{"a":1}]' ], [ 'of more than 8 KiB', '[{"a":"' . 'x' x 8192 . '"}]' ],
	[ 'with text behind', '[] []' ])
{
	my ($name, $query, $header, $value) = @$case;
	$answer = send_to('lamp', $query, headers => $header ? { "x-amz-mqtt5-$header" => $value } : {});
	is("$answer->{status} $answer->{error}", '400 InvalidRequestException', "a message with this is not valid: $name");
}
is(send_to('lamp', { topic => 'a/b/c/d/e/f/g/h' })->{status}, 200, 'a topic of 7 slashes is valid');
is(send_to('lamp', { timeout => 99 })->{status}, 200, 'a timeout without confirmation is ignored');
is(send_to('lamp', {}, body => 'x' x 131_072)->{status}, 200, 'a payload of 128 KiB is valid');
$answer = send_to('lamp', {}, body => 'x' x 131_073);
is("$answer->{status} $answer->{error}", '413 RequestEntityTooLargeException', 'a payload of more than 128 KiB is too large');

my $five = IotDataEmulatorClient->connect($emulator, 'five', will => [ 'wills/five', 'bye' ]);
my $watch = IotDataEmulatorClient->connect($emulator, 'watch');
$watch->subscribe(1, 'wills/#');
$answer = call($emulator, DELETE => '/connections/five');
is($answer->{status}, 200, 'a connection is deleted');
is($answer->{headers}{'content-length'}, 0, 'the answer to a DELETE has no body');
ok(!exists $answer->{headers}{'content-type'}, 'the answer to a DELETE has no content type');
is_deeply([ $five->read_packet ], [ 0xe0, "\x98" ], 'an MQTT 5 client whose connection is deleted is told so');
ok($five->is_closed, 'a client whose connection is deleted is disconnected');
is($watch->read_message->{topic}, 'wills/five', 'the will of a client whose connection is deleted is published');
is(connection_of($emulator, 'five')->{disconnectReason}, 'API_INITIATED_DISCONNECT', 'a client whose connection was deleted has that for a reason');
is(call($emulator, DELETE => '/connections/five')->{error}, 'ResourceNotFoundException', 'a client that is off and has no session cannot be deleted');
is(call($emulator, DELETE => '/connections/never-seen')->{status}, 404, 'a client that was never there cannot be deleted');
$five = IotDataEmulatorClient->connect($emulator, 'five', will => [ 'wills/five', 'bye' ]);
call($emulator, DELETE => '/connections/five', query => { preventWillMessage => 'true' });
ok($five->is_closed, 'a client can be disconnected without its will');
$watch->send_packet(0xc0, '');
is(($watch->read_packet)[0], 0xd0, 'a will that is prevented is not published');
my $kept = IotDataEmulatorClient->connect($emulator, 'kept', version => 4, clean => 0);
$kept->subscribe(1, 'k/#');
call($emulator, DELETE => '/connections/kept', query => { cleanSession => 'false' });
is(call($emulator, GET => '/connections/kept/subscriptions')->{status}, 200, 'a session outlives the deletion of its connection');
$answer = call($emulator, DELETE => '/connections/kept');
is($answer->{status}, 200, 'a client that is off and has a session can be deleted');
is($answer->{body}, '', 'the answer to the DELETE of a client that is off has no body');
is(call($emulator, GET => '/connections/kept/subscriptions')->{status}, 200, 'the session of a client that is off outlives its deletion');
is(call($emulator, DELETE => '/connections/kept', query => { cleanSession => 'true' })->{status}, 200, 'a client that is off can be deleted with its session');
is(call($emulator, GET => '/connections/kept/subscriptions')->{status}, 404, 'a session that was to be cleaned is gone');
is(call($emulator, DELETE => '/connections/kept')->{status}, 404, 'a client without a session cannot be deleted again');

# a will that waits is published at the end of the session, if it is still there
for my $prevent (qw(false true))
{
	my $late = IotDataEmulatorClient->connect(
		$emulator, 'late',
		clean           => 0,
		properties      => pack('CN', 17, 600),
		will            => [ 'wills/late', 'bye' ],
		will_properties => pack('CN', 24, 300));

	$late->vanish;
	eventually(sub { !connection_of($emulator, 'late')->{connected} });
	is(call($emulator, DELETE => '/connections/late', query => { preventWillMessage => $prevent })->{status}, 200, "a client whose will waits can be deleted with preventWillMessage=$prevent");
	call($emulator, DELETE => '/connections/late', query => { cleanSession => 'true' });
	$watch->send_packet(0xc0, '');
	my ($header) = $watch->read_packet;
	is($header >> 4, $prevent eq 'true' ? 13 : 3, $prevent eq 'true' ? 'a will that waits and is prevented is never published' : 'a will that waits is published at the end of the session');
	is(($watch->read_packet)[0], 0xd0, 'a will that waits is published once') if $prevent eq 'false';
}
$waiting = begin_call($emulator, POST => '/connections/watch/messages', query => { topic => 'x', confirmation => 'true', timeout => 15 });
ok($watch->read_message, 'a message waits for its confirmation');
is($emulator->stop, 0, 'the endpoint stops cleanly while a confirmation is waited for');
done_testing;
