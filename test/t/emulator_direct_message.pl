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
like($answer->{json}{traceId}, qr/^[0-9a-f-]{36}$/, 'with a trace id');
ok(length $answer->{json}{message}, 'and a message');
like($answer->{headers}{'x-amzn-requestid'}, qr/^[0-9a-f-]{36}$/, 'every answer has a request id');
my $message = $lamp->next_message;
is($message->{topic}, 'some/topic', 'it comes without a subscription');
is($message->{payload}, '00ff206279746573', 'with its bytes');
is($message->{qos}, 1, 'at QoS 1');
is($message->{content_type}, 'text/x', 'with its content type');
is($message->{response_topic}, 're/ply', 'and response topic');
is($message->{correlation_data}, '12', 'and correlation data');
is($message->{payload_format_indicator}, 1, 'and payload format indicator');
is($message->{user_properties}, "b:1 a:2 b:\xc3\xa9", 'and user properties, in order');

is(send_to('lamp', {}, body => '')->{status}, 200, 'an empty message without confirmation');
is($lamp->next_message->{qos}, 0, 'comes at QoS 0');

my $old = IotDataEmulatorClient->connect($emulator, 'old', version => 4);
is(send_to('old', {}, %all)->{status}, 200, 'MQTT 5 properties to a 3.1.1 client');
is($old->read_message->{payload}, "\0\xff bytes", 'are dropped');

my $mute = IotDataEmulatorClient->connect($emulator, 'mute', clean => 0, properties => pack('CN', 17, 600));
my $begun = time;
$answer = send_to('mute', { confirmation => 'true', timeout => 1 });
is($answer->{status}, 504, 'a message that is not confirmed in time');
is($answer->{error}, 'GatewayTimeoutException', 'is a gateway timeout');
cmp_ok(time - $begun, '>', 0.9, 'not before the time that was given');
cmp_ok(time - $begun, '<', 4, 'nor long after it');
$message = $mute->read_message;
is($message->{qos}, 1, 'but it did arrive');
my $waiting = begin_call($emulator, POST => '/connections/mute/messages', query => { topic => 'x', confirmation => 'true', timeout => 15 });
ok($mute->read_message, 'another one arrives');
$begun = time;
$mute->vanish;
is(finish_call($waiting)->{status}, 504, 'a client that goes before it confirms');
cmp_ok(time - $begun, '<', 5, 'is not waited for');
$mute = IotDataEmulatorClient->connect($emulator, 'mute', clean => 0, properties => pack('CN', 17, 600));
$mute->send_packet(0xc0, '');
is(($mute->read_packet)[0], 0xd0, 'direct messages are not sent again at the next connection');

my $narrow = IotDataEmulatorClient->connect($emulator, 'narrow', properties => pack('CnCN', 33, 1, 39, 100));
my @calls = map { begin_call($emulator, POST => '/connections/narrow/messages', query => { topic => "n/$_", confirmation => 'true' }) } 1 .. 2;
my $first = $narrow->read_message;
is($narrow->read_message(0.3), undef, 'a client gets no more at once than its Receive Maximum');
$narrow->acknowledge($first->{packet_id});
my $second = $narrow->read_message;
$narrow->acknowledge($second->{packet_id});
is_deeply([ map { finish_call($_)->{status} } @calls ], [ 200, 200 ], 'and the rest when it has confirmed');
is(send_to('narrow', {}, body => 'x' x 200)->{status}, 200, 'a message larger than its Maximum Packet Size');
is(send_to('narrow', {}, body => 'y')->{status}, 200, 'and a small one');
is($narrow->read_message->{payload}, 'y', 'only the small one is sent');

