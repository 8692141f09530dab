#!/usr/bin/perl
# Puts C files into PostgreSQL's format, with Debian's pg_bsd_indent and the options that PostgreSQL
# gives it. From the top of the source tree:
#
#   test/static/indent.pl [--check] [FILE...]
#
# Without files: all of src/, emulator/ and test/. With --check nothing is written; what would
# change is shown as a diff, and the exit status is 1 if there is any.
#
# pg_bsd_indent must be told the names of types. Ours are found by ctags; those of PostgreSQL and
# the libraries are in typedefs.list.

use strict;
use warnings FATAL => 'all';

use File::Basename qw(dirname);
use File::Find qw(find);
use File::Temp qw(tempdir);

my @options = qw(-bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 -nfc1 -i4 -l79 -lp -lpl -nip
  -npro -sac -tpg -ts4);
my $scratch = tempdir(CLEANUP => 1);

sub slurp
{
	my ($name) = @_;

	open my $in, '<', $name or die "cannot read $name: $!\n";
	local $/ = undef;
	return <$in> // '';
}

sub spew
{
	my ($name, $text) = @_;

	open my $out, '>', $name or die "cannot write $name: $!\n";
	print {$out} $text or die "cannot write $name: $!\n";
	close $out or die "cannot write $name: $!\n";
	return;
}

sub all_files
{
	my @files;

	find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.[ch]\z/ && -f } }, qw(src emulator test));
	return sort @files;
}

# The names of all types, in a file.
sub write_typedefs
{
	my (@files) = @_;
	my $theirs = slurp(dirname($0) . '/typedefs.list') =~ s/^#.*\n//mgr;

	spew("$scratch/files", join "", map { "$_\n" } @files);
	my $ours = qx(ctags-universal -x --language-force=C --kinds-C=t --_xformat=%N -L $scratch/files);
	die "ctags failed\n" if $?;
	spew("$scratch/typedefs", $theirs . $ours);
	return;
}

# What pg_bsd_indent would break: a comment that begins with dashes is a heading.
sub before
{
	my ($text) = @_;

	return $text =~ s{/\* +(?=---)}{/*-}gr;
}

# What newer versions of pg_bsd_indent leave alone and Debian 12's does not.
sub after
{
	my ($text) = @_;

	$text =~ s{/\*-(?=---)}{/* }g;
	# a pointer as a function's result
	$text =~ s{^([A-Za-z_]\S*)[ \t]+\*$}{$1 *}mg;
	# .one = 1, .two = 2
	$text =~ s{,(?=\.\w+ =)}{, }g;
	# (Type) {1, 2}, which it takes for a block
	$text =~ s[(\(\w+\))\n\t*\{\n\t*([^\n;{}]+)\n\t*\};][$1 {$2};]g;
	# an array whose elements are a struct without a name
	$text =~ s[(^\}.*=)\n\n\{$][$1\n{]mg;
	return continue_initializers($text);
}

# A declaration's initializer that goes on in the next line is indented.
sub continue_initializers
{
	my ($text) = @_;
	my $indent;    # of the declaration that is going on, if one is
	my $result = '';

	for my $line (split /(?<=\n)/, $text)
	{
		my ($leading, $rest) = $line =~ /\A(\t*)(.*)/;
		my $code = $rest =~ s{\s*/\*.*}{}r;

		if (defined $indent && $leading eq $indent && $rest ne '')
		{
			$line = "\t$line" if $rest !~ /\A[{#]/;
		}
		elsif (!defined $indent && $code !~ /\\\z/ && $code =~ /\A[A-Za-z].* =(?: |\z)/)
		{
			$indent = $leading;
		}
		$result .= $line;
		undef $indent if $code =~ /[;{},]\z/ || $code eq '' || $rest =~ /\A[{#]/;
	}
	return $result;
}

sub indented
{
	my ($file, $name) = @_;

	spew("$scratch/in.c", before(slurp($file)));
	my $text = qx(pg_bsd_indent @options -U$scratch/typedefs <$scratch/in.c 2>$scratch/err);
	die "pg_bsd_indent failed with $file: ", slurp("$scratch/err"), "\n" if $? || -s "$scratch/err";
	return after($text);
}

my $check = @ARGV && $ARGV[0] eq '--check' ? shift : undef;
my @all = all_files();
my $changed = 0;

die "no C files; this runs at the top of the source tree\n" unless @all;
write_typedefs(@all);
for my $file (@ARGV ? @ARGV : @all)
{
	my $text = indented($file);

	next if $text eq slurp($file);
	$changed = 1;
	if (!$check)
	{
		spew($file, $text);
		print "$file\n";
		next;
	}
	spew("$scratch/out.c", $text);
	print qx(diff -u --label $file --label "$file, indented" $file $scratch/out.c);
}
exit($check ? $changed : 0);
