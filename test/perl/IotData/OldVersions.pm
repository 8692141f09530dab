# Versions of the extension that can be updated but not installed any more: the first script is in
# test/old, and goes where the extension's own scripts are, for tests alone.

package IotData::OldVersions;

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(basename dirname);
use File::Copy qw(copy);

our @EXPORT_OK = qw(why_no_old_versions);

# why_no_old_versions(NODE): makes CREATE EXTENSION iotdata VERSION '1.0' possible. Returns why it
# is not, or undef when it is.
sub why_no_old_versions
{
	my ($node) = @_;
	my $folder = $node->config_data('--sharedir') . '/extension';

	for my $script (glob dirname(abs_path(__FILE__)) . '/../../old/*.sql')
	{
		my $installed = "$folder/" . basename($script);

		next if -e $installed;
		return "$folder is not the test's to write to" unless -w $folder;
		# other tests may be doing the same
		copy($script, "$installed.$$") && rename("$installed.$$", $installed) or die "cannot write $installed: $!";
	}
	return;
}

1;
