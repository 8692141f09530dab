# Credentials that expire are renewed: before they do, when the service says that they have, and in the
# middle of a join; and not more often than that.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::CredentialServer;
use IotData::Node;
use IotData::Wait;
use Test::More;

my $server = IotData::CredentialServer->start;

sub container
{
	return (
		AWS_ACCESS_KEY_ID                  => undef,
		AWS_SECRET_ACCESS_KEY              => undef,
		AWS_CONTAINER_CREDENTIALS_FULL_URI => $server->url . "/container/$_[0]");
}
sub asked { return scalar grep { $_->{target} eq "/container/$_[0]" } $server->requests }

my $node    = IotData::Node->make('renewal', endpoint => $server->url, environment => { container('good') }, conf => "shared_preload_libraries = 'iotdata'\n");
my $session = $node->session;
my $who     = q{SELECT client_id FROM iotdata.get_connection('who')};

# ---- kept ---------------------------------------------------------------------------------------

my $key = $session->query($who);
gives($session, "SELECT count(DISTINCT c.client_id) FROM generate_series(1, 100) i, LATERAL iotdata.get_connection('a' || i) c", '1', 'all calls of a session use the same credentials');
is($session->query($who), $key, 'credentials are kept from one statement to the next');
is(asked('good'), 1, 'a session asks for its credentials once');
is(join(' ', map { $node->session->query($who) } 1 .. 20), join(' ', ($key) x 20), 'what one session has found, the others have from it');
is(asked('good'), 1, 'however many there are, they ask once');

# ---- what has expired ---------------------------------------------------------------------------

my $renewed = $session->query(q{SELECT client_id FROM iotdata.get_connection('once')});
isnt($renewed, $key, 'credentials of which the service says that they have expired are renewed, and the call made again');
is(asked('good'), 2, 'they are renewed once');
is($session->query($who), $renewed, 'the new ones are used from then on');
gives($node->session, q{SELECT message IS NULL FROM iotdata.send_direct_message('once', 't')}, 't', 'another session has the new ones, too');
is(asked('good'), 2, 'and has them from the first');

my $always = IotData::CredentialServer->start(expired => 1);
$node->restart_with({ container('good') });
$node->use_endpoint($always->url);
$session = $node->session;
fails_with($session, q{SELECT iotdata.get_connection('always')}, 'IO403', {}, 'when the new ones have expired, too, it is an error');
fails_with($session, q{SELECT iotdata.send_direct_message('always', 't')}, 'IO403', {}, 'so it is for a message');
is(scalar($always->requests('always')), 4, 'each call was made twice');
$node->use_endpoint($server->url);

$node->restart_with({});
$node->use_endpoint($always->url);
fails_with($node->session, q{SELECT iotdata.get_connection('environment')}, 'IO403', {}, 'that keys of the environment have expired is an error');
is(scalar($always->requests('environment')), 1, 'with those the call is made once');
$node->use_endpoint($server->url);

# ---- before they expire -------------------------------------------------------------------------

$node->restart_with({ container('brief') });
$session = $node->session;
my %keys;
ok(eventually(sub { $keys{ $session->query($who) } = 1; keys %keys >= 3 }), 'credentials that expire are renewed');
is(asked('brief'), scalar(keys %keys), 'and looked for only then');

$node->safe_psql('postgres', 'CREATE TABLE device AS SELECT i, format(\'device-%s\', i) AS client_id FROM generate_series(1, 140) i; ALTER SYSTEM SET iotdata.read_rate = 20; SELECT pg_reload_conf()');
my ($rows, $different) = split /\|/, $node->session->query('SELECT count(*), count(DISTINCT c.client_id) FROM device d, LATERAL iotdata.get_connection(d.client_id) c');
is($rows, 140, 'a join that takes longer than credentials last has all its rows');
cmp_ok($different, '>', 1, 'they are renewed in the middle of it');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET iotdata.read_rate; SELECT pg_reload_conf()');

# Many at once, of credentials that are renewed early: whoever is first does it for all.
$node->restart_with({ container('renewed') });
my @many = map { $node->session } 1 .. 8;
$_->query($who) for @many;
is(asked('renewed'), 1, 'sessions share credentials that are to be renewed soon');
%keys = ();
ok(eventually(sub { $keys{ $_->query($who) } = 1 for @many; keys %keys >= 3 }), 'they are renewed while eight sessions use them');
is(asked('renewed'), scalar(keys %keys), 'each time by one of them');

# ---- cached answers -----------------------------------------------------------------------------

$node->restart_with({ container('role') });
$session = $node->session;
my $cached = q{SELECT client_id FROM iotdata.get_connection('cached', max_age => '1 hour')};
$key = $session->query($cached);
my $other = $node->session;
$other->query(q{SET iotdata.ca_file = '/etc/ssl/certs/ca-certificates.crt'});
gives($other, $cached, $key, 'credentials of the same role share cached answers');
isnt($other->query($who), $key, 'though their keys are others, because something is set that they could depend on');

# ---- failures -----------------------------------------------------------------------------------

$node->restart_with({ container('error') });
$session = $node->session;
$session->query(<<'SQL');
DO $$
BEGIN
	FOR i IN 1 .. 200 LOOP
		BEGIN
			PERFORM iotdata.get_connection('a');
		EXCEPTION WHEN invalid_authorization_specification THEN
		END;
	END LOOP;
END $$;
SQL
cmp_ok(asked('error'), '<', 100, 'a place that fails is not asked for each call');
my $before = asked('error');
ok(eventually(sub { $session->try($who); asked('error') > $before }), 'and is asked again after a while');

no_crash($node);
done_testing();
