# Joins are batched beside a library that sets the planner's hooks and does not call those before.

use strict;
use warnings FATAL => 'all';

use File::Basename qw(dirname);
use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $server  = IotData::FaultyServer->start(otherwise => json_answer({ connected => JSON::PP::true }));
my $node    = IotData::Node->make('libraries', endpoint => $server->url);
my $greedy  = PostgreSQL::Test::Utils::tempdir . '/greedy_hooks.so';
my $headers = $node->config_data('--includedir-server');
plan skip_all => "PostgreSQL's headers are not installed" unless -f "$headers/postgres.h";

system('cc', '-O2', '-shared', '-fPIC', '-o', $greedy, "-I$headers", dirname(__FILE__) . '/../perl/greedy_hooks.c') == 0
  or die "the library could not be built\n";
$node->safe_psql('postgres', "CREATE FUNCTION greedy_joins() RETURNS bigint AS '$greedy' LANGUAGE C");

my $join   = q{SELECT count(c.connected) FROM (VALUES ('a'), ('b')) d(id) LEFT JOIN LATERAL iotdata.get_connection(d.id) c ON true};
my $lookup = qr/IoT Batched Lookup/;

# preload(LIBRARIES): a new session of a server that has them
sub preload
{
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$_[0]'\n");
	$node->restart_with({});
	return $node->session;
}

for my $libraries ("iotdata,$greedy", "$greedy,iotdata")
{
	my $order   = $libraries =~ s{[^,]*/greedy}{greedy}r;
	my $session = preload($libraries);

	like($session->query("EXPLAIN $join"), $lookup, "a join is batched with $order");
	gives($session, $join, '2', "a join has its rows with $order");
	cmp_ok($session->query('SELECT greedy_joins()'), '>', 0, "the other library's hook is called, too, with $order");
	like($session->query("LOAD '$greedy'; EXPLAIN $join"), $lookup, "to load the library once more changes nothing with $order");
	$session->quit;
}

# a session that loads it after all
my $session = preload('iotdata');
like($session->query("EXPLAIN $join"), $lookup, 'a join is batched before a session loads the other library');
unlike($session->query("LOAD '$greedy'; EXPLAIN $join"), $lookup, 'EXPLAIN shows no batched lookup once another library has put itself in its place');
like($session->query("EXPLAIN $join"), qr/Function Scan on get_connection/, 'EXPLAIN shows a Function Scan once another library has put itself in its place');
gives($session, $join, '2', 'a join that is not batched has its rows');
$session->quit;

$session = preload($greedy);
like($session->query("EXPLAIN $join"), $lookup, 'a join is batched in the first statement of a session that loads iotdata after the other library');
$session->quit;

no_crash($node);
done_testing();
