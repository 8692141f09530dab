# shellcheck shell=bash
# Figures: how they are taken, judged and printed.

judged=0
missed=0
skipped=0

# calculate EXPRESSION [DECIMALS]
calculate() {
	awk "BEGIN { printf \"%.${2:-0}f\n\", $1 }"
}

median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# judge NAME VALUE OPERATOR BOUND [TEXT]
judge() {
	local verdict=ok

	# what is not a number was not measured
	if ! [[ $2 =~ ^-?[0-9.]+$ ]] || ! awk "BEGIN { exit !($2 $3 $4) }"; then
		verdict=MISSED
		missed=$((missed + 1))
	fi
	judged=$((judged + 1))
	printf '%-44s %10s   asked: %-2s %-6s %s%s\n' "$1" "$2" "$3" "$4" "$verdict" "${5:+   ($5)}"
}

# inform NAME VALUE [TEXT]: nothing is asked of it
inform() {
	printf '%-44s %10s%s\n' "$1" "$2" "${3:+   ($3)}"
}

# skip NAME REASON
skip() {
	skipped=$((skipped + 1))
	printf '%-44s %10s   (%s)\n' "$1" skipped "$2"
}

# alternate ROUNDS FUNCTION...: each round calls them all in turn, so that a change of the machine's
# speed meets all. Each prints how many requests it did in a second.
alternate() {
	local rounds=$1 function i

	shift
	for function in "$@"; do
		: >"$SCRATCH/$function.rates"
	done
	for ((i = 0; i < rounds; i++)); do
		for function in "$@"; do
			"$function" >>"$SCRATCH/$function.rates"
		done
	done
}

# rate FUNCTION: the median of its rounds
rate() {
	median <"$SCRATCH/$1.rates"
}

# ratio FUNCTION FUNCTION: the median of the ratios within each round
ratio() {
	paste "$SCRATCH/$1.rates" "$SCRATCH/$2.rates" | awk '{ printf "%.2f\n", $1 / $2 }' | median
}
