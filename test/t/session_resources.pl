# What a session holds after very many calls of each kind is what it held before; and a session that
# runs out of memory or of descriptors in the middle of a call gives an error and goes on.
#
# IOTDATA_TEST_CALLS is how many calls of each kind are made: 2,000 when it is not set.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use IotData::Program qw(end_program);
use IPC::Run;
use JSON::PP;
use Test::More;

my $calls    = $ENV{IOTDATA_TEST_CALLS} // 2_000;
my $emulator = IotData::Emulator->start;
my $good     = IotData::Client->start($emulator, 'good');
my $node     = IotData::Node->make('resources', endpoint => $emulator->url, conf => "log_statement = none\nlog_min_messages = log\nlog_min_error_statement = panic\n");
my $session  = $node->session;

# a client that gets the messages and prints them to nobody
my $sink = IPC::Run::start([ qw(mosquitto_sub -h 127.0.0.1 -p), $emulator->mqtt_port, qw(-i sink -t unused) ], '<', \'', '>', '/dev/null', '2>&1');
eventually(sub { $session->query(q{SELECT connected FROM iotdata.get_connection('sink')}) eq 't' }) or die "the client does not connect\n";

# Runs a statement many times, and counts how often each SQLSTATE came of it.
$session->query(<<'SQL');
CREATE FUNCTION outcomes(what text, times integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	counts jsonb := '{}';
BEGIN
	FOR i IN 1 .. times LOOP
		BEGIN
			EXECUTE what;
			counts := counts || jsonb_build_object('00000', coalesce((counts ->> '00000')::integer, 0) + 1);
		EXCEPTION WHEN query_canceled OR OTHERS THEN
			counts := counts || jsonb_build_object(SQLSTATE, coalesce((counts ->> SQLSTATE)::integer, 0) + 1);
		END;
	END LOOP;
	RETURN counts::text;
END $$
SQL

sub holds
{
	my $pid   = $session->pid;
	my %holds = (contexts => $session->query('SELECT sum(total_bytes) FROM pg_backend_memory_contexts'));

	open my $in, '<', "/proc/$pid/status" or die "no /proc: $!\n";
	while (my $line = <$in>)
	{
		$holds{resident} = $1 * 1024 if $line =~ /^RssAnon:\s*(\d+)/;
		$holds{threads}  = $1        if $line =~ /^Threads:\s*(\d+)/;
	}
	close $in;
	my @files = glob "/proc/$pid/fd/*";
	$holds{files} = @files;
	return \%holds;
}

# The cancel comes when the arguments have been evaluated, so the call meets it while it waits.
my $cancel = q{(pg_cancel_backend(pg_backend_pid()) IS NULL)};
my @kinds  = (
	[ 'get_connection',                '00000', q{SELECT iotdata.get_connection('good')} ],
	[ 'get_connection of nobody',      '00000', q{SELECT iotdata.get_connection('nobody')} ],
	[ 'list_subscriptions',            '00000', q{SELECT count(*) FROM iotdata.list_subscriptions('good')} ],
	[ 'send_direct_message',           '00000', q{SELECT iotdata.send_direct_message('sink', 'a', 'x'::text)} ],
	[ 'send_direct_message to nobody', 'IO404', q{SELECT iotdata.send_direct_message('nobody', 'a')} ],
	[ 'delete_connection of nobody',   'IO404', q{SELECT iotdata.delete_connection('nobody')} ],
	[ 'get_connection, cancelled',     '57014', qq{SELECT iotdata.get_connection('good', $cancel)} ],
	[ 'list_subscriptions, cancelled', '57014', qq{SELECT count(*) FROM iotdata.list_subscriptions('good', 200 + ${cancel}::integer)} ]);

for my $kind (@kinds)
{
	my ($what, $sqlstate, $sql) = @$kind;
	my $quoted = $sql =~ s/'/''/gr;

	$session->query("SELECT outcomes('$quoted', 500)");
	my $before = holds();
	is($session->query("SELECT outcomes('$quoted', $calls)"), qq({"$sqlstate": $calls}), "$calls times $what gives $sqlstate each time");
	my $after = holds();

	cmp_ok($after->{contexts} - $before->{contexts}, '<',  100_000,   "$what: PostgreSQL's memory does not grow");
	SKIP:
	{
		skip 'a sanitizer keeps what is freed', 1 if $ENV{IOTDATA_SANITIZED};
		cmp_ok($after->{resident} - $before->{resident}, '<', 1_000_000, "$what: the process does not grow by a megabyte");
	}
	cmp_ok($after->{files} - $before->{files}, '<=', 1, "$what: no file stays open");
	is($after->{threads}, 1, "$what: no thread stays");
}
goes_on($session, 'all of it');

# ---- when there is no more ----------------------------------------------------------------------

# The session's soft limits, within which it can be put back.
sub set_limit
{
	my ($who, $limit) = @_;

	system('prlimit', '--pid', $who->pid, $limit) == 0 or die "prlimit failed\n";
	return;
}

my $server = IotData::FaultyServer->start(
	answers => {
		good => json_answer({ connected => JSON::PP::true }),
		huge => [ [ "HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n", [ 'flood', ' ' x 65536, 400_000_000 ] ] ],
	});
my $use_server = "SET iotdata.endpoint_url = '" . $server->url . "'";

# descriptors: in a session whose connections and epoll instance are there, and in a new one
$session->query($use_server);
set_limit($session, '--nofile=4:');
fails_with($session, q{SELECT iotdata.get_connection('good')}, 'IO001|53000', {}, 'a call without a descriptor for its connection is an error');
set_limit($session, '--nofile=1024:');
goes_on($session, 'descriptors ran out');

my $new = $node->session;
$new->query($use_server);
$new->query('SELECT count(*) FROM pg_class');
set_limit($new, '--nofile=4:');
my $result = $new->try(q{SELECT iotdata.get_connection('good')});
ok(defined $result->{sqlstate}, 'a session\'s first call without a descriptor is an error');
set_limit($new, '--nofile=1024:');
goes_on($new, 'descriptors ran out at the first call');

SKIP:
{
	skip 'a sanitizer needs address space without a limit', 2 if $ENV{IOTDATA_SANITIZED};

	$session->query("SET iotdata.max_response_size = '1 GB'");
	open my $in, '<', '/proc/' . $session->pid . '/status' or die "no /proc: $!\n";
	my ($size) = map { /^VmSize:\s*(\d+)/ ? $1 * 1024 : () } <$in>;
	close $in;
	set_limit($session, '--as=' . ($size + 50_000_000) . ':');
	fails_with($session, q{SELECT iotdata.get_connection('huge')}, '53200', {}, 'a call without memory for its answer is 53200');
	set_limit($session, '--as=unlimited:');
	goes_on($session, 'memory ran out');
}

no_crash($node);
done_testing();

# also after a test that died
END
{
	local $?;
	if ($sink)
	{
		$sink->signal('TERM');
		end_program($sink);
	}
}
