# shellcheck shell=bash
# What test/run.sh and demo/run.sh share: Debian packages, a scratch folder that belongs to an
# ordinary user, a private PostgreSQL installation in it, the build, and servers.
#
# Source it, call setup_begin first, and let setup_end run on EXIT. IOTDATA_TEST_MAJOR, when set,
# is the major version of PostgreSQL to use, of those that are installed. What setup_begin sets:
#   SOURCE    the folder of this repository
#   SCRATCH   a new folder that is removed at the end; all that is built or started lives in it
#   BUILD     the copy of the source tree that is built, in SCRATCH
#   BINDIR    the programs of the private PostgreSQL installation, in SCRATCH
#   PG_CONFIG the pg_config of that installation
# Servers never run as root: where root calls, they run as the user postgres.

PG_MAJOR=${IOTDATA_TEST_MAJOR:-15}

REPLACED_FILES=()

# What a run that is not a plain one changes: make's variables, the environment of what is started.
EXTENSION_FLAGS=()
EMULATOR_FLAGS=()
SERVER_ENVIRONMENT=()
SERVER_SETTINGS=() # lines of postgresql.conf
POSTGRES_ROOT=     # where the folders of PostgreSQL's Debian packages are to be found
SLOWNESS=1         # how many times longer than in a plain run anything may be waited for

# package | used for (see setup_packages) | what it is needed for
packages() {
	cat <<-LIST
		postgresql-$PG_MAJOR|demo|the server that the extension is loaded into
		postgresql-server-dev-$PG_MAJOR|demo|PostgreSQL's headers and its way to build extensions
		gcc|demo|the C compiler
		libc6-dev|demo|the C library's headers
		make|demo|runs the build
		pkg-config|demo|finds the libraries
		libcurl4-openssl-dev|demo|HTTPS, in the extension
		libssl-dev|demo|signatures and TLS
		libxml2-dev|demo|XML, in the answers of AWS's Security Token Service
		libjson-c-dev|demo|JSON, in the local endpoint
		libmicrohttpd-dev|demo|HTTP, in the local endpoint
		mosquitto-clients|demo|the MQTT clients that play the devices
		openssl|test|makes the certificates of the TLS tests
		libcmocka-dev|test|unit tests in C
		libipc-run-perl|test|PostgreSQL's own test modules need it
		ca-certificates|test|the authorities that TLS trusts where ca_file is not set
		golang-go|peers|builds AWS's own Go client
		golang-github-aws-aws-sdk-go-v2-dev|peers|that client
		nginx|bench|another server, not ours, for what is measured
		wrk|bench|asks a server as fast as it can
		nodejs|interop|runs AWS's own JavaScript client
		npm|interop|fetches that client
		dpkg-dev|assertions|unpacks PostgreSQL's source package
		perl|assertions|runs a part of PostgreSQL's build
		clang|fuzz|compiles the fuzz targets
		libclang-rt-14-dev|fuzz|libFuzzer and the sanitizers
		clang|static|the other C compiler
		clang-tools|static|scan-build, clang's analyser
		clang-tidy|static|looks for mistakes in C
		cppcheck|static|looks for mistakes in C, in its own way
		pg-bsd-indent|static|PostgreSQL's C format
		universal-ctags|static|finds types and the lengths of functions
		perltidy|static|the layout of Perl files
		shellcheck|static|looks for mistakes in shell scripts
		valgrind|valgrind|watches the memory of a whole cluster
		mmdebstrap|chroot|makes a root folder with another release of Debian
		iproute2|chroot|brings up the loopback of a network of its own
	LIST
	# Debian has it for each version of PostgreSQL that is released
	[ "$PG_MAJOR" = 19 ] || say "postgresql-$PG_MAJOR-cron|demo|runs jobs of the server's own, on a schedule"
}

say() {
	printf '%s\n' "$*"
}

die() {
	printf '\n%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# setup_begin SOURCE NAME USE...: everything up to a build folder that is ready for make. NAME
# becomes part of the scratch folder's; USE is what packages are needed for.
setup_begin() {
	local name=$2

	SOURCE=$1
	shift 2
	setup_environment
	setup_packages "$@"
	setup_scratch "$name"
	make_postgres
	setup_postgres
	setup_source
}

setup_environment() {
	local variable

	# No setting of the caller's shell may reach a test, least of all real AWS credentials.
	for variable in "${!PG@}" "${!AWS_@}"; do
		case $variable in
			PG_MAJOR | PG_TEST_TIMEOUT_DEFAULT) ;;
			*) unset "$variable" ;;
		esac
	done
	# The one deadline, in seconds, by the name that PostgreSQL's own tests have for it. What is
	# waited for is a condition everywhere; this ends what waits for one that never comes.
	export PG_TEST_TIMEOUT_DEFAULT=$((${PG_TEST_TIMEOUT_DEFAULT:-180} * SLOWNESS))
	export PGCTLTIMEOUT=$PG_TEST_TIMEOUT_DEFAULT
	unset LANGUAGE MAKEFLAGS MAKELEVEL
	# LANG too: PostgreSQL's test modules take LC_ALL away, and a cluster is to be in UTF-8
	export LC_ALL=C.UTF-8 LANG=C.UTF-8
	umask 022
}

