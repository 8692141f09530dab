# Messages of the outbox go where the role that queued them may send, as that role; a server that takes
# nothing does not hold up the others.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::CredentialServer;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use IotData::Wait;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $ok     = json_answer({ message => 'OK', traceId => 't' });
my $server = IotData::FaultyServer->start(otherwise => $ok);
my $second = IotData::FaultyServer->start(otherwise => $ok);
my $broken = IotData::FaultyServer->start(otherwise => http_answer(429, '{"message":"slow down"}', 'x-amzn-ErrorType' => 'ThrottlingException'));
my $sts    = IotData::CredentialServer->start;
my $node   = IotData::Node->make('outbox_servers', endpoint => $server->url, environment => { AWS_ENDPOINT_URL_STS => $sts->url }, conf => "shared_preload_libraries = 'iotdata'\niotdata.outbox_concurrency = 16\n");
my $admin  = $node->session;

sub key_of { return $_[0]{headers}{authorization} =~ m{Credential=([^/]+)/} ? $1 : undef }
sub queue { my ($id, $more) = @_; return "SELECT iotdata.queue_direct_message('$id', 'a/b', 'x'::text" . ($more // '') . ')' }
sub mapping { return "OPTIONS (access_key_id '$_[0]', secret_access_key 's')" }
sub sent_by { my ($at, $id) = @_; return $at->wait_for_request($id) && key_of(($at->requests($id))[-1]) }

$admin->query(<<"SQL");
CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN;
GRANT USAGE ON SCHEMA iotdata TO alice, bob; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO alice, bob;
CREATE SERVER factory FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '@{[ $second->url ]}');
CREATE SERVER down FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '@{[ $broken->url ]}');
CREATE USER MAPPING FOR alice SERVER factory @{[ mapping('AKIAALICE') ]};
CREATE USER MAPPING FOR bob SERVER factory @{[ mapping('AKIABOB') ]};
CREATE USER MAPPING FOR PUBLIC SERVER down @{[ mapping('AKIADOWN') ]};
GRANT USAGE ON FOREIGN SERVER factory, down TO alice, bob;
SQL
my %as = map { $_ => $node->session(user => $_) } qw(alice bob);

# ---- as whom ------------------------------------------------------------------------------------

$as{$_}->query(queue("of-$_", q{, server => 'factory'})) for qw(alice bob);
is(sent_by($second, 'of-alice'), 'AKIAALICE', 'a message is sent to its server, with the mapping of the role that queued it');
is(sent_by($second, 'of-bob'),   'AKIABOB',   'that of another role with its own');
$as{alice}->query(queue('default'));
is(sent_by($server, 'default'), 'AKIDEXAMPLE', 'one that names no server goes to the default target');
$as{alice}->query(q{SET iotdata.server = 'factory'});
$as{alice}->query(queue('setting'));
is(sent_by($second, 'setting'), 'AKIAALICE', 'the server of the setting is that of the moment when it is queued');
$as{alice}->query(queue('empty', q{, server => ''}));
is(sent_by($server, 'empty'), 'AKIDEXAMPLE', 'the empty name is the default target');
$as{alice}->query('RESET iotdata.server');

# ---- changes ------------------------------------------------------------------------------------

$admin->query("ALTER SERVER factory OPTIONS (SET endpoint_url '" . $server->url . "')");
$as{alice}->query(queue('moved', q{, server => 'factory'}));
is(sent_by($server, 'moved'), 'AKIAALICE', 'a server that leads elsewhere now is followed');
$admin->query("ALTER SERVER factory OPTIONS (SET endpoint_url '" . $second->url . "')");
fails_with($as{bob}, queue('x', q{, server => 'nowhere'}), '42704', {}, 'a server that is not there is an error at once');
$admin->query('REVOKE USAGE ON FOREIGN SERVER factory FROM bob');
fails_with($as{bob}, queue('x', q{, server => 'factory'}), '42501', {}, 'so is one that may not be used');
for my $case (
	[ 'revoked', 'REVOKE USAGE ON FOREIGN SERVER factory FROM alice', 'GRANT USAGE ON FOREIGN SERVER factory TO alice',                    '42501' ],
	[ 'unmapped', 'DROP USER MAPPING FOR alice SERVER factory',       "CREATE USER MAPPING FOR alice SERVER factory " . mapping('AKIAALICE'), '28000' ],
	[ 'dropped', 'ALTER SERVER factory RENAME TO other',              'ALTER SERVER other RENAME TO factory',                                 '42704' ])
{
	my ($id, $change, $back, $code) = @$case;

	# committed after the change, so that it is not sent before
	$as{alice}->query('BEGIN; ' . queue($id, q{, server => 'factory'}));
	$admin->query($change);
	$as{alice}->query('COMMIT');
	ok(eventually(sub { $admin->query("SELECT error_code FROM iotdata.outbox_failed WHERE client_id = '$id'") eq $code }), "what changed since counts: $id");
	$admin->query($back);
	is($second->requests($id), 0, "nothing is sent: $id");
}

# ---- one that takes nothing ---------------------------------------------------------------------

$as{alice}->query(q{SELECT count(iotdata.queue_direct_message('down-' || i, 'a/b', 'x'::text, server => 'down')) FROM generate_series(1, 2500) i});
ok(eventually(sub { $broken->requests >= 1 }), 'a server is asked');
$as{alice}->query(queue("past-$_", q{, server => 'factory'})) for 1 .. 3;
is(sent_by($second, "past-$_"), 'AKIAALICE', "a server that takes nothing does not hold up another one ($_)") for 1 .. 3;
cmp_ok(scalar($broken->requests), '<', 600, 'and is not asked for each of its messages');
ok(eventually(sub { $admin->query('SELECT count(*) FROM iotdata.outbox') == 2500 }), 'they wait');
# ---- privileges that are lost while messages wait ------------------------------------------------

