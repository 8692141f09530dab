# What comes on a connection while it is idle is no answer to anything: not to the next request,
# which goes out on another connection, and least of all to a message, which would be taken for
# delivered and never was.

use strict;
use warnings FATAL => 'all';

use IotData::Check;
use IotData::FaultyServer qw(http_answer json_answer);
use IotData::Node;
use IotData::Wait;
use JSON::PP;
use Test::More;

sub connection_of { return json_answer({ connected => JSON::PP::true, clientId => $_[0] }) }

my $confirmed = json_answer({ message => 'Delivery confirmed', traceId => 'unasked' });

# What may come on an idle connection: what it is, the bytes.
my @unasked = (
	[ 'another client\'s answer'            => connection_of('other') ],
	[ 'a confirmation'                      => $confirmed ],
	[ 'a load balancer\'s time-out'         => "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" ],
	[ 'an answer in chunks'                 => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" ],
	[ 'an interim answer'                   => "HTTP/1.1 100 Continue\r\n\r\n" ],
	[ 'a byte'                              => 'H' ],
	[ 'a line end'                          => "\r\n" ],
	[ 'nothing, and then the end'           => '', 'close' ],
	[ 'nothing, and then a reset'           => '', 'reset' ]);

# Each of them after a good answer, 50 ms later, on a connection that is left open, closed or reset.
my (%answers, @cases);
for my $case (@unasked)
{
	my ($what, $bytes, $only) = @$case;

	for my $end ($only // ('open', 'close', 'reset'))
	{
		my $client = 'before' . @cases;
		my @steps  = (connection_of($client), [ 'wait', 0.05 ], $bytes);

		push @steps, $end eq 'open' ? () : [$end];
		# the end of the connection is an event by itself
		splice @steps, 3, 0, [ 'note', $client ] if $end eq 'open';
		$answers{$client} = [ \@steps ];
		push @cases, { client => $client, what => "$what ($end)", end => $end };
	}
}
$answers{victim} = connection_of('victim');
$answers{device} = json_answer({ message => 'Delivery confirmed', traceId => 'asked' });
$answers{good}   = connection_of('good');
$answers{twice}  = [ [ connection_of('twice') . connection_of('other') ] ];
$answers{longer} = [ [ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{}" ] ];
$answers{late_close} = [ [ http_answer(200, '{"connected":true,"clientId":"late_close"}', 'Connection' => 'close') ] ];

my $server  = IotData::FaultyServer->start(answers => \%answers);
my $node    = IotData::Node->make('idle', endpoint => $server->url, conf => "shared_preload_libraries = 'iotdata'\n");
my $session = $node->session;

# Makes the call whose connection gets what nobody asked for, and waits until that was sent.
sub make_idle
{
	my ($case) = @_;
	my $before = $server->requests($case->{client});

	gives($session, "SELECT client_id FROM iotdata.get_connection('$case->{client}')", $case->{client}, "a call has its answer before this comes on its connection: $case->{what}");
	my ($request) = ($server->requests($case->{client}))[$before];
	return $server->wait_for(
		sub {
			$_[0]{connection} == $request->{connection} && $_[0]{event} eq ($case->{end} eq 'open' ? 'note' : 'closed') && $_[0]{time} > $request->{time};
		});
}

for my $case (@cases)
{
	my $idle = make_idle($case);
	my $asked = $server->requests('victim');

	gives($session, q{SELECT client_id FROM iotdata.get_connection('victim')}, 'victim', "a read has its own answer after this came on an idle connection: $case->{what}");
	my ($request) = reverse $server->requests('victim');
	is($server->requests('victim') - $asked, 1, "a read is sent once after this came on an idle connection: $case->{what}");
	isnt($request->{connection}, $idle->{connection}, "a read goes out on another connection after this came on an idle one: $case->{what}");

	make_idle($case);
	my $sent = $server->requests('device');
	gives($session, q{SELECT message, trace_id FROM iotdata.send_direct_message('device', 'a/b', 'x'::text, confirmation => true)},
		'Delivery confirmed|asked', "a message has its own confirmation after this came on an idle connection: $case->{what}");
	is($server->requests('device') - $sent, 1, "a message is sent once after this came on an idle connection: $case->{what}");
}

# What one session has wrong, other sessions would get from the cache.
make_idle($cases[0]);
$session->query(q{SELECT iotdata.get_connection('victim', max_age => '1 minute')});
my $other = $node->session;
gives($other, q{SELECT client_id FROM iotdata.get_connection('victim', max_age => '1 minute')}, 'victim', 'another session gets the right answer from the cache');

# More than the answer, at once with it: nobody can say what it belongs to.
for my $client (qw(twice longer))
{
	fails_with($session, "SELECT iotdata.get_connection('$client')", 'IO007', { detail => qr/more came than belongs to it/ },
		"an answer with more behind it is refused: $client");
	goes_on($session, "an answer with more behind it: $client");
}

# A connection that the server says it will close is not reused, though it is still open.
gives($session, q{SELECT client_id FROM iotdata.get_connection('late_close')}, 'late_close', 'an answer that says that its connection will be closed is read');
my ($closing) = $server->requests('late_close');
goes_on($session, 'an answer that says close');
my ($next) = reverse $server->requests('good');
isnt($next->{connection}, $closing->{connection}, 'a connection that will be closed is not reused');

no_crash($node);
done_testing();
