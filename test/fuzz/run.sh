#!/bin/bash
# Runs fuzz targets that are built, and says in TAP how it went; the Makefile says how to call it.
#
#   run.sh run SECONDS JOBS TARGET...    each for so long
#   run.sh regress 0 JOBS TARGET...      each over its seeds and its crashes, once
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
mode=$1 seconds=$2 jobs=$3
shift 3

# Leaks are errors too; and a target may never take more than this (seconds, MB).
limits=(-timeout=20 -rss_limit_mb=2560 -print_final_stats=1)
export UBSAN_OPTIONS=print_stacktrace=1

# run_one TARGET: its output goes to build/log, its exit status to build/log too
run_one() {
	local target=$1 known=()

	[ ! -d "crashes/$1" ] || known=("crashes/$1")
	mkdir -p "build/corpus/$1" "build/found/$1"
	if [ "$mode" = run ]; then
		"build/$target" "${limits[@]}" -max_total_time="$seconds" -artifact_prefix="build/found/$target/" \
			"build/corpus/$target" "seeds/$target" "${known[@]}"
	else
		find "seeds/$target" "${known[@]}" -type f -exec "build/$target" "${limits[@]}" \
			-artifact_prefix="build/found/$target/" {} +
	fi >"build/log/$target" 2>&1 </dev/null
	echo $? >"build/log/$target.status"
}

# report NUMBER TARGET
report() {
	local log=build/log/$2 runs input

	runs=$(sed -nE 's/^stat::number_of_executed_units: //p' "$log" | tail -n 1)
	[ "$mode" = run ] || runs=$(grep -c '^Executed ' "$log")
	if [ "$(cat "$log.status")" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
		echo "ok $1 - $2 meets no fault in $runs runs"
		return
	fi
	failed=1
	echo "not ok $1 - $2 meets no fault in ${runs:-its} runs"
	input=$(sed -nE 's/.*Test unit written to (.*)/\1/p' "$log" | tail -n 1)
	# libFuzzer names no file for an input that it was told to run
	[ -n "$input" ] || input=$(sed -nE 's/^Running: //p' "$log" | tail -n 1)
	[ -z "$input" ] || echo "# replay: $PWD/build/$2 $PWD/$input"
	grep -vE '^(INFO|Running:|Executed |stat::|#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|INITED|DONE|RELOAD))' "$log" | tail -n 45 | sed 's/^/# /'
}

mkdir -p build/log
# Each target runs in a process group of its own, so that all of it can be ended.
set -m
# shellcheck disable=SC2317
stop() {
	local job

	for job in $(jobs -rp); do kill -TERM -- "-$job"; done
	exit 130
}
trap stop INT TERM HUP
echo "1..$#"
for target; do
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
	run_one "$target" &
done
wait

failed=0
number=0
for target; do
	report "$((++number))" "$target"
done
exit "$failed"
