
# Libraries that a test preloads into its server, to change what the C library does: those of
# test/perl that are named, compiled, as the value of LD_PRELOAD.
#
#   IotData::Node->make('x', environment => { LD_PRELOAD => preload('slow_resolver') });

package IotData::Preload;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

our @EXPORT_OK = qw(preload);

sub preload
{
	my @names   = @_;
	my $folder  = tempdir(CLEANUP => 1);
	my $sources = dirname(__FILE__) . '/..';

	for my $name (@names)
	{
		system('cc', '-shared', '-fPIC', '-o', "$folder/$name.so", "$sources/$name.c", '-ldl') == 0
		  or croak "$name.c could not be compiled";
	}
	# a sanitizer's library comes first
	return join ':', grep { defined } $ENV{LD_PRELOAD}, map { "$folder/$_.so" } @names;
}

1;