# ---- packages ---------------------------------------------------------------------------------

has_package() {
	case $1 in
		# these two also come from elsewhere; only the command counts
		nodejs) command -v node >/dev/null ;;
		npm) command -v npm >/dev/null ;;
		*) [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
	esac
}

# The packages that are missing for these uses, a line each as in the list above.
missing_packages() {
	local package use why

	packages | while IFS='|' read -r package use why; do
		[[ " $* " == *" $use "* ]] || continue
		has_package "$package" || printf '%s|%s|%s\n' "$package" "$use" "$why"
	done
}

# setup_packages USE...: demo, test (needs demo as well), interop, bench, valgrind, chroot
setup_packages() {
	local missing names

	command -v apt-get >/dev/null || die "this script sets itself up on Debian 12 only (there is no apt-get here)"
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0

	say "Missing here, and installed now as Debian packages:"
	printf '%s\n' "$missing" | awk -F'|' '{ printf "  %-26s %s\n", $1, $3 }'
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			die "installing them takes root, and there is no sudo here; as root run:
  apt-get install --no-install-recommends $(printf '%s\n' "$missing" | cut -d'|' -f1 | paste -sd' ')"
		sudo true || die "installing them takes root, and sudo refused"
	fi

	mapfile -t names < <(printf '%s\n' "$missing" | cut -d'|' -f1)
	install_packages "${names[@]}"
	missing=$(missing_packages "$@" | cut -d'|' -f1 | paste -sd' ')
	[ -z "$missing" ] || die "still missing after the installation: $missing"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" 2>&1
}

# This machine's owner asked for a test, not for servers: what Debian's packages would start is
# not started.
install_packages() {
	local rc=0

	# The index of packages is fetched only when it cannot answer.
	apt_get --simulate --no-install-recommends install "$@" >/dev/null || refresh_index

	if [[ " $* " == *" postgresql-$PG_MAJOR "* ]]; then
		make_no_cluster
	fi
	if [[ " $* " == *" nginx "* ]]; then
		replace_file /usr/sbin/policy-rc.d 755 $'#!/bin/sh\nexit 101'
	fi
	(apt_install "$@") || rc=$?
	put_back_files
	[ "$rc" = 0 ] || exit "$rc"
	if [[ " $* " == *" nginx "* ]]; then
		# nor when the machine starts
		as_root update-rc.d nginx disable >/dev/null 2>&1
	fi
}

# PostgreSQL's package makes a cluster where there was no PostgreSQL, and starts it.
make_no_cluster() {
	! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || return 0
	apt_install postgresql-common
	replace_file /etc/postgresql-common/createcluster.conf 644 'create_main_cluster = false'
}

# replace_file FILE MODE TEXT: until put_back_files
replace_file() {
	if [ -e "$1" ] || [ -L "$1" ]; then
		as_root mv "$1" "$1.iotdata-saved"
	fi
	REPLACED_FILES+=("$1")
	say "$3" | as_root tee "$1" >/dev/null
	as_root chmod "$2" "$1"
}

put_back_files() {
	local file

	for file in "${REPLACED_FILES[@]}"; do
		as_root rm -f "$file"
		if [ -e "$file.iotdata-saved" ] || [ -L "$file.iotdata-saved" ]; then
			as_root mv "$file.iotdata-saved" "$file"
		fi
	done
	REPLACED_FILES=()
}

apt_install() {
	local output

	output=$(apt_get --no-install-recommends install "$@") && return
	refresh_index
	output=$(apt_get --no-install-recommends install "$@") && return
	printf '%s\n' "$output" | tail -n 15 >&2
	die "Debian's packages could not be installed; apt-get's last words are above"
}

refresh_index() {
	local output

	[ -z "${INDEX_FRESH:-}" ] || return 0
	say "  (fetching Debian's package index)"
	output=$(apt_get update) || {
		printf '%s\n' "$output" | tail -n 15 >&2
		die "Debian's package index could not be fetched; is there a network?"
	}
	INDEX_FRESH=1
}

# ---- the scratch folder and its user ----------------------------------------------------------

