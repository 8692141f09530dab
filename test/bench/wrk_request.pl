#!/usr/bin/perl
# Prints a script for wrk: the headers of a signed GET of a URL. They are good for a quarter of an
# hour. IotDataEmulatorClient, which signs, is in test/perl.
#
#   perl -Itest/perl test/bench/wrk_request.pl http://localhost:8080/connections/bench >request.lua
#   wrk -s request.lua http://localhost:8080/connections/bench

use strict;
use warnings FATAL => 'all';

use IotDataEmulatorClient;

my ($host, $path) = ($ARGV[0] // '') =~ m{\Ahttp://([^/?]+)(/[^?]*)\z} or die "usage: wrk_request.pl http://HOST:PORT/PATH\n";
my %headers = IotDataEmulatorClient::signature_headers('GET', $host, $path, [], '');

# wrk sends a Host of its own unless it finds one that is written so
$headers{Host} = delete $headers{host};
print qq(wrk.headers["$_"] = "$headers{$_}"\n) for sort keys %headers;
