#!/usr/bin/perl
# Which file of src/ and of emulator/ may know which. From the top of the source tree:
#
#   test/static/layers.pl order     no file knows one of a layer above its own
#   test/static/layers.pl circles   no files know each other, by whatever way round
#
# A file knows another when it includes it, or when it names a function or a variable that is
# defined there, whatever header declares it. A .c file and the header of its name are one module.
#
# Prints each need that is wrong; the exit status is 1 if there is any.

use strict;
use warnings FATAL => 'all';

use File::Find qw(find);

# Layers from the top down: one knows those below it, and those side by side know nothing of each
# other. Files without a folder are at the top, but for those that all may include.
my %trees = (
	src => {
		layers => [qw(join outbox api lookup answer call request target credentials shared transport settings error aws)],
		common => { 'compat.h' => 1 },
		bare   => { aws        => 1 },    # knows nothing of PostgreSQL, so not even these
	},
	emulator => { layers => [ qw(api mqtt broker), [qw(http wire)], 'base' ] });

my $wrong = 0;

sub wrong
{
	print "@_\n";
	$wrong = 1;
	return;
}

# ---- what a file says ---------------------------------------------------------------------------

sub read_file
{
	my ($path) = @_;

	open my $in, '<', $path or die "cannot read $path: $!\n";
	local $/ = undef;
	return scalar <$in>;
}

# Blank, with its lines.
sub blank { return $_[0] =~ s/[^\n]+/ /gr }

