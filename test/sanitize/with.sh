# shellcheck shell=bash disable=SC2034
# How test/run.sh builds and starts everything with AddressSanitizer and UndefinedBehaviorSanitizer
# in it, and counts what they reported; test/sanitize.sh gives this file to it.
#
# In the backend the sanitizers' libraries are preloaded, into every program of the tests, since the
# server itself is Debian's. Memory errors and undefined behaviour are reported from every process.
# Leaks are looked for when a process that has loaded the extension exits (see first.c), in the
# local endpoint and in the unit tests; in a backend, what counts as the extension's is memory that
# the extension itself, libcurl or OpenSSL allocated: PostgreSQL calls none of them here.

sanitizers=address,undefined
# Signed overflow is defined with PostgreSQL's own -fwrapv, so without that.
EXTENSION_FLAGS=("COPT=-fsanitize=$sanitizers -fno-omit-frame-pointer -fno-wrapv -O1 -g")
EMULATOR_FLAGS=("CFLAGS=-O1 -g -fno-omit-frame-pointer -fsanitize=$sanitizers" "LDFLAGS=-fsanitize=$sanitizers")
unit_flags=("SANITIZE=$sanitizers")
SLOWNESS=4

prepare() {
	local reports=$SCRATCH/reports preload
	local common="disable_coredump=1:abort_on_error=1:log_path=$reports/report"
	local ubsan="print_stacktrace=1:log_path=$reports/report"

	as_user mkdir "$reports"
	as_user gcc -shared -fPIC -O1 -Wall -Wextra -Wno-unused-parameter -Wl,-z,initfirst \
		-o "$SCRATCH/first.so" "$BUILD/test/sanitize/first.c" || die "the library for the sanitizers could not be built"
	preload=$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so):$SCRATCH/first.so

	# PostgreSQL tells the depth of its stack by addresses, so locals must lie on the real one.
	SERVER_ENVIRONMENT=(
		"LD_PRELOAD=$preload"
		"ASAN_OPTIONS=$common:detect_leaks=1:leak_check_at_exit=0:detect_stack_use_after_return=0"
		"UBSAN_OPTIONS=$ubsan"
		"LSAN_OPTIONS=report_objects=0"
	)
	tap_environment=("${SERVER_ENVIRONMENT[@]}" "IOTDATA_SANITIZED=1")
	unit_environment=("ASAN_OPTIONS=$common:detect_leaks=1" "UBSAN_OPTIONS=$ubsan")

	# The endpoint has the sanitizers linked in; all its leaks are reports.
	as_user tee "$SCRATCH/emulator" >/dev/null <<-WRAPPER
		#!/bin/sh
		unset LD_PRELOAD LSAN_OPTIONS
		export ASAN_OPTIONS=$common:detect_leaks=1
		exec $BUILD/emulator/iotdata-emulator "\$@"
	WRAPPER
	chmod 755 "$SCRATCH/emulator"
	tap_environment+=("IOTDATA_EMULATOR=$SCRATCH/emulator")
}

# Counts every report as a failure and shows it.
conclude() {
	local found logs

	say "== reports of the sanitizers"
	mapfile -t logs < <(find "$SCRATCH" -name '*.log' -not -path "$SCRATCH/usr/*")
	perl "$BUILD/test/sanitize/reports.pl" "$SCRATCH/reports" "$BUILD" "${logs[@]}"
	found=$?
	[ "$found" = 0 ] || report 0 1 0
}
