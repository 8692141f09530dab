# Programs that give credentials (credential_process): what they print is used; one that hangs, fails or
# prints what is no use is an error that names the place and the reason, shows no secret, and leaves
# neither a process nor the session behind.

use strict;
use warnings FATAL => 'all';

use File::Temp qw(tempdir);
use IotData::Check;
use IotData::CredentialServer;
use IotData::Node;
use IotData::Wait;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes ();

my $server = IotData::CredentialServer->start;
my $folder = tempdir(CLEANUP => 1);
my $config = "$folder/config";
my $who    = q{SELECT client_id FROM iotdata.get_connection('who')};
my $secret = 'SECRETsecretSECRETsecretSECRETsecretSECRET';
my $good   = qq({"Version":1,"AccessKeyId":"PROCESS","SecretAccessKey":"$secret"});
chmod 0755, $folder;

sub file
{
	my ($name, $content) = @_;

	open my $fh, '>', $name or die "cannot write $name: $!";
	print $fh $content;
	close $fh or die "cannot write $name: $!";
	return $name;
}

# A program in sh.
sub program
{
	my ($name, $text) = @_;

	chmod 0755, file("$folder/$name", "#!/bin/sh\n$text\n");
	return "$folder/$name";
}

file($config, '');
my $node = IotData::Node->make('process', endpoint => $server->url,
	environment => { AWS_ACCESS_KEY_ID => undef, AWS_SECRET_ACCESS_KEY => undef, AWS_CONFIG_FILE => $config },
	conf => "log_min_messages = debug5\n");

# A new session whose credentials are a command's.
sub with
{
	my ($command) = @_;

	file($config, "[default]\ncredential_process = $command\n");
	return $node->session;
}

# The processes below a session's, zombies too.
sub children
{
	my ($session) = @_;
	my $pid = $session->pid;
	my @found = map { (stat_of($_)) =~ /\A\d+ \(.*\) (\S) (\d+) /s && $2 == $pid ? $1 : () } glob '/proc/[0-9]*/stat';

	return "@found";
}

sub stat_of
{
	my ($name) = @_;

	open my $in, '<', $name or return '';
	my $text = <$in>;
	close $in;
	return $text // '';
}

sub lives { return stat_of("/proc/$_[0]/stat") =~ /\) [^ZX] /s }

sub number_in
{
	my ($name) = @_;

	return eventually(sub { stat_of($name) =~ /\A(\d+)\n/ ? $1 : 0 });
}

sub refuses
{
	my ($session, $detail, $name) = @_;
	my $failed = fails_with($session, $who, '28000', { message => qr/\Acould not get AWS credentials from credential_process of profile "default" in "\Q$config\E"\z/, detail => $detail }, $name);

	unlike($failed->{stderr}, qr/\Q$secret\E/, "no secret is shown: $name");
	is($session->try('SELECT 1')->{out}, '1', "the session goes on after: $name");
	is(children($session), '', "no process is left after: $name");
	return;
}

# ---- what works ---------------------------------------------------------------------------------

