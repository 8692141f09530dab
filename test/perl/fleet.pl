#!/usr/bin/perl
# Makes many MQTT clients known to a local endpoint on this machine, as IotData::Fleet does:
#
#   fleet.pl --mqtt-port P --count N [--prefix S] [--subscriptions K] [--stay]
#
# With --stay it keeps them connected, prints "ready", and disconnects them at SIGTERM or SIGINT.
# The demo runs it, too: it needs nothing that does not come with perl.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::Bin;

use Getopt::Long qw(GetOptions);
use IotData::Fleet;

my %option = (prefix => 'device-', subscriptions => 0);
GetOptions(\%option, 'mqtt-port=i', 'count=i', 'prefix=s', 'subscriptions=i', 'stay') && $option{'mqtt-port'} && $option{count} && !@ARGV
  or die "usage: see the top of $0\n";

# an endpoint that is there already
my $emulator = bless { mqtt_port => delete $option{'mqtt-port'} }, 'Endpoint';
sub Endpoint::mqtt_port { return $_[0]{mqtt_port} }

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
