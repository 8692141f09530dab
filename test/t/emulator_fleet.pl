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
use IotDataEmulatorClient;
use Test::More;

my $emulator = IotData::Emulator->start;
my $fleet    = IotData::Fleet->make($emulator, count => 250, prefix => 'a-', subscriptions => 3);
my @known    = map { connection_of($emulator, $_) } $fleet->ids;
is(scalar(grep { $_->{disconnectReason} eq 'CLIENT_INITIATED_DISCONNECT' } @known), 250, 'each client has been there and said goodbye');
is(scalar(grep { !$_->{cleanSession} && $_->{sessionExpiry} == 3600 } @known), 250, 'and has a persistent session');
my $last = call($emulator, GET => '/connections/a-250/subscriptions')->{json}{subscriptions};
is(join(' ', map { $_->{topicFilter} } @$last), 'a-250/topic-1 a-250/topic-2 a-250/topic-3', 'with its subscriptions');

$fleet = IotData::Fleet->make($emulator, count => 3, first => 8, version => 4);
is(join(' ', $fleet->ids), 'device-8 device-9 device-10', 'IDs are numbered from any number');
ok(!connection_of($emulator, 'device-10')->{cleanSession}, 'MQTT 3.1.1 clients have a persistent session, too');
is_deeply(call($emulator, GET => '/connections/device-10/subscriptions')->{json}{subscriptions}, [], 'and no subscriptions unless asked for');

$fleet = IotData::Fleet->make($emulator, count => 150, prefix => 'stay-', stay => 1);
is(scalar(grep { connection_of($emulator, $_)->{connected} } $fleet->ids), 150, 'clients may stay');
$fleet->leave;
is(scalar(grep { connection_of($emulator, $_)->{connected} } $fleet->ids), 0, 'until they are to leave');

my @script = ($^X, "$FindBin::Bin/../perl/fleet.pl", '--mqtt-port', $emulator->mqtt_port);
ok(IPC::Run::run([ @script, qw(--count 2 --prefix script- --subscriptions 1) ], IPC::Run::timeout(30)), 'the script ends well');
is(call($emulator, GET => '/connections/script-2/subscriptions')->{json}{subscriptions}[0]{topicFilter}, 'script-2/topic-1', 'and does the same');
my $out = '';
my $run = IPC::Run::start([ @script, qw(--count 2 --prefix kept- --stay) ], '<', \'', '>', \$out, IPC::Run::timeout(30));
$run->pump until $out =~ /^ready$/m || !$run->pumpable;
ok(connection_of($emulator, 'kept-2')->{connected}, 'its clients may stay, too');
$run->signal('TERM');
ok($run->finish, 'until it is ended');
is(connection_of($emulator, 'kept-2')->{disconnectReason}, 'CLIENT_INITIATED_DISCONNECT', 'and they say goodbye');
is($emulator->stop, 0, 'it stops cleanly');
done_testing;