my $session = with(program('good', "echo '$good'"));
gives($session, $who, 'PROCESS', 'the credentials that a program prints are used');
gives($session, 'SELECT credentials_source, credentials_expire_at FROM iotdata.target_info()', 'profile|NULL', 'without an expiration they do not expire');
is(children($session), '', 'the program is waited for');
my $later = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 86400));
gives(with(program('later', qq(echo '{"Version":1,"AccessKeyId":"LATER","SecretAccessKey":"x","SessionToken":"t","Expiration":"$later"}'))), "SELECT credentials_expire_at = '$later' FROM iotdata.target_info()", 't', 'their expiration is known');
program('words', qq(printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"x"}' "\$#-\$(printf %s "\$2" | tr -c 'a-zA-Z\$' _)"));
gives(with(qq("$folder/words" one "two \$HOME;" 'three four')), $who, '3-two_$HOME_', 'the words are split as a shell does, and no shell reads them');
program('descriptors', q(ls /proc/self/fd | tr '\n' ' ' >&2; exit 1));
refuses(with("$folder/descriptors"), qr/said: 0 1 2 3\.\z/, 'a program has no descriptor of the server');
program('signals', q(grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\t\n' >&2; exit 1));
# (32 and 33 are the C library's own)
refuses(with("$folder/signals"), qr/said: SigBlk:0{16}SigIgn:0{7}[01][08]0{7}\.\z/, 'a program has all signals as usual');
program('input', q(cat; echo "no input" >&2; exit 1));
refuses(with("$folder/input"), qr/said: no input\.\z/, 'a program has no input');

# ---- what does not ------------------------------------------------------------------------------

refuses(with("$folder/missing"), qr/The program "\Q$folder\E\/missing" could not be started: No such file or directory\./, 'a program must be there');
refuses(with($config), qr/could not be started: Permission denied\./, 'it must be one');
refuses(with(q(a "b)), qr/\AIts command line cannot be split into words: A quote is not closed\./, 'a command line must have its quotes closed');
refuses(with(''), qr/\AIt names no program\./, 'there must be a program');
refuses(with(program('fails', "echo '$good'; echo 'no luck: $secret' >&2; exit 3")), qr/\AThe program ".*fails" ended with status 3, and said: no luck: \.+\z/, 'a program that fails says why');
refuses(with(program('dies', 'kill -9 $$')), qr/was ended by signal 9/, 'a program may be ended by a signal');
refuses(with(program('garbage', 'echo garbage')), qr/The output of the program ".*garbage" cannot be used\. It is not JSON/, 'the output must be JSON');
refuses(with(program('empty', ':')), qr/It is not JSON/, 'there must be an output');
refuses(with(program('version', "echo '" . ($good =~ s/1/2/r) . "'")), qr/Its "Version" is not 1\./, 'the version must be 1');
refuses(with(program('no_version', "echo '" . ($good =~ s/"Version":1,//r) . "'")), qr/Its "Version" is not 1\./, 'there must be a version');
refuses(with(program('half', q(echo '{"Version":1,"AccessKeyId":"A"}'))), qr/no secret access key/, 'the keys must be there');
refuses(with(program('old', q(echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"x","Expiration":"2020-01-01T00:00:00Z"}'))), qr/It has expired/, 'the credentials must not have expired');
refuses(with(program('much', 'yes')), qr/printed more than 64 kB, and was killed/, 'an output without an end is cut off');

# ---- what hangs ---------------------------------------------------------------------------------

# A program that waits for a child of its own, and says who they are.
my $hang = program('hang', "sleep 1000 & echo \$! >$folder/grandchild; echo \$\$ >$folder/child; wait");

sub begin_hanging
{
	my ($session, $sql) = @_;

	unlink "$folder/child", "$folder/grandchild";
	$session->begin($sql);
	return map { number_in("$folder/$_") } qw(child grandchild);
}

sub ended
{
	my ($name, @processes) = @_;

	ok(eventually(sub { !grep { lives($_) } @processes }), "the program and its children are gone after: $name");
	return;
}

my $other = $node->session;
for my $how ([ 'a cancel', 'pg_cancel_backend', '57014' ], [ 'pg_terminate_backend', 'pg_terminate_backend', '57P01' ])
{
	my ($name, $function, $sqlstate) = @$how;
	my $hanging   = with($hang);
	my @processes = begin_hanging($hanging, $who);
	my $begun     = Time::HiRes::time;

	$other->query("SELECT $function(" . $hanging->pid . ')');
	my $result = $hanging->finish;
	is($result->{sqlstate}, $sqlstate, "$name ends a call whose program hangs");
	ended($name, @processes);
	next if $sqlstate ne '57014';
	is(children($hanging), '', "no process is left after: $name");
	file($config, "[default]\ncredential_process = $folder/good\n");
	gives($hanging, $who, 'PROCESS', "the session works after: $name");
}

$session = with($hang);
$session->query(q{SET iotdata.request_timeout = '300ms'});
my @processes = begin_hanging($session, $who);
my $result    = $session->finish;
is($result->{sqlstate}, '28000', 'a program that hangs is an error');
like($result->{detail}, qr/The program ".*hang" did not end within 300 ms, and was killed\./, 'the error says so');
ended('a time-out', @processes);
is(children($session), '', 'no process is left after: a time-out');

$session = with(program('loud', 'yes >&2'));
$session->query(q{SET iotdata.request_timeout = '300ms'});
refuses($session, qr/did not end within 300 ms/, 'a program that says much is not listened to for ever');

gives(with(program('leaves', "echo '$good'; sleep 1000 & echo \$! >$folder/left")), $who, 'PROCESS', 'a child that holds the output open is not waited for');
my $left = number_in("$folder/left");
ok(lives($left), 'what a program that succeeded leaves running goes on');
kill 'KILL', $left;

unlike($node->log_text, qr/\Q$secret\E/, 'no secret is in the log');
no_crash($node);
done_testing();
