#!/usr/bin/perl
# The local endpoint: which requests it takes for well signed, and bytes that are no requests at all.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/../perl";

BEGIN { $ENV{IOTDATA_EMULATOR} //= "$FindBin::Bin/../../emulator/iotdata-emulator" }

use IotData::Check qw(eventually);
use IotData::Client;
use IotData::Emulator;
use IotData::Wait;
use IotDataEmulatorClient;
use Test::More;
use Time::HiRes qw(time);
use IPC::Run ();

my $emulator = IotData::Emulator->start(arguments => [qw(--region eu-west-1)]);
my $lamp     = IotDataEmulatorClient->connect($emulator, 'lamp');
my %base     = (query => { includeSocketInformation => 'true' });

sub refused
{
	my ($name, %options) = @_;
	my $answer = call($emulator, GET => '/connections/lamp', %base, %options);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$answer->{status} $answer->{error}", '403 ForbiddenException', $name);
	unlike($answer->{body}, qr/wJalr|[0-9a-f]{64}/, "the answer has no secret and no signature: $name");
	return;
}

is(call($emulator, GET => '/connections/lamp', %base)->{status}, 200, 'a well signed request is answered');
is(call($emulator, GET => '/connections/lamp', %base, headers => { 'x-any' => 'a' })->{status}, 200, 'more headers may be signed');
is(call($emulator, GET => '/connections/lamp', %base, unsigned => { 'user-agent' => 'x' })->{status}, 200, 'a header may be unsigned');
is(call($emulator, GET => '/connections/lamp', %base, time => time + $_)->{status}, 200, "a request from a clock that is off by $_ seconds is answered") for -890, 890;
refused('a wrong secret is refused', secret => 'another');
refused('an unknown access key is refused', key_id => 'AKIDANOTHER');
refused('a changed path is refused', sign_path => '/connections/lamq');
refused('a changed body is refused', sign_body => 'x');
refused('a clock 16 minutes behind is refused', time => time - 960);
refused('a clock 16 minutes ahead is refused', time => time + 960);
refused('an unsigned mqtt5 header is refused', unsigned => { 'x-amz-mqtt5-user-properties' => 'W10=' });
refused('an unsigned token is refused', unsigned => { 'x-amz-security-token' => 'x' });
refused('an unknown token is refused', token => 'x');
refused('a wrong x-amz-content-sha256 is refused', headers => { 'x-amz-content-sha256' => '0' x 64 });
refused('no Authorization is refused', no_authorization => 1);
refused("the Authorization \"$_\" is refused", no_authorization => 1, unsigned => { authorization => $_ })
  for 'Basic x', 'AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA256 Credential=a', 'AWS4-HMAC-SHA256 Credential=/, SignedHeaders=;, Signature=';

my $other = IotData::Emulator->start(arguments => [qw(--region us-east-1)]);
is(call($other, GET => '/connections/lamp')->{error}, 'ForbiddenException', 'another region is refused');
is($other->stop, 0, 'the endpoint stops cleanly');
$other = IotData::Emulator->start(arguments => [qw(--access-key-id A --secret-access-key B --session-token C)]);
is(call($other, GET => '/connections/x', key_id => 'A', secret => 'B', token => 'C')->{status}, 404, 'a session token is accepted');
is(call($other, GET => '/connections/x', key_id => 'A', secret => 'B')->{status}, 403, 'a request that lacks the session token is refused');
is($other->stop, 0, 'the endpoint stops cleanly');
$other = IotData::Emulator->start(arguments => [qw(--no-authentication)]);
is(call($other, GET => '/connections/x', no_authorization => 1)->{status}, 404, 'without authentication an unsigned request is accepted');

# ------ the command line ------

for my $case (
	[ 2, 'an unknown option', '--unknown' ], [ 2, 'a port out of range', '--http-port', 65536 ], [ 2, 'a port that is no number', '--mqtt-port', 'x' ],
	[ 2, 'no address', '--listen', 'nowhere' ], [ 2, 'a certificate without a key', '--certificate', '/dev/null' ], [ 2, 'something behind', 'x' ],
	[ 1, 'a port in use', '--http-port', $other->port ], [ 1, 'a certificate that is none', '--certificate', '/dev/null', '--key', '/dev/null' ],
	[ 0, 'the version', '--version' ], [ 0, 'help', '--help' ])
{
	my ($status, $name, @arguments) = @$case;
	my ($out, $err);

	IPC::Run::run([ $ENV{IOTDATA_EMULATOR}, @arguments ], '<', \'', '>', \$out, '2>', \$err, IPC::Run::timeout($DEADLINE));
	is($? >> 8, $status, "the exit status for $name is $status");
	ok(length($status ? $err : $out), "there is something to read for $name");
}
is($other->stop, 0, 'the endpoint stops cleanly');

# ------ garbage ------

srand 7;

sub noise { return join '', map { chr int rand 256 } 1 .. $_[0] }

# A good beginning, and then bytes changed.
sub damaged
{
	my ($bytes) = @_;

	substr($bytes, int(rand length $bytes), 1) = chr int rand 256 for 0 .. rand 4;
	return substr $bytes, 0, 1 + rand length $bytes;
}

my $connect = "\x10\x2f" . field('MQTT') . "\5\xae\0\x0a\5\x11\0\0\0\x3c" . field('garbage') . "\0" . field('w/t') . field('payload!') . field('name');
my @good    = (
	"\x82\x09\0\1\0" . field('a/#') . "\1",
	"\x32\x18\0\3a/b\0\2\x0b\1\1\3\0\1x\2\0\0\0\5body!",
	"\xa2\x08\0\3\0" . field('a/#'),
	"\x40\x02\0\1", "\xc0\0", "\xe0\x02\4\0");
my @requests = ("GET /connections/a?b=c HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c\r\n\r\n",
	"POST /topics/a%2Fb?qos=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbytes", "DELETE /%%%/%00//?&=&&=%zz HTTP/1.1\r\nHost: x\r\n\r\n");

sub throw
{
	my ($port, $bytes) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or return 0;

	local $SIG{PIPE} = 'IGNORE';
	print $socket $bytes;
	close $socket;
	return 1;
}

my $thrown = 0;
for (1 .. 1500)
{
	$thrown += throw($emulator->mqtt_port, noise(1 + rand 200));
	$thrown += throw($emulator->mqtt_port, damaged($connect));
	$thrown += throw($emulator->mqtt_port, $connect . join '', map { rand() < 0.5 ? damaged($good[ rand @good ]) : $good[ rand @good ] } 1 .. 5);
	$thrown += throw($emulator->port, rand() < 0.3 ? noise(1 + rand 300) : damaged($requests[ rand @requests ]));
}
is($thrown, 6000, 'thousands of strings of garbage are taken');
is(call($emulator, GET => '/connections/lamp', %base)->{json}{connected}, JSON::PP::true, 'requests are answered after thousands of strings of garbage');
$lamp->send_packet(0xc0, '');
is(($lamp->read_packet)[0], 0xd0, 'clients are answered after thousands of strings of garbage');
like($emulator->log_text, qr/connected garbage .*subscribed garbage a\/# .*disconnected garbage CLIENT_ERROR/s, 'part of the garbage is understood, and part of it is not');
unlike($emulator->log_text, qr/wJalr|Signature=/, 'the log has no secret and no signature');
is($emulator->stop, 0, 'the endpoint stops cleanly');
done_testing;
