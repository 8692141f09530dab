#!/usr/bin/perl
# The local endpoint as a broker: subscriptions and their pages, sessions, wills, retained messages.

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

my $emulator = IotData::Emulator->start(arguments => [qw(--max-subscriptions 0)]);
my $persistent = pack 'CN', 17, 600;

sub connect_client { return IotDataEmulatorClient->connect($emulator, @_) }

sub publish
{
	my ($topic, $payload, %query) = @_;

	return call($emulator, POST => '/topics/' . encode($topic), query => { qos => 1, %query }, body => $payload)->{status};
}

sub silent
{
	my ($client, $name) = @_;

	$client->send_packet(0xc0, '');
	my ($header) = $client->read_packet;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($header, 0xd0, $name);
}

sub page
{
	my ($id, %query) = @_;

	return call($emulator, GET => '/connections/' . encode($id) . '/subscriptions', query => \%query);
}

# ------ pages of subscriptions ------

my $lamp = connect_client('lamp');
is_deeply([ $lamp->subscribe(1, map { "lamp/$_" } 1 .. 50) ], [ (1) x 50 ], 'a client can subscribe to fifty topic filters');
is_deeply([ $lamp->subscribe(2, 'lamp/+/x') ], [1], 'QoS 2 is granted as 1');
is_deeply([ $lamp->subscribe(0, 'lamp/#/x', 'a+', 'a/b/c/d/e/f/g/h/i', '$share/g/a') ], [ 0x8f, 0x8f, 0x8f, 0x9e ], 'a malformed topic filter is refused');
my $page = page('lamp')->{json};
is(scalar @{ $page->{subscriptions} }, 20, 'a page has 20 subscriptions');
my @all = @{ $page->{subscriptions} };
while ($page->{nextToken})
{
	$lamp->send_packet(0xa2, pack('n', 9) . "\0" . field('lamp/3')) && $lamp->read_packet if @all == 20;
	$page = page('lamp', nextToken => $page->{nextToken})->{json};
	push @all, @{ $page->{subscriptions} };
}
is_deeply([ map { $_->{topicFilter} } @all ], [ (map { "lamp/$_" } 1 .. 50), 'lamp/+/x' ], 'the pages have every subscription, though one is removed meanwhile');
is_deeply([ map { $_->{qos} } @all ], [ (1) x 51 ], 'the pages have the QoS of every subscription');
is(scalar @{ page('lamp', maxResults => 200)->{json}{subscriptions} }, 50, 'a page of 200 has all subscriptions but the one that was removed');
is(page('lamp', %$_)->{error}, 'InvalidRequestException', 'a page with ' . join(' ', %$_) . ' is not valid')
  for { maxResults => 0 }, { maxResults => 201 }, { maxResults => 'x' }, { nextToken => 'x' }, { nextToken => '' }, { nextToken => 'MTpvdGhlcg==' };
is(page('nobody')->{error}, 'ResourceNotFoundException', 'a client without a session is not found');

my $many = connect_client('many');
for my $block (0 .. 99)
{
	$many->subscribe(0, map { "m/$block/$_" } 1 .. 1000);
}
my ($token, $count) = (undef, 0);
do
{
	$page = page('many', maxResults => 200, $token ? (nextToken => $token) : ())->{json};
	$token = $page->{nextToken};
	$count += @{ $page->{subscriptions} };
} while ($token);
is($count, 100_000, 'a hundred thousand subscriptions come in 500 pages');
$many->disconnect;

# ------ publishing ------

my $one = connect_client('one');
my $two = connect_client('two', version => 4);
$one->subscribe(1, 'house/+/state', 'house/#', 'house/hall/state');
$two->subscribe(0, 'house/hall/#');
is(publish('house/hall/state', 'on', contentType => 'text/plain', messageExpiry => 60), 200, 'the API can publish');
my $message = $one->read_message;
is("$message->{topic} $message->{payload} $message->{qos}", 'house/hall/state on 1', 'a subscriber gets the message');
is($message->{properties}, pack('CNCn/a*', 2, 60, 3, 'text/plain'), 'a message has its properties and its expiry');
$one->acknowledge($message->{packet_id});
silent($one, 'a subscriber gets a message once, though three of its filters match');
$message = $two->read_message;
is("$message->{payload} $message->{qos}", 'on 0', 'a subscriber gets a message at the QoS of its subscription');
$one->send_packet(0x32, field('house/hall/state') . pack('n', 7) . "\0off");
is_deeply([ sort { $a->[0] <=> $b->[0] } map { [ $one->read_packet ] } 1 .. 2 ]->[1], [ 0x40, pack 'n', 7 ], 'a client that publishes is told that it did');
is($two->read_message->{payload}, 'off', 'a client gets what another one publishes');
$one->subscribe(4, 'mine');
$one->send_packet(0x30, field('mine') . "\0x");
silent($one, 'a client that subscribes with No Local does not get its own messages');
is(publish('$aws/things', 'x'), 200, 'the API can publish to a dollar topic');
is(call($emulator, POST => '/topics/a%2F%23')->{status}, 400, 'a wildcard in a topic is not valid');
is(call($emulator, POST => '/topics/a', query => { qos => 2 })->{status}, 400, 'QoS 2 is not valid');

