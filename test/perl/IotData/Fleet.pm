
# Many MQTT clients of the local endpoint, with persistent sessions.
#
#   my $fleet = IotData::Fleet->make($emulator, count => 1000, prefix => 'device-', subscriptions => 3);
#
# Each of them (device-1 to device-1000) connects, subscribes to that many topic filters
# (device-1/topic-1, ...), and disconnects, so that the endpoint knows its session. When make returns
# the endpoint has seen all of that. Options: count, prefix ("device-"), subscriptions (0), first (1,
# the first one's number), version (5; 4), and
#
#   stay => 1    they stay connected, until $fleet->leave or the object's end; each takes a file
#                descriptor here and one of the endpoint's
#
#   $fleet->ids; $fleet->leave

package IotData::Fleet;

use strict;
use warnings FATAL => 'all';

use IotDataEmulatorClient;

# So many do each step together; fewer than the connections that a listening socket keeps waiting.
my $batch = 100;

# Seconds; an idle client that stays is not disconnected by a test's end.
my ($keep_alive, $session_expiry) = (1200, 3600);

sub make
{
	my ($class, $emulator, %options) = @_;
	my $first = $options{first} // 1;
	my @ids   = map { ($options{prefix} // 'device-') . $_ } $first .. $first + $options{count} - 1;
	my $self  = bless { emulator => $emulator, ids => \@ids, clients => [] }, $class;
	my @left  = @ids;

	while (my @some = splice @left, 0, $batch)
	{
		my @clients = $self->connect_some(\@some, %options);

		if   ($options{stay}) { push @{ $self->{clients} }, @clients }
		else                  { disconnect_some(@clients) }
	}
	return $self;
}

sub connect_some
{
	my ($self, $ids, %options) = @_;
	my $version    = $options{version} // 5;
	my @properties = $version == 5 ? (properties => pack('CN', 17, $session_expiry)) : ();
	my @topics     = map { "topic-$_" } 1 .. $options{subscriptions} // 0;
	my @clients;

	for my $id (@$ids)
	{
		my $client = IotDataEmulatorClient->open_socket($self->{emulator});

		$client->send_connect($id, version => $version, clean => 0, keep_alive => $keep_alive, @properties);
		$client->send_subscribe(1, map { "$id/$_" } @topics) if @topics;
		push @clients, $client;
	}
	for my $client (@clients)
	{
		$client->await_connack;
		$client->await_suback if @topics;
	}
	return @clients;
}

# The endpoint closes a connection when it has read the goodbye.
sub disconnect_some
{
	my @clients = @_;

	$_->send_packet(0xe0, '') for @clients;
	$_->is_closed for @clients;
	$_->vanish for @clients;
	return;
}

sub ids { return @{ $_[0]{ids} } }

# Those that stayed disconnect.
sub leave
{
	my ($self) = @_;

	while (my @some = splice @{ $self->{clients} }, 0, $batch)
	{
		disconnect_some(@some);
	}
	return;
}

1;
