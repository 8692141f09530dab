#!/usr/bin/perl
# Which file of src/ may include which. From the top of the source tree:
#
#   test/static/layers.pl order     nothing includes a file of a layer above its own
#   test/static/layers.pl circles   no files include each other, by whatever way round
#
# Prints each include that is wrong; the exit status is 1 if there is any.

use strict;
use warnings FATAL => 'all';

use File::Find qw(find);

# From the top down: a layer knows those below it, and files without a folder that all may use.
my @layers = qw(join outbox api call credentials target transport shared settings aws);
my %common = map { $_ => 1 } qw(compat.h failure.h);
# The entry calls everything; aws knows nothing of PostgreSQL.
my %entry = ('iotdata.c' => 1);

my %rank = map { $layers[$_] => $_ } 0 .. $#layers;
my %includes;    # file => [[line, file], ...], of ours only
my $wrong = 0;

sub wrong
{
	print "@_\n";
	$wrong = 1;
	return;
}

sub layer_of
{
	my ($file) = @_;

	return $file =~ m{\A(\w+)/} ? $1 : undef;
}

sub read_includes
{
	my ($file) = @_;

	open my $in, '<', "src/$file" or die "cannot read src/$file: $!\n";
	while (my $line = <$in>)
	{
		next unless $line =~ /\A\s*#\s*include\s+"([^"]+)"/;
		my $other = $1;
		my $beside = "src/$file" =~ s{[^/]+\z}{$other}r;

		if (-f "src/$other") { push @{ $includes{$file} }, [ $., $other ] }
		elsif (-f $beside)   { wrong("src/$file:$.: $other is named without its folder") }
	}
	return;
}

sub check_order
{
	for my $file (sort keys %includes)
	{
		my $mine = layer_of($file);

		next if $entry{$file};
		for my $include (@{ $includes{$file} })
		{
			my ($line, $other) = @$include;
			my $theirs = layer_of($other);

			if (!defined $theirs)
			{
				wrong("src/$file:$line: $other is not for all") unless $common{$other};
				wrong("src/$file:$line: $other has to do with PostgreSQL") if ($mine // '') eq 'aws';
			}
			elsif (!defined $mine) { wrong("src/$file:$line: what all may use includes $other") }
			elsif ($rank{$theirs} < $rank{$mine}) { wrong("src/$file:$line: $mine/ is below $theirs/ ($other)") }
		}
	}
	return;
}

# A .c file and its header are one module.
sub module_of { return $_[0] =~ s/\.[ch]\z//r }

sub check_circles
{
	my (%needs, %state);

	for my $file (keys %includes)
	{
		$needs{ module_of($file) }{ module_of($_->[1]) } = 1 for @{ $includes{$file} };
	}
	delete $needs{$_}{$_} for keys %needs;

	my $visit = sub {
		my ($self, $module, @path) = @_;

		if (($state{$module} // '') eq 'open')
		{
			shift @path while $path[0] ne $module;
			wrong(join ' -> ', @path, $module);
		}
		return if $state{$module};
		$state{$module} = 'open';
		$self->($self, $_, @path, $module) for sort keys %{ $needs{$module} // {} };
		$state{$module} = 'done';
		return;
	};
	$visit->($visit, $_) for sort keys %needs;
	return;
}

my $what = shift // '';

find(
	{
		no_chdir => 1,
		wanted   => sub {
			return unless m{\Asrc/(.+\.[ch])\z};
			my $file = $1;
			my $layer = layer_of($file);

			wrong("src/$file: $layer/ is not one of the layers") if defined $layer && !defined $rank{$layer};
			$rank{$layer} //= @layers if defined $layer;
			$includes{$file} = [];
			read_includes($file);
		}
	},
	'src');
die "no files; this runs at the top of the source tree\n" unless %includes;
$what eq 'order' ? check_order() : $what eq 'circles' ? check_circles() : die "usage: layers.pl order|circles\n";
exit $wrong;