# ------ wills ------

my $watch = connect_client('watch', version => 4);
$watch->subscribe(1, 'wills/#');
connect_client('lost', will => [ 'wills/lost', 'lost' ])->vanish;
is($watch->read_message->{payload}, 'lost', 'the will of a client that is lost is published');
connect_client('polite', will => [ 'wills/polite', 'x' ])->disconnect;
silent($watch, 'the will of a client that disconnects is not published');
my $wilful = connect_client('wilful', will => [ 'wills/wilful', 'yes' ]);
$wilful->send_packet(0xe0, "\4");
is($watch->read_message->{payload}, 'yes', 'the will of a client that disconnects is published when it says so');
my $delayed = connect_client('delayed', will => [ 'wills/delayed', 'late' ], will_properties => pack('CN', 24, 1), properties => $persistent, clean => 0);
my $lost = time;
$delayed->vanish;
is($watch->read_message->{payload}, 'late', 'a delayed will is published');
# two clocks: the endpoint counts whole milliseconds
cmp_ok(time - $lost, '>=', 0.99, 'a delayed will waits for its time');

# that is only true of a client that comes back within the second, which a busy machine may not manage
my $away;
for (1 .. 20)
{
	connect_client('delayed', will => [ 'wills/delayed', 'never' ], will_properties => pack('CN', 24, 1), properties => $persistent, clean => 0)->vanish;
	$lost = time;
	eventually(sub { !connection_of($emulator, 'delayed')->{connected} }) or die "the client is not lost\n";
	$delayed = connect_client('delayed', properties => $persistent, clean => 0);
	$away    = time - $lost;
	last if $away < 0.9;
	$watch->read_message(1.3);
}
is($watch->read_message(1.3), undef, "a delayed will is not published when its client comes back in time ($away s)");
my $first = connect_client('taken', will => [ 'wills/taken', 'taken over' ]);
connect_client('taken');
is($watch->read_message->{payload}, 'taken over', 'the will of a client whose id is taken over is published');

# ------ sessions ------

$away = connect_client('away', properties => $persistent, clean => 0);
is(ord $away->{connack}, 0, 'a client without a session begins a new one');
$away->subscribe(1, 'away/#');
publish('away/1', 'seen');
is($away->read_message->{payload}, 'seen', 'a client gets a message that it does not confirm');
$away->vanish;
ok(eventually(sub { !connection_of($emulator, 'away')->{connected} }), 'a client with a session goes');
publish('away/2', "kept $_") for 1 .. 3;
publish('away/3', 'at QoS 0', qos => 0);
is(publish('away/4', 'expired', messageExpiry => 0), 200, 'a message that has expired can be published');
is(scalar @{ page('away')->{json}{subscriptions} }, 1, 'the subscriptions of a client with a session are known while it is away');
$away = connect_client('away', properties => $persistent, clean => 0);
is(ord $away->{connack}, 1, 'a client takes its session up again');
is_deeply(
	[ map { my $m = $away->read_message; $away->acknowledge($m->{packet_id}); "$m->{payload} $m->{duplicate}" } 1 .. 4 ],
	[ 'seen 1', 'kept 1 0', 'kept 2 0', 'kept 3 0' ],
	'a client that is back gets what it did not confirm, and what came meanwhile');
silent($away, 'a client that is back gets nothing that has expired or was sent at QoS 0');
$away->disconnect;
$away = connect_client('away', clean => 1, properties => pack 'CN', 17, 1);
is(ord $away->{connack}, 0, 'a clean start begins a new session');
is_deeply(page('away')->{json}{subscriptions}, [], 'a new session has no subscriptions');
$away->disconnect;
ok(eventually(sub { page('away')->{status} == 404 }), 'a session ends when its time is over');
is(call($emulator, GET => '/connections/away')->{status}, 200, 'what is known of a connection outlives its session');

