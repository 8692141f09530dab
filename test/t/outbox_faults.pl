# What the background worker does when things around it fail: the service, a device, a row, the disk,
# a role.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use IotData::Outbox qw(queue workers);
use IotData::Preload qw(preload);
use IotData::Wait;
use MIME::Base64 qw(decode_base64);
use File::Temp qw(tempdir);
use Test::More;

my $ok    = json_answer({ message => 'OK', traceId => 't' });
my $error = sub { http_answer($_[0], '{"message":"no"}', 'x-amzn-ErrorType' => $_[1]) };
my %faults = (
	answers_500 => ($error->(500, 'InternalFailureException')),
	answers_503 => ($error->(503, 'ServiceUnavailableException')),
	answers_429 => ($error->(429, 'ThrottlingException')),
	answers_404 => not_found(),
	closes      => [ ['close'] ],
	resets      => [ ['reset'] ],
	is_cut      => [ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", ['close'] ],
	hangs       => [ ['hold'] ]);
my %answers = (
	slow => [ [ [ 'until', 'slow' ], $ok ] ],
	map { ($_ => [ ($faults{$_}) x 2, $ok ]) } keys %faults);
my $server = IotData::FaultyServer->start(answers => \%answers, otherwise => $ok);
my $disk   = tempdir(CLEANUP => 1);
my $node   = IotData::Node->make(
	'outbox_faults',
	endpoint    => $server->url,
	environment => { LD_PRELOAD => preload('full_disk'), FULL_DISK => $disk },
	conf        => <<'CONF');
shared_preload_libraries = 'iotdata'
iotdata.outbox_retry_delay = 50
iotdata.outbox_max_retry_delay = 400
iotdata.request_timeout = 500ms
CONF
my $session = $node->session;

sub bodies { return map { decode_base64($_->{body}) } $server->requests(@_) }
sub is_empty { return $session->query('SELECT count(*) FROM iotdata.outbox') == 0 }

sub set
{
	my ($name, $value) = @_;

	$session->query("ALTER SYSTEM SET $name = '$value'");
	return $session->query('SELECT pg_reload_conf()');
}

# ---- answers ------------------------------------------------------------------------------------

$session->query('SELECT ' . join ', ', map { my $device = $_; map { queue($device, $_) } 1, 2 } sort keys %faults);
ok(eventually(sub { $session->query(q{SELECT count(*) FROM iotdata.outbox}) == 0 }), 'whatever the service answers, in the end all is sent');
is(join(' ', bodies($_)), '1 1 1 2', "a device that $_ twice gets its messages in order") for sort keys %faults;
gives($session, q{SELECT DISTINCT state FROM iotdata.outbox_ended}, 'delivered', 'and all are delivered');
set('iotdata.request_timeout', "${DEADLINE}s");
# a worker that begins from now on is sure to know it
$session->query(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'iotdata outbox'});
ok(eventually(sub { my @workers = workers($node); !@workers }), 'the worker can be ended');

# ---- a slow answer, and a row that cannot be recorded -------------------------------------------

$session->query('SELECT ' . queue('slow', 'x'));
$server->wait_for_request('slow');
$session->query('SELECT ' . queue(q{quick-' || i || '}, 'x') . ' FROM generate_series(1, 300) i');
ok(eventually(sub { $session->query('SELECT count(*) FROM iotdata.outbox') == 1 }), 'a slow answer does not hold up other devices, nor what is recorded of them');
$server->release('slow');
ok(eventually(\&is_empty), 'it is waited for');
is($server->requests('slow'), 1, 'and not asked for again');

