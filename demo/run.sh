#!/bin/bash
# Shows SQL talking to real MQTT clients: a local AWS IoT endpoint, a few devices played by
# mosquitto's clients and some hundred by a script, and a PostgreSQL server with the extension. Does
# all its set-up on Debian 12, as root or as a user with sudo, needs no AWS account, and cleans up
# after itself.
set -euo pipefail

usage() {
	cat <<-'USAGE'
		usage: demo/run.sh [--keep]
		       demo/run.sh --stop FOLDER

		--keep         leaves everything up at the end, and says how to connect
		--stop FOLDER  ends what --keep left up; FOLDER is what it printed
	USAGE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
source "$here/test/setup.sh"

keep=
case ${1:-} in
	-h | --help) usage && exit ;;
	--keep) keep=1 ;;
	--stop)
		[ -x "${2:-}/build/emulator/iotdata-emulator" ] || die "${2:-nothing} is not a folder that --keep printed"
		setup_find "$2"
		setup_end remove
		say "Stopped, and $2 is removed."
		exit
		;;
	'') ;;
	*) usage >&2 && exit 2 ;;
esac

stop() {
	local rc=$?

	trap '' INT TERM HUP
	if [ "$rc" = 0 ] && [ -n "$keep" ]; then
		return
	fi
	setup_end "$([ "$rc" = 0 ] || [ "$rc" -ge 128 ] && echo remove || echo keep)"
	exit "$rc"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# device NAME [mosquitto_sub's options]
device() {
	local name=$1

	shift
	start_program "$name" env DEVICES="$SCRATCH" MQTT_PORT="$mqtt_port" "$BUILD/demo/device.sh" is "$name" "$@"
	wait_until "$name did not connect" grep -q "mqtt subscribed $name " "$SCRATCH/endpoint-events"
}

# show FILE: runs a file of SQL, which says what it does
show() {
	as_user env DEVICE="$BUILD/demo/device.sh" DEVICES="$SCRATCH" MQTT_PORT="$mqtt_port" PGOPTIONS='-c client_min_messages=notice' \
		"$BINDIR/psql" -X -h "$SCRATCH" -U postgres -d demo -f "$BUILD/demo/$1" 2>&1 |
		sed 's/^psql:[^ ]*: //'
}

port() {
	sed -n "s/^$1 .*:\([0-9]*\)$/\1/p" "$SCRATCH/endpoint.log"
}

setup_begin "$here" demo demo
say "Building the extension and the local endpoint ..."
build_extension || die "the extension could not be built, see above"
build_emulator || die "the local endpoint could not be built, see above"

say "Starting the local endpoint, some hundred devices and a PostgreSQL server ..."
# It takes 20 ms to answer and has AWS's quotas for reads: 100 a second, and one for one client.
start_program endpoint "$BUILD/emulator/iotdata-emulator" --http-port 0 --mqtt-port 0 --log "$SCRATCH/endpoint-events" \
	--delay 20 --read-rate 100 --client-read-rate 1
wait_until "the local endpoint did not start" grep -q '^ready$' "$SCRATCH/endpoint.log"
http_port=$(port http)
mqtt_port=$(port mqtt)

device thermostat-1 -V mqttv5 -c -x 3600 -k 30 -q 1 -t 'commands/thermostat-1/#' -t 'building/+/alarm'
device thermostat-2 -V mqttv5 -k 60 -t 'commands/thermostat-2/#'
device pump-3 -V mqttv5 -c -x 600 -q 1 -t 'pump/#'
device door-7 -V mqttv5 -c -x 86400 -t 'door/#'
signal_program door-7 KILL
wait_until "door-7 did not go away" grep -q 'mqtt disconnected door-7' "$SCRATCH/endpoint-events"

# 280 that stay connected, and 20 that go away again
start_program fleet perl "$BUILD/test/perl/fleet.pl" --mqtt-port "$mqtt_port" --count 280 --prefix sensor- --stay
wait_until "the devices did not connect" grep -q '^ready$' "$SCRATCH/fleet.log"
as_user perl "$BUILD/test/perl/fleet.pl" --mqtt-port "$mqtt_port" --count 20 --prefix silent-

# iotdata is preloaded so that all sessions share the rates and the cache, and messages are sent by a
# background worker. pg_cron's jobs connect as everybody does here.
SERVER_SETTINGS+=("shared_preload_libraries = 'iotdata, pg_cron'" "cron.database_name = 'demo'" "cron.host = '$SCRATCH'")
# The server gets its credentials as AWS's own tools do: from its environment.
environment=(AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY AWS_REGION=us-east-1)
start_server "${environment[@]}"
run_psql postgres -q -c 'CREATE DATABASE demo' -c "ALTER DATABASE demo SET iotdata.endpoint_url = 'http://127.0.0.1:$http_port'"

show demo.sql
stop_server "$SCRATCH/data"
resume_server "${environment[@]}"
show job.sql

if [ -n "$keep" ]; then
	cat <<-KEPT
		Everything is still up.

		  A session of your own, as root or as ${RUN_AS:-$(id -un)}:
		    $BINDIR/psql -h $SCRATCH -U postgres demo

		  A device of your own (the local endpoint's MQTT port is $mqtt_port):
		    mosquitto_sub -V mqttv5 -p $mqtt_port -i my-device -t 'my/#' -v

		  The local endpoint's API, for other clients of AWS IoT:
		    http://127.0.0.1:$http_port

		  What the devices printed:
		    $SCRATCH/*.log

		  The end of all of it:
		    $0 --stop $SCRATCH
	KEPT
else
	say "That was all. Everything is stopped and removed again; --keep leaves it up."
fi
