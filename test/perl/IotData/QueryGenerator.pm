
# Random queries that join tables with reading functions, to be run in two ways that must agree.
#
#   my $generator = IotData::QueryGenerator->new(seed => 7, version => 15, foreign => 1);
#   my @kinds     = $generator->kinds;
#   my $query     = $generator->query('left_join');
#
# A query is a hash:
#   statements  what is run, in a transaction that is rolled back
#   explain     a statement that shows the plan
#   settings    SET LOCAL statements that go before both
#   ordered     whether the order of the result's rows is given
#   before      statements that go before "explain"
#   reference   a query that says what the rows must be, to be run in the other way instead
#   partial     whether the rows before an error must be the same, too
#
# All is made of a "scope": a FROM list and the expressions that can be used over it, by type. It
# grows by joins, and is wrapped into sub-selects. Answers differ in observed_at from run to run, so
# it is never selected, and no query has a LIMIT without an order that is total.

package IotData::QueryGenerator;

use strict;
use warnings FATAL => 'all';

# The tables, their rows, and views. %s is the folder of the foreign table's file.
our $TABLES = <<'SQL';
CREATE TABLE device (id integer PRIMARY KEY, client_id text, kind text, n integer);
INSERT INTO device VALUES
	(1, 'lamp', 'light', 1), (2, 'fan', 'air', 2), (3, NULL, 'air', 3), (4, 'nobody', 'light', 4),
	(5, 'lamp', 'light', 5), (6, 'plug', NULL, 6), (7, 'plug', 'power', 1), (8, NULL, NULL, 2),
	(9, 'ghost', 'power', 3), (10, 'nobody', 'air', NULL), (11, 'lamp', 'power', 5), (12, 'fan', 'light', 6);
CREATE INDEX ON device (n);
CREATE TABLE place (id integer PRIMARY KEY, device_id integer, client_id text, name text);
INSERT INTO place SELECT i, i * 5 % 14, (array['lamp', 'plug', NULL, 'nobody', 'fan'])[1 + i % 5], 'place ' || i % 4
	FROM generate_series(1, 17) i;
CREATE INDEX ON place (device_id);
CREATE TABLE part (id integer, client_id text, kind text, n integer) PARTITION BY RANGE (id);
CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (5);
CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (5) TO (100);
INSERT INTO part SELECT * FROM device;
CREATE TABLE wide (id integer PRIMARY KEY, client_id text, kind text, n integer, filler text);
INSERT INTO wide SELECT i, (array['lamp', 'plug', NULL, 'nobody', 'fan', 'ghost'])[1 + i * 7 % 6], 'kind ' || i % 3, i % 9, repeat('x', 500)
	FROM generate_series(1, 60) i;
CREATE INDEX ON wide (n);
CREATE TABLE target (id integer PRIMARY KEY, state text, n integer);
INSERT INTO target SELECT i, 'old', i FROM generate_series(1, 10) i;
CREATE VIEW state AS
	SELECT d.id, d.client_id, d.kind, d.n, c.connected, c.client_id AS found, coalesce(c.clean_session, false) AS clean
	FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true;
CREATE VIEW guarded WITH (security_barrier) AS
	SELECT d.id, d.client_id, d.kind, d.n, c.connected, c.client_id AS found
	FROM device d JOIN LATERAL iotdata.get_connection(d.client_id) c ON c.connected OR d.n > 2
	WHERE d.kind IS NOT NULL;
CREATE FUNCTION ids(most integer) RETURNS TABLE (id integer, client_id text, kind text, n integer)
	LANGUAGE plpgsql STABLE AS 'BEGIN RETURN QUERY SELECT d.id, d.client_id, d.kind, d.n FROM device d WHERE d.id <= most; END';
ANALYZE;
SQL

our $FOREIGN_TABLE = <<'SQL';
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
COPY device TO '%1$s/device.csv' (FORMAT csv);
CREATE FOREIGN TABLE filed (id integer, client_id text, kind text, n integer) SERVER files
	OPTIONS (filename '%1$s/device.csv', format 'csv');
SQL

my @settings = (
	(map { "$_ = off" } qw(enable_hashjoin enable_mergejoin enable_nestloop enable_memoize enable_material enable_seqscan
		  enable_sort enable_indexscan enable_hashagg)),
	'join_collapse_limit = 1', 'geqo_threshold = 2', 'enable_partitionwise_join = on', 'enable_partitionwise_aggregate = on',
	'cursor_tuple_fraction = 1', q{work_mem = '64kB'});
my $parallel = q{parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0};
my $eager    = 'min_eager_agg_group_size = 0';