$session->query(<<"SQL");
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RAISE 'not this one'; END\$\$;
CREATE TRIGGER refuse BEFORE DELETE ON iotdata.outbox FOR EACH ROW WHEN (OLD.client_id = 'refused') EXECUTE FUNCTION refuse();
SQL
$session->query('SELECT ' . queue('refused', $_)) for 1, 2;
$session->query('SELECT ' . queue(q{free-' || i || '}, 'x') . ' FROM generate_series(1, 100) i');
ok(eventually(sub { $session->query(q{SELECT count(*) FROM iotdata.outbox WHERE client_id <> 'refused'}) == 0 }), 'a row that cannot be recorded does not hold up others');
ok(eventually(sub { $node->log_text =~ /what became of message \d+ of the outbox could not be recorded: not this one/ }), 'the log tells of it');

# ---- the service is down ------------------------------------------------

is(join(' ', bodies('refused')), '1 2', 'what could not be recorded was not sent again');
$session->query('DROP TRIGGER refuse ON iotdata.outbox');
ok(eventually(\&is_empty), 'when it can be recorded, it is');
is(join(' ', bodies('refused')), '1 2', 'and is not sent again then');
my $port = $server->port;
$server->stop;
$session->query('SELECT ' . queue(q{back-' || i % 50 || '}, q{' || i || '}) . ' FROM generate_series(1, 500) i');
ok(eventually(sub { $node->log_text =~ /the outbox waits: could not connect/ }), 'when the service is down, the log tells that the outbox waits');
gives($session, 'SELECT count(*) FROM iotdata.outbox_retry', '0', 'and nothing is written for each device');
$server = IotData::FaultyServer->start(answers => {}, otherwise => $ok, port => $port);
ok(eventually(\&is_empty), 'when it is back, all is sent');
my $wrong = grep { my $n = $_; join(' ', bodies("back-$n")) ne join(' ', grep { $_ % 50 == $n } 1 .. 500) } 0 .. 49;
is($wrong, 0, 'each device gets its messages once and in order');

# ---- roles --------------------------------------------------------------------------------------

set('iotdata.outbox_workers', 0);
ok(eventually(sub { workers($node) == 0 }), 'with iotdata.outbox_workers = 0 the worker leaves');
$session->query("CREATE ROLE $_; GRANT USAGE ON SCHEMA iotdata TO $_; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO $_") for qw(gone revoked);
$session->query("SET ROLE $_; SELECT " . queue($_, 'x') . '; RESET ROLE') for qw(gone revoked);
$session->query('DROP OWNED BY gone; DROP ROLE gone; REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata FROM revoked');
set('iotdata.outbox_workers', 1);
ok(eventually(\&is_empty), 'with a worker again, what waited is read');
is($server->requests($_), 0, "a message of a role that is $_ since is not sent") for qw(gone revoked);
gives($session, q{SELECT client_id, state, error_code FROM iotdata.outbox_failed ORDER BY client_id}, "gone|failed|42501\nrevoked|failed|42501", 'but has failed');

# ---- the disk -----------------------------------------------------------------------------------

$session->query("CREATE TABLESPACE small LOCATION '$disk'");
$session->query('ALTER TABLE iotdata.outbox_ended SET TABLESPACE small');
my $before = $server->requests;
open my $full, '>', "$disk/full" or die "cannot write to $disk: $!\n";
close $full;
$session->query('SELECT ' . queue(q{disk-' || i % 20 || '}, q{' || i || '}) . ' FROM generate_series(1, 1000) i');
ok(eventually(sub { $node->log_text =~ /53100: what became of messages of the outbox could not be recorded/ }), 'when the disk is full, the log tells that what was sent cannot be recorded');
my $sent = $server->requests;
cmp_ok($sent - $before, '<', 1000, 'and nothing is sent until it can');
ok(eventually(sub { (() = $node->log_text =~ /53100: what became of messages/g) >= 1 && $server->requests == $sent }), 'not even what is tried again');
unlink "$disk/full";
ok(eventually(\&is_empty), 'when there is room again, all is sent and recorded');
$wrong = grep { my $n = $_; join(' ', bodies("disk-$n")) ne join(' ', grep { $_ % 20 == $n } 1 .. 1000) } 0 .. 19;
is($wrong, 0, 'each device gets its messages once and in order');

$session->quit;
no_crash($node);
done_testing();
