# What a ClientHello offers: no TLS older than 1.2, also where the system's configuration of OpenSSL
# allows it, and HTTP/1.1 alone, which is what AWS IoT speaks.

use strict;
use warnings FATAL => 'all';

use IO::Socket::INET;
use IotData::Check;
use IotData::Node;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir();
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

# A server that takes one ClientHello, keeps it in a file, and ends the connection.
my $hello    = "$folder/hello";
my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "cannot listen: $!\n";
my $child    = fork // die "cannot fork: $!\n";

if ($child == 0)
{
	my $connection = $listener->accept;

	sysread $connection, my $bytes, 4096;
	open my $file, '>:raw', $hello or die "cannot write $hello: $!\n";
	print $file $bytes;
	close $file;
	POSIX::_exit(0);
}

# The versions in a ClientHello's extension "supported_versions", as hex digits, and the protocols
# in the one for ALPN.
sub offered
{
	my ($record) = @_;

	# behind the record's and the message's head, the version and the random bytes
	my (undef, undef, undef, $extensions) = unpack 'x43 C/a n/a C/a n/a', $record;
	my %extension = unpack '(n n/a)*', $extensions;

	return ([ sort map { sprintf '%04x', $_ } unpack 'x n*', $extension{43} // '' ], [ unpack 'x2 (C/a)*', $extension{16} // "\0\0" ]);
}

my $node    = IotData::Node->make('tls', endpoint => 'https://localhost:' . $listener->sockport, environment => { OPENSSL_CONF => $lax });
my $session = $node->session;

fails_with($session, q{SELECT iotdata.get_connection('lamp')}, 'IO001', {}, 'a call fails when the server ends the handshake');
waitpid $child, 0;
my ($versions, $protocols) = offered(PostgreSQL::Test::Utils::slurp_file($hello));
is_deeply($versions, [ '0303', '0304' ], 'TLS 1.2 and 1.3 are offered, and nothing older');
is_deeply($protocols, ['http/1.1'], 'HTTP/1.1 is offered, and no other protocol');

no_crash($node);
done_testing();
