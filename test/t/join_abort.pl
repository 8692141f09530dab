# However a statement ends that has calls under way, nothing of them is left behind, and the session
# goes on: each reading function, in a join and by itself, with each kind of end.
#
# The server's memory is filled with other bytes as it is freed, so that what is read after that is
# not what it was.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

# The first two clients answer at once. The third one's answer is the last that comes, and comes when
# the test says so: then calls for those behind it are under way. These never answer; of a list they
# give the first page.
my $server = IotData::FaultyServer->start(
	otherwise => sub {
		my ($request) = @_;
		my $client = $request->{client};
		my $page   = { subscriptions => [ { topicFilter => $client, qos => 0 } ] };

		return [ ['hold'] ] if $client =~ /\Ahold/ || ($client =~ /\Apage/ && $request->{target} =~ /nextToken/);
		$page->{nextToken} = 'T' if $client =~ /\Apage/;
		my $answer = json_answer($request->{target} =~ /subscriptions/ ? $page : { connected => JSON::PP::true, clientId => $client });
		return $client =~ /\Agate/ ? [ [ 'until', $client ], $answer ] : $answer;
	});
my $node = IotData::Node->make('aborts', endpoint => $server->url, conf => "restart_after_crash = on\n", environment => { MALLOC_PERTURB_ => 165 });
my ($session, $other) = map { $node->session } 1 .. 2;

# ---- statements that read -----------------------------------------------------------------------

# clients(LAST): an SQL expression for the client of row g; each run of a statement has a third client
# of its own. LAST is the name of those who do not answer.
my $run = 0;

sub clients { return "CASE WHEN g < 3 THEN 'first-' || g WHEN g = 3 THEN 'gate-$run' ELSE '$_[0]-' || g END" }
sub rows    { return "(SELECT g AS id, ${\ clients($_[0])} AS client FROM generate_series(1, 100) g OFFSET 0) d" }

# Each gives a row for each client, in order, with the client's ID; "ahead" is whether calls for later
# clients are made before that row is given, "whole" whether no row is given before all answers are there.
my %reads = (
	'get_connection in a join' => {
		ahead => 1,
		sql   => sub { 'SELECT d.client, c.connected FROM ' . rows('hold') . ' LEFT JOIN LATERAL iotdata.get_connection(d.client) c ON true' }
	},
	'list_subscriptions in a join' => {
		ahead => 1,
		sql   => sub { 'SELECT d.client, s.qos FROM ' . rows('hold') . ' LEFT JOIN LATERAL iotdata.list_subscriptions(d.client) s ON true' }
	},
	'list_subscriptions in a join at its second page' => {
		ahead => 1,
		sql   => sub { 'SELECT d.client, s.qos FROM ' . rows('page') . ' LEFT JOIN LATERAL iotdata.list_subscriptions(d.client) s ON true' }
	},
	'get_connections' => {
		ahead => 1,
		whole => 1,
		sql   => sub { 'SELECT * FROM iotdata.get_connections(ARRAY(SELECT ' . clients('hold') . ' FROM generate_series(1, 100) g))' }
	},
	'get_connection for each row' => {
		settings => 'SET iotdata.batch_joins = off',
		sql      => sub { 'SELECT d.client, c.connected FROM ' . rows('hold') . ' LEFT JOIN LATERAL iotdata.get_connection(d.client) c ON true' }
	},
	'list_subscriptions for each row' => {
		settings => 'SET iotdata.batch_joins = off',
		sql      => sub { 'SELECT d.client, s.qos FROM ' . rows('page') . ' LEFT JOIN LATERAL iotdata.list_subscriptions(d.client) s ON true' }
	},
	'list_subscriptions in a select list' => {
		settings => 'SET iotdata.batch_joins = off',
		sql      => sub { 'SELECT client, (s).qos FROM (SELECT d.client, iotdata.list_subscriptions(d.client) AS s FROM ' . rows('page') . ') l' }
	});

# ---- how they end -------------------------------------------------------------------------------

# The calls that are not answered, so far, and those of them whose connections are open.
sub is_held { return $_[0]{event} eq 'request' && ($_[0]{client} =~ /\Ahold/ || $_[0]{target} =~ /nextToken/) }
sub held    { return scalar grep { is_held($_) } $server->events }

sub open_held
{
	my @events = $server->events;
	my %closed = map { $_->{connection} => 1 } grep { $_->{event} eq 'closed' } @events;

	return scalar grep { is_held($_) && !$closed{ $_->{connection} } } @events;
}

# Starts a statement, and returns when a call that is not answered has been made: by then the third
# answer may come, too.
sub begin
{
	my ($read, $sql) = @_;
	my $before = held();
	my $gate   = "gate-$run";

	$server->release($gate) unless $read->{ahead};
	$session->begin($sql);
	eventually(sub { held() > $before }) or die "the calls are not made: $sql\n";
	$server->release($gate);
	return;
}

# The statement is about to wait for a row that does not come.
sub ended_by
{
	my ($read, $function) = @_;

	begin($read, 'SELECT count(*) FROM (' . $read->{sql}->() . ') s');
	$other->query("SELECT $function(" . $session->pid . ')');
	return $session->finish;
}

