
# One database session that stays open, by a psql that is fed statement by statement. What a
# failed statement reported comes back in its parts:
#
#   my $failed = $session->try("SELECT iotdata.get_connection('')");
#   $failed->{sqlstate}, {message}, {detail}, {hint}, {context}; {out} is what it printed
#
# A statement may also be started, and waited for later, so that something can happen to it.

package IotData::Session;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use IPC::Run ();
use IotData::Wait;
use Scalar::Util qw(weaken);

my @sessions;

# start(NODE, dbname => ..., user => ..., variables => {PGOPTIONS => ...})
sub start
{
	my ($class, $node, %options) = @_;
	my $self = bless { in => '', out => '', err => '', number => 0, ended => 0, owner => $$, busy => 0 }, $class;
	my $connection = $node->connstr($options{dbname} // 'postgres');

	$connection .= " user='$options{user}'" if defined $options{user};
	local %ENV = (%ENV, PGCLIENTENCODING => 'UTF8', %{ $options{variables} // {} });
	$self->{timer} = IPC::Run::timer($DEADLINE);
	$self->{run}   = IPC::Run::start(
		[
			$node->installed_command('psql'), '-X', '-A', '-t', '-q', '-v', 'VERBOSITY=verbose', '-v',
			'SHOW_CONTEXT=always', '-P', 'null=NULL', '-d', $connection
		],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err}, $self->{timer});
	$self->{pid} = $self->query('SELECT pg_backend_pid()');
	push @sessions, $self;
	weaken($sessions[-1]);
	return $self;
}

sub pid { return $_[0]{pid} }

# Runs a statement that must succeed, and returns what it printed. Notices are no failure.
sub query
{
	my ($self, $sql) = @_;
	my $result = $self->try($sql);

	croak "query failed: $sql\n$result->{stderr}" if defined $result->{sqlstate} || $result->{ended};
	return $result->{out};
}

sub try
{
	my ($self, $sql) = @_;

	$self->begin($sql);
	return $self->finish;
}

# Starts a statement.
sub begin
{
	my ($self, $sql) = @_;

	croak 'the session has ended' if $self->{ended};
	@$self{qw(out err)} = ('', '');
	$self->{number}++;
	$self->{busy} = 1;
	$self->{in} .= "$sql\n;\n\\echo done $self->{number}\n\\warn done $self->{number}\n";
	$self->{run}->pump_nb;
	return;
}

# Waits for the statement that was started, and takes apart what came of it.
sub finish
{
	my ($self) = @_;
	my $mark = qr/^done $self->{number}\n/m;

	$self->{timer}->start($DEADLINE);
	until ($self->{out} =~ $mark && $self->{err} =~ $mark)
	{
		if (!$self->{run}->pumpable)
		{
			$self->{ended} = 1;
			last;
		}
		eval { $self->{run}->pump; 1 } or $self->{ended} = 1;
		last if $self->{ended};
		croak "a statement took too long; so far: $self->{out}$self->{err}" if $self->{timer}->is_expired;
	}
	eval { $self->{run}->finish } if $self->{ended};
	$self->{busy} = 0;
	s/$mark// for @$self{qw(out err)};
	return result($self->{out}, $self->{err}, $self->{ended});
}

# What psql printed with VERBOSITY=verbose, in its parts.
sub result
{
	my ($out, $err, $ended) = @_;
	my %result = (out => $out =~ s/\n\z//r, stderr => $err, ended => $ended, notices => []);
	my ($into, $name);

	for my $line (split /\n/, $err)
	{
		if ($line =~ /^(?:psql:\S*?\s)?(ERROR|FATAL|PANIC|NOTICE|WARNING):  (\w{5}): (.*)/)
		{
			my $part = { sqlstate => $2, message => $3, severity => $1 };

			if ($1 eq 'NOTICE' || $1 eq 'WARNING')
			{
				push @{ $result{notices} }, $part;
				$into = $part;
			}
			else
			{
				@result{ keys %$part } = values %$part;
				$into = \%result;
			}
			$name = 'message';
		}
		elsif ($into && $line =~ /^(DETAIL|HINT|CONTEXT|QUERY|LOCATION|LINE \d+):  ?(.*)/)
		{
			$name = lc $1;
			$into->{$name} = $2;
		}
		elsif ($into)
		{
			$into->{$name} .= "\n$line";
		}
	}
	return \%result;
}

sub quit
{
	my ($self) = @_;

	return if $self->{ended}++;
	$self->{in} .= "\\q\n";
	eval { $self->{run}->finish };
	return;
}

# At the end of a test its server is stopped at once, and what its processes would still do as they
# exit is not done. With a sanitizer that is the search for leaks.
END
{
	local ($?, $!, $@);
	for my $session (grep { defined && $_->{owner} == $$ && !$_->{busy} && !$_->{ended} } @sessions)
	{
		$session->quit;
		eventually(sub { !kill 0, $session->{pid} }) if $ENV{IOTDATA_SANITIZED};
	}
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	$self->quit if $self->{run};
	return;
}

1;
