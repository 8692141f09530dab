# However a version of the extension was reached, by CREATE EXTENSION or by upgrades from any version
# before, its objects are the same: definitions, privileges, comments, dependencies. And what was
# granted before an upgrade is granted after it.

use strict;
use warnings FATAL => 'all';

use IotData::Node;
use Test::More;

my $node = IotData::Node->make('upgrade');

# Everything about the members of an extension that a user could notice, a line for each thing.
my $catalog = <<'SQL';
CREATE FUNCTION pg_temp.acl(acl aclitem[]) RETURNS text LANGUAGE sql AS
	$$SELECT coalesce(string_agg(a::text, ',' ORDER BY a::text COLLATE "C"), 'default') FROM unnest(acl) a$$;

WITH member AS (
	SELECT d.classid, d.objid, i.type || ' ' || i.identity AS name
	FROM pg_extension e
	JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e',
	pg_identify_object(d.classid, d.objid, 0) i
	WHERE e.extname = :'name'
), relation AS (
	-- tables and the like, and what composite types consist of
	SELECT m.name, c.* FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
	UNION ALL
	SELECT m.name, c.* FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid JOIN pg_class c ON c.oid = t.typrelid
), line(name, what, value) AS (
	SELECT name, 'comment', coalesce(obj_description(objid, classid::regclass::name), 'none') FROM member
	UNION ALL
	SELECT name, 'initial privileges', pg_temp.acl(p.initprivs)
	FROM member m JOIN pg_init_privs p ON p.objoid = m.objid AND p.classoid = m.classid AND p.objsubid = 0
	UNION ALL
	SELECT m.name, 'depends on', i.type || ' ' || i.identity || ' ' || d.deptype::text
	FROM member m JOIN pg_depend d ON d.classid = m.classid AND d.objid = m.objid, pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) i
	UNION ALL
	SELECT name, 'definition', CASE WHEN p.prokind = 'a' THEN to_jsonb(a)::text ELSE pg_get_functiondef(p.oid) END
	FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
	UNION ALL
	SELECT name, 'privileges', pg_temp.acl(p.proacl) || ' owner ' || p.proowner::regrole
	FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
	UNION ALL
	SELECT name, 'type', concat_ws(' ', t.typtype, t.typcategory, t.typlen, t.typbyval, t.typalign, t.typstorage, t.typnotnull, t.typdefault,
		format_type(t.typbasetype, t.typtypmod), t.typinput, t.typoutput, t.typcollation::regcollation, pg_temp.acl(t.typacl), t.typowner::regrole)
	FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
	UNION ALL
	SELECT name, 'label ' || row_number() OVER (PARTITION BY e.enumtypid ORDER BY e.enumsortorder), e.enumlabel
	FROM member m JOIN pg_enum e ON m.classid = 'pg_type'::regclass AND e.enumtypid = m.objid
	UNION ALL
	SELECT name, 'relation', concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, relreplident, reloptions, pg_temp.acl(relacl),
		relowner::regrole, CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)
	FROM relation
	UNION ALL
	SELECT r.name, 'column ' || a.attnum, concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
		a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid), pg_temp.acl(a.attacl), 'comment', coalesce(col_description(r.oid, a.attnum), 'none'))
	FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
	UNION ALL
	SELECT r.name, 'constraint ' || c.conname, pg_get_constraintdef(c.oid) FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid
	UNION ALL
	SELECT r.name, 'index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid) FROM relation r JOIN pg_index i ON i.indrelid = r.oid
	UNION ALL
	SELECT r.name, 'trigger ' || t.tgname, pg_get_triggerdef(t.oid) FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
	UNION ALL
	SELECT r.name, 'policy ' || p.polname, concat_ws(' ', p.polcmd, p.polpermissive, p.polroles::regrole[], pg_get_expr(p.polqual, r.oid), pg_get_expr(p.polwithcheck, r.oid))
	FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
	UNION ALL
	SELECT r.name, 'sequence', concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
	FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
	UNION ALL
	SELECT m.name, 'schema', pg_temp.acl(n.nspacl) || ' owner ' || n.nspowner::regrole
	FROM member m JOIN pg_namespace n ON m.classid = 'pg_namespace'::regclass AND n.oid = m.objid
	UNION ALL
	SELECT m.name, 'wrapper', concat_ws(' ', w.fdwhandler::regproc, w.fdwvalidator::regproc, w.fdwoptions, pg_temp.acl(w.fdwacl))
	FROM member m JOIN pg_foreign_data_wrapper w ON m.classid = 'pg_foreign_data_wrapper'::regclass AND w.oid = m.objid
	UNION ALL
	SELECT 'extension', 'schema', concat_ws(' ', n.nspname, pg_temp.acl(n.nspacl), 'owner', n.nspowner::regrole, obj_description(n.oid, 'pg_namespace'))
	FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = :'name'
	UNION ALL
	SELECT 'extension', 'initial privileges of the schema', pg_temp.acl(p.initprivs)
	FROM pg_extension e JOIN pg_init_privs p ON p.objoid = e.extnamespace AND p.classoid = 'pg_namespace'::regclass WHERE e.extname = :'name'
	UNION ALL
	SELECT 'extension', 'version', extversion FROM pg_extension WHERE extname = :'name'
	UNION ALL
	SELECT 'extension', 'comment', obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = :'name'
	UNION ALL
	SELECT 'extension', 'dumped ' || c::regclass, w FROM pg_extension, unnest(extconfig, extcondition) AS u(c, w) WHERE extname = :'name'
)
SELECT concat_ws(' | ', name, what, value) FROM line ORDER BY name COLLATE "C", what COLLATE "C", value COLLATE "C";
SQL

