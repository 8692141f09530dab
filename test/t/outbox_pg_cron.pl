# Jobs of pg_cron that ask about devices, queue messages and send them. pg_cron 1.4 counts in minutes,
# so each job is scheduled for the server's start, and the server is started again. A job is run by a
# session of pg_cron's own, or by a background worker.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::Node;
use IotData::Wait;
use Test::More;

my $sharedir = qx(pg_config --sharedir) =~ s/\n//r;
plan skip_all => "pg_cron is not installed for this version of PostgreSQL" unless -f "$sharedir/extension/pg_cron.control";

my $emulator = IotData::Emulator->start;
my $lamp     = IotData::Client->start($emulator, 'lamp');
my $node     = IotData::Node->make(
	'outbox_pg_cron',
	endpoint => $emulator->url,
	conf     => "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\nmax_worker_processes = 16\n");
my $session;

# What the role watcher may do, and no more, and what the superuser does.
my $remind = q{SELECT iotdata.queue_direct_message(d.client_id, d.client_id || '/reminder', d.config, expires_in => '1 hour')
	FROM device d CROSS JOIN LATERAL iotdata.get_connection(d.client_id) c WHERE c.connected};
my $send   = 'CALL iotdata.process_outbox()';

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_cron;
CREATE TABLE device (client_id text PRIMARY KEY, config jsonb NOT NULL);
INSERT INTO device VALUES ('lamp', '{"on": true}'), ('never-seen', '{"on": false}');
CREATE ROLE watcher LOGIN;
GRANT USAGE ON SCHEMA iotdata, cron TO watcher;
GRANT SELECT ON device TO watcher;
GRANT EXECUTE ON FUNCTION iotdata.get_connection(text, boolean, interval, name),
	iotdata.queue_direct_message(text, text, jsonb, text, text, boolean, interval, jsonb, iotdata.payload_format_indicator, bytea, interval, name)
	TO watcher;
SQL
$node->safe_psql('postgres', <<"SQL");
SET log_statement = 'none';
CREATE SERVER factory FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'us-east-1', endpoint_url '@{[ $emulator->url ]}');
CREATE USER MAPPING FOR CURRENT_USER SERVER factory
	OPTIONS (access_key_id 'AKIDFACTORY', secret_access_key 'SECRET-OF-FACTORY', session_token 'TOKEN-OF-FACTORY');
SQL

# Starts the server again, with these libraries and a way to run jobs.
sub restart
{
	my ($libraries, $background) = @_;

	$session->quit if $session;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$libraries'\ncron.use_background_workers = $background\n");
	$node->restart_with({});
	$session = $node->session;
	return;
}

# Runs jobs as the server starts, and returns what became of each: its status and its message.
sub run_jobs
{
	my ($libraries, $background, @jobs) = @_;

	$session->query('SELECT cron.unschedule(jobid) FROM cron.job; DELETE FROM cron.job_run_details');
	for my $job (@jobs)
	{
		my ($role, $command) = @$job;

		$session->query("SET ROLE $role; SELECT cron.schedule('\@reboot', \$\$$command\$\$); RESET ROLE");
	}
	restart($libraries, $background);
	my $ended = "SELECT count(*) = @{[ scalar @jobs ]} FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')";
	eventually(sub { $session->query($ended) eq 't' });
	return split /\n/, $session->query(q{SELECT status || '|' || coalesce(return_message, '') FROM cron.job_run_details ORDER BY jobid});
}

# a job keeps the host that it had when it was scheduled
$node->append_conf('postgresql.conf', "cron.host = '@{[ $node->host ]}'\n");
restart('pg_cron', 'off');

for my $background ('off', 'on')
{
	my $how     = $background eq 'on' ? 'a background worker of pg_cron' : 'a session of pg_cron';
	my $waiting = 'SELECT client_id, owner FROM iotdata.outbox';

	# ---- a server that does not preload iotdata -------------------------------------------------

	my ($queued) = run_jobs('pg_cron', $background, [ watcher => $remind ]);
	like($queued, qr/^succeeded\|/, "a job in $how joins devices with their connections and queues messages");
	gives($session, $waiting, 'lamp|watcher', 'there is a message for the device that is connected, of the role whose job it is');
	is($lamp->waiting, 0, 'it is not sent without a process that sends');
	my ($sent) = run_jobs('pg_cron', $background, [ none => $send ]);
	like($sent, qr/^succeeded\|/, "process_outbox is a job in $how");
	gives($session, $waiting, '', 'which sends what waits, and records it');
	is($lamp->next_message->{topic}, 'lamp/reminder', 'the device gets the message');

	# ---- a job that fails -----------------------------------------------------------------------

	my ($failed) = run_jobs('pg_cron', $background, [ none => q{SELECT iotdata.get_connection('lamp', server => 'factory')} ]);
	like($failed, qr/^failed\|.*AWS IoT answered ForbiddenException/, "a job in $how that fails leaves the error's message");
	unlike($failed, qr/SECRET-OF-FACTORY|TOKEN-OF-FACTORY|AKIDFACTORY/, 'which has no key in it');

	# ---- a server that preloads both ------------------------------------------------------------

	($queued) = run_jobs('pg_cron, iotdata', $background, [ watcher => $remind ]);
	like($queued, qr/^succeeded\|/, "with iotdata preloaded, a job in $how queues messages");
	is($lamp->next_message->{topic}, 'lamp/reminder', 'which the device gets, with nobody sending them');
	ok(eventually(sub { $session->query($waiting) eq '' }), 'and what was sent is recorded');
}

# ---- jobs that follow each other ----------------------------------------------------------------

if ($session->query(q{SELECT extversion !~ '^1\.[0-4](\D|$)' FROM pg_extension WHERE extname = 'pg_cron'}) eq 't')
{
	restart('pg_cron', 'off');
	$session->query('SELECT cron.unschedule(jobid) FROM cron.job');
	$session->query("SELECT cron.schedule('1 second', \$\$$_\$\$)") for $remind, $send;
	is($lamp->next_message->{topic}, 'lamp/reminder', "of jobs that run every second, one sends what the other queues, time $_") for 1 .. 3;
}

unlike($node->log_text, qr/(?:SECRET|TOKEN)-OF-FACTORY/, 'the log has no key in it');

no_crash($node);
done_testing();
