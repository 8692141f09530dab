#!/bin/bash
# What can be said about the source without running it: compilers, analysers, format, layers, and
# some rules of the project. Each check is a line of TAP, and what it found follows that line; the
# exit status is 0 when none found anything.
#
# That every SQL object has a comment, and every function its privileges, is a matter of the
# catalog: test/sql/objects.sql checks it in a server.
set -uo pipefail

usage() {
	cat <<-'USAGE'
		usage: test/static.sh [--keep] [CHECK...]

		--keep  leaves the scratch folder in place
		CHECK   the name of a check, as in the list at this script's end (format, layers, ...);
		        all of them when none is named
	USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"

keep=remove
wanted=()
while [ $# -gt 0 ]; do
	case $1 in
		-h | --help) usage && exit ;;
		--keep) keep=keep ;;
		-*) usage >&2 && exit 2 ;;
		*) wanted+=("$1") ;;
	esac
	shift
done

stop() {
	local rc=$? job

	trap '' INT TERM HUP
	# each is a process group
	for job in $(jobs -p); do
		kill -TERM -- "-$job" 2>/dev/null || true
	done
	wait
	setup_end "$keep"
	exit "$rc"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- what the checks share --------------------------------------------------------------------
# A check runs in the top folder of the copy, in a process of its own. It fails with a status other
# than 0, and what it then has printed is shown.

# tree NAME: goes to a copy of the source tree that a check can build in
tree() {
	cp -r "$BUILD" "$SCRATCH/$1" && cd "$SCRATCH/$1" || exit
}

# Ends a pipe: fails when there is anything in it, and shows it. What fails before it counts, too
# (pipefail), so a tool that is not there is no success.
nothing() {
	! grep .
}

# none PATTERN: nothing in the files that are named on its input matches
none() {
	{ xargs grep -nHIP -e "$1" 2>&1 || true; } | nothing
}

# files_of FOLDER...: C files and headers; c_files_of: without headers
files_of() {
	find "$@" -name '*.[ch]' | sort
}

c_files_of() {
	find "$@" -name '*.c' | sort
}

# Perl and shell scripts, by their name or their first line.
perl_files() {
	find . -name '*.p[lm]' | sort
}

shell_files() {
	find . -type f -not -path './test/fuzz/*/*' \
		-exec awk 'FNR == 1 && /^(#!.*\/(ba)?sh|# shellcheck shell=)/ { print FILENAME } FNR == 1 { nextfile }' {} + | sort
}

# build_all FLAGS...: the extension, the local endpoint and the unit tests; FLAGS are make's
build_all() {
	make PG_CONFIG="$PG_CONFIG" with_llvm=no "$@" all &&
		make -C emulator "$@" all unit-tests &&
		make -C test/unit "$@" all
}

# ---- compilers and analysers ------------------------------------------------------------------

check_gcc() {
	tree gcc
	build_all CC=gcc
}

# PostgreSQL's flags are those for gcc, and so is how it declares that a function takes what printf
# takes: clang does not know all of them.
check_clang() {
	tree clang
	build_all CC=clang COPT='-Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-ignored-attributes'
}

check_scan_build() {
	local rc=0

	tree scan-build
	scan_build PG_CONFIG="$PG_CONFIG" with_llvm=no all || rc=1
	scan_build -C emulator all || rc=1
	return "$rc"
}

# Its exit status tells whether it found anything. The commands that it runs are not worth seeing.
scan_build() {
	scan-build --status-bugs -o "$SCRATCH/scan-build.html" make "$@" 2>&1 | grep -vE '^(/[^ ]*-analyzer|make)'
}

# compile_flags FOLDER LIBRARY... -- FLAG...: where clang-tidy looks for them
compile_flags() {
	local folder=$1 libraries=()

	shift
	while [ "$1" != -- ]; do
		libraries+=("$1")
		shift
	done
	shift
	{
		printf '%s\n' -std=gnu11 -D_GNU_SOURCE "$@"
		pkg-config --cflags "${libraries[@]}" | tr ' ' '\n'
	} >"$folder/compile_flags.txt"
}

# What it says on stderr is how much it found in the headers of others.
check_clang_tidy() {
	local folder rc=0

	tree clang-tidy
	compile_flags src libcurl libcrypto libxml-2.0 -- -I"$PWD/src" -isystem"$("$PG_CONFIG" --includedir-server)" -DIOTDATA_VERSION='""'
	compile_flags emulator libmicrohttpd openssl json-c -- -I"$PWD/emulator" -DEMULATOR_VERSION='""'
	# one run of it takes the flags of its first file for all
	for folder in src emulator; do
		c_files_of "$folder" |
			xargs -n 4 -P "$(nproc)" clang-tidy --quiet --config-file=test/static/clang-tidy 2>>clang-tidy.log || rc=1
	done
	return "$rc"
}

# Without the headers of others, so what it must know of them is said here. To declare a variable
# in an inner block is a matter of taste.
check_cppcheck() {
	cppcheck --quiet --error-exitcode=1 --enable=warning,style,performance,portability --suppress=variableScope \
		--std=c11 --force -Isrc -Iemulator -D_GNU_SOURCE -D'lengthof(array)=(sizeof(array)/sizeof((array)[0]))' src emulator
}

# ---- format -----------------------------------------------------------------------------------

check_format() {
	test/static/indent.pl --check
}

# Types that debugging information knows, and that are words in our files.
check_typedefs() {
	local words=$SCRATCH/words known=$SCRATCH/known

	tree typedefs
	quietly make.log build_all CC=gcc CFLAGS='-g -O0' || return
	files_of src emulator test | xargs grep -ohE '[A-Za-z_][A-Za-z0-9_]*' | sort -u >"$words"
	{
		grep -v '^#' test/static/typedefs.list
		files_of src emulator test | ctags-universal -x --language-force=C --kinds-C=t --_xformat=%N -L -
		# a variable's name more often
		echo text
	} | sort -u >"$known"
	find . -name '*.o' -exec objdump --dwarf=info {} + |
		awk '/DW_TAG_/ { typedef = /DW_TAG_typedef/ } typedef && /DW_AT_name/ { print $NF; typedef = 0 }' |
		sort -u | comm -12 - "$words" | comm -23 - "$known" | nothing
}

check_perltidy() {
	local file rc=0

	for file in $(perl_files); do
		# It would indent a bracket that closes something by half a step more than what opened it.
		perltidy -pro=test/static/perltidyrc -st -se "$file" | sed -E 's/^(\t*)  ([])}])/\1\2/' |
			diff -u --label "$file" --label "$file, tidied" "$file" - || rc=1
	done
	return "$rc"
}

check_perl() {
	local pgxs

	pgxs=$("$PG_CONFIG" --pgxs)
	perl_files | xargs -n 1 -P "$(nproc)" perl -wc -Itest/perl -I"${pgxs%/makefiles/pgxs.mk}/test/perl" 2>&1 |
		sed '/ syntax OK$/d' | nothing
}

# SC2317 takes what only a trap calls for unreachable.
check_shellcheck() {
	shell_files | xargs shellcheck -x -e SC2317
}

# ---- the shape of the code --------------------------------------------------------------------

check_layers() {
	test/static/layers.pl order
}

check_circles() {
	test/static/layers.pl circles
}

# plant CHECK WHAT: the check must say WHAT of two files that are planted into a copy of the tree; the
# input of this has their text, each after a line "==> FILE"
plant() {
	local found

	tree "planted-$1-$((++planted))" >/dev/null
	awk '/^==> / { file = $2; next } { print >>file }'
	found=$(test/static/layers.pl "$1")
	grep -qF -e "$2" <<<"$found" || { say "$1 does not say \"$2\", but:" && grep -e planted -e sown <<<"$found"; }
	cd "$BUILD" || exit
}

# An include upwards and one sideways, a call upwards past the headers, and circles of two files: by
# what they include, and by a call where a third file has the prototypes of both.
check_plants() {
	local planted=0

	{
		plant order 'emulator/base/planted.h:1: base/ is not above broker/' <<-'FILES'
			==> emulator/base/planted.h
			#include "broker/topic.h"
		FILES
		plant order 'emulator/wire/planted.h:2: wire/ is not above http/' <<-'FILES'
			==> emulator/wire/planted.h
			#include <stdbool.h>
			#include "http/fault.h"
		FILES
		plant order 'src/aws/planted.c:5: aws/ is not above settings/ (settings/planted.c, where planted_above is defined' <<-'FILES'
			==> src/aws/planted.h
			extern int planted_above(void);
			==> src/aws/planted.c
			#include "aws/planted.h"
			static int
			planted(void)
			{
				return planted_above();
			}
			==> src/settings/planted.c
			int
			planted_above(void)
			{
				return 1;
			}
		FILES
		plant circles 'emulator/base/planted -> emulator/base/sown -> emulator/base/planted' <<-'FILES'
			==> emulator/base/planted.h
			#include "base/sown.h"
			==> emulator/base/sown.h
			extern int sown;
			==> emulator/base/sown.c
			#include "base/planted.h"
		FILES
		plant circles 'src/aws/planted -> src/aws/sown -> src/aws/planted' <<-'FILES'
			==> src/aws/both.h
			extern int planted(int n);
			extern const int sown;
			==> src/aws/planted.c
			#include "aws/both.h"
			int
			planted(int n)
			{
				return sown;
			}
			==> src/aws/sown.c
			#include "aws/both.h"
			const int sown = 1;
			static int (*const first) (int n) = planted;
		FILES
	} | nothing
}

# The C library, OpenSSL and its own headers are all there is.
check_aws() {
	local rc=0

	files_of src/aws | none '^\s*#\s*include\s*"(?!aws/)' || rc=1
	files_of src/aws | none '^\s*#\s*include\s*<(?!openssl/|arpa/|netinet/|[a-z0-9]+\.h>)' || rc=1
	files_of src/aws | none '\b(palloc|pfree|repalloc|psprintf|pstrdup|pnstrdup|ereport|elog)\w*\s*\(' || rc=1
	return "$rc"
}

check_raise() {
	files_of src | grep -vE '^src/(join|outbox|api|lookup|answer|call|request|error)/' |
		none '\b(ereport\w*|errstart\w*|errfinish|ThrowErrorData|ReThrowError|PG_RE_THROW|pg_re_throw)\s*\('
}

check_elog() {
	files_of src | none '\belog\s*\('
}

check_interrupts() {
	files_of src | grep -vxE 'src/(transport/multi|credentials/child|outbox/launcher|outbox/utility)\.c' | none '\b(CHECK_FOR_INTERRUPTS|ProcessInterrupts)\s*\('
}

check_versions() {
	files_of src emulator test | grep -vx src/compat.h |
		none '^\s*#.*\b(PG_VERSION_NUM|PG_MAJORVERSION\w*|LIBCURL_VERSION\w*)\b'
}

check_names() {
	files_of src emulator test | while read -r file; do
		[ "$(sed -n '1{/^\/\*$/!q}; 2{p;q}' "$file")" = " * ${file##*/}" ] || say "$file"
	done | nothing
}

check_short_functions() {
	files_of src emulator | ctags-universal -x --language-force=C --kinds-C=f --_xformat='%{end} %{line} %{input} %{name}' -L - |
		awk '$1 - $2 >= 80 { print $3 ":" $2 ": " $4 " has " $1 - $2 + 1 " lines" }' | nothing
}

check_short_files() {
	files_of src emulator | xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 " has " $1 " lines" }' | nothing
}

