#!/usr/bin/perl
# The local endpoint: the faults that it plays by option, requests that fail, connections that are
# closed, answers that are late, a clock that is off. Of times only lower bounds are asserted.

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
use Time::HiRes qw(time);
use Time::Piece ();

# The answer of a call, with the status "closed" when none came.
sub try_finish
{
	my ($call) = @_;
	my $answer = eval { finish_call($call) };

	die $@ if $@ && $@ !~ /^no answer:  at /;
	return $answer // { status => 'closed', error => '' };
}

sub try_call { return try_finish(begin_call(@_)) }

# The status of each of so many requests, one after the other.
sub statuses
{
	my ($emulator, $count) = @_;

	return map { try_call($emulator, GET => "/connections/$_")->{status} } 1 .. $count;
}

sub started { return IotData::Emulator->start(arguments => \@_) }

sub count_of
{
	my ($what, @list) = @_;

	return scalar grep { $_ eq $what } @list;
}

# ------ requests that fail ------

my $emulator = started(qw(--fail-percent 50 --seed 7));
my @first    = statuses($emulator, 200);
my @failed   = grep { /^5/ } @first;
cmp_ok(abs(@failed - 100), '<', 40, 'about as many requests fail as are to fail');
cmp_ok(count_of($_, @failed), '>', 15, "requests fail with $_") for 500, 503, 504;
is(@failed + count_of(404, @first), 200, 'requests that do not fail are answered');
is($emulator->stop, 0, 'the endpoint stops cleanly');
is_deeply([ @{ $emulator->summary }{qw(requests throttled failed closed most-at-once)} ], [ 200, 0, scalar @failed, 0, 1 ], 'the summary counts requests that failed');
$emulator = started(qw(--fail-percent 50 --seed 7 --jitter 1));
is_deeply([ statuses($emulator, 200) ], \@first, 'the same seed fails the same requests, whatever their delay');
$emulator = started(qw(--fail-percent 50 --seed 8));
isnt(join(' ', statuses($emulator, 200)), join(' ', @first), 'another seed fails other requests');
$emulator = started(qw(--fail-percent 1.5));
my $some = grep { /^5/ } statuses($emulator, 600);
ok($some >= 1 && $some <= 30, 'a percentage may have a fraction');

# What it publishes shows what was carried out: the topics whose answer had each status, and those
# that a client got.
sub carried_out
{
	my ($emulator, $count) = @_;
	my $watch = IotDataEmulatorClient->connect($emulator, 'watch');
	my (%status, %came);

	$watch->subscribe(1, 'faults/#');
	$status{"faults/$_"} = try_call($emulator, POST => '/topics/' . encode("faults/$_"), query => { qos => 0 })->{status} for 1 .. $count;
	$watch->send_packet(0xc0, '');
	while (my ($header, $body) = $watch->read_packet)
	{
		last if $header == 0xd0;
		$came{ unpack 'n/a*', $body } = 1;
	}
	return (\%status, \%came);
}

$emulator = started(qw(--fail-percent 100));
my ($status, $came) = carried_out($emulator, 100);
is_deeply([ sort keys %$came ], [ sort grep { $status->{$_} == 504 } keys %$status ], 'requests that fail with 504 are carried out, and no others that fail');
cmp_ok(count_of(504, values %$status), '>', 10, 'some requests fail with 504');
my $answer = try_call($emulator, GET => '/connections/x');
my %error = (500 => 'InternalFailureException', 503 => 'ServiceUnavailableException', 504 => 'GatewayTimeoutException');
for my $expected (sort keys %error)
{
	$answer = try_call($emulator, GET => '/connections/x') until $answer->{status} == $expected;
	is($answer->{error}, $error{$expected}, "a $expected has its error name");
	ok(length $answer->{json}{message}, "a $expected has a message");
}

# ------ connections that are closed ------

