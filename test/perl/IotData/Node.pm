
# A PostgreSQL server with the extension in it: a PostgreSQL::Test::Cluster whose process has the
# AWS variables that the test gives it and no others.

package IotData::Node;

use strict;
use warnings FATAL => 'all';

use parent 'PostgreSQL::Test::Cluster';

use IotData::Session;
use IotData::Wait;
use List::Util qw(min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(slurp_file);

# What the local endpoint takes when it is told nothing else.
our $ACCESS_KEY = 'AKIDEXAMPLE';
our $SECRET     = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

# make(NAME, endpoint => URL, environment => {...}, conf => TEXT, init => {...}): a server that
# runs, with the extension in the database postgres. A variable that is undef in "environment" is
# not there. Nothing is tried again, no rate is kept and nothing times out, unless "conf" says so: most
# tests count what is sent, ask for one client many times a second, and run on busy machines.
sub make
{
	my ($class, $name, %options) = @_;
	my $self = $class->new($name);

	$self->{iotdata_environment} = $options{environment};
	$self->init(%{ $options{init} // {} });
	# %n: Unix time in milliseconds; %e: the SQLSTATE
	$self->append_conf('postgresql.conf', <<"CONF");
log_line_prefix = '%n [%p] %e '
log_error_verbosity = verbose
max_connections = 20
shared_buffers = 16MB
iotdata.connect_timeout = '@{[ min($DEADLINE, 600) ]}s'
iotdata.request_timeout = '${DEADLINE}s'
iotdata.max_attempts = 1
iotdata.read_rate = 0
CONF
	$self->append_conf('postgresql.conf', "iotdata.endpoint_url = '$options{endpoint}'\n") if defined $options{endpoint};
	$self->append_conf('postgresql.conf', $options{conf}) if defined $options{conf};
	$self->start;
	$self->safe_psql('postgres', 'CREATE EXTENSION iotdata');
	return $self;
}

sub server_environment
{
	my ($self) = @_;
	my %environment = map { $_ => $ENV{$_} } grep { !/^AWS_|_proxy\z/i } keys %ENV;
	my %wanted      = (
		AWS_ACCESS_KEY_ID     => $ACCESS_KEY,
		AWS_SECRET_ACCESS_KEY => $SECRET,
		AWS_REGION            => 'us-east-1',
		# nobody's own files
		AWS_CONFIG_FILE             => '/dev/null',
		AWS_SHARED_CREDENTIALS_FILE => '/dev/null',

		# no test asks what is outside of this machine
		AWS_EC2_METADATA_DISABLED => 'true',
		%{ $self->{iotdata_environment} // {} });

	for my $name (keys %wanted)
	{
		$environment{$name} = $wanted{$name} if defined $wanted{$name};
	}
	return %environment;
}

sub start
{
	my ($self, @arguments) = @_;

	local %ENV = $self->server_environment;
	return $self->SUPER::start(@arguments);
}

# Starts the server again, with other AWS variables when some are given.
sub restart_with
{
	my ($self, $environment) = @_;

	$self->{iotdata_environment} = $environment;
	$self->stop('fast');
	return $self->start;
}

# The end of a test whose server has crashed: there is nothing to stop, and no reason to bail out, which
# would end all the other tests.
sub teardown_node
{
	my ($self) = @_;

	return $self->stop('immediate', fail_ok => 1);
}

# Points the server to another endpoint; sessions that begin from now on use it.
sub use_endpoint
{
	my ($self, $url) = @_;

	return $self->set_for_all('iotdata.endpoint_url', $url);
}

# Sets a setting for every session that begins from now on.
sub set_for_all
{
	my ($self, $name, $value) = @_;

	$value =~ s/'/''/g;
	$self->safe_psql('postgres', "ALTER DATABASE postgres SET $name = '$value'");
	return;
}

sub session
{
	my ($self, %options) = @_;

	return IotData::Session->start($self, %options);
}

# Kills one of the server's processes, and waits until the server has begun anew: it still takes
# connections until it has noticed. With restart_after_crash.
sub crash
{
	my ($self, $pid) = @_;
	my $begun = () = $self->log_text =~ /ready to accept connections/g;

	kill('KILL', $pid) or return;
	return eventually(sub { my $now = () = $self->log_text =~ /ready to accept connections/g; $now > $begun });
}

sub log_text
{
	my ($self) = @_;

	return slurp_file($self->logfile);
}

1;
