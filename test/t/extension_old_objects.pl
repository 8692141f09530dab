# SQL objects of every older version, with the library of today: that is what an installation is
# between the package's update and ALTER EXTENSION UPDATE, and what pg_upgrade leaves. Every function
# does what it did.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::Client;
use IotData::Emulator;
use IotData::Node;
use IotData::OldVersions qw(why_no_old_versions);
use Test::More;

my $emulator = IotData::Emulator->start;
my $node     = IotData::Node->make('old_objects', endpoint => $emulator->url);
my $no_old   = why_no_old_versions($node);
plan skip_all => $no_old if defined $no_old;

my $lamp = IotData::Client->start($emulator, 'lamp', topics => { 'lamp/a' => 1, 'lamp/b' => 1 });

# a row of iotdata.connection as text: columns that are empty, and those that are not
my $lamp_row = qr/\A\(t,,t,,,,,00:01:00,"[^",]+",,,[^,]*,lamp,\)\z/;
my $lamp_with_sockets = qr/\A\(t,,t,127\.0\.0\.1,\d+,127\.0\.0\.1,\d+,00:01:00,"[^",]+",,,[^,]*,lamp,\)\z/;

# What each function gives, by its name and arguments: statements, and what they print.
my %calls = (
	'get_connection(text,boolean)' => [
		[ q{SELECT iotdata.get_connection('lamp')},                            $lamp_row ],
		[ q{SELECT iotdata.get_connection('lamp', true)},                      $lamp_with_sockets ],
		[ q{SELECT iotdata.get_connection('lamp', NULL)},                      $lamp_row ],
		[ q{SELECT iotdata.get_connection(client_id => 'lamp', include_socket_information => true)}, $lamp_with_sockets ],
		[ q{SELECT (iotdata.get_connection('lamp')).client_id},                'lamp' ],
		[ q{SELECT iotdata.get_connection('nobody') IS NULL},                  't' ],
		[ q{SELECT iotdata.get_connection(NULL) IS NULL},                      't' ],
		[ q{SELECT * FROM iotdata.get_connection('lamp')},                     qr/\At\|NULL\|t(?:\|NULL){4}\|00:01:00\|[^|]+\|NULL\|NULL\|[^|]*\|lamp\|NULL\z/ ],
		[ q{SELECT c FROM iotdata.get_connection('lamp') c},                   $lamp_row ],
		[ q{SELECT c.connected, o FROM iotdata.get_connection('lamp') WITH ORDINALITY c(connected, b, c, d, e, f, g, h, i, j, k, l, m, n, o)}, 't|1' ],
		[ q{SELECT d.client_id, c.connected FROM device d LEFT JOIN LATERAL iotdata.get_connection(d.client_id) c ON true ORDER BY 1}, "gone|NULL\nlamp|t\nNULL|NULL" ],
		[ q{SELECT d.client_id, c.connected FROM device d JOIN LATERAL iotdata.get_connection(d.client_id, true) c ON c.connected}, 'lamp|t' ],
		[ q{SELECT c FROM device d, LATERAL iotdata.get_connection(d.client_id) c WHERE d.client_id = 'lamp'}, $lamp_row ],
		[ q{INSERT INTO typed SELECT * FROM iotdata.get_connection('lamp') RETURNING client_id}, 'lamp' ],
		[ q{INSERT INTO stored SELECT c FROM iotdata.get_connection('lamp') c RETURNING (c).client_id}, 'lamp' ],
		[ q{SELECT (row).client_id FROM in_plpgsql('lamp') row},               'lamp' ],
	],
	'list_subscriptions(text,integer)' => [
		[ q{SELECT * FROM iotdata.list_subscriptions('lamp') ORDER BY 1},      "lamp/a|1\nlamp/b|1" ],
		[ q{SELECT * FROM iotdata.list_subscriptions('lamp', 1) ORDER BY 1},   "lamp/a|1\nlamp/b|1" ],
		[ q{SELECT iotdata.list_subscriptions('lamp', page_size => NULL) ORDER BY 1}, "(lamp/a,1)\n(lamp/b,1)" ],
		[ q{SELECT count(*) FROM iotdata.list_subscriptions('nobody')},        '0' ],
		[ q{SELECT count(*) FROM iotdata.list_subscriptions(NULL)},            '0' ],
		[ q{SELECT d.client_id, s.topic_filter FROM device d LEFT JOIN LATERAL iotdata.list_subscriptions(d.client_id) s ON true ORDER BY 1, 2}, "gone|NULL\nlamp|lamp/a\nlamp|lamp/b\nNULL|NULL" ],
	],
	'send_direct_message(text,text,bytea,text,text,boolean,interval,jsonb,iotdata.payload_format_indicator,bytea)' => [
		[ q{SELECT message IS NOT NULL FROM iotdata.send_direct_message('lamp', 't', '\x00ff'::bytea)}, 't', '00ff' ],
		[ q{SELECT message IS NOT NULL FROM iotdata.send_direct_message('lamp', 't')},               't', '' ],
		[ q{SELECT message IS NOT NULL FROM iotdata.send_direct_message('lamp', 't', NULL::bytea)},  't', '' ],
		[ q{SELECT message IS NOT NULL FROM iotdata.send_direct_message('lamp', 't', confirmation => true, timeout => '5 s', content_type => 'a', response_topic => 'r', user_properties => '{"a": "b"}', payload_format_indicator => 'UTF8_DATA', correlation_data => 'c')}, 't', '' ],
	],
	'send_direct_message(text,text,text,text,text,boolean,interval,jsonb,iotdata.payload_format_indicator,bytea)' => [
		[ q{SELECT message IS NOT NULL FROM iotdata.send_direct_message('lamp', 't', 'text')},       't', unpack 'H*', 'text' ],
		[ q{SELECT message IS NOT NULL FROM iotdata.send_direct_message('lamp', 't', NULL::text)},   't', '' ],
	],
	'send_direct_message(text,text,jsonb,text,text,boolean,interval,jsonb,iotdata.payload_format_indicator,bytea)' => [
		[ q{SELECT message IS NOT NULL FROM iotdata.send_direct_message('lamp', 't', '{"a":1}'::jsonb)}, 't', unpack 'H*', '{"a": 1}' ],
		[ q{SELECT message IS NOT NULL FROM iotdata.send_direct_message('lamp', 't', NULL::jsonb)},  't', '' ],
	],
	'target_info()' => [
		[ q{SELECT endpoint, region, credentials_source FROM iotdata.target_info()}, qr{\A\Q@{[ $emulator->url ]}\E/?\|us-east-1\|environment\z} ],
	],
	'delete_connection(text,boolean,boolean)' => [
		[ q{SELECT iotdata.delete_connection('guest')}, '' ],
	]);

