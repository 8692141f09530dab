# shellcheck shell=bash
# Servers that know nothing of each other under one quota: clusters of default settings that join as
# many devices each at the same moment, against one local endpoint that has the service's quota and
# takes as long as the service. Each finds its share by the 429s that it gets. What is counted comes
# from the endpoint's log, whose lines get a time as they are written:
#
#   quota used = requests answered / (100 a second * seconds)
#   fairness   = Jain's index of what the servers got in two seconds, the mean over the time in which
#                all of them asked; 1: all got the same, 1/n: one got all
#
# where the seconds are from the first request to the last.

share_quota=100    # requests a second, and what the endpoint's bucket holds
share_devices=1500 # of each server
share_delay=20     # ms until an answer

# share_psql NUMBER...: psql's options after it
share_psql() {
	local port=$((5440 + $1))

	shift
	run_psql postgres -p "$port" "$@"
}

# share_make COUNT: the clusters. They differ from the default in what makes them quick to start, and
# in where requests go.
share_make() {
	local i folder

	for ((i = 1; i <= $1; i++)); do
		folder=$SCRATCH/cluster-$i
		as_user "$BINDIR/initdb" -D "$folder" -U postgres -A trust -N -E UTF8 --locale=C.UTF-8 >"$folder.initdb" 2>&1 ||
			die "initdb failed, see $folder.initdb"
		as_user tee -a "$folder/postgresql.conf" >/dev/null <<-CONF
			listen_addresses = ''
			unix_socket_directories = '$SCRATCH'
			port = $((5440 + i))
			fsync = off
			shared_preload_libraries = 'iotdata'
		CONF
		share_start "$i"
		share_psql "$i" -q -c 'CREATE EXTENSION iotdata'
		stop_server "$folder"
	done
}

share_start() {
	as_user "$BINDIR/pg_ctl" -D "$SCRATCH/cluster-$1" -l "$SCRATCH/cluster-$1.log" -w start >/dev/null ||
		die "a server did not start, see $SCRATCH/cluster-$1.log"
}

# share_endpoint NAME: its log gets the time of each line, in $SCRATCH/NAME-requests.log
share_endpoint() {
	as_user mkfifo "$SCRATCH/$1-requests"
	# shellcheck disable=SC2016 # they are Perl's
	start_program "$1-requests" perl -MTime::HiRes=time -ne '$| = 1; printf "%.3f %s", time, $_' "$SCRATCH/$1-requests"
	start_endpoint "$1" --no-authentication --read-rate "$share_quota" --client-read-rate 1 --delay "$share_delay" \
		--log "$SCRATCH/$1-requests"
}

# share_session NAME NUMBER DEVICES: the rows that its query gave
share_session() {
	share_psql "$2" -qAt <<-SQL
		$(target "$(url "$1" http)") ${share_setting:-}
		$(join "(SELECT 's$2-' || i AS client_id FROM generate_series(1, $3) AS i)" | sed 's/, count(c.connected)//');
	SQL
}

# share_run NAME DEVICES...: a server for each number. Each has just been started, and so knows nothing
# of what was before.
share_run() {
	local name=$1 i jobs=()

	shift
	share_endpoint "$name"
	for ((i = 1; i <= $#; i++)); do
		share_start "$i"
	done
	share_errors=0
	for ((i = 1; i <= $#; i++)); do
		share_session "$name" "$i" "${!i}" >"$SCRATCH/$name.session-$i" 2>"$SCRATCH/$name.error-$i" &
		jobs+=("$!")
	done
	for i in "${jobs[@]}"; do
		wait "$i" || share_errors=$((share_errors + 1))
	done
	for ((i = 1; i <= $#; i++)); do
		stop_server "$SCRATCH/cluster-$i"
	done
}

# share_figures NAME: of the endpoint's log, "SECONDS ANSWERED THROTTLED FAIRNESS ALONE". SECONDS
# are from the first request to the last, ALONE those from the end of all others to the first second in
# which the first server got 95 % of the quota.
share_figures() {
	awk -v quota="$share_quota" '
		$2 != "http" || $3 != "GET" { next }
		!begun { begun = $1 }
		{ split($4, part, /[\/-]/); server = substr(part[3], 2) }
		$5 == 429 { throttled++; next }
		{
			answered++
			ended[server] = last = $1
			window[server, int(($1 - begun) / 2)]++
			if (server == 1)
				time[++first] = $1
		}
		END {
			until = last
			for (server in ended) {
				servers++
				if (ended[server] < until)
					until = ended[server]
				if (server != 1 && ended[server] > left)
					left = ended[server]
			}
			for (w = 0; begun + 2 * (w + 1) <= until; w++) {
				sum = squares = 0
				for (server in ended) {
					sum += window[server, w]
					squares += window[server, w] ^ 2
				}
				fairness += sum ^ 2 / (servers * squares)
			}
			for (i = 1; i + quota * 0.95 <= first; i++)
				if (time[i] >= left && time[i + quota * 0.95] - time[i] <= 1)
					break
			printf "%.3f %d %d %.3f %.1f\n", last - begun, answered, throttled, w ? fairness / w : 0,
				i + quota * 0.95 <= first ? time[i] - left : 999
		}' "$SCRATCH/$1-requests.log"
}

# share_judge NAME DEVICES: what holds whatever the servers do. Sets what share_figures says, and
# share_throttled in percent.
share_judge() {
	local throttled

	read -r share_seconds share_answered throttled share_fairness share_alone < <(share_figures "$1")
	share_used=$(calculate "$share_answered / ($share_quota * $share_seconds)" 3)
	share_throttled=$(calculate "100 * $throttled / ($share_answered + $throttled)" 2)
	judge "sessions that failed, $1" "$share_errors" == 0 "$(cat "$SCRATCH/$1".error-* | head -n 1)"
	judge "rows, $1" "$(awk '{ rows += $1 } END { print rows }' "$SCRATCH/$1".session-*)" == "$2"
}

# share_of COUNT: servers that begin at the same moment, and have as much to do
share_of() {
	local devices

	mapfile -t devices < <(yes "$share_devices" | head -n "$1")
	share_run "$1-together" "${devices[@]}"
	share_judge "$1-together" "$(($1 * share_devices))"
	judge "quota used, $1-together" "$share_used" '>=' 0.95 "$share_answered answered in $share_seconds s"
	judge "throttled, $1-together, %" "$share_throttled" '<=' 3
	judge "fairness, $1-together" "$share_fairness" '>=' 0.95
}

# Four of five end early.
share_left() {
	share_run left 1800 300 300 300 300
	share_judge left 3000
	judge "seconds until 95 % of the rate, left" "$share_alone" '<=' 15
	inform "quota used, left" "$share_used" "throttled: $share_throttled %"
}

# One whose rate is set to ten times the quota.
share_greedy() {
	local share_setting="SET iotdata.read_rate = $((10 * share_quota));"

	share_run greedy "$share_devices"
	share_judge greedy "$share_devices"
	inform "quota used, greedy" "$share_used" "$share_answered answered in $share_seconds s; throttled: $share_throttled %"
}

figure_share() {
	local share_errors share_seconds share_answered share_fairness share_alone share_used share_throttled

	say "servers that share a quota of $share_quota requests a second, $share_devices devices each, $share_delay ms for an answer:"
	share_make 5
	share_of 1
	share_of 3
	share_of 5
	share_left
	share_greedy
}
