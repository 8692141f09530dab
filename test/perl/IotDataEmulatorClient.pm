
# What the tests of the local endpoint talk to it with: its HTTP API, signed here, and MQTT byte by
# byte, for what no real client would do.
#
#   my $answer = call($emulator, GET => '/connections/lamp', query => { maxResults => 5 });
#   $answer->{status}, {error}, {json}, {headers}{...}
#
# Options of call: query (pairs, encoded here), body, headers (signed too), and to do it wrong:
# secret, key_id, time (Unix), token, unsigned (headers that are not signed), sign_path, sign_body,
# no_authorization.
#
#   my $client = IotDataEmulatorClient->connect($emulator, 'lamp', version => 5, ...);
#   $client->send_packet(0xc0, ''); my ($header, $body) = $client->read_packet;

package IotDataEmulatorClient;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use Digest::SHA qw(sha256_hex hmac_sha256 hmac_sha256_hex);
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use IotData::Wait;
use JSON::PP qw(decode_json);
use POSIX qw(strftime);

our @EXPORT = qw(call begin_call finish_call encode field connection_of);

sub encode
{
	my ($text) = @_;

	utf8::encode($text) if utf8::is_utf8($text);
	return $text =~ s/([^A-Za-z0-9\-._~])/sprintf '%%%02X', ord $1/ger;
}

