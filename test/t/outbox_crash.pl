# What a crash of the server leaves of messages that were committed, and of those that were in flight.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use IotData::Wait;
use Test::More;

my $ok     = json_answer({ message => 'OK', traceId => 't' });
my $server = IotData::FaultyServer->start(answers => { good => $ok, (map { ("stuck-$_" => [ ([ [ 'until', 'never' ], $ok ]) x 2, $ok ]) } 1 .. 3), slow => [ [ [ 'until', 'slow' ], $ok ], $ok ] });
my $node   = IotData::Node->make(
	'outbox_crash',
	endpoint => $server->url,
	conf     => "shared_preload_libraries = 'iotdata'\nwal_writer_delay = 10s\nrestart_after_crash = on\n");
my $session = $node->session;

sub queue    { return $session->query("SELECT iotdata.queue_direct_message('$_[0]', 'a/b', 'x'::text)") }
sub is_ended { return $session->query("SELECT count(*) FROM iotdata.outbox_ended WHERE id = $_[0]") }

sub crash
{
	$session->quit;
	$node->stop('immediate');
	$node->start;
	$session = $node->session;
	return;
}

# ---- an asynchronous commit ---------------------------------------------------------------------

my $good = queue('good');
ok(eventually(sub { is_ended($good) }), 'a worker is there, and has recorded what it sent');
$session->query('SET synchronous_commit = off');
my $slow = queue('slow');
$server->wait_for_request('slow');
crash();
ok(eventually(sub { is_ended($slow) }), 'a message of an asynchronous commit that was sent is there after a crash');
gives($session, "SELECT attempts, unknown FROM iotdata.outbox_ended WHERE id = $slow", '2|1', 'and that it is not known whether it arrived the first time is counted');

# ---- in flight ----------------------------------------------------------------------------------

my @ids = split /\n/, $session->query(q{SELECT iotdata.queue_direct_message('stuck-' || i, 'a/b', 'x'::text) FROM generate_series(1, 3) i});
my $ids = join ', ', @ids;
for my $round (1 .. 2)
{
	ok(eventually(sub { (grep { $server->requests("stuck-$_") == $round } 1 .. 3) == 3 }), 'messages are in flight');
	my $pid = $session->query(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'iotdata outbox'});
	$node->crash($pid);
	$session->quit;
	$session = $node->session;
}
ok(eventually(sub { $session->query("SELECT count(*) FROM iotdata.outbox_ended WHERE id IN ($ids)") == 3 }), 'they are sent again after a worker was killed');
gives($session, "SELECT DISTINCT state, attempts, unknown FROM iotdata.outbox_ended WHERE id IN ($ids)", 'delivered|3|2', 'each time that it was not known whether they arrived is counted');
$good = queue('good');
eventually(sub { is_ended($good) });
gives($session, "SELECT attempts, unknown FROM iotdata.outbox_ended WHERE id = $good", '1|0', 'and no other message\'s is');
$session->quit;
done_testing();