# kind => [what makes it, whether it is expected to be batched: 0, 1, or from which version on]
my %kinds = (
	left_join         => [ \&plain, 1, outer => 'device', join => 'left' ],
	inner_join        => [ \&plain, 1, outer => 'device', join => 'inner' ],
	list_left         => [ \&plain, 1, outer => 'device', join => 'left', function => 'list' ],
	list_inner        => [ \&plain, 1, outer => 'device', join => 'inner', function => 'list' ],
	result_left       => [ \&plain, 1, outer => 'device', join => 'left', function => 'result' ],
	result_inner      => [ \&plain, 1, outer => 'device', join => 'inner', function => 'result' ],
	over_join         => [ \&plain, 1, outer => 'join' ],
	over_left_join    => [ \&plain, 1, outer => 'left_join' ],
	over_subselect    => [ \&plain, 1, outer => 'subselect' ],
	over_limit        => [ \&plain, 1, outer => 'limit' ],
	over_aggregate    => [ \&plain, 1, outer => 'aggregate' ],
	over_distinct     => [ \&plain, 1, outer => 'distinct' ],
	over_cte          => [ \&plain, 1, outer => 'cte' ],
	over_function     => [ \&plain, 1, outer => 'function' ],
	over_unnest       => [ \&plain, 1, outer => 'unnest' ],
	over_values       => [ \&plain, 1, outer => 'values' ],
	over_foreign      => [ \&plain, 1, outer => 'foreign' ],
	over_partitions   => [ \&plain, 1, outer => 'partitions' ],
	over_union        => [ \&plain, 1, outer => 'union' ],
	over_wide         => [ \&plain, 1, outer => 'wide' ],
	subplan_argument  => [ \&plain, 1, outer => 'device', argument => 'subplan' ],
	initplan_argument => [ \&plain, 1, outer => 'device', argument => 'initplan' ],
	named_arguments   => [ \&plain, 1, outer => 'device', argument => 'named' ],
	constant_argument => [ \&plain, 0, outer => 'device', argument => 'constant' ],
	volatile_argument => [ \&plain, 0, outer => 'device', argument => 'volatile' ],
	wrong_argument    => [ \&wrong_argument, 1 ],
	two_functions     => [ \&several, 1 ],
	dependent         => [ \&dependent, 1 ],
	lateral_subselect => [ \&lateral_subselect, 1 ],
	protected         => [ \&protected, 1 ],
	placeholders      => [ \&placeholders, 1 ],
	nested_placeholders => [ \&nested_placeholders, 1 ],
	full_join         => [ \&full_join, 1 ],
	anti_join         => [ \&anti_join, 1 ],
	whole_row         => [ \&whole_row, 1 ],
	system_columns    => [ \&system_columns, 1 ],
	ordered           => [ \&ordered, 1 ],
	limited           => [ \&limited, 1 ],
	aggregate         => [ \&aggregate, 1 ],
	grouped           => [ \&grouped, 1 ],
	grouping_sets     => [ \&grouping_sets, 1 ],
	distinct          => [ \&distinct, 1 ],
	window            => [ \&window, 1 ],
	target_set        => [ \&target_set, 1 ],
	exists            => [ \&exists, 1 ],
	in                => [ \&in, 1 ],
	scalar            => [ \&scalar, 1 ],
	rescanned         => [ \&rescanned, 1 ],
	set_operation     => [ \&set_operation, 1 ],
	using             => [ \&using, 1 ],
	left_chain        => [ \&left_chain, 1 ],
	recursive         => [ \&recursive, 1 ],
	changing_cte      => [ \&changing_cte, 1 ],
	semi_join         => [ \&semi_join, 17 ],
	ordinality        => [ \&ordinality, 0 ],
	view              => [ \&view, 1, 'state' ],
	barrier           => [ \&view, 1, 'guarded' ],
	gated             => [ \&gated, 17 ],
	prepared_custom   => [ \&prepared, 1, 'force_custom_plan' ],
	prepared_generic  => [ \&prepared, 1, 'force_generic_plan' ],
	plpgsql_loop      => [ \&plpgsql_loop, 1 ],
	plpgsql_cursor    => [ \&plpgsql_cursor, 1 ],
	cursor            => [ \&cursor, 1 ],
	scroll_cursor     => [ \&scroll_cursor, 1 ],
	failing_cursor    => [ \&failing_cursor, 1 ],
	failing_limit     => [ \&failing_limit, 1 ],
	update            => [ \&update, 1 ],
	update_partitions => [ \&update_partitions, 1 ],
	delete            => [ \&delete_using, 1 ],
	insert            => [ \&insert, 1 ],
	merge             => [ \&merge, 1 ],
	for_update        => [ \&for_update, 1 ]);

sub new
{
	my ($class, %options) = @_;

	srand $options{seed};
	return bless { %options }, $class;
}

sub kinds
{
	my ($self) = @_;

	return grep { $_ ne 'over_foreign' || $self->{foreign} } sort keys %kinds;
}

# Whether queries of a kind are expected to be batched; undef when only PostgreSQL's later versions
# make what can be batched of them.
sub is_batched
{
	my ($self, $kind) = @_;
	my $from = $kinds{$kind}[1];

	return $from > $self->{version} ? undef : $from > 0;
}

sub query
{
	my ($self, $kind) = @_;
	my ($maker, undef, @arguments) = @{ $kinds{$kind} };
	my $query = $maker->(@arguments);

	$query = { statements => $query } unless ref $query;
	$query->{explain} //= $query->{statements};
	$query->{explain} = "EXPLAIN (VERBOSE, COSTS OFF) $query->{explain}";
	$query->{settings} //= join '', map { "SET LOCAL $_; " } grep { chance(0.1) } @settings, $parallel, $self->{version} >= 19 ? $eager : ();
	$query = { kind => $kind, ordered => 0, %$query };
	$query->{reference} = { %$query, statements => $_, explain => "EXPLAIN (VERBOSE, COSTS OFF) $_" } for grep { defined } $query->{reference};
	return $query;
}

sub pick   { return $_[ rand @_ ] }
sub chance { return rand() < $_[0] }

sub some
{
	my ($most, @from) = @_;
	my @some;

	push @some, splice @from, rand @from, 1 while @from && @some < $most;
	return @some;
}

# ---- scopes -------------------------------------------------------------------------------------

# The columns that all tables have, under this name.
sub scope
{
	my ($from, $name, %more) = @_;

	return {
		from  => $from,
		with  => '',
		id    => "$name.id",
		text  => [ "$name.client_id", "$name.kind" ],
		int   => [ "$name.id",        "$name.n" ],
		bool  => [],
		other => [],
		calls => 0,
		%more
	};
}

my %outer = (
	device    => sub { scope('device o', 'o') },
	wide      => sub { scope('wide o',   'o') },
	partitions => sub { scope('part o',  'o') },
	foreign    => sub { scope('filed o', 'o') },
	join       => sub { scope('(device o JOIN place p ON ' . pick('p.device_id = o.id', 'p.client_id = o.client_id AND p.id < 9') . ')',
			'o', text => [ 'o.client_id', 'p.client_id', 'p.name' ], int => [ 'o.id', 'o.n', 'p.id' ]) },
	left_join => sub { scope('(place p LEFT JOIN device o ON ' . pick('o.id = p.device_id', 'o.id = p.device_id AND o.n > 2') . ')',
			'o', text => [ 'o.client_id', 'p.client_id', 'p.name' ], int => [ 'o.id', 'o.n', 'p.id' ]) },
	subselect => sub { scope("(SELECT id + 0 AS id, coalesce(client_id, 'plug') AS client_id, kind, n FROM device WHERE n IS NOT NULL" . pick('', ' OFFSET 0') . ') o', 'o') },
	limit     => sub { scope('(SELECT * FROM device ORDER BY id' . pick('', ' DESC') . ' LIMIT ' . int(rand 8) . ') o', 'o') },
	aggregate => sub { scope('(SELECT min(id) AS id, client_id, max(kind) AS kind, count(*)::integer AS n FROM device GROUP BY client_id) o', 'o') },
	distinct  => sub { scope('(SELECT DISTINCT ON (client_id) * FROM device ORDER BY client_id, id) o', 'o') },
	cte       => sub { scope('o', 'o', with => 'WITH o AS ' . pick('', 'MATERIALIZED ', 'NOT MATERIALIZED ') . '(SELECT * FROM device WHERE id <> 2) ') },
	function  => sub { scope('ids(' . int(rand 13) . ') o', 'o') },
	unnest    => sub { scope(q{unnest(array['lamp', NULL, 'fan', 'lamp', 'nobody'], array['a', 'b'], array[1, 2, 3]) WITH ORDINALITY o(client_id, kind, n, id)}, 'o') },
	values    => sub { scope(q{(VALUES (1, 'lamp', 'a', 3), (2, NULL, 'b', 4), (3, 'nobody', NULL, 5), (4, 'plug', 'c', NULL)) o(id, client_id, kind, n)}, 'o') },
	union     => sub { scope('(SELECT * FROM device UNION ' . pick('', 'ALL ') . q{SELECT id + 100, client_id, name, device_id FROM place WHERE id < 6) o}, 'o') });

