# shellcheck shell=bash
# Three sessions at the same time against a server that has the service's quota. Together they must
# use all of it and not run into it. Whatever they do, the server answers no more than its bucket
# holds at first and what flows into it from the first request to the last:
#
#   quota used = requests answered / (100 + 100 a second * seconds)
#
# where the seconds are from the start of the first session's query to the end of the last one's.

quota=100 # requests a second, and what the bucket holds
quota_sessions=3
quota_devices=1000 # of each session

# quota_session URL NUMBER: when its query began and ended, and the rows that it gave
quota_session() {
	run_psql postgres -qAt -F ' ' <<-SQL
		$(target "$1")
		SELECT clock_timestamp() AS begun \gset
		SELECT count(*) AS rows FROM ($(
			join "(SELECT * FROM device WHERE id > ($2 - 1) * $quota_devices AND id <= $2 * $quota_devices)" |
				sed 's/count(\*), count(c.connected)/c/'
		)) AS joined \gset
		SELECT extract(epoch FROM :'begun'::timestamptz), extract(epoch FROM clock_timestamp()), :rows;
	SQL
}

# quota_run NAME URL: "seconds rows errors" of all sessions
quota_run() {
	local i errors=0 jobs=()

	for ((i = 1; i <= quota_sessions; i++)); do
		quota_session "$2" "$i" >"$SCRATCH/$1.session-$i" 2>"$SCRATCH/$1.error-$i" &
		jobs+=("$!")
	done
	for i in "${jobs[@]}"; do
		wait "$i" || errors=$((errors + 1))
	done
	cat "$SCRATCH/$1".session-* | awk -v errors="$errors" '
		!begun || $1 < begun { begun = $1 }
		$2 > ended { ended = $2 }
		{ rows += $3 }
		END { printf "%.3f %d %d\n", ended - begun, rows, errors }'
}

# quota_judge NAME SECONDS ROWS ERRORS ANSWERED THROTTLED
quota_judge() {
	local rows=$((quota_sessions * quota_devices))

	judge "sessions that failed, $1" "$4" == 0 "$(cat "$SCRATCH/$1".error-* | head -n 1)"
	judge "rows, $1" "$3" == "$rows"
	judge "quota used, $1" "$(calculate "$5 / ($quota + $quota * $2)" 3)" '>=' 0.97 \
		"$5 answered in $2 s, of $quota and $quota/s; $(calculate "($rows - $quota) / $quota" 1) s at best"
	judge "throttled, $1, %" "$(calculate "100 * $6 / ($5 + $6)" 2)" '<' 1 "$6 of $(($5 + $6)) requests"
}

# count_statuses LOG COLUMN: how many were answered, how many throttled
count_statuses() {
	awk -v column="$2" '$column == 429 { throttled++ } $column == 200 || $column == 404 { answered++ }
		END { print answered + 0, throttled + 0 }' "$1"
}

figure_quota() {
	local seconds rows errors answered throttled

	say "$quota_sessions sessions at once, $quota_devices devices each, $quota requests a second in all:"
	start_endpoint quota --no-authentication --read-rate "$quota" --client-read-rate 1 --log "$SCRATCH/quota-requests.log"
	read -r seconds rows errors < <(quota_run "local endpoint" "$(url quota http)")
	# "http GET /connections/ID STATUS ..."; the other lines tell of connections
	read -r answered throttled < <(count_statuses <(grep '^http GET ' "$SCRATCH/quota-requests.log") 4)
	quota_judge "local endpoint" "$seconds" "$rows" "$errors" "$answered" "$throttled"

	start_nginx
	read -r seconds rows errors < <(quota_run nginx "$NGINX_QUOTA")
	read -r answered throttled < <(count_statuses "$SCRATCH/nginx/quota.log" 2)
	quota_judge nginx "$seconds" "$rows" "$errors" "$answered" "$throttled"
}