my $databases = 0;

# catalog(EXTENSION, SQL...): what the extension is after these statements in a new database
sub catalog
{
	my ($extension, @statements) = @_;
	my $database = 'upgrade_' . $databases++;
	my $said;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, join ";\n", @statements);
	$node->psql($database, $catalog, stdout => \$said, on_error_die => 1, extra_params => [ '-v', "name=$extension" ]);
	$node->safe_psql('postgres', "DROP DATABASE $database");
	return $said;
}

# Every way to the default version: a version to create it in, and what it is updated to, one
# script at a time.
sub ways
{
	my ($extension) = @_;
	my $default = $node->safe_psql('postgres', "SELECT default_version FROM pg_available_extensions WHERE name = '$extension'");
	my @from    = split /\n/, $node->safe_psql('postgres', "SELECT version FROM pg_available_extension_versions WHERE name = '$extension' ORDER BY 1");
	my %next;

	# a path of one step is a script of its own
	for my $step (split /\n/, $node->safe_psql('postgres', "SELECT path FROM pg_extension_update_paths('$extension') WHERE path !~ '--.*--' ORDER BY 1"))
	{
		my ($source, $target) = split /--/, $step;
		push @{ $next{$source} }, $target;
	}
	my @ways = map { [$_] } @from;
	my @done;
	while (my $way = shift @ways)
	{
		push @done, $way if $way->[-1] eq $default;
		for my $target (@{ $next{ $way->[-1] } // [] })
		{
			push @ways, [ @$way, $target ] unless grep { $_ eq $target } @$way;
		}
	}
	return grep { @$_ > 1 } @done;
}

sub statements
{
	my ($extension, $first, @rest) = @_;

	return ("CREATE EXTENSION $extension VERSION '$first'", map { "ALTER EXTENSION $extension UPDATE TO '$_'" } @rest);
}

# ---- the extension ----------------------------------------------------------------------------

my $expected = catalog('iotdata', 'CREATE EXTENSION iotdata');
like($expected, qr/^function iotdata\.get_connection\(.*\| definition \| CREATE OR REPLACE FUNCTION/m, 'the catalog that is compared has functions');
like($expected, qr/^type iotdata\.connection \| column 1 \| connected boolean/m,                      'the catalog that is compared has the columns of types');
like($expected, qr/initial privileges of the schema \| .*pg_read_all_stats=U/,                        'the catalog that is compared has initial privileges');

my @ways = ways('iotdata');

for my $way (@ways)
{
	is(catalog('iotdata', statements('iotdata', @$way)), $expected, 'the catalog is the same by way of ' . join ' -> ', @$way);
}
my @scripts = split /\n/, $node->safe_psql('postgres', q{SELECT path FROM pg_extension_update_paths('iotdata') WHERE path !~ '--.*--'});
my %walked = map { my $way = $_; map { ("$way->[$_ - 1]--$way->[$_]" => 1) } 1 .. $#$way } @ways;
is_deeply([ grep { !$walked{$_} } @scripts ], [], 'every upgrade script was run');

# ---- grants -----------------------------------------------------------------------------------

# Who has what, but for the owner.
my $grants = <<'SQL';
SELECT o.name, coalesce(r.rolname, 'PUBLIC'), a.privilege_type, a.is_grantable, a.grantor::regrole
FROM (SELECT proname::text, proacl, proowner FROM pg_proc WHERE pronamespace = 'iotdata'::regnamespace
	UNION ALL SELECT nspname, nspacl, nspowner FROM pg_namespace WHERE nspname = 'iotdata') o(name, acl, owner)
CROSS JOIN aclexplode(o.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee <> o.owner AND a.grantee <> 'pg_read_all_stats'::regrole
ORDER BY 1, 2, 3
SQL

sub initial_privileges { return [ grep { /\| initial privileges/ } split /\n/, $_[0] ] }

my @grant = split /\n/, <<'SQL';
GRANT EXECUTE ON FUNCTION iotdata.get_connection TO plain;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO "Gran""tor" WITH GRANT OPTION;
GRANT USAGE ON SCHEMA iotdata TO "Gran""tor";
GRANT CREATE ON SCHEMA iotdata TO plain WITH GRANT OPTION;
SET ROLE "Gran""tor";
GRANT EXECUTE ON FUNCTION iotdata.get_connection TO second;
RESET ROLE;
GRANT EXECUTE ON FUNCTION iotdata.list_subscriptions TO PUBLIC;
SQL

$node->safe_psql('postgres', 'CREATE ROLE plain; CREATE ROLE "Gran""tor"; CREATE ROLE second; CREATE DATABASE granted');
$node->safe_psql('granted', join "\n", q{CREATE EXTENSION iotdata VERSION '1.1';}, @grant);
my $granted = $node->safe_psql('granted', $grants);
like($granted, qr/^get_connection\|second\|EXECUTE\|f\|"Gran""tor"$/m, 'a role has granted what it was granted');
$node->safe_psql('granted', q{ALTER EXTENSION iotdata UPDATE TO '1.2'});
is($node->safe_psql('granted', $grants), $granted, 'everybody has after the update what they had, of the same grantor');

$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'sh', '-c', 'pg_dump -d "$1" | psql -X -q -v ON_ERROR_STOP=1 -d "$2"', 'sh', map { $node->connstr($_) } qw(granted restored) ], 'the database can be dumped and restored');
is($node->safe_psql('restored', $grants), $granted, 'everybody has the same in the restored database');
$node->safe_psql('postgres', "DROP DATABASE $_") for qw(granted restored);

is_deeply(initial_privileges(catalog('iotdata', q{CREATE EXTENSION iotdata VERSION '1.1'}, @grant, 'ALTER EXTENSION iotdata UPDATE')),
	initial_privileges($expected), 'what was granted before the update does not become initial privileges');
is_deeply(initial_privileges(catalog('iotdata', 'CREATE SCHEMA iotdata', 'GRANT USAGE ON SCHEMA iotdata TO plain', 'CREATE EXTENSION iotdata')),
	initial_privileges($expected), 'what was granted before the installation does not become initial privileges');
$node->safe_psql('postgres', 'DROP ROLE plain; DROP ROLE "Gran""tor"; DROP ROLE second');

# ---- the comparison ---------------------------------------------------------------------------

# What an upgrade script could forget or do otherwise; the comparison must see each.
for my $other (
	'COMMENT ON FUNCTION iotdata.target_info IS NULL',
	'GRANT EXECUTE ON FUNCTION iotdata.target_info TO PUBLIC',
	'ALTER FUNCTION iotdata.get_connection COST 1',
	'ALTER FUNCTION iotdata.get_connection STRICT',
	'ALTER FUNCTION iotdata.list_subscriptions ROWS 1',
	'ALTER FUNCTION iotdata.target_info VOLATILE PARALLEL SAFE',
	'COMMENT ON TYPE iotdata.delivery IS NULL',
	q{COMMENT ON COLUMN iotdata.connection.connected IS 'other'},
	'ALTER TYPE iotdata.delivery ADD ATTRIBUTE more text',
	q{ALTER TYPE iotdata.payload_format_indicator ADD VALUE 'MORE'},
	'REVOKE USAGE ON TYPE iotdata.delivery FROM PUBLIC',
	'GRANT USAGE ON SCHEMA iotdata TO PUBLIC',
	'ALTER EXTENSION iotdata DROP FUNCTION iotdata.target_info')
{
	isnt(catalog('iotdata', 'CREATE EXTENSION iotdata', $other), $expected, "the comparison sees the difference that this makes: $other");
}

# An extension of the test's own, whose scripts lead to 2 in several ways, one of them wrong.
SKIP:
{
	my $folder = $node->config_data('--sharedir') . '/extension';
	skip "$folder is not the test's to write to", 3 unless -w $folder;

	my $function = 'CREATE FUNCTION probe_two() RETURNS integer LANGUAGE sql RETURN 2;';
	my $comment  = q{COMMENT ON FUNCTION probe_two() IS 'two';};
	my %script   = (
		'iotdata_probe.control'        => "default_version = '2'\n",
		'iotdata_probe--0.sql'         => 'CREATE FUNCTION probe_two() RETURNS integer LANGUAGE sql RETURN 0;',
		'iotdata_probe--0--1.sql'      => 'DROP FUNCTION probe_two();',
		'iotdata_probe--1--2.sql'      => "$function $comment",
		'iotdata_probe--0--2.sql'      => 'CREATE OR ' . ($function =~ s/CREATE/REPLACE/r),
		'iotdata_probe--2.sql'         => "$function $comment");
	for my $name (keys %script)
	{
		open my $out, '>', "$folder/$name" or die "cannot write $folder/$name: $!";
		print $out "$script{$name}\n";
		close $out;
	}
	my $right = catalog('iotdata_probe', 'CREATE EXTENSION iotdata_probe');
	my %same  = map { (join(' -> ', @$_) => catalog('iotdata_probe', statements('iotdata_probe', @$_)) eq $right ? 1 : 0) } ways('iotdata_probe');
	unlink map { "$folder/$_" } keys %script;

	is(scalar keys %same,    3, 'all ways to a version are found') or diag(join ', ', sort keys %same);
	is($same{'0 -> 1 -> 2'}, 1, 'an upgrade that leads to the same is seen as the same');
	is($same{'0 -> 2'},      0, 'an upgrade that forgets a comment is seen as another');
}

done_testing();