sub lines_in { return scalar($_[0] =~ tr/\n//) }

# C without comments and the contents of strings.
sub strip
{
	my ($text) = @_;

	$text =~ s{(/\*.*?\*/|//[^\n]*)|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'}{defined $1 ? blank($1) : '""'}gse;
	return $text;
}

# Lines of the preprocessor, which are taken out of the text: [line, text], ...
sub take_directives
{
	my ($text) = @_;
	my @directives;

	while ($$text =~ /^[ \t]*(#(?:[^\n\\]|\\.|\\\n)*)/gm)
	{
		my $directive = $1;

		push @directives, [ 1 + lines_in(substr($$text, 0, $-[0])), $directive ];
	}
	$$text =~ s/^([ \t]*#(?:[^\n\\]|\\.|\\\n)*)/blank($1)/gme;
	return @directives;
}

# What stands outside of all functions: [line, text up to the first brace, text from there on], ...
sub top_level
{
	my ($path, $text) = @_;
	my @pieces;
	my ($line, $begun, $depth, $head, $body) = (1, 1, 0, '', '');

	while ($text =~ /([^{};\n]+|[{};\n])/g)
	{
		my $mark = $1;

		$begun = $line if $head eq '';
		$line++        if $mark eq "\n";
		$depth++       if $mark eq '{';
		if   ($depth > 0 || length $body) { $body .= $mark }
		else                              { $head .= $mark }
		next unless $mark eq '}' || $mark eq ';';
		$depth-- if $mark eq '}';
		die "$path:$line: a brace too many\n" if $depth < 0;

		# a function ends with its body, everything else with a semicolon
		next if $depth > 0 || ($mark eq '}' && !is_function($head));
		push @pieces, [ $begun, $head, $body ];
		($head, $body) = ('', '');
	}
	die "$path: a brace too few\n" if $depth > 0;
	return @pieces;
}

# Whether a function's body may follow.
sub is_function
{
	my ($head) = @_;

	return $head =~ /\w\s*\(/ && $head !~ /=|\btypedef\b/;
}

# The function or variable that a piece defines for other files; undef if none.
sub symbol_of
{
	my ($head, $body) = @_;

	$head =~ s/__attribute__\s*\(\(.*?\)\)//gs;
	return undef if $head =~ /\A\s*(?:static|extern|typedef)\b/;
	if (is_function($head)) { return length $body && $head =~ /(\w+)\s*\(/ ? $1 : undef }
	return undef if $head =~ /\A\s*(?:struct|union|enum)\s*\w*\s*\z/;
	return $head =~ /\A[\s*]*\w+\b.*?[\s*](\w+)\s*(?:\[[^=]*)?(?:=.*)?;?\s*\z/s ? $1 : undef;
}

my (%tree_of, %includes, %defines, %words);    # by path

# Words that may be another file's symbol, with the line of each.
sub note_words
{
	my ($path, $line, $text) = @_;

	while ($text =~ /(\n)|(?:->|\.)\s*\w+|(\w+)/g)
	{
		if    (defined $1) { $line++ }
		elsif (defined $2) { $words{$path}{$2} //= $line }
	}
	return;
}

sub note_file
{
	my ($tree, $path) = @_;
	my $source     = read_file($path);
	my @lines      = split /\n/, $source;
	my $text       = strip($source);
	my @directives = take_directives(\$text);

	$tree_of{$path}  = $tree;
	$includes{$path} = [];
	for (@directives)
	{
		my ($line, $directive) = @$_;

		if ($directive !~ /\A#\s*include\b/) { note_words($path, $line, $directive) }
		elsif ($lines[ $line - 1 ] =~ /"([^"]+)"/)
		{
			my $other = $1;
			my $beside = $path =~ s{[^/]+\z}{$other}r;

			if    (-f "$tree/$other") { push @{ $includes{$path} }, [ $line, "$tree/$other" ] }
			elsif (-f $beside)        { wrong("$path:$line: $other is named without its folder") }
		}
	}
	for (top_level($path, $text))
	{
		my ($line, $head, $body) = @$_;
		my $symbol = symbol_of($head, $body);

		$defines{$path}{$symbol} = 1 if defined $symbol && $path =~ /\.c\z/;

		# a declaration uses nothing; an initializer without a brace does
		my $used = $body;
		$used = "$1$body" if $head =~ /(=.*)/s;
		note_words($path, $line + lines_in(substr $head . $body, 0, length($head . $body) - length $used), $used);
	}
	return;
}

# ---- what it needs ------------------------------------------------------------------------------

# [line, path, why], ... of files of the same tree
sub needs_of
{
	my ($path, $home) = @_;
	my @needs = map { [ @$_, 'which it includes' ] } @{ $includes{$path} };

	for my $word (sort keys %{ $words{$path} // {} })
	{
		my $other = $home->{ $tree_of{$path} }{$word};

		push @needs, [ $words{$path}{$word}, $other, "where $word is defined" ] if defined $other && $other ne $path;
	}
	return @needs;
}

# The path in its tree, and its folder there.
sub place_of
{
	my ($path) = @_;
	my $place = $path =~ s{\A[^/]+/}{}r;

	return ($place, $place =~ m{\A(\w+)/} ? $1 : undef);
}

sub check_order
{
	my ($tree, $needs, @paths) = @_;
	my $layers = $trees{$tree}{layers};
	my %common = %{ $trees{$tree}{common} // {} };
	my %rank;

	for my $i (0 .. $#$layers)
	{
		$rank{$_} = $i for ref $layers->[$i] ? @{ $layers->[$i] } : $layers->[$i];
	}
	for my $path (@paths)
	{
		my ($file, $mine) = place_of($path);

		if (defined $mine && !defined $rank{$mine})
		{
			wrong("$path: $mine/ is not one of the layers");
			next;
		}
		for (@{ $needs->{$path} })
		{
			my ($line, $theirs_path, $why) = @$_;
			my ($other, $theirs) = place_of($theirs_path);
			my $where = "$path:$line: ";

			if ($common{$other})
			{
				wrong("$where$mine/ does without $other") if defined $mine && $trees{$tree}{bare}{$mine};
			}
			elsif ($common{$file}) { wrong("${where}all may include $file, so it cannot know $other, $why") }
			elsif (!defined $mine) { next }
			elsif (!defined $theirs) { wrong("${where}$mine/ is below $other, $why") }
			elsif ($mine ne $theirs && ($rank{$theirs} // -1) <= $rank{$mine})
			{
				wrong("${where}$mine/ is not above $theirs/ ($other, $why)");
			}
		}
	}
	return;
}

# A .c file and its header are one module.
sub module_of { return $_[0] =~ s/\.[ch]\z//r }

sub check_circles
{
	my ($tree, $needs, @paths) = @_;
	my (%arrows, %state);

	for my $path (@paths)
	{
		for (@{ $needs->{$path} })
		{
			my ($line, $other, $why) = @$_;

			$arrows{ module_of($path) }{ module_of($other) } //= "$path:$line: needs $other, $why"
			  unless module_of($path) eq module_of($other);
		}
	}
	my $visit = sub {
		my ($self, $module, @before) = @_;

		if (($state{$module} // '') eq 'open')
		{
			shift @before while $before[0] ne $module;
			wrong(join ' -> ', @before, $module);
			wrong("  $arrows{$before[$_]}{$before[$_ + 1] // $module}") for 0 .. $#before;
		}
		return if $state{$module};
		$state{$module} = 'open';
		$self->($self, $_, @before, $module) for sort keys %{ $arrows{$module} // {} };
		$state{$module} = 'done';
		return;
	};
	$visit->($visit, $_) for sort keys %arrows;
	return;
}

# ---- all of them --------------------------------------------------------------------------------

my %checks = (order => \&check_order, circles => \&check_circles);
my $check  = $checks{ shift // '' } or die "usage: layers.pl order|circles\n";

for my $tree (sort keys %trees)
{
	my (@paths, %home, %needs);

	die "no $tree/; this runs at the top of the source tree\n" unless -d $tree;
	find({ no_chdir => 1, wanted => sub { push @paths, $_ if /\.[ch]\z/ } }, $tree);
	note_file($tree, $_) for sort @paths;
	for my $path (sort @paths)
	{
		$home{$tree}{$_} = $path for keys %{ $defines{$path} // {} };
	}
	$needs{$_} = [ needs_of($_, \%home) ] for @paths;
	$check->($tree, \%needs, sort @paths);
}
exit $wrong;