sub an_outer { return $outer{ $_[0] // pick(grep { $_ ne 'foreign' } sort keys %outer) }->() }

# ---- functions ----------------------------------------------------------------------------------

my %argument = (
	column   => sub { $_[0]{text}[0] },
	coalesce => sub { "coalesce($_[0]{text}[0], 'lamp')" },
	case     => sub { "CASE WHEN $_[0]{int}[1] > 2 THEN $_[0]{text}[0] END" },
	text     => sub { "lower(upper($_[0]{text}[0]))" },
	subplan  => sub { "(SELECT max(client_id) FROM place WHERE device_id = $_[0]{id})" },
	initplan => sub { "coalesce($_[0]{text}[0], (SELECT max(client_id) FROM place WHERE id < 3))" },
	constant => sub { q{'lamp'} },
	volatile => sub { "coalesce($_[0]{text}[0], CASE WHEN random() < 2 THEN 'plug' END)" });

# A call over a scope: get_connection ("get"), get_connection_result ("result"), about an ID that
# may be wrong, or list_subscriptions ("list").
sub call
{
	my ($scope, $function, $argument) = @_;
	my $named = ($argument // '') eq 'named';
	my $client = $argument{ $named || !defined $argument ? pick(qw(column column column coalesce case text)) : $argument }->($scope);

	return "iotdata.list_subscriptions($client)" if $function eq 'list' && !$named;
	return "iotdata.list_subscriptions(page_size => 1 + coalesce($scope->{int}[1], 0), client_id => $client)" if $function eq 'list';
	my $get = 'iotdata.get_connection';
	$get = "${get}_result" if $function eq 'result';
	$client = "CASE $scope->{int}[0] % 4 WHEN 1 THEN repeat('x', 200) ELSE $client END" if $function eq 'result' && ($argument // '') ne 'constant';
	return "$get(include_socket_information => $scope->{int}[1] > 2, client_id => $client)" if $named;
	return "$get($client)";
}

# What a function's row adds to a scope.
sub add_columns
{
	my ($scope, $name, $function) = @_;

	if ($function eq 'list')
	{
		push @{ $scope->{text} }, "$name.topic_filter";
		push @{ $scope->{int} },  "$name.qos";
	}
	elsif ($function eq 'result')
	{
		push @{ $scope->{bool} },  "($name.connection).connected", "$name.error_code IS NULL";
		push @{ $scope->{text} },  "$name.client_id", "($name.connection).client_id", "$name.error_code", "$name.error_message";
		push @{ $scope->{other} }, "($name.connection).keep_alive_duration", "($name.connection).source_ip";
	}
	else
	{
		push @{ $scope->{bool} },  "$name.connected", "$name.clean_session";
		push @{ $scope->{text} },  "$name.client_id", "$name.disconnect_reason";
		push @{ $scope->{other} }, "$name.keep_alive_duration", "$name.session_expiry", "$name.source_ip";
	}
	return;
}

# Joins a scope with a function. Options: join, function, argument.
sub join_function
{
	my ($scope, %options) = @_;
	my $name     = 'c' . ++$scope->{calls};
	my $function = $options{function} // pick(qw(get get list result));
	my $call     = call($scope, $function, $options{argument});
	my $join     = $options{join} // pick(qw(left left inner));
	my $before   = { %$scope, map { $_ => [ @{ $scope->{$_} } ] } qw(text int bool other) };

	add_columns($scope, $name, $function);
	# columns of both sides, and now and then of one only
	my $on = chance(0.6) ? 'true' : qual(chance(0.2) ? $before : $scope);
	$scope->{from} .= $join eq 'left' ? " LEFT JOIN LATERAL $call $name ON $on"
	  : $on eq 'true' && chance(0.3) ? " CROSS JOIN LATERAL $call $name"
	  : " JOIN LATERAL $call $name ON $on";
	return $scope;
}

# ---- expressions --------------------------------------------------------------------------------

sub any_of
{
	my ($scope, $type) = @_;
	my @all = @{ $scope->{$type} };

	# the last ones are those of functions
	return @all && chance(0.6) ? $all[-1 - rand(@all > 3 ? 3 : @all)] : pick(@all);
}

sub simple_qual
{
	my ($scope) = @_;
	my ($text, $int) = (any_of($scope, 'text'), any_of($scope, 'int'));
	my $bool = @{ $scope->{bool} } ? any_of($scope, 'bool') : "$int > 2";

	return pick(
		$bool, $bool, "NOT $bool", "$bool IS NOT TRUE", "$bool IS NULL", "$text IS NULL", "$text IS NOT NULL",
		"$text = 'lamp'", "$text IS DISTINCT FROM 'fan'", "$text LIKE '%a%'", "$text = $scope->{text}[0]", "$text <> any_value",
		"$int > 2", "$int % 2 = 0", "$int = $scope->{int}[0]", "$int IN (1, 3, 5)", "$int IS DISTINCT FROM $scope->{int}[1]",
		"CASE WHEN $bool THEN $int > 2 ELSE $text IS NULL END", "coalesce($bool, $int < 4)",
		"EXISTS (SELECT 1 FROM place q WHERE q.device_id = $int)", "$int < (SELECT max(device_id) FROM place)",
		"$text IN (SELECT client_id FROM place q WHERE q.id > $int)", "length($text) > $int", "($text, $int) IS NOT NULL") =~ s/any_value/$scope->{text}[-1]/r;
}

sub qual
{
	my ($scope) = @_;
	my $one = simple_qual($scope);

	return chance(0.2) ? "($one AND " . simple_qual($scope) . ')' : chance(0.2) ? "($one OR " . simple_qual($scope) . ')' : "($one)";
}

sub where { return chance(0.5) ? ' WHERE ' . qual($_[0]) : '' }

# Expressions to select, with the columns of functions among them most of the time.
sub columns
{
	my ($scope) = @_;
	my @all = map { @{ $scope->{$_} } } qw(bool text int other);
	my ($text, $int) = (any_of($scope, 'text'), any_of($scope, 'int'));
	my @made = ("coalesce($text, 'none')", "$int + 1", "$text || $int", "CASE WHEN $text IS NULL THEN $int END", "'constant'",
		"(SELECT name FROM place q WHERE q.id = $int)");

	return ($scope->{id}, some(2, reverse @all[ -4 .. -1 ]), some(2, @all), some(2, @made));
}

sub select_from
{
	my ($scope, @columns) = @_;

	@columns = columns($scope) unless @columns;
	return "$scope->{with}SELECT " . join(', ', @columns) . " FROM $scope->{from}" . where($scope);
}

# A scope whose columns are those of a sub-select, some of them made so that an outer join above
# cannot take the expression for NULL. Without id it is of no use to a join.
sub wrapped
{
	my ($scope, $name) = @_;
	my $text = any_of($scope, 'text');
	my $int  = any_of($scope, 'int');
	my $bool = @{ $scope->{bool} } ? any_of($scope, 'bool') : 'true';
	my $from = "(SELECT $scope->{id} AS id, coalesce($text, 'none') AS a, $text AS b, 'constant' AS c, coalesce($int, -1) AS d, "
	  . "coalesce($bool, false) AS e, $bool AS f, $scope->{text}[0] AS g FROM $scope->{from}" . where($scope) . ") $name";

	return {
		%$scope,
		from => $from,
		id   => "$name.id",
		text => [ "$name.g", map { "$name.$_" } qw(b a c) ],
		int  => [ "$name.id", "$name.d", "$name.d" ],
		bool => [ "$name.e", "$name.f" ],
		other => []
	};
}

sub table_scope { return pick(scope('device t', 't'), scope('part t', 't'), scope('(SELECT id, client_id, name AS kind, device_id AS n FROM place) t', 't')) }

# Two scopes joined; the second one must not refer to the first.
sub join_scopes
{
	my ($left, $join, $right) = @_;
	# a full join needs a clause that can be merged or hashed
	my $on = $join =~ /FULL/ ? '' : chance(0.3) ? ' AND ' . qual({ %$right, id => $left->{id} }) : '';

	return {
		from => "$left->{from} $join JOIN $right->{from} ON $left->{id} = $right->{id}$on",
		with => $left->{with} . $right->{with},
		id   => $join eq 'RIGHT' ? $right->{id} : $left->{id},
		calls => $left->{calls} + $right->{calls},
		map { $_ => [ @{ $left->{$_} }, @{ $right->{$_} } ] } qw(text int bool other)
	};
}

# A scope without a WITH clause, joined with a function.
sub joined
{
	my ($outer) = @_;

	return join_function(an_outer($outer // pick(qw(device device join left_join subselect values union partitions))));
}

# ---- kinds --------------------------------------------------------------------------------------

sub plain
{
	my (%options) = @_;

	return select_from(join_function(an_outer($options{outer}), %options));
}

# Nothing but the wrong argument decides whether there is an error: no plan can avoid the row.
sub wrong_argument
{
	my $wrong = pick(q{''}, q{repeat('x', 200)}, q{'a' || chr(0x10ffff)}, q{left('lamp', o.n - 3)});

	return pick(
		"SELECT o.id, c.connected FROM device o LEFT JOIN LATERAL iotdata.get_connection(CASE WHEN o.n = 3 THEN $wrong ELSE o.client_id END) c ON true",
		"SELECT o.id, c.qos FROM device o, LATERAL iotdata.list_subscriptions(o.client_id, o.n - 3) c",
		"SELECT o.id, c.qos FROM wide o LEFT JOIN LATERAL iotdata.list_subscriptions(CASE WHEN o.n = 3 THEN $wrong ELSE o.client_id END) c ON c.qos > 0",
		"SELECT o.id, 1 / (o.n - 3), c.connected FROM device o LEFT JOIN LATERAL iotdata.get_connection(o.client_id) c ON true",
		"SELECT o.id, c.connected FROM device o LEFT JOIN LATERAL iotdata.get_connection(o.client_id) c ON 1 / (o.n - 3) < 2",
		"SELECT o.id, c.connected FROM device o LEFT JOIN LATERAL iotdata.get_connection(o.client_id) c ON c.client_id::integer > 0");
}

sub several { return select_from(join_function(join_function(an_outer()))) }

sub dependent
{
	my $scope = join_function(an_outer(), function => 'get');

	unshift @{ $scope->{text} }, 'c1.client_id';
	return select_from(join_function($scope, function => pick(qw(list list get))));
}

sub lateral_subselect
{
	my $scope = an_outer();
	my $inner = { from => call($scope, 'get') . ' c', with => '', id => $scope->{id}, map { $_ => [ @{ $scope->{$_} } ] } qw(text int bool other) };

	add_columns($inner, 'c', 'get');
	my $wrapped = wrapped($inner, 's');
	my $join = pick('LEFT JOIN', 'JOIN') . " LATERAL $wrapped->{from} ON " . pick('true', 's.e', 's.id = ' . $scope->{id}, 's.d > 1');

	return select_from({
			%$scope,
			from => "$scope->{from} $join",
			map { $_ => [ @{ $scope->{$_} }, @{ $wrapped->{$_} } ] } qw(text int bool other)
		});
}

# Expressions that fail for some rows of the function, and a condition that keeps these rows away
# from them. Nothing but the condition decides whether there is an error. PostgreSQL's own nested
# loop does not always see to that: from 16 on it leaves a condition that mentions a row which an
# outer join may have made NULL to the join, and computes the expression in the scan, before it. So
# what is right is what a sub-select says that is not pulled up.
my @protected = (
	[ list => '100 / (c.qos - 1)',                     'c.qos <> 1' ],
	[ list => '100 / c.qos',                           'c.qos > 0' ],
	[ list => '100 / (c.qos - NUMBER % 2)',             'c.qos <> NUMBER % 2' ],
	[ list => 'NUMBER / (2 * c.qos - NUMBER % 2)',        '2 * c.qos IS DISTINCT FROM NUMBER % 2' ],
	[ list => q{length(c.topic_filter) / (c.qos - 1)}, 'c.qos = 0', 'c.qos < 1' ],
	[ list => 'c.topic_filter::integer',               'c.qos IS NULL', 'c.qos > 1', q{c.topic_filter ~ '^[0-9]+$'} ],
	[ get  => '10 / (c.keep_alive_duration = $$30 s$$)::integer', 'c.keep_alive_duration = $$30 s$$' ],
	[ get  => '10 / c.connected::integer',             'c.connected' ],
	[ get  => '10 / (NOT c.connected)::integer + NUMBER', 'NOT c.connected' ],
	[ get  => 'c.client_id::integer',                  'c.client_id IS NULL' ]);

# One of these as a scope's FROM item "y" with the column x, over a scope's row.
sub protected_subselect
{
	my ($scope) = @_;
	my ($function, $fails, @conditions) = @{ pick(@protected) };
	my $int = pick("$scope->{int}[1]", "$scope->{id}");
	my ($expression, $condition) = map { s/NUMBER/coalesce($int, 4)/gr } $fails, pick(@conditions);
	my $call = call($scope, $function);
	my $x = pick("coalesce($expression, 0)", "coalesce($expression, -1) + 1", "CASE WHEN c IS NULL THEN 7 ELSE $expression END");
	my $text = $function eq 'list' ? 'topic_filter' : 'client_id';
	my $select = "SELECT $x AS x, c.* FROM $call c WHERE $condition" . pick('', '', " AND c.$text IS NOT NULL", ' AND c IS DISTINCT FROM NULL') . 'FENCE';

	$select = "SELECT y.x FROM ($select) y" . pick('', ' WHERE y.x <> 9', ' WHERE y.x IS DISTINCT FROM 33');
	$select = "SELECT coalesce(y.x * 2, 0) AS x FROM ($select) y" if chance(0.3);
	return $select;
}

sub protected
{
	my $scope = an_outer();
	my $select = protected_subselect($scope);
	my $on = pick('true', 'true', 'y.x > 3', "y.x <> $scope->{int}[0]", 'y.x IS NULL');
	my $left = "$scope->{from} LEFT JOIN LATERAL ($select) y ON $on";
	my $sql = pick(
		"$scope->{with}SELECT $scope->{id}, y.x FROM $left" . pick('', ' WHERE y.x IS NULL OR y.x > 5', ' WHERE coalesce(y.x, 1) < 50'),
		"$scope->{with}SELECT t.id, q.* FROM place t LEFT JOIN (SELECT $scope->{id} AS id, coalesce(y.x, -5) AS e, y.x FROM $left) q ON q.id = t.id",
		"$scope->{with}SELECT t.id, q.* FROM place t LEFT JOIN (SELECT $scope->{id} AS id, y.x FROM $scope->{from} JOIN LATERAL ($select) y ON $on) q ON q.id = t.id",
		"$scope->{with}SELECT $scope->{id}, y.x, c.connected FROM $left LEFT JOIN LATERAL iotdata.get_connection(y.x::text) c ON true");

	return { statements => $sql =~ s/FENCE//gr, reference => $sql =~ s/FENCE/ OFFSET 0/gr };
}

sub placeholders
{
	my $scope = join_scopes(table_scope(), pick('LEFT', 'LEFT', 'RIGHT', 'INNER'), wrapped(joined(), 's'));

	return select_from(chance(0.3) ? join_function($scope) : $scope);
}

sub nested_placeholders
{
	my $inner  = wrapped(joined(), 's');
	my $middle = wrapped(join_scopes(scope('device t', 't'), 'LEFT', $inner), 'u');

	# a function over columns that outer joins below have made NULL
	$middle = wrapped(join_function($middle, argument => pick(qw(column coalesce case))), 'v') if chance(0.5);
	return select_from(join_scopes(scope('part w', 'w'), pick('LEFT', 'LEFT', 'FULL'), $middle));
}

sub full_join { return select_from(join_scopes(table_scope(), 'FULL', wrapped(joined(), 's'))) }

sub anti_join
{
	my $scope = an_outer(pick(qw(device wide left_join)));

	return pick(
		"SELECT $scope->{id}, c.client_id FROM $scope->{from} LEFT JOIN LATERAL iotdata.get_connection($scope->{text}[0]) c ON c.connected WHERE c.connected IS NULL",
		"SELECT $scope->{id} FROM $scope->{from} LEFT JOIN LATERAL iotdata.list_subscriptions($scope->{text}[0]) s ON s.qos = $scope->{int}[1] % 2 WHERE s.qos IS NULL",
		"SELECT $scope->{id} FROM $scope->{from} LEFT JOIN LATERAL iotdata.list_subscriptions($scope->{text}[0]) s ON s.qos > 0 AND $scope->{int}[1] > 2 WHERE s.qos IS NULL AND $scope->{int}[0] > 1");
}

# From 17 on PostgreSQL makes these a join.
sub semi_join
{
	my $scope = an_outer(pick(qw(device wide partitions)));
	my ($id, $client, $n) = ($scope->{id}, $scope->{text}[0], $scope->{int}[1]);

	return pick(
		"SELECT $id FROM $scope->{from} WHERE $client IN (SELECT c.client_id FROM iotdata.get_connection($client) c WHERE c.connected)",
		"SELECT $id, $n FROM $scope->{from} WHERE $n % 2 IN (SELECT s.qos FROM iotdata.list_subscriptions($client) s WHERE s.topic_filter <> 'all') AND $n > 0",
		"SELECT count(*) FROM $scope->{from} WHERE 1 = ANY (SELECT s.qos FROM iotdata.list_subscriptions($client) s)");
}

sub using
{
	my $join = pick('JOIN', 'LEFT JOIN');

	return pick(
		"SELECT client_id, id, c.connected FROM device d $join LATERAL iotdata.get_connection(d.client_id) c USING (client_id)",
		"SELECT client_id, id, connected FROM wide d NATURAL $join LATERAL iotdata.get_connection(d.client_id) c WHERE n > 2",
		"SELECT d.id, c.up, c.keep_alive_duration FROM device d $join LATERAL iotdata.get_connection(d.client_id) c(up) ON c.up");
}

# Outer joins that may be done in another order, because each needs a row of the one before.
sub left_chain
{
	my $call = pick('iotdata.get_connection(p.client_id)', 'iotdata.get_connection(coalesce(p.client_id, o.client_id))', 'iotdata.get_connection(o.client_id)');
	my $on = pick('c.client_id = p.client_id', 'c.client_id = p.client_id AND c.connected', 'c.client_id = o.client_id');
	my $scope = scope("device o LEFT JOIN place p ON p.device_id = o.id LEFT JOIN LATERAL $call c ON $on LEFT JOIN part q ON q."
		  . pick('client_id = c.client_id', 'client_id = p.client_id') . ' LEFT JOIN wide w ON w.id = ' . pick('q.id', 'p.id', 'o.n'), 'o');

	add_columns($scope, 'c', 'get');
	push @{ $scope->{text} }, 'p.name', 'q.kind';
	push @{ $scope->{int} },  'w.n';
	return select_from($scope);
}

sub recursive
{
	my $call = pick('LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true', 'JOIN LATERAL iotdata.get_connection(coalesce(d.client_id, r.state)) c ON c.connected OR r.id < 6');

	return 'WITH RECURSIVE r AS (SELECT 1 AS id, $$lamp$$ AS state UNION ALL SELECT d.id + ' . pick(1, 2) . ", coalesce(c.client_id, 'none') FROM r JOIN device d ON "
	  . pick('d.id = r.id', 'd.id BETWEEN r.id AND r.id + 1') . " $call WHERE r.id < 9) SELECT * FROM r";
}

sub changing_cte
{
	return pick(
		'WITH o AS (UPDATE device SET n = n + 1 WHERE id < 9 RETURNING *) SELECT o.id, o.n, c.connected FROM o LEFT JOIN LATERAL iotdata.get_connection(o.client_id) c ON o.n > 2',
		'WITH o AS (DELETE FROM device RETURNING *) SELECT c.client_id, count(*), sum(o.n) FROM o JOIN LATERAL iotdata.get_connection(o.client_id) c ON true GROUP BY 1',
		'WITH o AS (SELECT d.id, c.client_id FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true), u AS (UPDATE target t SET state = o.client_id FROM o WHERE o.id = t.id RETURNING t.*) SELECT * FROM u JOIN o USING (id)');
}

sub ordinality
{
	return pick(
		'SELECT o.id, s.* FROM device o LEFT JOIN LATERAL iotdata.list_subscriptions(o.client_id) WITH ORDINALITY s ON true',
		'SELECT o.id, s.qos, s.connected FROM device o LEFT JOIN LATERAL ROWS FROM (iotdata.list_subscriptions(o.client_id), iotdata.get_connection(o.client_id)) s ON true');
}

sub whole_row
{
	my $scope = an_outer(pick(qw(device left_join wide values)));
	my $join  = pick('LEFT JOIN', 'JOIN');
	my ($id, $client) = ($scope->{id}, $scope->{text}[0]);

	return pick(
		"SELECT $id, s, s::text, s IS NULL FROM $scope->{from} $join LATERAL iotdata.list_subscriptions($client) s ON true",
		"SELECT $id, to_jsonb(c) - 'observed_at', c IS NULL, c IS NOT NULL FROM $scope->{from} $join LATERAL iotdata.get_connection($client) c ON true",
		"SELECT count(c), count(*) FROM $scope->{from} $join LATERAL iotdata.get_connection($client) c ON c.connected",
		"SELECT $id, o, (c).connected, (c).client_id FROM $scope->{from} $join LATERAL iotdata.get_connection($client) c ON c IS NOT DISTINCT FROM c",
		"SELECT q.id, (q.w).qos, q.w FROM (SELECT $id AS id, s AS w FROM $scope->{from} $join LATERAL iotdata.list_subscriptions($client) s ON true OFFSET 0) q",
		"SELECT t.id, q.w, q.w IS NULL, q.k FROM place t LEFT JOIN (SELECT $id AS id, s AS w, coalesce(s.qos, 7) AS k FROM $scope->{from} $join LATERAL iotdata.list_subscriptions($client) s ON true) q ON q.id = t.id");
}

sub system_columns
{
	my $scope = joined(pick(qw(device wide partitions)));

	return select_from($scope, 'o.ctid', 'o.tableoid::regclass', columns($scope));
}

sub ordered
{
	my $scope   = join_function(an_outer());
	my @columns = columns($scope);

	return { statements => select_from($scope, @columns) . ' ORDER BY ' . join(', ', map { $_ . pick('', ' DESC', ' NULLS FIRST') } 1 .. @columns), ordered => 1 };
}

sub limited
{
	my $query = ordered();

	$query->{statements} .= pick('', ' OFFSET ' . int rand 4) . ' LIMIT ' . int rand 7;
	return $query;
}

sub aggregate
{
	my $scope = joined();

	return select_from($scope, 'count(*)', map { ("count($_)", "max($_)") } any_of($scope, 'text'), any_of($scope, 'int'));
}

sub grouped
{
	my $scope = joined();
	my ($text, $int) = (any_of($scope, 'text'), any_of($scope, 'int'));

	return select_from($scope, $text, 'count(*)', "sum($int)", "min($scope->{text}[0])") . " GROUP BY $text" . (chance(0.4) ? ' HAVING count(*) > 1' : '');
}

sub grouping_sets
{
	my $scope = joined();
	my ($text, $int) = (any_of($scope, 'text'), any_of($scope, 'int'));

	return select_from($scope, $text, $int, 'count(*)') . ' GROUP BY ' . pick("ROLLUP ($text, $int)", "CUBE ($text, $int)", "GROUPING SETS (($text), ($int), ())");
}

sub distinct
{
	my $scope = joined();

	return select_from($scope, 'DISTINCT ' . any_of($scope, 'text'), any_of($scope, 'int'));
}

sub window
{
	my $scope = joined();
	my ($text, $int) = (any_of($scope, 'text'), any_of($scope, 'int'));

	return select_from($scope, $scope->{id}, $text, "count(*) OVER (PARTITION BY $text)", "sum($int) OVER (PARTITION BY $text)", "rank() OVER (ORDER BY $text, $int)");
}

sub target_set
{
	my $scope = joined();

	return select_from($scope, $scope->{id}, any_of($scope, 'text'), 'generate_series(1, ' . any_of($scope, 'int') . ' % 3)');
}

# A sub-select that depends on the row of device x.
sub correlated
{
	my ($column) = @_;
	my $argument = pick('p.client_id', 'coalesce(p.client_id, x.client_id)', 'CASE WHEN x.n > 3 THEN p.client_id ELSE x.client_id END');
	my $join     = pick('LEFT JOIN', 'JOIN');

	return "SELECT $column FROM place p $join LATERAL iotdata.get_connection($argument) c ON "
	  . pick('true', 'c.connected', 'c.client_id = x.client_id', 'p.id > x.n') . ' WHERE p.device_id = x.id'
	  . pick('', ' AND c.connected', ' AND c.client_id IS DISTINCT FROM x.client_id', ' OR p.id = x.n');
}

sub exists { return 'SELECT x.id FROM device x WHERE ' . pick('', 'NOT ') . 'EXISTS (' . correlated('1') . ')' . pick('', ' OR x.n = 3') }

sub in
{
	return pick(
		'SELECT x.id FROM device x WHERE x.client_id ' . pick('', 'NOT ') . 'IN (' . correlated('p.client_id') . ')',
		'SELECT x.id FROM device x WHERE x.client_id ' . pick('', 'NOT ') . 'IN (SELECT c.client_id FROM place p, LATERAL iotdata.get_connection(p.client_id) c WHERE c.connected)',
		'SELECT x.id, x.client_id = ANY (' . correlated('c.client_id') . ') FROM device x');
}

sub scalar
{
	return 'SELECT x.id, (' . pick(correlated('count(*)'), correlated('max(p.id)'), correlated('p.id') . ' ORDER BY p.id LIMIT 1', 'SELECT array_agg(q ORDER BY q) FROM (' . correlated('c.client_id') . ') f(q)')
	  . ') FROM device x';
}

# Sub-selects that cannot be pulled up, on the inner side of a nested loop.
sub rescanned
{
	my $limit = pick('OFFSET 0', 'ORDER BY 1 LIMIT 2', 'ORDER BY 1 DESC OFFSET 1');
	my $batch = q{SET LOCAL iotdata.max_concurrency = } . pick(1, 2, 64) . '; ';
	my $sql   = 'SELECT x.id, s.* FROM device x ' . pick('LEFT JOIN', 'JOIN') . ' LATERAL (' . correlated(pick('p.id, c.connected', 'p.id, coalesce(c.client_id, x.kind)')) . " $limit) s ON true";

	return { statements => $batch . $sql, explain => $sql };
}

sub set_operation
{
	my ($a, $b) = map { my $scope = joined('device'); select_from($scope, $scope->{id}, any_of($scope, 'text')) } 1 .. 2;

	return "$a " . pick('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL') . " $b";
}

sub view
{
	my ($view) = @_;
	my $scope = scope("$view v", 'v');

	push @{ $scope->{bool} }, 'v.connected';
	push @{ $scope->{text} }, 'v.found';
	$scope = join_scopes(table_scope(), pick('LEFT', 'INNER'), $scope) if chance(0.4);
	return select_from($scope);
}

# Clauses that depend on no row of the query.
sub gated
{
	my $yes  = pick(q{current_setting('iotdata.region') = ''}, q{current_setting('iotdata.region') <> ''});
	my $join = pick('LEFT JOIN', 'JOIN');

	return pick(
		"SELECT o.id, c.connected FROM device o $join LATERAL iotdata.get_connection(o.client_id) c ON $yes",
		"SELECT o.id, c.connected FROM device o $join LATERAL iotdata.get_connection(o.client_id) c ON true WHERE $yes",
		"SELECT o.id, c.connected FROM device o $join LATERAL (SELECT * FROM iotdata.get_connection(o.client_id) WHERE $yes) c ON o.n > 1",
		"SELECT t.id, s.e, s.a FROM place t LEFT JOIN (SELECT o.id, coalesce(c.connected, false) AS e, 1 AS a FROM device o $join LATERAL iotdata.get_connection(o.client_id) c ON true WHERE $yes) s ON s.id = t.id");
}

my $number = 0;

sub prepared
{
	my ($mode) = @_;
	my $scope = scope('device o', 'o', text => [ 'coalesce(o.client_id, $1)', 'o.kind' ], int => [ 'o.id', 'o.n', '$2' ]);
	my $name = 'q' . ++$number;
	my $sql  = select_from(join_function($scope, function => pick(qw(get list)))) . pick('', ' LIMIT $2 * 100');

	$sql =~ s/ LIMIT/ ORDER BY 1 LIMIT/;
	$sql .= ' -- $1 $2';
	return {
		statements => "SET LOCAL plan_cache_mode = $mode; PREPARE $name(text, integer) AS $sql\n; EXECUTE $name('lamp', 3); EXECUTE $name(NULL, 5); EXECUTE $name('fan', 1)",
		explain    => "EXECUTE $name('lamp', 3)",
		before     => "SET LOCAL plan_cache_mode = $mode; PREPARE $name(text, integer) AS $sql\n; ",
	};
}

sub do_block
{
	my ($sql, $declare, $body) = @_;

	return "DO \$do\$ DECLARE r record; $declare BEGIN $body END \$do\$; SELECT string_agg(line, ' ' ORDER BY number) FROM said";
}

sub said { return 'CREATE TEMP TABLE said (number serial, line text) ON COMMIT DROP; ' }

sub plpgsql_loop
{
	my $sql  = ordered()->{statements};
	my $stop = pick('', ' EXIT WHEN i > 3;');

	return {
		statements => said() . do_block($sql, 'i integer := 0;', "FOR r IN $sql LOOP i := i + 1;$stop INSERT INTO said (line) VALUES (r::text); END LOOP;"),
		explain    => $sql,
		ordered    => 1
	};
}

sub plpgsql_cursor
{
	my $sql = ordered()->{statements};

	return {
		statements => said()
		  . do_block($sql, "c CURSOR FOR $sql;", 'OPEN c; FOR i IN 1 .. ' . int(rand 20) . ' LOOP FETCH c INTO r; EXIT WHEN NOT FOUND; INSERT INTO said (line) VALUES (r::text); END LOOP; CLOSE c;'),
		explain => $sql,
		ordered => 1
	};
}

sub cursor
{
	my $sql = ordered()->{statements};
	my @fetches = map { "FETCH $_ FROM c; " } some(4, 1, 2, 3, 5, 8, 'NEXT', 'FORWARD 2', 'ALL', 'RELATIVE 2');

	return { statements => "DECLARE c NO SCROLL CURSOR FOR $sql; " . join('', @fetches) . 'CLOSE c', explain => "DECLARE c NO SCROLL CURSOR FOR $sql", ordered => 1 };
}

sub scroll_cursor
{
	my $sql = ordered()->{statements};
	my @fetches = map { "FETCH $_ FROM c; " } some(6, 4, 7, 'BACKWARD 2', 'BACKWARD 3', 'FIRST', 'LAST', 'ABSOLUTE 3', 'PRIOR', 'RELATIVE -2', 'NEXT', 'BACKWARD ALL');

	return { statements => "DECLARE c SCROLL CURSOR FOR $sql; " . join('', @fetches) . 'CLOSE c', explain => "DECLARE c SCROLL CURSOR FOR $sql", ordered => 1 };
}

# A join over one table, so that its order is given, with an argument or a condition that fails for
# one row. A condition of an inner join would be checked in the scan of the table.
sub failing
{
	my $row   = 1 + int rand 12;
	my $wrong = pick("100 / ($row - o.id)", "(CASE o.id WHEN $row THEN 'x' ELSE '1' END)::integer", "length(o.client_id) / (o.id - $row)");
	my $fails = $wrong =~ /client_id/ ? "coalesce($wrong, 1)" : $wrong;
	my ($join, $client, $on) = @{ pick(
			[ pick('LEFT JOIN', 'JOIN'), "coalesce(o.client_id, 'lamp') || $wrong", 'true' ],
			[ pick('LEFT JOIN', 'JOIN'), "left('lamp', 4 + 0 * $wrong)", pick('true', 'c IS NOT NULL') ],
			[ 'LEFT JOIN', "CASE WHEN o.n > 2 THEN o.client_id WHEN $wrong > -200 THEN 'plug' END", 'true' ],
			[ pick('LEFT JOIN', 'JOIN'), "CASE o.id WHEN $row THEN repeat('x', 200) ELSE o.client_id END", 'true' ],
			[ 'LEFT JOIN', 'o.client_id', "$wrong > -200" ],
			[ 'LEFT JOIN', "coalesce(o.client_id, 'fan')", "o.n > 1 AND $fails IS NOT NULL" ],
			[ 'LEFT JOIN', "CASE o.id WHEN $row THEN repeat('x', 200) ELSE o.client_id END", "$fails > -200" ],
			[ 'LEFT JOIN', "(o.client_id || $wrong)::text", "$fails > -200 AND c IS NOT NULL" ]) };
	my ($call, $column) = @{ pick(
			[ "iotdata.get_connection($client)",     pick('c.connected', 'c.client_id') ],
			[ "iotdata.list_subscriptions($client)", 'c.qos' ]) };

	return "SELECT o.id, $column FROM device o $join LATERAL $call c ON $on";
}

sub failing_cursor
{
	my $sql = failing();
	my @fetches = map { "FETCH $_ FROM c; " } some(6, 1, 2, 3, 4, 5, 8, 'NEXT');

	return { statements => "DECLARE c NO SCROLL CURSOR FOR $sql; " . join('', @fetches) . 'CLOSE c', explain => "DECLARE c NO SCROLL CURSOR FOR $sql", ordered => 1, settings => '', partial => 1 };
}

sub failing_limit { return { statements => failing() . ' LIMIT ' . int rand 20, ordered => 1, settings => '' } }

# What a change leaves in a table, after it; more than one source row for one target is avoided.
sub changing
{
	my ($sql, $table) = @_;

	return { statements => "$sql; SELECT * FROM $table ORDER BY 1", explain => $sql };
}

sub source
{
	my $scope = joined('device');

	return "(SELECT $scope->{id} AS id, max(" . any_of($scope, 'text') . ') AS state, max(' . any_of($scope, 'int') . ") AS n FROM $scope->{from}" . where($scope) . " GROUP BY 1)";
}

sub update
{
	return changing('UPDATE target t SET state = s.state FROM ' . source() . ' s WHERE s.id = t.id', 'target') if chance(0.4);
	return changing(pick(
			'UPDATE target t SET state = c.client_id FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true WHERE d.id = t.id',
			'UPDATE target t SET n = d.n, state = coalesce(c.client_id, $$none$$) FROM device d JOIN LATERAL iotdata.get_connection(d.client_id) c ON c.connected WHERE d.id = t.id AND t.n > 2',
			'UPDATE target t SET state = (SELECT max(topic_filter) FROM device d, LATERAL iotdata.list_subscriptions(d.client_id) WHERE d.id = t.id)'), 'target');
}

sub update_partitions
{
	return changing(pick(
			'UPDATE part t SET kind = c.client_id FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true WHERE d.id = t.id',
			'DELETE FROM part t USING device d JOIN LATERAL iotdata.get_connection(d.client_id) c ON c.connected WHERE d.id = t.id'), 'part');
}

sub delete_using
{
	return changing(pick(
			'DELETE FROM target t USING ' . source() . ' s WHERE s.id = t.id',
			'DELETE FROM target t USING device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true WHERE d.id = t.id AND c.connected IS NOT TRUE',
			'DELETE FROM target t WHERE EXISTS (SELECT 1 FROM device d, LATERAL iotdata.list_subscriptions(d.client_id) WHERE d.id = t.id)'), 'target');
}

sub insert { return changing('INSERT INTO target SELECT id + 100, state, n FROM ' . source() . ' s', 'target') }

sub merge
{
	my $sql = 'MERGE INTO target t USING '
	  . pick(source(), '(SELECT d.id, c.client_id AS state, d.n FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true)')
	  . ' s ON s.id = t.id WHEN MATCHED AND s.state IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET state = s.state WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.state, s.n)';

	return changing($sql, 'target');
}

sub for_update
{
	my $scope = joined('device');

	return select_from($scope) . ' ' . pick('FOR UPDATE OF o', 'FOR SHARE OF o', 'FOR NO KEY UPDATE OF o');
}

1;