# A slow machine may need longer until the calls are made.
sub timed_out
{
	my ($read) = @_;
	my $before = held();
	my ($result, $tries) = (undef, 0);

	for (;;)
	{
		my $gate = 'gate-' . ++$run;

		$server->release($gate);
		$session->query("SET statement_timeout = '" . 100 * 2**$tries++ . "ms'");
		$result = $session->try('SELECT count(*) FROM (' . $read->{sql}->() . ') s');
		last if $result->{ended};
		$session->query('RESET statement_timeout');
		last if held() > $before;
	}
	return $result;
}

# The statement gives its third row, and then ends: it waits for that row, with other calls under way
# where it reads ahead.
sub ended_at_third
{
	my ($read, $sql) = @_;

	if ($read->{ahead}) { begin($read, $sql) }
	else
	{
		$server->release("gate-$run");
		$session->begin($sql);
	}
	return $session->finish;
}

# What ends a statement that waits, and what ends one that has given its third row: the SQLSTATE that it
# must have, and what gives the result.
my %ends_wait = (
	'a cancel'             => [ '57014', sub { ended_by($_[0], 'pg_cancel_backend') } ],
	'pg_terminate_backend' => [ '57P01', sub { ended_by($_[0], 'pg_terminate_backend') } ],
	'statement_timeout'    => [ '57014', sub { timed_out($_[0]) } ]);
my %ends_at_row = (
	'an error of the query'   => [ '22012', sub { ended_at_third($_[0], 'SELECT 1 / (client NOT LIKE $$gate%$$)::integer FROM (' . $_[0]{sql}->() . ' OFFSET 0) s') } ],
	'a LIMIT'                 => [ undef,   sub { ended_at_third($_[0], $_[0]{sql}->() . ' LIMIT (SELECT 3)') } ],
	'a LIMIT above a join'    => [ undef,   sub { ended_at_third($_[0], 'SELECT * FROM (' . $_[0]{sql}->() . ' OFFSET 0) s, generate_series(1, 1) LIMIT (SELECT 3)') } ],
	'a closed cursor'         => [ undef,   sub { ended_at_third($_[0], fetched($_[0]) . 'CLOSE c; COMMIT') } ],
	'a commit'                => [ undef,   sub { ended_at_third($_[0], fetched($_[0]) . 'COMMIT') } ],
	'a rollback'              => [ undef,   sub { ended_at_third($_[0], fetched($_[0]) . 'ROLLBACK') } ],
	'a rollback to savepoint' => [ undef,   sub { ended_at_third($_[0], 'BEGIN; SAVEPOINT s; ' . fetched($_[0]) =~ s/BEGIN; //r . 'ROLLBACK TO s; SELECT 1; COMMIT') } ],
	'an error of another statement' => [ '22012', sub { ended_at_third($_[0], fetched($_[0]) . 'SELECT 1 / 0; ROLLBACK') } ],
	'an exception in PL/pgSQL' => [
		undef,
		sub {
			ended_at_third($_[0], 'DO $do$ DECLARE c CURSOR FOR ' . $_[0]{sql}->() . '; r record; BEGIN OPEN c; FOR i IN 1 .. 3 LOOP FETCH c INTO r; END LOOP; '
				  . q{RAISE EXCEPTION 'enough'; EXCEPTION WHEN raise_exception THEN NULL; END $do$});
		}
	]);

sub fetched { return 'BEGIN; DECLARE c CURSOR FOR ' . $_[0]{sql}->() . '; FETCH 3 FROM c; ' }

# ---- what is left -------------------------------------------------------------------------------

sub contexts { return $session->query(q{SELECT count(*) || ' with ' || coalesce(sum(total_bytes), 0) || ' bytes' FROM pg_backend_memory_contexts WHERE name LIKE 'iotdata%'}) }

# New sessions after one that has ended. Returns whether it crashed, which may be after it reported its
# error; then the server starts again.
sub renew
{
	my $crash = 'PID ' . $session->pid . '\) was terminated by signal';

	eventually(sub { !kill 0, $session->pid }) or die "the process does not end\n";
	my $crashed = $node->log_text =~ /$crash/;
	die "the server does not come up again\n" if $crashed && !eventually(sub { $node->log_text =~ /$crash.*ready to accept connections/s });
	($session, $other) = map { $node->session } 1 .. 2;
	return $crashed;
}

for my $what (sort keys %reads)
{
	my $read = $reads{$what};
	my %ends = (%ends_wait, $read->{whole} ? () : %ends_at_row);

	for my $how (sort keys %ends)
	{
		my ($sqlstate, $end) = @{ $ends{$how} };
		my (@results, @contexts);

		# the first time fills what is kept on purpose
		for (1 .. 2)
		{
			$run++;
			$session->query($read->{settings} // 'RESET iotdata.batch_joins');
			push @results, $end->($read);
			$results[-1]{crashed} = renew() if $results[-1]{ended};
			push @contexts, contexts();
		}
		my @wrong = grep { $_->{crashed} || ($_->{sqlstate} // '') ne ($sqlstate // '') } @results;
		ok(!@wrong, "$how ends $what " . (defined $sqlstate ? "with $sqlstate" : 'without an error')) or diag(map { $_->{stderr} } @wrong);
		is($contexts[1], $contexts[0], "$how leaves no memory of $what behind");
		ok(eventually(sub { open_held() == 0 }), "$how leaves no connection of $what open");
		gives($session, q{SELECT connected FROM iotdata.get_connection('first-1')}, 't', "the next call works after $how of $what");
	}
}

no_crash($node);
done_testing();
