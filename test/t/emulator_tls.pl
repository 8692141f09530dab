#!/usr/bin/perl
# The local endpoint with TLS, and on IPv6.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::Bin/../perl";

BEGIN { $ENV{IOTDATA_EMULATOR} //= "$FindBin::Bin/../../emulator/iotdata-emulator" }

use File::Temp qw(tempdir);
use IO::Socket::IP;
use IPC::Run ();
use IotData::Certificates;
use IotData::Client;
use IotData::Emulator;
use IotData::Wait;
use Test::More;

my %file = IotData::Certificates::make(tempdir(CLEANUP => 1));
my $emulator = IotData::Emulator->start(certificate => $file{good}, arguments => ['--no-authentication']);
my $mqtts = $emulator->{port}{mqtts};
# what IotData::Client connects to
my $tls_side = bless { port => { mqtt => $mqtts } }, 'IotData::Emulator';

# One request over TLS, by the openssl command; its answer.
sub ask
{
	my ($method, $target) = @_;
	my ($in, $out, $err) = ("$method $target HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", '', '');
	my $timer = IPC::Run::timer($DEADLINE);
	my $run = IPC::Run::start([ qw(openssl s_client -quiet -verify_return_error -CAfile), $file{ca}, '-connect', 'localhost:' . $emulator->https_port ],
		'<', \$in, '>', \$out, '2>', \$err, $timer);

	$run->pump until $out =~ /\r\n\r\n.*\}\z/s || !$run->pumpable || $timer->is_expired;
	$run->kill_kill;
	return $out;
}

like(ask(GET => '/connections/lamp'), qr/^HTTP\/1.1 404 /, 'a request over HTTPS is answered');
my $lamp = IotData::Client->start($tls_side, 'lamp', arguments => [ '--cafile', $file{ca} ]);
like(ask(GET => '/connections/lamp?includeSocketInformation=true'), qr/"connected":true.*"targetPort":$mqtts\b/, 'a client that is connected with TLS is known');
like(ask(POST => '/connections/lamp/messages?topic=tls%2Fx&confirmation=true'), qr/^HTTP\/1.1 200 /, 'a client that is connected with TLS confirms a message');
is($lamp->next_message->{topic}, 'tls/x', 'a client that is connected with TLS gets a message');
my $large = IotData::Client->start($tls_side, 'large', topics => { 'large' => 1 }, arguments => [ '--cafile', $file{ca} ]);
IPC::Run::run([ qw(mosquitto_pub -h 127.0.0.1 -q 1 -t large -s -p), $mqtts, '--cafile', $file{ca} ], '<', \('x' x 131_072), IPC::Run::timeout($DEADLINE));
is(length $large->next_message->{payload}, 262_144, '128 KiB go through TLS both ways');
$lamp->vanish;
is($emulator->stop, 0, 'the endpoint stops cleanly');

SKIP:
{
	skip 'no IPv6 here', 2 unless IO::Socket::IP->new(Listen => 1, LocalHost => '::1', LocalPort => 0);
	$emulator = IotData::Emulator->start(arguments => [ '--listen', '::1' ]);
	like($emulator->{out}, qr/^http \[::1\]:\d+\nmqtt \[::1\]:\d+\nready$/m, 'the endpoint listens on IPv6');
	is($emulator->stop, 0, 'the endpoint stops cleanly');
}
done_testing;
