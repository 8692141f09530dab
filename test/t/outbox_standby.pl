# A standby does not send what waits until it is promoted; and a clock that is set back or forward
# loses nothing.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(json_answer not_found);
use IotData::Node;
use IotData::Outbox qw(queue workers);
use IotData::Preload qw(preload);
use IotData::Wait;
use File::Temp qw(tempfile);
use MIME::Base64 qw(decode_base64);
use Test::More;

my $ok     = json_answer({ message => 'OK', traceId => 't' });
my $server = IotData::FaultyServer->start(answers => { map { ("away-$_" => [ (not_found()) x 2, $ok ]) } 1 .. 3 }, otherwise => $ok);
my ($fh, $clock) = tempfile(UNLINK => 1);
my $conf = <<'CONF';
shared_preload_libraries = 'iotdata'
iotdata.outbox_retry_delay = 500
iotdata.outbox_max_retry_delay = 2000
CONF
my %environment = (LD_PRELOAD => preload('wall_clock'), WALL_CLOCK => $clock);
my $node        = IotData::Node->make('primary', endpoint => $server->url, init => { allows_streaming => 1 }, environment => \%environment, conf => $conf);
my $session     = $node->session;

sub bodies   { return map { decode_base64($_->{body}) } $server->requests(@_) }
sub is_empty { return $_[0]->query('SELECT count(*) FROM iotdata.outbox') == 0 }

# ---- the clock ----------------------------------------------------------------------------------

# Sets the wall clock of the server's processes to so many seconds from the true time.
sub set_clock
{
	my ($seconds) = @_;

	open my $out, '>', $clock or die "cannot write $clock: $!\n";
	print $out $seconds;
	close $out;
	return;
}

set_clock(86_400);
$session->query('SELECT ' . queue('away-1', 'x') . ', ' . queue('good', 'before', q{expires_in => '1 day'}));
ok(eventually(sub { $session->query('SELECT count(*) FROM iotdata.outbox_retry') == 1 }), 'a message waits to be tried again when the clock is a day ahead');
set_clock(0);
$session->query('SELECT ' . queue('good', 'after') . ', ' . queue('away-2', 'x'));
ok(eventually(sub { (bodies('good'))[-1] eq 'after' }), 'when the clock is set back, what is queued is sent');
ok(eventually(sub { is_empty($session) }), 'and what waited for the clock does not wait for a day');
is(scalar $server->requests('away-1'), 3, 'it is tried again');

# a worker is asked for when there is none
ok(eventually(sub { workers($node) == 0 }), 'the worker leaves, by a clock that is not set');
set_clock(86_400);
my $pid = do { $session->query('SELECT ' . queue('good', 'ahead')); eventually(sub { (workers($node))[0] }) };
kill 'TERM', $pid;
eventually(sub { !grep { $_ == $pid } workers($node) });
set_clock(0);
$session->query('SELECT ' . queue('good', 'back'));
ok(eventually(sub { (bodies('good'))[-1] eq 'back' }), 'a worker is started when the clock is set back');
set_clock(-86_400);
$session->query('SELECT ' . queue('away-3', 'x') . ', ' . queue('good', 'expires', q{expires_in => '1 hour'}));
ok(eventually(sub { (bodies('good'))[-1] eq 'expires' }), 'a message that expires is sent when the clock was set back');
ok(eventually(sub { is_empty($session) }), 'and all else');
set_clock(0);

# ---- a standby ----------------------------------------------------------------------------------

$node->backup('copy');
my $standby = IotData::Node->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$session->query('ALTER SYSTEM SET iotdata.outbox_workers = 0');
$session->query('SELECT pg_reload_conf()');
ok(eventually(sub { workers($node) == 0 }), 'the primary sends nothing');
$session->query('SELECT ' . queue(q{standby-' || i % 10 || '}, q{' || i || '}) . ' FROM generate_series(1, 100) i');
$node->wait_for_catchup($standby);
my $reader = $standby->session;
gives($reader, 'SELECT count(*) FROM iotdata.outbox', '100', 'messages wait on the standby, too');
gives($reader, q{SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ '^iotdata'}, '0', 'nobody is there to send them');
fails_with($reader, 'CALL iotdata.process_outbox()', '25006', {}, 'nor can it be asked for');
fails_with($reader, 'SELECT ' . queue('good', 'x'), '25006', {}, 'nothing can be queued there');
is((grep { $_->{client} =~ /^standby/ } $server->requests), 0, 'and nothing was sent');
$node->stop('immediate');
$standby->promote;
ok(eventually(sub { is_empty($reader) }), 'when it is promoted, it sends them');
my $wrong = grep { my $n = $_; join(' ', bodies("standby-$n")) ne join(' ', grep { $_ % 10 == $n } 1 .. 100) } 0 .. 9;
is($wrong, 0, 'each device gets its messages once and in order');
$reader->query('SELECT ' . queue('good', 'promoted'));
ok(eventually(sub { (bodies('good'))[-1] eq 'promoted' }), 'and what is queued there from then on');

$_->quit for $session, $reader;
no_crash($_) for $node, $standby;
done_testing();
