# A database's owner, who is no superuser, prepares the schema iotdata before a superuser installs or
# updates the extension there: with operators, functions, types, relations and casts that fit better
# than PostgreSQL's own, if the extension's scripts find them. None may run, and none may become a
# part of the extension.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Node;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $node   = IotData::Node->make('hostile_owner');
my $folder = $node->config_data('--sharedir') . '/extension';
my %script = map { m{([^/]*)\z} => slurp_file($_) } glob "$folder/iotdata--*.sql";

$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN');

# as_mallory(DATABASE, SQL): what must succeed
sub as_mallory
{
	my ($database, $sql) = @_;

	return $node->safe_psql($database, $sql, extra_params => [ '-U', 'mallory' ]);
}

# ---- the traps ----------------------------------------------------------------------------------

# What runs says so in the log, and makes the most of it.
my $traps = <<'SQL';
CREATE FUNCTION iotdata.sprung(what pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql AS $$
BEGIN
	RAISE LOG 'sprung: % as %', what, current_user;
	ALTER ROLE mallory SUPERUSER;
	RETURN true;
EXCEPTION WHEN insufficient_privilege THEN
	RETURN true;
END $$;

CREATE FUNCTION pg_temp.trap(name text, arguments text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE FUNCTION iotdata.%I(%s) RETURNS boolean LANGUAGE plpgsql AS %L', name, arguments,
		format('BEGIN RETURN iotdata.sprung(%L); END', name || '(' || arguments || ')'));
END $$;

DO $do$
DECLARE
	types constant text[] := '{oid,regclass,regproc,regprocedure,regtype,regrole,regnamespace,text,name,"\"char\"",boolean,integer,bigint,aclitem,aclitem[],oid[],regtype[],oidvector}';
	a text;
	b text;
	operator text;
	name text;
BEGIN
	FOREACH a IN ARRAY types LOOP
		FOREACH b IN ARRAY types LOOP
			PERFORM pg_temp.trap('operate', a || ', ' || b);
			FOREACH operator IN ARRAY '{=,<>,||,~,@>,->}'::text[] LOOP
				EXECUTE format('CREATE OPERATOR iotdata.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = iotdata.operate)', operator, a, b);
			END LOOP;
		END LOOP;
		FOREACH name IN ARRAY string_to_array(current_setting('trap.functions'), ' ') LOOP
			PERFORM pg_temp.trap(name, format(arguments, a)) FROM unnest('{%s,"text, %s, text","text, %s, text, text"}'::text[]) arguments;
			PERFORM pg_temp.trap(name, a || ', ' || other) FROM unnest(types) other;
		END LOOP;
	END LOOP;
	FOREACH name IN ARRAY '{bool,text,int2,int4,int8,inet,interval,timestamptz,bytea,json,jsonb,name,oid,regclass,regtype,regprocedure,aclitem,oidvector}'::text[] LOOP
		EXECUTE format('CREATE DOMAIN iotdata.%I AS pg_catalog.%1$I CHECK (iotdata.sprung(%1$L))', name);
	END LOOP;
	FOREACH name IN ARRAY '{pg_proc,pg_namespace,pg_authid,pg_init_privs}'::text[] LOOP
		EXECUTE format('CREATE VIEW iotdata.%I AS SELECT * FROM pg_catalog.%1$I WHERE iotdata.sprung(%1$L)', name);
	END LOOP;
END $do$;
SQL

# The functions of PostgreSQL's own that the scripts call.
my %called = map { $_ => 1 } map { /\b([a-z_0-9]+)\s*\(/g } values %script;
my $called = $node->safe_psql('postgres', 'SELECT string_agg(DISTINCT proname, $$ $$) FROM pg_proc WHERE pronamespace = $$pg_catalog$$::regnamespace AND proname IN (' . join(', ', map { "'$_'" } sort keys %called) . ')');
like($called, qr/\bformat\b/, 'the functions that the scripts call are known');

$node->safe_psql('postgres', 'CREATE DATABASE trapped OWNER mallory');
as_mallory('trapped', "SET trap.functions = '$called'; CREATE SCHEMA iotdata; $traps");

my $databases = 0;

# A new database with the traps in it.
sub trapped
{
	my $database = 'hostile_' . $databases++;

	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE trapped OWNER mallory");
	as_mallory($database, "ALTER DATABASE $database SET search_path = iotdata, pg_catalog");
	return $database;
}

my $log_read = 0;

# What ran as somebody else than mallory, since this was asked last.
sub sprung
{
	my $log  = slurp_file($node->logfile, $log_read);
	my %seen = map { $_ => 1 } grep { !/ as mallory\z/ } $log =~ /(sprung: .*)/g;

	$log_read += length $log;
	return join "\n", sort keys %seen;
}

sub is_superuser
{
	my $is = $node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'});

	$node->safe_psql('postgres', 'ALTER ROLE mallory NOSUPERUSER');
	return $is;
}

# runs_alone(DATABASE, SQL, NAME): the statement succeeds, and nothing of mallory's runs with it
sub runs_alone
{
	my ($database, $sql, $name) = @_;
	my $session = $node->session(dbname => $database);
	my $result  = $session->try($sql);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(!defined $result->{sqlstate}, "$name succeeds") or diag($result->{stderr});
	$session->quit;
	nothing_ran($name);
	return;
}

# is_refused(DATABASE, SQL, NAME): the statement fails, because the schema is not a superuser's
sub is_refused
{
	my ($database, $sql, $name) = @_;
	my $session = $node->session(dbname => $database);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	fails_with($session, $sql, '55000', { message => qr/schema "iotdata" belongs to "mallory"/, hint => qr/ALTER SCHEMA iotdata OWNER TO postgres/ }, "$name is refused in the schema of a role that is no superuser");
	$session->quit;
	nothing_ran("$name that is refused");
	return;
}

sub nothing_ran
{
	my ($during) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(sprung(),       '',  "nothing of the database's owner runs during $during");
	is(is_superuser(), 'f', "the database's owner gains nothing by $during");
	return;
}

$node->safe_psql(trapped(), q{SET search_path = iotdata, pg_temp; SELECT p.oid = 'pg_catalog.pg_class'::regclass FROM pg_catalog.pg_proc p LIMIT 1});
like(sprung(), qr/operate\(oid, regclass\) as postgres/, 'a trap runs for a superuser whose search_path is not fixed');
is(is_superuser(), 't', 'a trap that runs for a superuser makes its owner one');

# ---- scripts ------------------------------------------------------------------------------------

for my $name (sort keys %script)
{
	my $code = $script{$name} =~ s/^--.*\n|^\s*\n//gmr;

	like($code, qr/\A\\echo .* \\quit\nSET LOCAL search_path TO pg_catalog, pg_temp;\n/, "$name begins by fixing its search_path");
}

# ---- a schema of somebody else ------------------------------------------------------------------

my $taken    = 'ALTER SCHEMA iotdata OWNER TO postgres';
my $database = trapped();

is_refused($database, 'CREATE EXTENSION iotdata', 'an installation');
is($node->safe_psql($database, q{SET search_path = pg_catalog; SELECT count(*) FROM pg_extension WHERE extname = 'iotdata'}), 0, 'a refused installation leaves nothing');
$node->safe_psql($database, $taken);
runs_alone($database, 'CREATE EXTENSION iotdata', 'an installation among objects of others');

# Later, too, the schema is a superuser's.
my $mallory = $node->session(dbname => $database, user => 'mallory');
fails_with($mallory, $_, '42501', {}, "the database's owner may not: $_")
  for 'CREATE FUNCTION iotdata.get_connection(varchar) RETURNS boolean LANGUAGE sql RETURN true',
  'ALTER SCHEMA iotdata RENAME TO elsewhere',
  'ALTER SCHEMA iotdata OWNER TO mallory',
  'DROP SCHEMA iotdata CASCADE',
  'DROP EXTENSION iotdata CASCADE',
  'GRANT CREATE ON SCHEMA iotdata TO mallory',
  'SELECT iotdata.get_connection(NULL)';
$mallory->quit;

# an old installation in a schema of mallory's
$database = trapped();
runs_alone($database, q{CREATE EXTENSION iotdata VERSION '1.0'}, 'an installation of 1.0');
runs_alone($database, q{ALTER EXTENSION iotdata UPDATE TO '1.1'}, 'the update to 1.1');
is_refused($database, q{ALTER EXTENSION iotdata UPDATE TO '1.2'}, 'an update to 1.2');
$node->safe_psql($database, $taken);
runs_alone($database, q{ALTER EXTENSION iotdata UPDATE TO '1.2'}, 'the update to 1.2');

# ---- objects of somebody else -------------------------------------------------------------------

# Objects of the extension whose name and arguments another role could take first.
my $objects = <<'SQL';
WITH member AS (
	SELECT classid, objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.deptype = 'e' AND e.extname = 'iotdata'
)
SELECT 'FUNCTION ' || p.oid::regprocedure FROM member JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass
WHERE NOT EXISTS (SELECT FROM unnest(p.proargtypes) a JOIN pg_type t ON t.oid = a WHERE t.typnamespace = 'iotdata'::regnamespace OR t.typname = 'internal')
UNION ALL
SELECT 'TYPE ' || t.oid::regtype FROM member JOIN pg_type t ON t.oid = objid AND classid = 'pg_type'::regclass
WHERE t.typarray <> 0
ORDER BY 1
SQL

# taken_first(PREPARE, STATEMENT): what becomes of the statement when mallory already has one of the
# objects that it makes
sub taken_first
{
	my ($prepare, $statement) = @_;
	my ($name, $other) = map { "taken_$_" } $databases, $databases + 1;

	$databases += 2;
	$node->safe_psql('postgres', "CREATE DATABASE $_ OWNER mallory") for $name, $other;
	my $admin  = $node->session(dbname => $name);
	my %before = map { $_ => 1 } split /\n/, $admin->query("$prepare; GRANT CREATE, USAGE ON SCHEMA iotdata TO mallory; $objects");
	my @made   = grep { !$before{$_} } split /\n/, $node->safe_psql($other, "$prepare; $statement; $objects");

	ok(@made > 0, "$statement makes objects");
	for my $object (@made)
	{
		as_mallory($name, $object =~ /\AFUNCTION (.*)/ ? "CREATE FUNCTION $1 RETURNS text LANGUAGE sql RETURN 'mallory'" : "CREATE $object AS ENUM ('mallory')");
		fails_with($admin, $statement, '42723|42710|42P07|23505', {}, "$statement fails when somebody else has $object");
		as_mallory($name, "DROP $object");
	}
	ok(!defined $admin->try($statement)->{sqlstate}, "$statement succeeds when nothing is in its way");
	$admin->quit;
	return;
}
taken_first('CREATE SCHEMA iotdata', 'CREATE EXTENSION iotdata');
taken_first(q{CREATE EXTENSION iotdata VERSION '1.0'}, q{ALTER EXTENSION iotdata UPDATE TO '1.1'});
taken_first(q{CREATE EXTENSION iotdata VERSION '1.1'}, q{ALTER EXTENSION iotdata UPDATE TO '1.2'});

no_crash($node);
done_testing();
