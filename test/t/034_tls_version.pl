# TLS older than 1.2 is refused, also where the system's configuration of OpenSSL would allow it.

use strict;
use warnings FATAL => 'all';

use IO::Socket::INET;
use IPC::Run;
use IotData::Certificates;
use IotData::Check;
use IotData::Node;
use IotData::Program qw(end_program);
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir();
my %file   = IotData::Certificates::make($folder);
my $lax    = "$folder/lax.cnf";

open my $fh, '>', $lax or die "cannot write $lax: $!\n";
print $fh <<'CONF';
openssl_conf = default
[default]
ssl_conf = ssl
[ssl]
system_default = lax
[lax]
MinProtocol = TLSv1
CipherString = DEFAULT@SECLEVEL=0
CONF
close $fh;
$ENV{OPENSSL_CONF} = $lax;

# A server of one version of TLS that answers any GET with a page; returns it and its URL.
sub start_server
{
	my ($version) = @_;
	my $free      = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "no free port: $!\n";
	my $port      = $free->sockport;
	my $out       = '';

	close $free;
	my $run = IPC::Run::start(
		[ qw(openssl s_server -www -naccept 100 -accept), "127.0.0.1:$port", "-$version", '-cert', $file{good}, '-key', $file{good} =~ s/\.pem\z/.key/r ],
		'<', \'', '>&', \$out);
	eventually(sub { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") }) or die "openssl s_server does not listen: $out\n";
	return ($run, "https://localhost:$port");
}

my $node    = IotData::Node->make('tls', endpoint => 'http://127.0.0.1:1', environment => { OPENSSL_CONF => $lax });
my $session = $node->session;
my @running;
$session->query("SET iotdata.ca_file = '$file{ca}'");

# The page is not JSON, which tells that the connection stood.
for my $case ([ 'tls1_1', '08001' ], [ 'tls1_2', '08P01' ], [ 'tls1_3', '08P01' ])
{
	my ($version, $sqlstate) = @$case;
	my ($run, $url) = start_server($version);

	push @running, $run;
	$session->query("SET iotdata.endpoint_url = '$url'");
	fails_with($session, q{SELECT iotdata.get_connection('lamp')}, $sqlstate, {}, "a server that speaks $version only: $sqlstate");
}

for my $run (@running)
{
	$run->signal('TERM');
	end_program($run);
}
no_crash($node);
done_testing();
