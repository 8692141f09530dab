#!/usr/bin/perl
# Many clients at the local endpoint, as IotData::Fleet and fleet.pl make them.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/../perl";

BEGIN { $ENV{IOTDATA_EMULATOR} //= "$FindBin::Bin/../../emulator/iotdata-emulator" }

use IPC::Run ();
use IotData::Emulator;
use IotData::Fleet;
use IotData::Wait;
use IotDataEmulatorClient;
use Test::More;

my $emulator = IotData::Emulator->start;
my $fleet    = IotData::Fleet->make($emulator, count => 250, prefix => 'a-', subscriptions => 3);
my @known    = map { connection_of($emulator, $_) } $fleet->ids;
is(scalar(grep { $_->{disconnectReason} eq 'CLIENT_INITIATED_DISCONNECT' } @known), 250, 'each client of a fleet has been there and disconnected');
is(scalar(grep { !$_->{cleanSession} && $_->{sessionExpiry} == 3600 } @known), 250, 'each client of a fleet has a persistent session');
my $last = call($emulator, GET => '/connections/a-250/subscriptions')->{json}{subscriptions};
is(join(' ', map { $_->{topicFilter} } @$last), 'a-250/topic-1 a-250/topic-2 a-250/topic-3', 'a client of a fleet has its subscriptions');

$fleet = IotData::Fleet->make($emulator, count => 3, first => 8, version => 4);
is(join(' ', $fleet->ids), 'device-8 device-9 device-10', 'a fleet\'s IDs can begin with any number');
ok(!connection_of($emulator, 'device-10')->{cleanSession}, 'a fleet\'s clients of MQTT 3.1.1 have a persistent session');
is_deeply(call($emulator, GET => '/connections/device-10/subscriptions')->{json}{subscriptions}, [], 'a fleet\'s clients have no subscriptions unless told to');

$fleet = IotData::Fleet->make($emulator, count => 150, prefix => 'stay-', stay => 1);
is(scalar(grep { connection_of($emulator, $_)->{connected} } $fleet->ids), 150, 'a fleet can stay connected');
$fleet->leave;
is(scalar(grep { connection_of($emulator, $_)->{connected} } $fleet->ids), 0, 'a fleet that stayed can leave');

my @script = ($^X, "$FindBin::Bin/../perl/fleet.pl", '--mqtt-port', $emulator->mqtt_port);
ok(IPC::Run::run([ @script, qw(--count 2 --prefix script- --subscriptions 1) ], IPC::Run::timeout($DEADLINE)), 'the script succeeds');
is(call($emulator, GET => '/connections/script-2/subscriptions')->{json}{subscriptions}[0]{topicFilter}, 'script-2/topic-1', 'the script\'s clients have their subscriptions');
my $out = '';
my $run = IPC::Run::start([ @script, qw(--count 2 --prefix kept- --stay) ], '<', \'', '>', \$out, IPC::Run::timeout($DEADLINE));
$run->pump until $out =~ /^ready$/m || !$run->pumpable;
ok(connection_of($emulator, 'kept-2')->{connected}, 'the script\'s clients can stay connected');
$run->signal('TERM');
ok($run->finish, 'the script succeeds when it is told to end');
is(connection_of($emulator, 'kept-2')->{disconnectReason}, 'CLIENT_INITIATED_DISCONNECT', 'the script\'s clients disconnect when it is told to end');
is($emulator->stop, 0, 'the endpoint stops cleanly');
done_testing;
