
# What a session did, it sees: a cached answer about a client is dropped when the client's connection
# was deleted, or a message found it absent.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer not_found);
use IotData::Node;
use JSON::PP;
use Test::More;

my $on      = json_answer({ connected => JSON::PP::true });
my $off     = json_answer({ connected => JSON::PP::false });
my $deleted = http_answer(200, '{}');
my $held    = sub { return [ [ 'until', $_[0] ], $on ] };
my $server  = IotData::FaultyServer->start(
	otherwise => $on,
	answers   => {
		other => [ $on, $off ],
		(map { ("deleted-$_" => [ $on, $on, $deleted, $off ]) } qw(a b)),
		(map { ("gone-$_" => [ $on, not_found(), $off ]) } qw(delete message outbox)),
		refused   => [ $on, http_answer(403, '', 'x-amzn-ErrorType' => 'ForbiddenException'), $off ],
		cut       => [ $on, [ ['close'] ], $off ],
		cancelled => [ $on, [ ['hold'] ], $off ],
		(map { ("before-late-$_" => [ $held->("before-late-$_") ]) } qw(own alone)),
		(map { ("late-$_" => [ $held->("late-$_"), $deleted, $off ]) } qw(other own alone)),
		'alone' => [ $on, $deleted, $off ],
	});
my $node = IotData::Node->make('shared', endpoint => $server->url, conf => "shared_preload_libraries = 'iotdata'\niotdata.max_attempts = 1\n");
my ($one, $two) = map { $node->session } 1 .. 2;

sub fetch { return "SELECT connected FROM iotdata.get_connection('$_[0]', max_age => '1 hour'" . ($_[1] // '') . ')' }
sub delete_connection { return "SELECT iotdata.delete_connection('$_[0]')" }
sub send_message { return "SELECT iotdata.send_direct_message('$_[0]', 'a/b', 'x'::text)" }
sub asked { return scalar($server->requests($_[0])) }

# ---- what a session did -------------------------------------------------------------------------

gives($one, fetch('other'), 't', 'a client is connected');
for my $client (qw(deleted-a deleted-b))
{
	gives($one, fetch($client), 't', "$client is connected");
	gives($two, fetch($client, ', include_socket_information => true'), 't', "$client is connected by its socket");
}
gives($one, delete_connection('deleted-a'), '', 'its connection is deleted');
gives($one, fetch('deleted-a'), 'f', 'then the session that did it does not see the answer of before');
gives($two, delete_connection('deleted-b'), '', 'another connection is deleted');
gives($one, fetch('deleted-b'), 'f', 'then another session does not see the answer of before');
gives($one, fetch('deleted-b', ', include_socket_information => true'), 'f', 'nor the answer with socket information');
gives($one, fetch('other'), 't', 'answers about other clients stay');
is(asked('other'), 1, 'without another request');

gives($one, fetch("gone-$_"), 't', "gone-$_ is connected") for qw(delete message outbox);
fails_with($one, delete_connection('gone-delete'), 'IO404', {}, 'a connection to delete is not there');
gives($two, fetch('gone-delete'), 'f', 'then no session sees the answer of before');
fails_with($one, send_message('gone-message'), 'IO404', {}, 'a client is not there for a message');
gives($two, fetch('gone-message'), 'f', 'then no session sees the answer that it was connected');
$one->query("SELECT iotdata.queue_direct_message('gone-outbox', 'a/b', 'x'::text, expires_in => '1 hour')");
$one->query("CALL iotdata.process_outbox()");
ok(eventually(sub { $two->query(fetch('gone-outbox')) eq 'f' }), 'nor after the outbox found a client absent');

gives($one, fetch('refused'), 't', 'a client is connected whose messages are refused');
fails_with($one, send_message('refused'), 'IO403', {}, 'a message is refused');
gives($two, fetch('refused'), 't', 'a message that is refused says nothing of the connection');

gives($one, fetch($_), 't', "$_ is connected") for qw(cut cancelled);
fails_with($one, delete_connection('cut'), 'IO006', {}, 'it is not known whether a connection was deleted');
gives($two, fetch('cut'), 'f', 'then the answer of before is not used');
$one->begin(delete_connection('cancelled'));
eventually(sub { asked('cancelled') == 2 }) or die "it was not sent\n";
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $one->pid . ')');
fails_with($one, $one->finish, '57014', {}, 'to delete a connection can be cancelled');
gives($two, fetch('cancelled'), 'f', 'then the answer of before is not used either');

# ---- reads under way ----------------------------------------------------------------------------

$one->begin(fetch('late-other'));
$server->wait_for_request('late-other');
gives($two, delete_connection('late-other'), '', 'a connection is deleted while another session reads it');
$server->release('late-other');
is($one->finish->{out}, 't', 'what was read is as it was before');
gives($one, fetch('late-other'), 'f', 'an answer to a question of before is not cached after');

sub read_across
{
	my ($session, $client, $how) = @_;

	$session->query("BEGIN; DECLARE c CURSOR FOR SELECT c.connected FROM unnest(ARRAY['before-$client', '$client']) id, iotdata.get_connection(id, max_age => '1 hour') c");
	$session->begin('FETCH 1 FROM c');
	$server->wait_for_request($client);
	$server->release("before-$client");
	is($session->finish->{out}, 't', "a cursor has its first row ($how)");
	gives($session, delete_connection($client), '', "a connection is deleted while a cursor of the same session reads it ($how)");
	$server->release($client);
	gives($session, 'FETCH 1 FROM c', 't', "the cursor has what it read ($how)");
	$session->query('COMMIT');
	gives($session, fetch($client), 'f', "what the cursor read is not cached after ($how)");
}

read_across($one, 'late-own', 'preloaded');

# ---- without preloading -------------------------------------------------------------------------

my $plain = IotData::Node->make('own', endpoint => $server->url);
my $alone = $plain->session;

gives($alone, fetch('alone'), 't', 'a client is connected (not preloaded)');
gives($alone, delete_connection('alone'), '', 'its connection is deleted (not preloaded)');
gives($alone, fetch('alone'), 'f', 'then the answer of before is not used (not preloaded)');
read_across($alone, 'late-alone', 'not preloaded');

no_crash($_) for $node, $plain;
done_testing();
