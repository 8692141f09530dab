#!/usr/bin/perl
# Makes many MQTT clients known to a local endpoint on this machine, as IotData::Fleet does:
#
#   fleet.pl --mqtt-port P --count N [--prefix S] [--subscriptions K] [--stay]
#
# With --stay it keeps them connected, prints "ready", and disconnects them at SIGTERM or SIGINT.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::Bin;

use Getopt::Long qw(GetOptions);
use IotData::Emulator;
use IotData::Fleet;

my %option = (prefix => 'device-', subscriptions => 0);
GetOptions(\%option, 'mqtt-port=i', 'count=i', 'prefix=s', 'subscriptions=i', 'stay') && $option{'mqtt-port'} && $option{count} && !@ARGV
  or die "usage: see the top of $0\n";

# an endpoint that is there already
my $emulator = bless { port => { mqtt => delete $option{'mqtt-port'} } }, 'IotData::Emulator';
my $stopped;
local $SIG{TERM} = local $SIG{INT} = sub { $stopped = 1 };
my $fleet = IotData::Fleet->make($emulator, %option);

if ($option{stay})
{
	$| = 1;
	print "ready\n";
	sleep 1 until $stopped;
	$fleet->leave;
}
