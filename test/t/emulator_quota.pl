#!/usr/bin/perl
# The local endpoint: the service's quotas, as it plays them by option. How much is taken depends on
# how long the requests take, which is measured.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/../perl";

BEGIN { $ENV{IOTDATA_EMULATOR} //= "$FindBin::Bin/../../emulator/iotdata-emulator" }

use IPC::Run ();
use IotData::Emulator;
use IotData::Wait;
use IotDataEmulatorClient;
use Test::More;
use Time::HiRes qw(sleep time);

# All requests at once, each [ METHOD, PATH, options ]; their answers, and the seconds that it took.
sub at_once
{
	my ($emulator, @requests) = @_;
	my $begun   = time;
	my @calls   = map { begin_call($emulator, @$_) } @requests;
	my @answers = map { finish_call($_) } @calls;

	return (time - $begun, @answers);
}

# One test: at least what a full bucket holds was taken, at most what flowed in besides, and not all.
sub is_limited
{
	my ($rate, $elapsed, $name, @answers) = @_;
	my $taken = grep { $_->{status} != 429 } @answers;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($taken >= $rate && $taken <= $rate * (1 + $elapsed) && $taken < @answers, $name)
	  || diag(sprintf '%d of %d taken in %.3f s', $taken, scalar @answers, $elapsed);
}

sub get { return [ GET => "/connections/$_[0]" ] }

# Until every bucket is full again.
sub refill { return sleep 1.01 }

# ------ the account's quotas ------

my $emulator = IotData::Emulator->start(arguments => [qw(--read-rate 10 --send-rate 5)]);
my ($elapsed, @answers) = at_once($emulator, map { get($_) } 1 .. 60);
my ($over) = grep { $_->{status} == 429 } @answers;
is_limited(10, $elapsed, 'more reads than the rate are throttled', @answers);
is($over->{error},         'ThrottlingException', 'a read over the quota is a ThrottlingException');
is($over->{json}{message}, 'Rate exceeded',       'a request that is throttled has a message');
like($over->{json}{traceId}, qr/^[0-9a-f-]{36}$/, 'a request that is throttled has a trace id');
ok(!exists $over->{headers}{'x-amz-retry-after'}, 'a request that is throttled says nothing of when to come back, unless told to');
my ($throttled, $answered) = map { my $status = $_; scalar grep { $_->{status} == $status } @answers } 429, 404;
is(scalar(() = $emulator->log_text =~ m{^http GET /connections/\d+ 429 }mg), $throttled, 'the log has every request that was throttled');
is($emulator->requests, $throttled + $answered, 'the log has every request that was answered');
is(scalar(() = $emulator->log_text =~ m{^http GET /connections/7 }mg), 1, 'the log says which client a request was about');
refill();
($elapsed, @answers) = at_once($emulator, map { get($_) } 1 .. 10);
is(scalar(grep { $_->{status} == 429 } @answers), 0, 'a second later a second\'s worth of requests is taken');
refill();
($elapsed, @answers) = at_once($emulator, map { (get($_), [ GET => "/connections/$_/subscriptions" ], [ DELETE => "/connections/$_" ]) } 1 .. 20);
is_limited(10, $elapsed, 'GetConnection, ListSubscriptions and DeleteConnection share a quota', @answers);
my @messages = map { ([ POST => "/connections/$_/messages", query => { topic => 'a' } ], [ POST => '/topics/a' ]) } 1 .. 15;
($elapsed, @answers) = at_once($emulator, @messages);
is_limited(5, $elapsed, 'SendDirectMessage and Publish share another quota', @answers);
($elapsed, @answers) = at_once($emulator, map { ([ GET => '/retainedMessage' ], [ GET => '/retainedMessage/x' ]) } 1 .. 15);
is(scalar(grep { $_->{status} == 429 } @answers), 0, 'requests for retained messages have no quota');
refill();
at_once($emulator, map { [ GET => '/connections/x', secret => 'wrong' ] } 1 .. 30);
($elapsed, @answers) = at_once($emulator, map { get($_) } 1 .. 10);
is(scalar(grep { $_->{status} == 429 } @answers), 0, 'a request that is signed wrongly uses nothing of a quota');
my $all = $emulator->requests;
$throttled = () = $emulator->log_text =~ / 429 /g;
is($emulator->stop, 0, 'the endpoint stops cleanly');
like($emulator->log_text, qr/^http summary requests=$all throttled=$throttled failed=0 closed=0 most-at-once=\d+$/m, 'the summary counts requests that were throttled');

# ------ one client's quota ------

$emulator = IotData::Emulator->start(arguments => [qw(--client-read-rate 1 --retry-after 1500)]);
($elapsed, @answers) = at_once($emulator, map { get('a') } 1 .. 15);
is_limited(1, $elapsed, 'more reads of one client than its rate are throttled', @answers);
is((grep { $_->{status} == 429 } @answers)[0]{headers}{'x-amz-retry-after'}, 1500, 'a request that is throttled says when to come back when told to');
ok(!(grep { $_->{status} != 429 && exists $_->{headers}{'x-amz-retry-after'} } @answers), 'a request that is not throttled does not say when to come back');
($elapsed, @answers) = at_once($emulator, map { get("b$_") } 1 .. 50);
is(scalar(grep { $_->{status} == 429 } @answers), 0, 'each client has a quota of its own');
($elapsed, @answers) = at_once($emulator, map { [ POST => '/connections/a/messages', query => { topic => 'a' } ] } 1 .. 10);
is(scalar(grep { $_->{status} == 429 } @answers), 0, 'messages to one client have no quota');
refill();
is(call($emulator, @{ get('a') })->{status}, 404, 'a client can be read again a second later');
refill();
($elapsed, @answers) = at_once($emulator, map { ([ GET => '/connections/c' ], [ GET => '/connections/c/subscriptions' ], [ DELETE => '/connections/c' ]) } 1 .. 5);
is_limited(1, $elapsed, 'all reads of one client share its quota', @answers);
($elapsed, @answers) = at_once($emulator, map { get('x' x 129) } 1 .. 10);
is(scalar(grep { $_->{status} == 400 } @answers), 10, 'a request for an ID that no client can have is not valid, however often it comes');
is($emulator->stop, 0, 'the endpoint stops cleanly');

$emulator = IotData::Emulator->start(arguments => [qw(--read-rate 3 --client-read-rate 1)]);
at_once($emulator, map { get('a') } 1 .. 30);
($elapsed, @answers) = at_once($emulator, map { get($_) } qw(b c));
is(scalar(grep { $_->{status} == 404 } @answers), 2, 'a request over a client\'s quota uses nothing of the account\'s');
($elapsed, @answers) = at_once($emulator, map { get("d$_") } 1 .. 50);
cmp_ok(scalar(grep { $_->{status} == 429 } @answers), '>=', 50 - 3 * (1 + $elapsed), 'the account\'s quota counts for all clients together');
is($emulator->stop, 0, 'the endpoint stops cleanly');

# ------ without ------

$emulator = IotData::Emulator->start(arguments => [qw(--read-rate 0 --client-read-rate 0 --send-rate 0)]);
($elapsed, @answers) = at_once($emulator, map { get('a') } 1 .. 200);
is(scalar(grep { $_->{status} == 404 } @answers), 200, 'without a rate nothing is throttled');
is($emulator->stop, 0, 'the endpoint stops cleanly');

# ------ the command line ------

for my $case (map { [ $_, '-1' ], [ $_, 'x' ], [ $_, '1.5' ], [ $_, '' ] } qw(read-rate client-read-rate send-rate retry-after))
{
	my ($name, $value) = @$case;
	my $err;

	IPC::Run::run([ $ENV{IOTDATA_EMULATOR}, "--$name", $value ], '<', \'', '>', \my $out, '2>', \$err, IPC::Run::timeout($DEADLINE));
	is($? >> 8, 2, "--$name '$value' is not accepted");
	like($err, qr/^iotdata-emulator: --$name: "\Q$value\E" is not a number from 0 to \d+$/m, "the message says why --$name '$value' is not accepted");
}
done_testing;
