#!/bin/sh
# A device of the demo, and what the SQL files need of it. DEVICES is the folder where run.sh keeps
# them, MQTT_PORT the local endpoint's.
#
#   device.sh is NAME [mosquitto_sub's options]   plays the device, until it is ended
#   device.sh comes NAME [the same]               starts it
#   device.sh prints NAME   what the device printed since it was last asked
#   device.sh hangs NAME    the device stays connected and does nothing any more
#   device.sh wakes NAME    the device goes on
set -eu

does=$1
name=$2
shift 2
log=$DEVICES/$name.log

message='topic:            %t\npayload:          %p\nQoS:              %q\ncontent type:     %C\nresponse topic:   %R\ncorrelation data: %D\nuser properties:  %P'

is() {
	exec stdbuf -oL mosquitto_sub -h 127.0.0.1 -p "$MQTT_PORT" -i "$name" -F "$message" "$@"
}

# run.sh ends all that have left their process id
comes() {
	setsid "$0" is "$name" "$@" >"$log" 2>&1 </dev/null &
	echo $! >"$DEVICES/pids/$name"
}

pid() {
	cat "$DEVICES/pids/$name"
}

prints() {
	seen=$(cat "$DEVICES/$name.seen" 2>/dev/null || echo 0)
	tries=600
	while [ "$(wc -c <"$log")" -le "$seen" ]; do
		tries=$((tries - 1))
		if [ "$tries" = 0 ]; then
			echo "   $name printed nothing"
			exit 1
		fi
		sleep 0.05
	done
	size=$(wc -c <"$log")
	echo "   $name prints:"
	# the lines of properties that the message does not have are left out
	tail -c "+$((seen + 1))" "$log" | grep -v '^[a-z ]*: *$' | sed 's/^/     | /'
	echo
	echo "$size" >"$DEVICES/$name.seen"
}

case $does in
	is | comes) "$does" "$@" ;;
	prints) prints ;;
	hangs) kill -STOP "$(pid)" ;;
	wakes) kill -CONT "$(pid)" ;;
esac
