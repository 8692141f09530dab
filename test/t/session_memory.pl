# Calls, good and failing, leave nothing behind in their session: no memory, no file, no thread.

use strict;
use warnings FATAL => 'all';

use IotData::Blackhole;
use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

my $server   = IotData::FaultyServer->start(
	answers => {
		good      => json_answer({ connected => JSON::PP::true, thingName => 'x' x 1000 }),
		forbidden => http_answer(403, '{"message":"' . 'no' x 500 . '","traceId":"t"}', 'x-amzn-ErrorType' => 'ForbiddenException'),
		not_json  => http_answer(200, '{"connected":' . '[' x 1000),
		cut       => [ [ "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", ['close'] ] ],
		large     => http_answer(200, '{"a":"' . 'x' x 100_000 . '"}'),
		pages     => json_answer({ subscriptions => [ map { { topicFilter => "a/$_", qos => 1 } } 1 .. 50 ] }),
		same      => json_answer({ subscriptions => [], nextToken => 'T' }),
	});
my $node = IotData::Node->make('memory', endpoint => $server->url, conf => "log_statement = none\nlog_min_messages = log\nlog_min_error_statement = panic\n");
my $session = $node->session;

$session->query(<<'SQL');
CREATE FUNCTION many(what text, times integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	failed integer := 0;
BEGIN
	FOR i IN 1 .. times LOOP
		BEGIN
			EXECUTE what;
		EXCEPTION WHEN OTHERS THEN
			failed := failed + 1;
		END;
	END LOOP;
	RETURN failed;
END $$
SQL

# What the session's process holds.
sub holds
{
	my $pid = $session->pid;
	my %holds = (memory => $session->query('SELECT sum(total_bytes) FROM pg_backend_memory_contexts'));

	open my $in, '<', "/proc/$pid/status" or die "no /proc: $!";
	while (my $line = <$in>)
	{
		$holds{resident} = $1 * 1024 if $line =~ /^VmRSS:\s*(\d+)/;
		$holds{threads}  = $1        if $line =~ /^Threads:\s*(\d+)/;
	}
	close $in;
	opendir my $dir, "/proc/$pid/fd" or die "no /proc: $!";
	$holds{files} = grep { !/^\./ } readdir $dir;
	closedir $dir;
	return \%holds;
}

my @cases = (
	[ 'good calls',                         3_000,  0, q{SELECT iotdata.get_connection('good')} ],
	[ 'messages',                           1_000,  0, q{SELECT iotdata.send_direct_message('good', 'a/b', repeat('x', 10000)::text, user_properties => '{"a": "b"}')} ],
	[ 'lists',                              1_000,  0, q{SELECT count(*) FROM iotdata.list_subscriptions('pages')} ],
	[ 'lists given up after one row',       1_000,  0, q{SELECT iotdata.list_subscriptions('pages') LIMIT 1} ],
	[ 'large answers',                      500,    0, q{SELECT iotdata.get_connection('large')} ],
	[ 'calls that the service refuses',     3_000,  1, q{SELECT iotdata.get_connection('forbidden')} ],
	[ 'answers that are not JSON',          1_000,  1, q{SELECT iotdata.get_connection('not_json')} ],
	[ 'answers that are cut short',         1_000,  1, q{SELECT iotdata.get_connection('cut')} ],
	[ 'lists that go in a circle',          1_000,  1, q{SELECT count(*) FROM iotdata.list_subscriptions('same')} ],
	[ 'calls with a bad argument',          1_000,  1, q{SELECT iotdata.get_connection('..')} ]);

for my $case (@cases)
{
	my ($what, $times, $fails, $sql) = @$case;
	my $quoted = $sql =~ s/'/''/gr;

	# the first ones fill what is kept on purpose: connections, caches, the heap's free lists
	$session->query("SELECT many('$quoted', " . ($times / 10) . ')');
	my $before = holds();
	is($session->query("SELECT many('$quoted', $times)"), $fails ? $times : 0, sprintf "%d %s all end as they should", $times, $what);
	my $after = holds();

	cmp_ok($after->{memory} - $before->{memory},     '<', 100_000,   "PostgreSQL's memory does not grow with many $what");
	grows_less($after->{resident} - $before->{resident}, 1_000_000, "the process does not grow by a megabyte with many $what");
	cmp_ok($after->{files} - $before->{files},       '<=', 1,        "no file stays open after many $what");
	cmp_ok($after->{threads},                        '==', 1,        "no thread stays after many $what");
	note(sprintf '%s: memory %+d, resident %+d, files %+d', $what, map { $after->{$_} - $before->{$_} } qw(memory resident files));
}
goes_on($session, 'all of it');

# and with nothing at the other end
my $refusing = IotData::Blackhole->refuse;
$session->query("SET iotdata.endpoint_url = '" . $refusing->url . "'");
my $sql = q{SELECT iotdata.get_connection(''good'')};
$session->query("SELECT many('$sql', 200)");
my $before = holds();
is($session->query("SELECT many('$sql', 2000)"), 2000, '2,000 calls to a port where nothing listens all fail');
my $after = holds();
grows_less($after->{resident} - $before->{resident}, 1_000_000, 'the process does not grow with calls to a port where nothing listens');
cmp_ok($after->{files} - $before->{files}, '<=', 0, 'no file stays open after calls to a port where nothing listens');

# a name that does not resolve starts a thread each time
$session->query("SET iotdata.endpoint_url = 'https://nothing.example.invalid'");
$session->query("SELECT many('$sql', 3)");
ok(eventually(sub { holds()->{threads} == 1 }), 'no thread stays after names that do not resolve');

no_crash($node);
done_testing();