# ------ retained messages ------

is(publish("keep/$_", "value $_", retain => 'true'), 200, "a message can be published to be retained ($_)") for 1 .. 3;
my $late = connect_client('late');
$late->send_packet(0x82, pack('n', 1) . "\0" . field('keep/#') . "\1");
is(($late->read_packet)[0], 0x90, 'a client can subscribe after messages were retained');
is_deeply([ map { my $m = $late->read_message; "$m->{payload} $m->{retain}" } 1 .. 3 ], [ map { "value $_ 1" } 1 .. 3 ], 'a client that subscribes gets what is retained');
my $none = connect_client('none');
$none->subscribe(0x20, 'keep/#');
silent($none, 'a client that does not want what is retained does not get it');
publish('keep/2', '', retain => 'true');
publish('keep/4', 'props', retain => 'true', contentType => 'x');
my $list = call($emulator, GET => '/retainedMessage', query => { maxResults => 2 })->{json};
is_deeply([ map { "$_->{topic} $_->{payloadSize} $_->{qos}" } @{ $list->{retainedTopics} } ], [ 'keep/1 7 1', 'keep/3 7 1' ], 'retained messages are listed in pages');
$list = call($emulator, GET => '/retainedMessage', query => { maxResults => 2, nextToken => $list->{nextToken} })->{json};
is_deeply([ map { $_->{topic} } @{ $list->{retainedTopics} } ], ['keep/4'], 'the next page of retained messages goes on');
ok(!exists $list->{nextToken}, 'the last page of retained messages has no token');
my $kept = call($emulator, GET => '/retainedMessage/keep%2F1')->{json};
is("$kept->{topic} $kept->{payload} $kept->{qos}", 'keep/1 dmFsdWUgMQ== 1', 'a retained message is found');
is(call($emulator, GET => '/retainedMessage/keep%2F2')->{error}, 'ResourceNotFoundException', 'an empty payload removes a retained message');

# ------ limits ------

my $qos2 = connect_client('qos2');
$qos2->send_packet(0x34, field('a') . pack('n', 1) . "\0");
is_deeply([ $qos2->read_packet ], [ 0xe0, "\x9b" ], 'QoS 2 is not supported');
my $alias = connect_client('alias');
$alias->send_packet(0x30, field('') . "\x03\x23\x00\x01");
is_deeply([ $alias->read_packet ], [ 0xe0, "\x94" ], 'topic aliases are not supported');
my $large = connect_client('large');
$large->send_packet(0x30, field('a') . "\0" . 'x' x 150_000);
is_deeply([ $large->read_packet ], [ 0xe0, "\x95" ], 'a packet that is too large ends the connection');
$large = connect_client('large');
$large->send_bytes("\x30\xf0\x93\x09");
is_deeply([ $large->read_packet ], [ 0xe0, "\x95" ], 'a packet that is too large ends the connection as soon as its length is known');
my $refused = IotDataEmulatorClient->open_socket($emulator);
$refused->send_packet(0x10, field('MQTT') . "\4\2\0\x3c" . field('$aws'));
is_deeply([ $refused->read_packet ], [ 0x20, "\0\2" ], 'a client id with a dollar sign is refused');
$refused = IotDataEmulatorClient->open_socket($emulator);
$refused->send_packet(0x10, field('MQTT') . "\3\2\0\x3c" . field('a'));
is_deeply([ $refused->read_packet ], [ 0x20, "\0\1" ], 'an unknown version of MQTT is refused');
is($emulator->stop, 0, 'the endpoint stops cleanly');

$emulator = IotData::Emulator->start;
my $fifty = connect_client('fifty');
is_deeply([ $fifty->subscribe(0, 1 .. 51) ], [ (0) x 50, 0x97 ], 'a client has 50 subscriptions at most');
is_deeply([ $fifty->subscribe(1, 50) ], [1], 'a client with 50 subscriptions may change those it has');
my $slow = connect_client('slow');
$slow->subscribe(0, 'slow');
my $body = 'x' x 131_072;
my $sent = 0;
$sent++ while $sent < 200 && publish('slow', $body) == 200 && connection_of($emulator, 'slow')->{connected};
is(connection_of($emulator, 'slow')->{disconnectReason}, 'SERVER_INITIATED_DISCONNECT', 'a client that does not read is disconnected');
is($emulator->stop, 0, 'the endpoint stops cleanly');
done_testing;