$emulator = started(qw(--close-percent 100));
($status, $came) = carried_out($emulator, 100);
is(count_of('closed', values %$status), 100, 'requests whose connection is closed have no answer');
cmp_ok(abs(keys(%$came) - 50), '<', 25, 'about half of the requests without an answer are carried out');
is(scalar(() = $emulator->log_text =~ m{^http POST /topics/faults%2F\d+ closed }mg), 100, 'the log has requests whose connection is closed');
is($emulator->stop, 0, 'the endpoint stops cleanly');
is_deeply([ @{ $emulator->summary }{qw(requests throttled failed closed)} ], [ 100, 0, 0, 100 ], 'the summary counts connections that were closed');
$emulator = started(qw(--close-percent 30 --fail-percent 30));
my @all = statuses($emulator, 200);
ok(abs(count_of('closed', @all) - 60) < 35 && abs(count_of(404, @all) - 80) < 35, 'requests fail and connections are closed in one run');
$emulator = started(qw(--fail-percent 50 --read-rate 1 --client-read-rate 1));
my @same = map { try_call($emulator, GET => '/connections/same')->{status} } 1 .. 40;
my ($answered) = grep { $same[$_] == 404 || $same[$_] == 504 } 0 .. $#same;
is(count_of(429, @same[ 0 .. $answered // $#same ]), 0, 'a request that is not carried out counts for no quota');
cmp_ok(count_of(429, @same), '>', 0, 'a request that is carried out counts for its quota');
$emulator = started(qw(--fail-percent 50 --close-percent 50 --read-rate 1));
cmp_ok(count_of(429, statuses($emulator, 40)), '>', 0, 'a request over a quota is throttled, whatever else would have become of it');

# ------ answers that are late ------

# The seconds that a call takes, and its status.
sub timed
{
	my ($emulator, @request) = @_;
	my $begun  = time;
	my $answer = try_call($emulator, @request);

	return (time - $begun, $answer->{status});
}

$emulator = started(qw(--delay 200 --client-read-rate 1));
cmp_ok((timed($emulator, GET => '/connections/a'))[0], '>=', 0.2, 'an answer comes after the delay');
my ($elapsed, $code);
ok(eventually(sub { ($elapsed, $code) = timed($emulator, GET => '/connections/a'); return $code == 429 }), 'a request can be throttled by an endpoint that takes its time');
cmp_ok($elapsed, '>=', 0.2, 'a request that is throttled is answered after the delay');
cmp_ok((timed($emulator, GET => '/connections/a', no_authorization => 1))[0], '>=', 0.2, 'a request that is refused is answered after the delay');
my $client = IotDataEmulatorClient->connect($emulator, 'lamp');
my @confirmed = (POST => '/connections/lamp/messages', query => { topic => 'a', confirmation => 'true', timeout => 1 });
my @in_time   = (@confirmed[ 0 .. 2 ], { %{ $confirmed[3] }, timeout => 15 });
my $begun = time;
my $call  = begin_call($emulator, @in_time);
$client->acknowledge($client->read_message->{packet_id});
is(finish_call($call)->{status}, 200, 'a message can be confirmed before the delay is over');
cmp_ok(time - $begun, '>=', 0.2, 'a message that is confirmed at once is answered after the delay');
cmp_ok((timed($emulator, @confirmed))[0], '>=', 1, 'a message that is not confirmed is answered no earlier than without a delay');
is($emulator->stop, 0, 'the endpoint stops cleanly');
$emulator = started(qw(--delay 150 --fail-percent 50 --close-percent 50));
my @times = map { [ timed($emulator, GET => '/connections/a') ] } 1 .. 12;
is(scalar(grep { $_->[0] < 0.15 } @times), 0, 'failures and closed connections come after the delay');
cmp_ok(count_of('closed', map { $_->[1] } @times), '>', 0, 'some connections are closed after the delay');

$emulator = started(qw(--delay 20 --jitter 300));
my @jittered = map { (timed($emulator, GET => '/connections/a'))[0] } 1 .. 15;
is(scalar(grep { $_ < 0.02 } @jittered), 0, 'with jitter, no answer comes before the delay');
cmp_ok(scalar(grep { $_ > 0.07 } @jittered), '>', 5, 'with jitter most answers come later than the delay');
my @calls = map { begin_call($emulator, GET => "/connections/order-$_") } 1 .. 60;
finish_call($_) for @calls;
my @order = $emulator->log_text =~ m{^http GET /connections/order-(\d+) }mg;
is(scalar(@order), 60, 'with jitter all requests are answered');
isnt("@order", join(' ', 1 .. 60), 'with jitter requests are answered in another order than they came in');

$emulator = started(qw(--delay 20000));
@calls = map { begin_call($emulator, GET => "/connections/$_") } 1 .. 100;
ok(eventually(sub { $emulator->connections == 100 }), 'a hundred answers can wait at once');
is($emulator->stop, 0, 'the endpoint stops cleanly while answers wait');
cmp_ok($emulator->summary->{'most-at-once'}, '>', 50, 'the summary says how many requests were in flight at once');

# ------ a clock that is off ------

for my $offset (-3600, -600, 600, 3600)
{
	my $before = int time;
	$emulator = started('--clock-offset', $offset);
	$client   = IotDataEmulatorClient->connect($emulator, 'lamp');
	$answer   = call($emulator, GET => '/connections/lamp');
	is($answer->{status}, abs $offset > 900 ? 403 : 200, "a request signed $offset seconds off is " . (abs $offset > 900 ? 'refused' : 'accepted'));
	my $date = Time::Piece->strptime($answer->{headers}{date}, '%a, %d %b %Y %H:%M:%S GMT')->epoch;
	ok($date >= $before + $offset && $date <= time + $offset, 'the answer has the date of the endpoint\'s clock');
	$answer = call($emulator, GET => '/connections/lamp', time => time + $offset);
	is($answer->{status}, 200, 'a request signed by the endpoint\'s clock is accepted');
	my $since = $answer->{json}{connectedSince} / 1000;
	ok($since >= $before + $offset && $since <= time + $offset + 1, 'connectedSince has the time of the endpoint\'s clock');
}
my $socket = begin_call($emulator, GET => '/connections/lamp');
my $text = do { local $/ = undef; <$socket> };
is(scalar(() = $text =~ /^date:/mgi), 1, 'an answer has one date');

# ------ the command line ------

for my $case (
	(map { [ $_, '-1' ], [ $_, 'x' ], [ $_, '1.5' ] } qw(delay jitter seed)), [ 'clock-offset', 'x' ], [ 'clock-offset', '1.5' ],
	(map { [ $_, '-1' ], [ $_, '101' ], [ $_, '' ], [ $_, '.' ], [ $_, '1e1' ], [ $_, 'nan' ] } qw(fail-percent close-percent)))
{
	my ($name, $value) = @$case;
	my $err;

	IPC::Run::run([ $ENV{IOTDATA_EMULATOR}, "--$name", $value ], '<', \'', '>', \my $out, '2>', \$err, IPC::Run::timeout($DEADLINE));
	is($? >> 8, 2, "--$name '$value' is not accepted");
	like($err, qr/^iotdata-emulator: --$name: "\Q$value\E" is not a (?:number from -?\d+ to \d+|percentage)$/m, "the message says why --$name '$value' is not accepted");
}
IPC::Run::run([ $ENV{IOTDATA_EMULATOR}, qw(--fail-percent 60 --close-percent 41) ], '<', \'', '>', \my $out, '2>', \my $err, IPC::Run::timeout($DEADLINE));
is($? >> 8, 2, 'percentages of more than 100 together are not accepted');
like($err, qr/more than 100 together/, 'the message says that percentages are more than 100 together');
done_testing;
