# What a crash of the server leaves of messages that were committed, and of those that were in flight.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use IotData::Wait;
use Test::More;

my $ok     = json_answer({ message => 'OK', traceId => 't' });
my $server = IotData::FaultyServer->start(answers => { good => $ok, slow => [ [ [ 'until', 'slow' ], $ok ], $ok ] });
my $node   = IotData::Node->make(
	'outbox_crash',
	endpoint => $server->url,
	conf     => "shared_preload_libraries = 'iotdata'\nwal_writer_delay = 10s\n");
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
$session->quit;
done_testing();
