# Where a server offers HTTP/2, many calls share one connection.

use strict;
use warnings FATAL => 'all';

use IPC::Run ();
use IotData::Certificates;
use IotData::Check;
use IotData::Node;
use IotData::Program qw(end_program);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

# nghttpd answers from files: /connections/ID?... is the file connections/ID.
my $folder = PostgreSQL::Test::Utils::tempdir();
my %file   = IotData::Certificates::make($folder);
mkdir "$folder/connections" or die "cannot make a folder: $!\n";
for my $id (map { "d$_" } 1 .. 200)
{
	open my $fh, '>', "$folder/connections/$id" or die "cannot write: $!\n";
	print $fh qq({"connected":true,"clientId":"$id"});
	close $fh;
}

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $log  = "$folder/nghttpd.log";
my $run  = IPC::Run::start(
	[
		qw(stdbuf -oL nghttpd --verbose), '-a', '127.0.0.1', '-d', $folder, $port, $file{good} =~ s/\.pem\z/.key/r, $file{good}
	],
	'<', \'', '>', $log, '2>&1');
END
{
	local $?;
	if ($run)
	{
		$run->signal('TERM');
		end_program($run);
	}
}
ok(eventually(sub { -e $log && slurp_file($log) =~ /listen/ }), 'the server listens') or BAIL_OUT('no server');

my $node = IotData::Node->make(
	'http2',
	endpoint => "https://localhost:$port",
	conf     => "iotdata.ca_file = '$file{ca}'\niotdata.max_concurrency = 64\n");
my $session = $node->session;

gives($session, q{SELECT connected FROM iotdata.get_connection('d1')}, 't', 'a call over HTTP/2');
gives(
	$session,
	q{SELECT count(*), count(*) FILTER (WHERE c.connected AND c.client_id = id) FROM (SELECT 'd' || i AS id FROM generate_series(1, 200) i) d, iotdata.get_connection(id) c},
	'200|200',
	'many of them, each with its own answer');

my $said = slurp_file($log);
my @streams = $said =~ /^\[id=(\d+)\] \[[^]]*\] recv \(stream_id=\d+\) :path: /mg;
is(scalar(@streams), 201, 'each is a stream of HTTP/2') or diag(substr $said, 0, 3000);
my %connections = map { $_ => 1 } @streams;
is(scalar(keys %connections), 1, 'and all share one connection');

my $fresh = $node->session;
gives(
	$fresh,
	q{SELECT count(c.connected) FROM (SELECT 'd' || i AS id FROM generate_series(1, 200) i) d, iotdata.get_connection(id) c},
	'200', 'a session whose first calls are many at once');
%connections = map { $_ => 1 } slurp_file($log) =~ /^\[id=(\d+)\] \[[^]]*\] recv \(stream_id=\d+\) :path: /mg;
is(scalar(keys %connections), 2, 'waits for its first connection to offer HTTP/2, and opens no other');

no_crash($node);
done_testing();