setup_scratch() {
	local parent=${TMPDIR:-/tmp}

	RUN_AS=
	[ "$(id -u)" != 0 ] || RUN_AS=postgres
	# Unix sockets live below it, and their names may not exceed 107 bytes.
	if [ "${#parent}" -gt 40 ] || ! as_user test -w "$parent" -a -x "$parent"; then
		parent=/tmp
	fi
	SCRATCH=$(realpath "$(mktemp -d "$parent/iotdata-$1.XXXXXX")")
	[ -z "$RUN_AS" ] || chown "$RUN_AS": "$SCRATCH"
	chmod 700 "$SCRATCH"
	cd "$SCRATCH" || die "cannot enter $SCRATCH"
	as_user mkdir "$SCRATCH/home" "$SCRATCH/tmp"
}

# Runs a command as the ordinary user that owns the scratch folder.
as_user() {
	if [ -z "$RUN_AS" ]; then
		env TMPDIR="${SCRATCH:-}/tmp" "$@"
	else
		# not runuser, which stays in between as a process that stops and ends on its own terms
		setpriv --reuid="$RUN_AS" --regid="$RUN_AS" --init-groups \
			env HOME="${SCRATCH:-}/home" TMPDIR="${SCRATCH:-}/tmp" USER="$RUN_AS" LOGNAME="$RUN_AS" "$@"
	fi
}

# setup_find FOLDER: what setup_begin would set, for a scratch folder that an earlier run left.
setup_find() {
	SCRATCH=$(realpath "$1")
	RUN_AS=
	[ "$(id -u)" != 0 ] || RUN_AS=$(stat -c %U "$SCRATCH")
	BUILD=$SCRATCH/build
	BINDIR=$SCRATCH/usr/lib/postgresql/$PG_MAJOR/bin
	PG_CONFIG=$BINDIR/pg_config
}

# ---- a private PostgreSQL installation --------------------------------------------------------

# Makes what is under POSTGRES_ROOT; nothing, where that is this machine's own.
make_postgres() { :; }

# PostgreSQL finds all its folders from where its programs stand. So the programs are copied and
# everything else is linked: `make install` then goes into the scratch folder and the system's
# PostgreSQL stays as it was.
setup_postgres() {
	local system=$POSTGRES_ROOT/usr/lib/postgresql/$PG_MAJOR installed

	BINDIR=$SCRATCH/usr/lib/postgresql/$PG_MAJOR/bin
	PG_CONFIG=$BINDIR/pg_config
	as_user mkdir -p "${BINDIR%/*}" "$SCRATCH/usr/share/postgresql" "$SCRATCH/usr/include"
	as_user cp -r "$system/bin" "$BINDIR"
	as_user cp -rs "$system/lib" "${BINDIR%/bin}/lib"
	as_user cp -rs "$POSTGRES_ROOT/usr/share/postgresql/$PG_MAJOR" "$SCRATCH/usr/share/postgresql/$PG_MAJOR"
	as_user ln -s "$POSTGRES_ROOT/usr/include/postgresql" "$SCRATCH/usr/include/postgresql"
	# an extension that is installed on this machine is not the one that is tested
	find "$SCRATCH/usr" -type l -name 'iotdata*' -delete

	for installed in "$("$PG_CONFIG" --sharedir)" "$("$PG_CONFIG" --pkglibdir)" "$("$PG_CONFIG" --includedir-server)" "$("$PG_CONFIG" --pgxs)"; do
		case $installed in
			"$SCRATCH"/*) [ -e "$installed" ] || die "the copy of PostgreSQL lacks $installed" ;;
			*) die "the copy of PostgreSQL points outside of it, to $installed" ;;
		esac
	done
}

# ---- the build --------------------------------------------------------------------------------

# What git would commit, or, outside a checkout, all there is; never what a build made.
source_files() {
	local file

	if git -C "$SOURCE" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -C "$SOURCE" ls-files -z --cached --others --exclude-standard
	else
		(cd "$SOURCE" && find . -name .git -prune -o -type f -print0)
	fi | while IFS= read -r -d '' file; do
		case $file in
			*.o | *.so | *.bc | */build/* | */node_modules/* | */tmp_check/* | */iotdata-emulator) continue ;;
		esac
		# a file that was deleted but not committed is still listed
		[ ! -e "$SOURCE/$file" ] || printf '%s\0' "$file"
	done
}

# A copy is built, so that the clone stays clean and root leaves no files of his in it.
setup_source() {
	BUILD=$SCRATCH/build
	as_user mkdir "$BUILD"
	source_files | tar -C "$SOURCE" --null --no-recursion -T - -cf - |
		as_user tar -C "$BUILD" --no-same-owner -xf - || die "the source tree could not be copied"
}

