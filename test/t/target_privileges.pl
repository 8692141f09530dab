# Targets keep roles apart. Each rule is tried by a role that would like to break it: to use what belongs
# to another role or to the database server, to read a secret, to send another's calls elsewhere.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use JSON::PP;
use Test::More;

sub key_of { return $_[0]{headers}{authorization} =~ m{Credential=([^/]+)/} ? $1 : undef }

my $secret = 'NotToBeSeen/wJalrXUtnFEMI';
my %answers = (
	good => json_answer({ connected => JSON::PP::true }),
	who  => sub { json_answer({ connected => JSON::PP::true, thingName => key_of($_[0]) }) },
	sent => json_answer({ message => 'OK', traceId => 't' }),
	no   => http_answer(403, '{"message":"no"}', 'x-amzn-ErrorType' => 'ForbiddenException'),
);
my $server = IotData::FaultyServer->start(answers => \%answers);
my $evil   = IotData::FaultyServer->start(answers => \%answers);
my $node   = IotData::Node->make('apart', endpoint => $server->url, conf => "shared_preload_libraries = 'iotdata'\nlog_statement = none\nlog_min_messages = debug2\nlog_min_error_statement = panic\n");
my $admin  = $node->session;

sub mapping { return "OPTIONS (access_key_id '$_[0]', secret_access_key '$secret')" }

$admin->query(<<"SQL");
CREATE ROLE mallory LOGIN; CREATE ROLE alice LOGIN;
GRANT USAGE ON SCHEMA iotdata TO mallory, alice;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA iotdata TO mallory, alice;
GRANT CREATE ON SCHEMA public TO mallory, alice;
CREATE SERVER factory FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '@{[ $server->url ]}');
CREATE USER MAPPING FOR alice SERVER factory @{[ mapping('AKIAALICE') ]};
GRANT USAGE ON FOREIGN SERVER factory TO alice;
SQL
my $mallory = $node->session(user => 'mallory');
my $alice   = $node->session(user => 'alice');

sub who { return "SELECT thing_name FROM iotdata.get_connection('who', server => '$_[0]')" }

