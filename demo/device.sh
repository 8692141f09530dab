#!/bin/sh
# What demo.sql needs of its devices. DEVICES is the folder where run.sh keeps them.
#
#   device.sh prints NAME    what the device printed since it was last asked
#   device.sh hangs NAME     the device stays connected and does nothing any more
#   device.sh wakes NAME     the device goes on
set -eu

name=$2
log=$DEVICES/$name.log
pid=$(cat "$DEVICES/pids/$name")

prints() {
	seen=$(cat "$DEVICES/$name.seen" 2>/dev/null || echo 0)
	tries=100
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

case $1 in
	prints) prints ;;
	hangs) kill -STOP "$pid" ;;
	wakes) kill -CONT "$pid" ;;
esac