# quietly LOG COMMAND...: its output goes to a file, and is shown only when it fails.
quietly() {
	local log=$1

	shift
	if ! "$@" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		return 1
	fi
}

# with_llvm=no: bitcode would need clang, and changes nothing about what is tested
make_in_build() {
	as_user make -C "$BUILD" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" with_llvm=no "${EXTENSION_FLAGS[@]}" "$@"
}

build_extension() {
	quietly "$SCRATCH/build.log" make_in_build all &&
		quietly "$SCRATCH/install.log" make_in_build install
}

build_emulator() {
	quietly "$SCRATCH/emulator.log" as_user make -C "$BUILD/emulator" -j"$(nproc)" "${EMULATOR_FLAGS[@]}"
}

# ---- a server ---------------------------------------------------------------------------------

# start_server NAME=VALUE...: a cluster whose only door is a socket in the scratch folder, and
# whose environment has what is given here. "psql -h $SCRATCH -U postgres" reaches it.
start_server() {
	as_user "$BINDIR/initdb" -D "$SCRATCH/data" -U postgres -A trust -N -E UTF8 --locale=C.UTF-8 >"$SCRATCH/initdb.log" 2>&1 ||
		die "initdb failed, see $SCRATCH/initdb.log"
	as_user tee -a "$SCRATCH/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$SCRATCH'
		fsync = off
		log_line_prefix = '%m [%p] %e '
		$(printf '%s\n' "${SERVER_SETTINGS[@]}")
	CONF
	resume_server "$@"
}

# resume_server NAME=VALUE...: the same cluster again, after stop_server
resume_server() {
	as_user env "${SERVER_ENVIRONMENT[@]}" "$@" "$BINDIR/pg_ctl" -D "$SCRATCH/data" -l "$SCRATCH/server.log" -w start >/dev/null ||
		die "the server did not start, see $SCRATCH/server.log"
}

# stop_server FOLDER
stop_server() {
	as_user "$BINDIR/pg_ctl" -D "$1" -m fast -w stop >/dev/null 2>&1 ||
		as_user "$BINDIR/pg_ctl" -D "$1" -m immediate -w stop >/dev/null 2>&1 || true
}

# Every server of the scratch folder, those too that a test which was interrupted left behind.
stop_servers() {
	local file

	find "$SCRATCH" -name postmaster.pid -not -path '*/usr/*' 2>/dev/null | while read -r file; do
		stop_server "${file%/postmaster.pid}"
	done
}

# run_psql DATABASE...: psql's options after it
run_psql() {
	as_user "$BINDIR/psql" -X -h "$SCRATCH" -U postgres -v ON_ERROR_STOP=1 -d "$@"
}

# ---- other programs in the background ---------------------------------------------------------

# start_program NAME COMMAND...: what it prints goes to $SCRATCH/NAME.log. It is out of reach of
# the terminal's Ctrl-C, so that whoever started it can end it in order.
start_program() {
	local name=$1

	shift
	as_user mkdir -p "$SCRATCH/pids"
	# shellcheck disable=SC2016
	as_user setsid sh -c 'echo $$ >"$0.new" && mv "$0.new" "$0" && log=$1 && shift && exec "$@" >"$log" 2>&1 </dev/null' \
		"$SCRATCH/pids/$name" "$SCRATCH/$name.log" "$@" 2>/dev/null &
	wait_until "$name did not start" test -e "$SCRATCH/pids/$name"
}

signal_program() {
	kill "-$2" "$(cat "$SCRATCH/pids/$1")"
}

stop_programs() {
	local file

	for file in "$SCRATCH"/pids/*; do
		[ -e "$file" ] || continue
		# a stopped one (SIGSTOP) hears of its end only when it goes on
		signal_program "${file##*/}" TERM 2>/dev/null || true
		signal_program "${file##*/}" CONT 2>/dev/null || true
		rm -f "$file"
	done
}

# wait_until WHAT-IF-NOT COMMAND...: tries a command until it succeeds, or until the deadline
wait_until() {
	local message=$1 deadline=$((SECONDS + PG_TEST_TIMEOUT_DEFAULT))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || die "$message; see $SCRATCH"
		sleep 0.05
	done
}

# ---- the end ----------------------------------------------------------------------------------

# setup_end keep|remove
setup_end() {
	put_back_files
	[ -n "${SCRATCH:-}" ] || return 0
	stop_programs
	stop_servers
	cd /
	if [ "$1" = keep ]; then
		say "(kept for a look: $SCRATCH)"
	else
		rm -rf --one-file-system "$SCRATCH"
	fi
}