# calls(SESSION, WHAT): every function that the database has; WHAT is its version
sub calls
{
	my ($session, $what) = @_;
	my @functions = split /\n/, $session->query(<<'SQL');
SET search_path = pg_catalog;
SELECT replace(p.oid::regprocedure::text, 'iotdata.' || proname, proname)
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.deptype = 'e' AND e.extname = 'iotdata' JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass
ORDER BY 1;
RESET search_path
SQL
	is_deeply([ grep { !$calls{$_} } @functions ], [], "every function of $what is called here");
	for my $function (@functions)
	{
		my $guest = $function =~ /^delete_connection/ ? IotData::Client->start($emulator, 'guest') : undef;

		for my $call (@{ $calls{$function} })
		{
			my ($sql, $expected, $payload) = @$call;

			gives($session, $sql, $expected, "$what does what it did: $sql");
			is($lamp->next_message->{payload}, $payload, "$what sends what it sent: $sql") if defined $payload;
		}
		fails_with($session, q{SELECT iotdata.get_connection('')}, '22023', { message => qr/client_id/ }, "$what refuses a bad argument") if $function =~ /^get_connection/;
		fails_with($session, q{SELECT iotdata.send_direct_message('nobody', 't', 'x')}, 'IO404', {}, "$what reports an error of the service") if $function =~ /^send_direct_message.*jsonb,t/;
	}
	return;
}

my $databases = 0;

# old_database(VERSION): with these SQL objects
sub old_database
{
	my ($version) = @_;
	my $name = 'old_' . $databases++;

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, <<"SQL");
CREATE EXTENSION iotdata VERSION '$version';
CREATE TABLE device AS SELECT unnest('{lamp,gone,NULL}'::text[]) AS client_id;
CREATE TABLE typed OF iotdata.connection;
CREATE TABLE stored (c iotdata.connection);
CREATE FUNCTION in_plpgsql(text) RETURNS iotdata.connection LANGUAGE plpgsql AS 'DECLARE c iotdata.connection; BEGIN SELECT * INTO c FROM iotdata.get_connection(\$1); RETURN c; END';
SQL
	return $name;
}

for my $preloaded (0, 1)
{
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'iotdata'\n") if $preloaded;
	$node->restart_with({}) if $preloaded;
	for my $version (qw(1.0 1.1))
	{
		my $name    = old_database($version);
		my $session = $node->session(dbname => $name);
		my $what    = $version . ($preloaded ? ', preloaded' : '');

		calls($session, $what);
		$session->query('SET iotdata.batch_joins = off');
		gives($session, @{ $calls{'get_connection(text,boolean)'}[10] }, "$what gives the same in a join that is not batched");
		$session->quit;
	}
}

no_crash($node);
done_testing();