sub denied
{
	my ($sql, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return fails_with($mallory, $sql, '42501', {}, $name);
}

# ---- another role's server and mapping ----------------------------------------------------------

denied('CREATE SERVER mine FOREIGN DATA WRAPPER iotdata_fdw', 'a role may not create servers by default');
denied(who('factory'), 'a role without USAGE may not use a server');
denied("SELECT * FROM iotdata.target_info('factory')", 'a role without USAGE may not see where a server leads');
denied(q{SET iotdata.server = 'factory'; SELECT iotdata.get_connection('who')}, 'the setting gives no role a server that it may not use');
$mallory->query('RESET iotdata.server');
denied(q{SELECT c.thing_name FROM (VALUES ('factory')) v(s), LATERAL iotdata.get_connection('who', server => v.s) c}, 'a join gives no role a server that it may not use');
denied(q{ALTER SERVER factory OPTIONS (SET endpoint_url 'http://127.0.0.1:1')}, "a role may not change another's server");
denied('ALTER USER MAPPING FOR alice SERVER factory OPTIONS (SET access_key_id \'A\')', "a role may not change another's user mapping");
denied(q{CREATE USER MAPPING FOR PUBLIC SERVER factory}, "a role may not give others a user mapping for another's server");
$admin->query('GRANT USAGE ON FOREIGN SERVER factory TO mallory');
fails_with($mallory, who('factory'), '28000', { message => qr/user mapping not found/, hint => qr/CREATE USER MAPPING/ }, "a role without a mapping of its own does not get another role's, nor the database server's");
$mallory->query('CREATE USER MAPPING FOR mallory SERVER factory');
fails_with($mallory, who('factory'), '28000', { message => qr/no AWS credentials/ }, "a mapping without credentials does not use the database server's");
$mallory->query(q{DROP USER MAPPING FOR mallory SERVER factory});
is(scalar($server->requests), 0, 'nothing is sent for a role that may not');

# ---- the database server's own credentials and files --------------------------------------------

$admin->query('GRANT USAGE ON FOREIGN DATA WRAPPER iotdata_fdw TO mallory');
denied(q{CREATE SERVER mine FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (ca_file '/etc/passwd')}, 'a role may not name a file that the database server reads');
$mallory->query("CREATE SERVER mine FOREIGN DATA WRAPPER iotdata_fdw OPTIONS (region 'eu-west-1', endpoint_url '" . $server->url . "')");
denied(q{ALTER SERVER mine OPTIONS (ADD ca_file '/etc/passwd')}, 'a role may not add such a file to a server of its own');
for my $option (q{use_default_credentials 'on'}, q{use_default_credentials '1'}, q{profile 'default'})
{
	denied("CREATE USER MAPPING FOR mallory SERVER mine OPTIONS ($option)", "a role may not give itself the database server's credentials: $option");
	denied("CREATE USER MAPPING FOR PUBLIC SERVER mine OPTIONS ($option)", "a role may not give everybody the database server's credentials: $option");
	$mallory->query('CREATE USER MAPPING FOR mallory SERVER mine');
	denied("ALTER USER MAPPING FOR mallory SERVER mine OPTIONS (ADD $option)", "a role may not add them to its own mapping: $option");
	$mallory->query('DROP USER MAPPING FOR mallory SERVER mine');
}
$mallory->query(q{CREATE USER MAPPING FOR mallory SERVER mine OPTIONS (use_default_credentials 'off')});
fails_with($mallory, who('mine'), '28000', {}, 'a role may say that it does not want them, which gives it none');
$mallory->query('DROP USER MAPPING FOR mallory SERVER mine');

# A superuser allows it, on a server that somebody else owns and can lead elsewhere.
$admin->query(q{CREATE USER MAPPING FOR mallory SERVER mine OPTIONS (use_default_credentials 'on')});
my $untrusted = { message => qr/server "mine" cannot use credentials of the database server/, detail => qr/not a superuser/ };
fails_with($mallory, who('mine'), '28000', $untrusted, 'a superuser\'s permission does not count on a server of a role that is none');
$mallory->query("ALTER SERVER mine OPTIONS (SET endpoint_url '" . $evil->url . "')");
fails_with($mallory, who('mine'), '28000', $untrusted, 'nor once the server leads elsewhere');
is(scalar($evil->requests), 0, "no request with the database server's credentials goes where a role leads it");
$admin->query("ALTER SERVER mine OWNER TO CURRENT_USER; ALTER SERVER mine OPTIONS (SET endpoint_url '" . $server->url . "'); GRANT USAGE ON FOREIGN SERVER mine TO mallory");
gives($mallory, who('mine'), 'AKIDEXAMPLE', 'it counts on a server of a superuser');
denied("ALTER SERVER mine OPTIONS (SET endpoint_url '" . $evil->url . "')", 'and its user may not lead it elsewhere');
denied(q{ALTER USER MAPPING FOR mallory SERVER mine OPTIONS (ADD role_arn 'arn:aws:iam::123456789012:role/other')}, 'nor take another role with them');
$admin->query('ALTER SERVER mine OWNER TO mallory');
fails_with($mallory, who('mine'), '28000', $untrusted, 'it ends at once when the server gets another owner');
$admin->query('CREATE ROLE root SUPERUSER; ALTER SERVER mine OWNER TO root; GRANT USAGE ON FOREIGN SERVER mine TO mallory');
gives($mallory, who('mine'), 'AKIDEXAMPLE', 'it counts for any superuser');
$admin->query('ALTER ROLE root NOSUPERUSER');
fails_with($mallory, who('mine'), '28000', $untrusted, 'it ends at once when the owner is a superuser no longer');
$admin->query('ALTER SERVER mine OWNER TO mallory; DROP USER MAPPING FOR mallory SERVER mine');
gives($mallory, "CREATE USER MAPPING FOR mallory SERVER mine @{[ mapping('AKIAMALLORY') ]}; ALTER SERVER mine OPTIONS (SET endpoint_url '" . $evil->url . "'); " . who('mine'), 'AKIAMALLORY', 'a role may use keys of its own on a server of its own');

# ---- where others' calls go ---------------------------------------------------------------------

$alice->query(q{CREATE FUNCTION tell() RETURNS text SECURITY DEFINER LANGUAGE sql AS $$SELECT message FROM iotdata.send_direct_message('sent', 'a', 'of alice'::text)$$});
$alice->query(q{CREATE FUNCTION tell_factory() RETURNS text SECURITY DEFINER LANGUAGE sql SET iotdata.server = 'factory' AS $$SELECT message FROM iotdata.send_direct_message('sent', 'a', 'of alice'::text)$$});
$mallory->query('GRANT USAGE ON FOREIGN SERVER mine TO PUBLIC; CREATE USER MAPPING FOR PUBLIC SERVER mine ' . mapping('AKIATRAP'));
my $caught = $evil->requests('sent');
denied(q{SET iotdata.server = 'mine'; SELECT tell()}, "a role may not choose where the calls of another's SECURITY DEFINER function go");
gives($mallory, 'SELECT tell_factory()', 'OK', 'a function may have a server of its own, whoever calls it');
is(key_of(($server->requests('sent'))[-1]), 'AKIAALICE', 'and then uses it with the credentials of its owner');
denied('SELECT tell()', 'what a function has set for itself is over when it has ended');
$mallory->query('RESET iotdata.server');
$admin->query(q{ALTER ROLE mallory SET iotdata.server = 'mine'});
my $again = $node->session(user => 'mallory');
fails_with($again, 'SELECT tell()', '42501', {}, 'nor may it by a setting of its role');
is(scalar($evil->requests('sent')), $caught, "nothing of another's goes where a role leads it");
$again->quit;
$admin->query('ALTER ROLE mallory RESET iotdata.server');
gives($mallory, 'SELECT tell()', 'OK', 'a SECURITY DEFINER function without a setting goes to the default target');
gives($admin, q{SET iotdata.server = 'factory'; SET ROLE alice; SELECT thing_name FROM iotdata.get_connection('who'); RESET ROLE; RESET iotdata.server}, 'AKIAALICE', 'a superuser decides for any role');

# ---- cached answers -----------------------------------------------------------------------------

$alice->query(q{SELECT iotdata.get_connection('good', max_age => '1 hour', server => 'factory')});
$mallory->query(q{ALTER USER MAPPING FOR mallory SERVER mine OPTIONS (SET access_key_id 'AKIAALICE', SET secret_access_key 'guessed')});
$mallory->query("ALTER SERVER mine OPTIONS (SET endpoint_url '" . $server->url . "')");
my $asked = $server->requests('good');
gives($mallory, q{SELECT connected FROM iotdata.get_connection('good', max_age => '1 hour', server => 'mine')}, 't', 'a role asks with an access key that is not its own');
is(scalar($server->requests('good')), $asked + 1, "another's access key without its secret is given no cached answer");

# ---- secrets ------------------------------------------------------------------------------------

gives($mallory, q{SELECT umoptions IS NULL FROM pg_user_mappings WHERE srvname = 'factory'}, 't', "pg_user_mappings hides another's options");
gives($mallory, q{SELECT count(*) FROM information_schema.user_mapping_options WHERE foreign_server_name = 'factory' AND option_value IS NOT NULL}, '0', 'and so does the information schema');
$admin->query('CREATE USER MAPPING FOR PUBLIC SERVER factory ' . mapping('AKIAPUBLIC'));
gives($mallory, who('factory'), 'AKIAPUBLIC', "a role uses PUBLIC's mapping of a server that it may use");
gives($mallory, q{SELECT count(*) FROM pg_user_mappings WHERE srvname = 'factory' AND umoptions IS NOT NULL}, '0', "and does not see PUBLIC's options");
gives($alice, q{SELECT umoptions[1] FROM pg_user_mappings WHERE srvname = 'factory' AND umoptions IS NOT NULL}, 'access_key_id=AKIAALICE', 'a role sees the options of its own mapping only');
denied('SELECT * FROM pg_user_mapping', 'no role reads the catalog of user mappings itself');
fails_with($alice, $_->[1], $_->[0], {}, "a call fails: $_->[1]") for [ IO403 => q{SELECT iotdata.get_connection('no', server => 'factory')} ], [ 22023 => q{SELECT iotdata.get_connection('', server => 'factory')} ];
my @shown;
for my $sql (
	q{SELECT iotdata.get_connection('no', server => 'factory')},
	q{EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM (VALUES ('good')) v(x), LATERAL iotdata.get_connection(v.x, server => 'factory') c},
	q{SELECT * FROM iotdata.target_info('factory')},
	q{SELECT * FROM iotdata.target_info('factory') i, pg_stat_activity})
{
	my $result = $alice->try($sql);

	push @shown, $result->{out}, $result->{stderr};
}
like("@shown", qr/server|factory/, 'EXPLAIN and target_info show the server');
unlike("@shown", qr/\Q$secret\E|AKIAALICE/, 'no error, no EXPLAIN and no target_info shows a secret, or a whole access key');
unlike($admin->query(q{SELECT string_agg(row_to_json(s)::text, '') FROM iotdata.stat_calls s}), qr/\Q$secret\E|AKIAALICE/, 'stat_calls shows no whole access key');
unlike($admin->query(q{SELECT string_agg(name || setting, '') FROM pg_settings}), qr/\Q$secret\E/, 'no setting shows a secret');

# only statements that have it are logged with it, and none is here
unlike($node->log_text, qr/\Q$secret\E/, 'the log shows no secret, not at debug2 either');

no_crash($node);
done_testing();
