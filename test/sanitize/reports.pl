#!/usr/bin/perl
# reports.pl FOLDER BUILD LOG...: reads what the sanitizers wrote to the files of a folder, and to
# the logs of servers (some reports of a process that was forked end up there), prints each kind of
# report once and how often it came, and exits with 1 when there was any.
#
# Leaks of a server process count when one of these allocated the memory: see with.sh. In every
# other process all leaks count.

use strict;
use warnings FATAL => 'all';

my ($folder, $build, @logs) = @ARGV;
die "usage: $0 FOLDER BUILD LOG...\n" unless defined $build;

my $ours = qr{/(?:iotdata\.so|libcurl|libssl|libcrypto|libnghttp2)};
my (%text, %count, %checked);

for my $file (sort(glob "$folder/*"), @logs)
{
	open my $in, '<', $file or die "cannot read $file: $!\n";
	local $/ = undef;
	my $said = <$in> // '';
	close $in;

	take($_) for $said =~ /^(==\d+==ERROR: AddressSanitizer.*?(?:^==\d+==ABORTING|\z))/msg;
	take($_) for $said =~ /^([^\n]*:\d+:\d+: runtime error:[^\n]*\n(?:[ ]+#\d[^\n]*\n)*)/mg;
	while ($said =~ /^==\d+==ERROR: LeakSanitizer(.*?)(?=^==\d+==ERROR|^SUMMARY|\z)/msg)
	{
		take_leaks($1);
	}
	# what cannot be read is not passed over
	take($said) unless $file !~ /^\Q$folder/ || $said =~ /runtime error:|==ERROR: (?:Address|Leak)Sanitizer/;
}

for my $key (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)
{
	print "$count{$key} times:\n", $text{$key} =~ s/^/    /mgr, "\n";
}
my $total = 0;
$total += $_ for values %count;
print scalar(keys %count) ? "$total reports\n" : "none\n";
exit(%count ? 1 : 0);

# A leak report has a paragraph for each place that allocated; indirect ones hang on a direct one.
sub take_leaks
{
	my ($report) = @_;
	my @leaks = grep { /^(?:Direct|Indirect) leak/ } split /\n\n+/, $report;

	if (!@leaks)
	{
		take("LeakSanitizer$report");
		return;
	}
	my $server = grep { m{/bin/postgres} } @leaks;
	for my $leak (@leaks)
	{
		# the frame after the allocating function's own
		my ($caller) = $leak =~ /^\s*#1 (.*)$/m;

		take($leak) if !$server && $leak !~ /^Indirect/ || ($caller // '') =~ $ours;
	}
	return;
}

# Reports are the same when their frames are, addresses and process ids apart.
sub take
{
	my ($report) = @_;
	my @lines = split /\n/, $report;
	@lines = @lines[ 0 .. 39 ] if @lines > 40;
	my $shown = join "\n", @lines;
	my $key   = $shown =~ s/0x[0-9a-f]+|==\d+==|\d+ (?:byte|object)\S*/./gr;

	$shown =~ s/\Q$build\E\///g;
	$text{$key} //= "$shown\n";
	$count{$key}++;
	return;
}
