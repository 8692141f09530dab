# The order in which each device gets its messages when many sessions hold their transactions open,
# and several workers that share the sending.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Emulator;
use IotData::Node;
use IotData::Outbox qw(workers);
use IotData::Wait;
use List::Util qw(shuffle uniq);
use Test::More;

my $clients  = 16;
my $devices  = 40;
my $emulator = IotData::Emulator->start(arguments => [qw(--delay 2 --jitter 10)]);
my $node     = IotData::Node->make(
	'outbox_order',
	endpoint => $emulator->url,
	conf     => <<'CONF');
shared_preload_libraries = 'iotdata'
max_connections = 40
log_statement = none
CONF
my $load = IotData::Outbox->make($node, $emulator, devices => $devices);

$node->safe_psql('postgres', "CREATE TABLE device AS SELECT 'device-' || i AS id, 0 AS config FROM generate_series(1, $devices) i");
$node->safe_psql('postgres', 'ALTER TABLE device ADD PRIMARY KEY (id)');

# Is N in order, for each device, in what arrived?
sub check_order
{
	my ($name, $after) = @_;
	my $found = $load->compare($after);

	note(sprintf '%s: %d messages', $name, $found->{messages});
	is(join(' ', map { "$_ $found->{$_}" } qw(lost phantom repeats disordered)), 'lost 0 phantom 0 repeats 0 disordered 0', $name);
	return;
}

# How many shards of the devices a worker has.
sub shards
{
	my ($pid) = @_;

	return $node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $pid");
}

# ---- transactions that wait for each other ------------------------------------------------------

# The number is taken under the row's lock, which is held for 200 ms more, so it is in the order of
# the commits. Other sessions take ids meanwhile.
$load->begin(clients => $clients, transactions => 8, script => <<"SQL");
\\set one random(1, $devices)
\\set two random(1, 10)
BEGIN;
UPDATE device SET config = config + 1 WHERE id = 'device-' || :one;
WITH it AS (INSERT INTO committed VALUES ('device-' || :one, nextval('message_number')) RETURNING device, n)
SELECT iotdata.queue_direct_message(device, 'message/' || n, 'x'::text) FROM it;
\\sleep 200 ms
WITH it AS (INSERT INTO committed SELECT 'device-' || :one, nextval('message_number') FROM generate_series(1, :two) RETURNING device, n)
SELECT count(iotdata.queue_direct_message(device, 'message/' || n, 'x'::text)) FROM it;
COMMIT;
SQL
like($load->finish, qr{actually processed: 128/128}, 'sessions hold their transactions open for 200 ms');
ok($load->drained, 'all that they queued is sent');
check_order('each device gets its messages in the order of the commits, when they wait for each other');

# ---- transactions that do not -------------------------------------------------------------------

# A message is queued after others of its device were seen to be committed: it comes after them.
# "before" is the highest number of the device that the session saw then.
$node->safe_psql('postgres', 'ALTER TABLE committed ADD before bigint');
$load->begin(clients => $clients, transactions => 8, script => <<"SQL");
\\set device random(1, 4)
BEGIN;
SELECT coalesce(max(n), 0) AS before FROM committed WHERE device = 'device-' || :device \\gset
WITH it AS (INSERT INTO committed VALUES ('device-' || :device, nextval('message_number'), :before) RETURNING device, n)
SELECT iotdata.queue_direct_message(device, 'message/' || n, 'x'::text) FROM it;
\\sleep 200 ms
COMMIT;
SQL
$load->finish;
ok($load->drained, 'all that sessions queued which do not wait for each other is sent');
my $place = 0;
my %place = map { ($_->[1] => $place++) } $load->arrived;
my @pairs = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', 'SELECT n, before FROM committed WHERE before > 0');
cmp_ok(scalar @pairs, '>', 100, 'many were queued after others had been committed');
is((grep { $place{ $_->[0] } < ($place{ $_->[1] } // 0) } @pairs), 0, 'each of those comes after what was committed before it was queued');
is((grep { !defined $place{ $_->[0] } } @pairs), 0, 'and none is missing');

# ---- several workers ----------------------------------------------------------------------------

my $before = $load->last_number;
my $shared = <<"SQL";
\\set device :client_id * 10 + random(1, 10)
WITH it AS (INSERT INTO committed SELECT 'device-' || :device, nextval('message_number') FROM generate_series(1, 3) RETURNING device, n)
SELECT count(iotdata.queue_direct_message(device, 'message/' || n, 'x'::text)) FROM it;
\\sleep 5 ms
SQL

$load->begin(clients => 4, script => $shared);
eventually(sub { workers($node) == 1 }) or die "no worker comes\n";
$node->append_conf('postgresql.conf', "iotdata.outbox_workers = 3\n");
$node->reload;
ok(eventually(sub { workers($node) == 3 }), 'as many workers as iotdata.outbox_workers share the devices, in the middle of the load');
is((grep { eventually(sub { shards($_) > 0 }) } workers($node)), 3, 'each of them has some');
$load->stop;
ok($load->drained, 'they send everything');
check_order('several workers send nothing twice, and keep the order of each device', $before);

# one is busy, the others leave
$load->begin(clients => 1, script => <<"SQL");
WITH it AS (INSERT INTO committed VALUES ('device-1', nextval('message_number')) RETURNING device, n)
SELECT iotdata.queue_direct_message(device, 'message/' || n, 'x'::text) FROM it;
\\sleep 20 ms
SQL
my @there = workers($node);
ok(eventually(sub { my %now = map { ($_ => 1) } workers($node); grep { !$now{$_} } @there }), 'a worker that has nothing to do leaves');
$node->safe_psql('postgres', "SELECT iotdata.queue_direct_message('device-' || i, 'others', 'x'::text) FROM generate_series(2, $devices) i");
ok(eventually(sub { (grep { $_->[1] eq 'others' } $emulator->direct_messages) == $devices - 1 }, 30), 'and devices of each worker get their messages');
ok($load->runs, 'while another is still busy');
$load->stop;

# a worker goes, and the devices that it served are another one's, which may not know what it sent
for my $round (1 .. 4)
{
	$load->begin(clients => 4, transactions => 50, script => <<"SQL");
\\set device :client_id * 10 + random(1, 10)
WITH it AS (INSERT INTO committed VALUES ('device-' || :device, nextval('message_number')) RETURNING device, n)
SELECT iotdata.queue_direct_message(device, 'message/' || n, 'x'::text) FROM it;
SQL
	my ($pid) = shuffle(eventually(sub { workers($node) }) ? workers($node) : ());
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	$load->finish;
}
ok($load->drained, 'when workers are told to stop, others send the rest');
check_order('when workers are told to stop, nothing is sent twice, and each device keeps its order', $before);

no_crash($node);
done_testing();