my $busy = IotData::Client->start($emulator, 'busy');
@calls = map { begin_call($emulator, POST => '/connections/busy/messages', query => { topic => "b/$_", confirmation => 'true' }) } 1 .. 100;
is(scalar(grep { finish_call($_)->{status} == 200 } @calls), 100, 'a hundred messages at once are all confirmed');
is(send_to('nobody', {})->{error}, 'ResourceNotFoundException', 'a client that is not there is not found');
my $gone = IotDataEmulatorClient->connect($emulator, 'gone', clean => 0, properties => pack('CN', 17, 600));
$gone->disconnect;
ok(eventually(sub { !connection_of($emulator, 'gone')->{connected} }), 'a client that is away');
is(send_to('gone', {})->{status}, 404, 'is not found, whatever session it has');

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
	is("$answer->{status} $answer->{error}", '400 InvalidRequestException', "$name is not valid");
}
is(send_to('lamp', { topic => 'a/b/c/d/e/f/g/h' })->{status}, 200, '7 slashes are');
is(send_to('lamp', { timeout => 99 })->{status}, 200, 'a timeout without confirmation is ignored');
is(send_to('lamp', {}, body => 'x' x 131_072)->{status}, 200, 'a payload of 128 KiB');
$answer = send_to('lamp', {}, body => 'x' x 131_073);
is("$answer->{status} $answer->{error}", '413 RequestEntityTooLargeException', 'and one byte more');

my $five = IotDataEmulatorClient->connect($emulator, 'five', will => [ 'wills/five', 'bye' ]);
my $watch = IotDataEmulatorClient->connect($emulator, 'watch');
$watch->subscribe(1, 'wills/#');
$answer = call($emulator, DELETE => '/connections/five');
is($answer->{status}, 200, 'a connection is deleted');
is($answer->{headers}{'content-length'}, 0, 'the answer to that has no body');
ok(!exists $answer->{headers}{'content-type'}, 'nor the type of one');
is_deeply([ $five->read_packet ], [ 0xe0, "\x98" ], 'the MQTT 5 client is told so');
ok($five->is_closed, 'and disconnected');
is($watch->read_message->{topic}, 'wills/five', 'its will is published');
is(connection_of($emulator, 'five')->{disconnectReason}, 'API_INITIATED_DISCONNECT', 'the reason is known');
is(call($emulator, DELETE => '/connections/five')->{error}, 'ResourceNotFoundException', 'a client that is off and has no session cannot be deleted');
is(call($emulator, DELETE => '/connections/never-seen')->{status}, 404, 'nor one that was never there');
$five = IotDataEmulatorClient->connect($emulator, 'five', will => [ 'wills/five', 'bye' ]);
call($emulator, DELETE => '/connections/five', query => { preventWillMessage => 'true' });
ok($five->is_closed, 'without its will');
$watch->send_packet(0xc0, '');
is(($watch->read_packet)[0], 0xd0, 'nothing is published');
my $kept = IotDataEmulatorClient->connect($emulator, 'kept', version => 4, clean => 0);
$kept->subscribe(1, 'k/#');
call($emulator, DELETE => '/connections/kept', query => { cleanSession => 'false' });
is(call($emulator, GET => '/connections/kept/subscriptions')->{status}, 200, 'a session stays');
$answer = call($emulator, DELETE => '/connections/kept');
is($answer->{status}, 200, 'a client that is off and has a session can be deleted');
is($answer->{body}, '', 'which is answered without a body, too');
is(call($emulator, GET => '/connections/kept/subscriptions')->{status}, 200, 'and leaves the session as it is');
is(call($emulator, DELETE => '/connections/kept', query => { cleanSession => 'true' })->{status}, 200, 'unless it is to be cleaned');
is(call($emulator, GET => '/connections/kept/subscriptions')->{status}, 404, 'then it is gone');
is(call($emulator, DELETE => '/connections/kept')->{status}, 404, 'and the client cannot be deleted again');

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
	is($header >> 4, $prevent eq 'true' ? 13 : 3, $prevent eq 'true' ? 'its will is then never published' : 'its will is still published');
	is(($watch->read_packet)[0], 0xd0, 'and the next thing is the answer to a ping') if $prevent eq 'false';
}
$waiting = begin_call($emulator, POST => '/connections/watch/messages', query => { topic => 'x', confirmation => 'true', timeout => 15 });
ok($watch->read_message, 'a confirmation is waited for');
is($emulator->stop, 0, 'it stops cleanly, even so');
done_testing;