$as{bob}->query(queue('waits', q{, server => 'down'}));
ok(eventually(sub { $admin->query(q{SELECT count(*) FROM iotdata.outbox WHERE client_id = 'waits'}) == 1 }), 'a message waits for a server');
$admin->query('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata FROM bob');
ok(eventually(sub { $admin->query(q{SELECT error_code FROM iotdata.outbox_failed WHERE client_id = 'waits'}) eq '42501' }), 'and is not sent, once its role may not any more');

# ---- settings and servers that change while messages wait ---------------------------------------

$admin->query("ALTER SERVER down OPTIONS (SET endpoint_url '" . $second->url . "')");
ok(eventually(sub { $second->requests('down-2500') == 1 }), 'a server that leads elsewhere is followed by the messages that wait for it');
ok(eventually(sub { $admin->query('SELECT count(*) FROM iotdata.outbox') == 0 }), 'and none is left');
my %times;
$times{ $_->{client} }++ for grep { $_->{client} =~ /\Adown-/ } $second->requests;
is(join(' ', scalar(keys %times), grep { $times{$_} > 1 } sort keys %times), '2500', 'each was sent once');

# A running worker hears of it in its time.
sub lead_to { return $admin->query("ALTER SYSTEM SET iotdata.endpoint_url = '$_[0]'") . $admin->query('SELECT pg_reload_conf()') }
lead_to($broken->url);
ok(eventually(sub { $as{alice}->query(queue('later')); $broken->requests('later') >= 1 }), 'changed settings of the default target are followed');
lead_to($server->url);
ok(eventually(sub { $admin->query('SELECT count(*) FROM iotdata.outbox') == 0 }), 'by messages that wait for it, too');

# ---- a server that is changed again and again ---------------------------------------------------

for my $i (1 .. 30)
{
	$admin->query("ALTER SERVER factory OPTIONS (SET region 'eu-west-" . (1 + $i % 3) . "')");
	$as{alice}->query(queue("again-$i", q{, server => 'factory'}));
	$second->wait_for_request("again-$i");
}
$admin->query(q{SELECT pg_log_backend_memory_contexts(pid) FROM pg_stat_activity WHERE backend_type = 'iotdata outbox'});
ok(eventually(sub { $node->log_text =~ /Grand total/ }), "the worker's memory is logged");
cmp_ok(scalar(() = $node->log_text =~ /iotdata outbox target:/g), '<', 10, 'nothing is kept of what a server was before');

# ---- slow ones ----------------------------------------------------------------------------------

my $silent = IotData::FaultyServer->start(otherwise => [ [ ['hold'] ] ]);
my %slow   = (limited => [ $second->url, ", send_rate '1'" ], silent => [ $silent->url, '' ]);
for my $name (sort keys %slow)
{
	my ($url, $more) = @{ $slow{$name} };

	# these would take longer than this test waits
	$admin->query("CREATE SERVER $name FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '$url'$more); CREATE USER MAPPING FOR PUBLIC SERVER $name @{[ mapping('AKIASLOW') ]}");
	$admin->query("SELECT count(iotdata.queue_direct_message('$name-' || i, 'a/b', 'x'::text, server => '$name')) FROM generate_series(1, 500) i");
	ok(eventually(sub { my $at = $name eq 'silent' ? $silent : $second; grep { $_->{client} =~ /\A$name-/ } $at->requests }), "a slow server is sent messages: $name");
	$admin->query(queue("beside-$name"));
	is(sent_by($server, "beside-$name"), 'AKIDEXAMPLE', "and does not hold up other targets: $name");
	cmp_ok($admin->query("SELECT count(*) FROM iotdata.outbox WHERE server = '$name'"), '>', 0, "its messages wait: $name");
}

# ---- roles that cannot be assumed ---------------------------------------------------------------

# One after the other they would take longer than this test waits.
for my $i (1 .. 12)
{
	$admin->query("CREATE SERVER hold_$i FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '" . $server->url . "'); CREATE USER MAPPING FOR PUBLIC SERVER hold_$i OPTIONS (access_key_id 'AKIA$i', secret_access_key 's', role_arn 'arn:aws:iam::123456789012:role/hold')");
	$admin->query(queue("hold-$i", ", server => 'hold_$i'"));
}
ok(eventually(sub { $sts->requests >= 1 }), 'STS is asked for roles');
$admin->query(queue('beside'));
is(sent_by($server, 'beside'), 'AKIDEXAMPLE', 'roles that cannot be assumed do not hold up other targets');
$admin->query("CREATE SERVER role FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '" . $server->url . "'); CREATE USER MAPPING FOR PUBLIC SERVER role OPTIONS (access_key_id 'AKIAROLE', secret_access_key 's', role_arn 'arn:aws:iam::123456789012:role/good')");
$admin->query(queue('role', q{, server => 'role'}));
like(sent_by($server, 'role'), qr/\ASTS/, 'and a role that can be is assumed');
unlike($node->log_text, qr/waits for server "role"/, 'which is nothing for the log');
$admin->query("ALTER USER MAPPING FOR PUBLIC SERVER hold_1 OPTIONS (SET role_arn 'arn:aws:iam::123456789012:role/good')");
like(sent_by($server, 'hold-1'), qr/\ASTS/, 'a role that can be assumed now is followed by the message that waits for it');

no_crash($node);
done_testing();