sub signature_headers
{
	my ($method, $host, $path, $query, $body, %options) = @_;
	my $stamp   = strftime('%Y%m%dT%H%M%SZ', gmtime($options{time} // time));
	my $scope   = substr($stamp, 0, 8) . '/eu-west-1/iotdata/aws4_request';
	my %headers = (%{ $options{headers} // {} }, host => $host, 'x-amz-date' => $stamp);

	$headers{'x-amz-security-token'} = $options{token} if defined $options{token};
	my @names     = sort keys %headers;
	my $list      = join ';', @names;
	my $canonical = join "\n", $method,
	  ($options{sign_path} // $path) =~ s/([^A-Za-z0-9\-._~\/])/sprintf '%%%02X', ord $1/ger,
	  join('&', sort @$query), (map { "$_:$headers{$_}" } @names), '', $list,
	  sha256_hex($options{sign_body} // $body);
	my $key = 'AWS4' . ($options{secret} // 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');

	$key = hmac_sha256($_, $key) for split m{/}, $scope;
	my $signature = hmac_sha256_hex(join("\n", 'AWS4-HMAC-SHA256', $stamp, $scope, sha256_hex($canonical)), $key);
	$headers{authorization} = sprintf 'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s',
	  $options{key_id} // 'AKIDEXAMPLE', $scope, $list, $signature
	  unless $options{no_authorization};
	return %headers, %{ $options{unsigned} // {} };
}

# Sends a request and returns its socket.
sub begin_call
{
	my ($emulator, $method, $path, %options) = @_;
	my $body    = $options{body} // '';
	my $port    = $emulator->port;
	my @query   = map { encode($_) . '=' . encode($options{query}{$_}) } keys %{ $options{query} // {} };
	my %headers = signature_headers($method, "127.0.0.1:$port", $path, \@query, $body, %options);
	my $target  = @query ? "$path?" . join('&', @query) : $path;
	my $socket  = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or croak "cannot connect: $!";

	print $socket "$method $target HTTP/1.1\r\n", (map { "$_: $headers{$_}\r\n" } sort keys %headers),
	  'content-length: ', length $body, "\r\nconnection: close\r\n\r\n", $body;
	$socket->flush;
	return $socket;
}

# Waits for its answer.
sub finish_call
{
	my ($socket) = @_;
	my $select   = IO::Select->new($socket);
	my $text     = '';

	while ($select->can_read($DEADLINE))
	{
		sysread($socket, $text, 65536, length $text) or last;
	}
	my ($head, $content) = split /\r\n\r\n/, $text, 2;
	my ($status) = ($head // '') =~ m{^HTTP/1.1 (\d+)} or croak "no answer: $text";
	my %headers = map { /^([^:]+): (.*)$/ ? (lc $1 => $2) : () } split /\r\n/, $head;
	my $json = eval { decode_json($content) };
	return { status => $status, headers => \%headers, error => $headers{'x-amzn-errortype'} // '', body => $content, json => $json };
}

sub call { return finish_call(begin_call(@_)) }

sub connection_of
{
	my ($emulator, $id, %query) = @_;

	return call($emulator, GET => '/connections/' . encode($id), query => \%query)->{json};
}

# ------ MQTT ------

# A string with its length before it.
sub field { return pack('n/a*', $_[0]) }

sub length_of
{
	my ($length) = @_;
	my $bytes = '';

	do
	{
		my $byte = $length % 128;
		$length = int($length / 128);
		$bytes .= chr($length ? $byte | 128 : $byte);
	} while ($length);
	return $bytes;
}

sub open_socket
{
	my ($class, $emulator) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $emulator->mqtt_port)
	  or croak "cannot connect: $!";

	binmode $socket;
	return bless { socket => $socket, in => '' }, $class;
}

# Options: version (4 or 5), clean (1), keep_alive (60), properties (bytes), will (topic, payload),
# will_properties. Croaks unless accepted; {connack} is the packet's body.
sub connect
{
	my ($class, $emulator, $id, %options) = @_;
	my $self = $class->open_socket($emulator);

	$self->send_connect($id, %options);
	return $self->await_connack;
}

# These two are connect's halves: what is done with many clients at once is sent to all of them first.
sub send_connect
{
	my ($self, $id, %options) = @_;
	my $version = $self->{version} = $options{version} // 5;
	my $flags   = ($options{clean} // 1 ? 2 : 0) | ($options{will} ? 4 : 0);
	my $block   = sub { $version == 5 ? length_of(length $_[0]) . $_[0] : '' };
	my $body    = field('MQTT') . chr($version) . chr($flags) . pack('n', $options{keep_alive} // 60)
	  . $block->($options{properties} // '') . field($id);

	$body .= $block->($options{will_properties} // '') . join '', map { field($_) } @{ $options{will} } if $options{will};
	return $self->send_packet(0x10, $body);
}

sub await_connack
{
	my ($self) = @_;
	my ($header, $connack) = $self->read_packet;

	croak 'not accepted' unless defined $header && $header == 0x20 && ord(substr $connack, 1, 1) == 0;
	$self->{connack} = $connack;
	return $self;
}

sub send_packet
{
	my ($self, $header, $body) = @_;

	return $self->send_bytes(chr($header) . length_of(length $body) . $body);
}

sub send_bytes
{
	my ($self, $bytes) = @_;

	local $SIG{PIPE} = 'IGNORE';
	my $socket = $self->{socket};
	return print({$socket} $bytes) && $socket->flush;
}

sub properties { return $_[0]{version} == 5 ? "\0" : '' }

# Subscribes and returns the codes of SUBACK.
sub subscribe
{
	my ($self, $options, @filters) = @_;

	$self->send_subscribe($options, @filters);
	return $self->await_suback;
}

# Its halves.
sub send_subscribe
{
	my ($self, $options, @filters) = @_;

	return $self->send_packet(0x82, pack('n', 1) . $self->properties . join '', map { field($_) . chr $options } @filters);
}

sub await_suback
{
	my ($self) = @_;
	my ($header, $body) = $self->read_packet;

	croak 'no SUBACK' unless ($header // 0) == 0x90;
	return map { ord } split //, substr($body, $self->{version} == 5 ? 3 : 2);
}

# The next packet's first byte and body; nothing when the connection ends, or after the seconds given.
sub read_packet
{
	my ($self, $seconds) = @_;
	my $select = IO::Select->new($self->{socket});

	until ($self->{in} =~ /\A(.)([\x80-\xff]{0,3}[\x00-\x7f])/s && length $self->{in} >= 1 + length($2) + number_of($2))
	{
		return unless $select->can_read($seconds // $DEADLINE);
		return unless sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
	}
	$self->{in} =~ s/\A(.)([\x80-\xff]{0,3}[\x00-\x7f])//s;
	my ($header, $length) = (ord $1, number_of($2));
	return ($header, substr $self->{in}, 0, $length, '');
}

sub number_of
{
	my ($number, $place) = (0, 1);

	for my $byte (unpack 'C*', $_[0])
	{
		$number += ($byte & 127) * $place;
		$place *= 128;
	}
	return $number;
}

# The next PUBLISH as topic, payload, qos, packet_id, duplicate, retain.
sub read_message
{
	my ($self, $seconds) = @_;
	my ($header, $body) = $self->read_packet($seconds) or return;

	croak sprintf 'not PUBLISH but %02x', $header unless $header >> 4 == 3;
	my %message = (qos => $header >> 1 & 3, duplicate => $header >> 3 & 1, retain => $header & 1);
	($message{topic}, $body) = unpack 'n/a* a*', $body;
	($message{packet_id}, $body) = unpack 'n a*', $body if $message{qos};
	if ($self->{version} == 5)
	{
		$body =~ s/\A([\x80-\xff]{0,3}[\x00-\x7f])//s;
		$message{properties} = substr $body, 0, number_of($1), '';
	}
	$message{payload} = $body;
	return \%message;
}

sub acknowledge
{
	my ($self, $packet_id) = @_;

	return $self->send_packet(0x40, pack 'n', $packet_id);
}

# Whether the server has closed the connection, waiting for it.
sub is_closed
{
	my ($self) = @_;

	while ($self->read_packet) { }
	return $self->{socket}->eof ? 1 : 0;
}

sub disconnect
{
	my ($self) = @_;

	$self->send_packet(0xe0, '');
	return close $self->{socket};
}

# As a network that fails: with a reset, and no DISCONNECT.
sub vanish
{
	my ($self) = @_;

	return close $self->{socket};
}

1;
