
# Certificates for TLS tests, made with the openssl command: a certificate authority, and what it
# signs. make(FOLDER) returns a hash of file names:
#
#   ca, other_ca             two authorities
#   good                     for localhost, 127.0.0.1 and iot.example.test
#   wrong_name               for another name
#   expired                  ended yesterday
#   unknown_issuer           for the right names, signed by the other authority
#
# Each of the last four has a key beside it, in the same name with ".key" instead of ".pem".

package IotData::Certificates;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use POSIX qw(strftime);

my $right = 'DNS:localhost,DNS:iot.example.test,IP:127.0.0.1';
my %leaf  = (
	good           => { ca => 'ca',       names => $right,                   days => [ -1, 2 ] },
	wrong_name     => { ca => 'ca',       names => 'DNS:other.example.test', days => [ -1, 2 ] },
	expired        => { ca => 'ca',       names => $right,                   days => [ -9, -1 ] },
	unknown_issuer => { ca => 'other_ca', names => $right,                   days => [ -1, 2 ] });

sub make
{
	my ($folder) = @_;
	my %file = map { $_ => "$folder/$_.pem" } qw(ca other_ca), keys %leaf;

	write_file("$folder/openssl.cnf", <<'CONF');
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[ca]
policy = policy
default_md = sha256
[policy]
commonName = supplied
CONF
	for my $ca (qw(ca other_ca))
	{
		openssl('req', '-x509', new_key("$folder/$ca"), '-config', "$folder/openssl.cnf", '-extensions', 'authority',
			'-subj', "/CN=$ca of the tests", '-days', '2', '-out', $file{$ca});
	}
	sign_leaf($folder, $_, $leaf{$_}) for sort keys %leaf;
	return %file;
}

# "openssl ca" is the one command that takes both ends of a certificate's life.
sub sign_leaf
{
	my ($folder, $name, $leaf) = @_;
	my $mine = "$folder/$name";
	my ($begin, $end) = map { strftime('%Y%m%d%H%M%SZ', gmtime(time + 86400 * $_)) } @{ $leaf->{days} };

	mkdir "$mine.ca" or croak "cannot make $mine.ca: $!";
	write_file("$mine.ca/index",         '');
	write_file("$mine.ca/index.attr",    '');
	write_file("$mine.ca/extensions.cnf", "subjectAltName = $leaf->{names}\n");
	openssl('req', new_key($mine), '-config', "$folder/openssl.cnf", '-subj', "/CN=$name", '-out', "$mine.csr");
	write_file("$mine.ca/ca.cnf", slurp("$folder/openssl.cnf")
		  =~ s/^default_md.*/$&\ndatabase = $mine.ca\/index\nnew_certs_dir = $mine.ca\nrand_serial = yes/mr);
	openssl('ca', '-batch', '-notext', '-config', "$mine.ca/ca.cnf", '-name', 'ca', '-extfile', "$mine.ca/extensions.cnf",
		'-cert', "$folder/$leaf->{ca}.pem", '-keyfile', "$folder/$leaf->{ca}.key", '-startdate', $begin, '-enddate', $end,
		'-in', "$mine.csr", '-out', "$mine.pem");
	return;
}

sub new_key
{
	my ($mine) = @_;

	return ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', "$mine.key");
}

sub openssl
{
	my @arguments = @_;

	open my $pipe, '-|', 'sh', '-c', 'exec openssl "$@" 2>&1', 'openssl', @arguments or croak "cannot run openssl: $!";
	my $output = join '', <$pipe>;
	close $pipe or croak "openssl @arguments failed:\n$output";
	return;
}

sub write_file
{
	my ($name, $text) = @_;

	open my $fh, '>', $name or croak "cannot write $name: $!";
	print $fh $text;
	close $fh or croak "cannot write $name: $!";
	return;
}

sub slurp
{
	my ($name) = @_;

	local $/ = undef;
	open my $fh, '<', $name or croak "cannot read $name: $!";
	return scalar <$fh>;
}

1;
