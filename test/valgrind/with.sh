# shellcheck shell=bash disable=SC2034
# How test/run.sh starts the server under valgrind's memcheck, and counts what that reported;
# test/valgrind.sh gives this file to it. Only the server's processes are watched: the program
# "postgres" of the private installation becomes a script that starts the real one in valgrind.

uses=(valgrind)
EXTENSION_FLAGS=('COPT=-O1 -g -fno-omit-frame-pointer')
SLOWNESS=10
tap_environment=(IOTDATA_SANITIZED=1)

prepare() {
	local program=$BINDIR/postgres

	# initdb looks for the program and asks for its version; it and its bootstrap need no watching
	as_user mkdir "$SCRATCH/reports"
	as_user mv "$program" "$program.real"
	as_user tee "$program" >/dev/null <<-WRAPPER
		#!/bin/sh
		case " \$* " in
			*" --boot "* | *" --check "* | *" --single "* | *" -V "* | *" --version "*) exec $program.real "\$@" ;;
		esac
		exec valgrind --quiet --trace-children=yes --leak-check=no --error-limit=no --num-callers=25 \\
			--suppressions=$BUILD/test/valgrind/postgresql.supp --log-file=$SCRATCH/reports/valgrind.%p \\
			$program.real "\$@"
	WRAPPER
	chmod 755 "$program"
}

# Every file that is not empty has reports in it.
conclude() {
	local found

	say "== reports of valgrind"
	found=$(find "$SCRATCH/reports" -type f -size +0 | wc -l)
	if [ "$found" = 0 ]; then
		say none
		return
	fi
	find "$SCRATCH/reports" -type f -size +0 -exec head -n 60 {} + | head -n 400
	say "reports from $found processes"
	report 0 "$found" 0
}
