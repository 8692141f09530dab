# What cancel says is true: a message that was cancelled is not sent, and one that is being sent is
# not cancelled.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer);
use IotData::Node;
use IotData::Wait;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $ok      = json_answer({ message => 'OK', traceId => 't' });
my $server  = IotData::FaultyServer->start(answers => { lamp => [ [ [ 'until', 'lamp' ], $ok ], $ok ], door => [ [ [ 'until', 'door' ], $ok ], $ok ], bell => [ [ [ 'until', 'bell' ], $ok ], $ok ], good => $ok });
my $node    = IotData::Node->make('outbox_cancel', endpoint => $server->url, conf => "shared_preload_libraries = 'iotdata'\n");
my $session = $node->session;
my $other   = $node->session;

sub queue  { return $session->query("SELECT iotdata.queue_direct_message('$_[0]', 'a/b', '$_[1]'::text)") }
sub bodies { return join ' ', map { decode_base64($_->{body}) } $server->requests(@_) }
sub state  { return $session->query("SELECT state FROM iotdata.outbox_ended WHERE id = $_[0]") }
sub is_empty { return $session->query('SELECT count(*) FROM iotdata.outbox') == 0 }

# ---- a message that a worker has read ------------------------------------------------------------

$session->query('BEGIN');
my ($first, $second, $third) = map { queue('lamp', $_) } qw(first second third);
$session->query('COMMIT');
$server->wait_for_request('lamp');
gives($other, "SELECT iotdata.cancel($first)", 'f', 'a message in flight cannot be cancelled');
gives($other, "SELECT iotdata.cancel($second)", 't', 'one that waits behind it can');
$server->release('lamp');
ok(eventually(\&is_empty), 'the others are sent');
is(bodies('lamp'), 'first third', 'and it is not');
is(join(' ', map { state($_) } $first, $second, $third), 'delivered cancelled delivered', 'what became of them is told');
gives($other, "SELECT iotdata.cancel($first)", 'f', 'a message that was sent cannot be cancelled');

# ---- a cancel that is not committed --------------------------------------------------------------

$session->query('BEGIN');
($first, $second, $third) = map { queue('door', $_) } qw(first second third);
$session->query('COMMIT');
$server->wait_for_request('door');
$other->query("BEGIN; SELECT iotdata.cancel($second)");
$server->release('door');
ok(eventually(sub { state($first) eq 'delivered' }), 'a message that was in flight is recorded while another is being cancelled');
my $good = queue('good', 'x');
ok(eventually(sub { state($good) eq 'delivered' }), 'other devices do not wait for a cancel that is not committed');
is(bodies('door'), 'first', 'the message and what follows it do');
$other->query('ROLLBACK');
ok(eventually(\&is_empty), 'they are sent when the cancel is rolled back');
is(bodies('door'), 'first second third', 'in order');

# ---- cancelled, and queued again ------------------------------------------------------------------

$session->query('BEGIN');
($first, $second, $third) = map { queue('bell', $_) } qw(first second third);
$session->query('COMMIT');
$server->wait_for_request('bell');
$other->query("SELECT iotdata.cancel($second)");
$other->query("SELECT iotdata.retry($second)");
$server->release('bell');
ok(eventually(\&is_empty), 'a message that was cancelled and brought back is sent');
is(bodies('bell'), 'first second third', 'once, in its place');

$_->quit for $session, $other;
no_crash($node);
done_testing();