# The pattern is written so that it does not find itself.
check_later() {
	find . -type f | none '\b(TO[D]O|FIX[M]E|X[X]X)\b'
}

# Paths in somebody's home, or of one machine. Fuzzing's inputs are not ours to write.
check_paths() {
	find . -type f -not -path './test/fuzz/*/*' |
		none '(?<![\w.~}$)*/-])/(home|root|work|Users|mnt|media|opt)/[\w.-]'
}

# ---- the list ---------------------------------------------------------------------------------

# check|what must be true
checks() {
	cat <<-'LIST'
		scan_build|scan-build finds nothing in src/ and emulator/
		clang_tidy|clang-tidy finds nothing in src/ and emulator/
		gcc|gcc compiles the extension, the local endpoint and the unit tests without a warning
		clang|clang compiles the extension, the local endpoint and the unit tests without a warning
		typedefs|typedefs.list has every type of others that the C files use
		cppcheck|cppcheck finds nothing in src/ and emulator/
		format|C files are in PostgreSQL's format (make indent)
		perltidy|Perl files are laid out as perltidyrc says
		perl|Perl files compile without a warning
		shellcheck|shellcheck finds nothing in the shell scripts
		layers|no file of src/ or emulator/ knows one of a layer above its own
		circles|no files of src/ or emulator/ know each other in a circle
		plants|files that are planted against the rules of layers and circles are found
		aws|no file of src/aws includes a PostgreSQL header or allocates or raises as PostgreSQL does
		raise|nothing below src/request raises, but src/error, which does it for all
		elog|nothing is raised without an SQLSTATE
		interrupts|interrupts are served in src/transport/multi.c and src/credentials/child.c only
		versions|only src/compat.h asks for a version
		names|every C file opens with a comment that names it
		short_functions|no function of src/ and emulator/ has more than 80 lines
		short_files|no file of src/ and emulator/ has more than 600 lines
		later|nothing is left for later
		paths|no path of a developer's machine is in the source
	LIST
}

# run NAME WHAT: leaves what it found in NAME.log, and its line of TAP without a number in NAME.tap
run() {
	local log=$SCRATCH/$1.log

	if (cd "$BUILD" && "check_$1") >"$log" 2>&1 </dev/null; then
		say "ok|$2" >"$SCRATCH/$1.tap"
	else
		say "not ok|$2" >"$SCRATCH/$1.tap"
	fi
}

setup_environment
setup_packages demo test static
SOURCE=$here
setup_scratch static
setup_source
PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config

names=()
for name in "${wanted[@]}"; do
	checks | grep -q "^$name|" || die "there is no check $name"
done
while IFS='|' read -r name what; do
	[ "${#wanted[@]}" = 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || continue
	names+=("$name")
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	set -m
	run "$name" "$what" &
	set +m
done < <(checks)
wait

failed=0
say "1..${#names[@]}"
for i in "${!names[@]}"; do
	IFS='|' read -r result what <"$SCRATCH/${names[i]}.tap"
	say "$result $((i + 1)) - $what"
	if [ "$result" != ok ]; then
		failed=1
		head -n 200 "$SCRATCH/${names[i]}.log" | sed 's/^/# /'
	fi
done
exit "$failed"
