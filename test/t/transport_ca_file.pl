# The file of authorities counts as it is when a connection is opened, in a session that has read it
# before, too; and it is not read again for each connection.

use strict;
use warnings FATAL => 'all';

use File::Copy qw(copy move);
use IotData::Certificates;
use IotData::Check;
use IotData::Emulator;
use IotData::Node;
use POSIX ();
use PostgreSQL::Test::Utils qw(append_to_file slurp_file);
use Test::More;

my $folder      = PostgreSQL::Test::Utils::tempdir;
my %certificate = IotData::Certificates::make($folder);
my $ca_file     = "$folder/authorities.pem";
my $node        = IotData::Node->make('authorities', conf => "iotdata.ca_file = '$ca_file'\n");
my $session     = $node->session;
my $get         = q{SELECT iotdata.get_connection('nobody') IS NULL};

# By a new file in its place, as packages do it, or in the file that is there.
sub replace
{
	my ($how, $with) = @_;

	if ($how eq 'moved') { copy($with, "$ca_file.new") && move("$ca_file.new", $ca_file) or die "cannot replace: $!\n" }
	else                 { copy($with, $ca_file) or die "cannot replace: $!\n" }
	return;
}

# An endpoint of its own has no connections yet.
my @emulators;

sub use_new_endpoint
{
	my ($name) = @_;

	push @emulators, IotData::Emulator->start(certificate => $certificate{$name});
	$session->query("SET iotdata.endpoint_url = '" . $emulators[-1]->https_url . "'");
	return;
}

for my $how (qw(moved written moved))
{
	replace($how, $certificate{ca});
	use_new_endpoint('good');
	gives($session, $get, 't', "an authority that is in the file is trusted ($how)");
	use_new_endpoint('unknown_issuer');
	fails_with($session, $get, 'IO001', { detail => qr/certificate/i }, "an authority that is not in the file is not trusted ($how)");

	replace($how, $certificate{other_ca});
	gives($session, $get, 't', "an authority is trusted as soon as the file has it ($how)");
	use_new_endpoint('good');
	fails_with($session, $get, 'IO001', { detail => qr/certificate/i }, "an authority is not trusted once the file does not have it any more ($how)");
}

replace('moved', $certificate{ca});
gives($session, $get, 't', 'an authority is trusted again when the file has it again');
unlink $ca_file;
use_new_endpoint('good');
fails_with($session, $get, 'IO001', {}, 'a file that is gone trusts nobody');
replace('moved', $certificate{ca});
gives($session, $get, 't', 'a file that is back is trusted again');

# With as many authorities as an operating system has a connection takes about as much processor time
# as with one: to read them, which takes 20 times that, is done once.
SKIP:
{
	my $system = '/etc/ssl/certs/ca-certificates.crt';

	skip 'there are no authorities of the system', 1 unless -e $system && -s $system > 100_000;
	my $with_one = time_of_connections();
	append_to_file("$folder/many.pem", join '', map { slurp_file($_) } $certificate{ca}, $system);
	replace('moved', "$folder/many.pem");
	my $with_many = time_of_connections();
	cmp_ok($with_many, '<', 5 * $with_one + 0.1, 'many authorities are not read for each connection') or diag("with one: $with_one s");
}

# The processor time that a new session takes to open 64 connections after its first.
sub time_of_connections
{
	my $fresh = $node->session;

	$fresh->query("SET iotdata.endpoint_url = '" . $emulators[-1]->https_url . "'");
	$fresh->query($get);
	my $before = processor_time($fresh->pid);
	$fresh->query(q{SELECT count(*) FROM iotdata.get_connections((SELECT array_agg('nobody-' || i) FROM generate_series(1, 64) i))});
	return processor_time($fresh->pid) - $before;
}

# The processor time of a process, in seconds.
sub processor_time
{
	my ($pid) = @_;
	my ($numbers) = slurp_file("/proc/$pid/stat") =~ /\) (.*)/s;
	my ($user, $system) = (split / /, $numbers)[ 11, 12 ];

	return ($user + $system) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

no_crash($node);
done_testing();
