#!/bin/bash
# Runs AWS's own JavaScript client against the local endpoint, with mqtt.js for the devices.
# IOTDATA_EMULATOR names the program. Speaks TAP. Needs npm; brings Node 20 itself where the
# system's is older, as a package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() {
	printf 'Bail out! %s\n' "$1"
	exit 1
}

# is_new NODE: whether it is there and at least version 20
is_new() {
	local version

	version=$("$1" --version 2>/dev/null) || return 1
	version=${version#v}
	[ "${version%%.*}" -ge 20 ]
}

export IOTDATA_EMULATOR=${IOTDATA_EMULATOR:-$PWD/../../emulator/iotdata-emulator}
[ -x "$IOTDATA_EMULATOR" ] || fail "no local endpoint at $IOTDATA_EMULATOR"
command -v npm >/dev/null || fail 'npm is not installed'

node=node
if ! is_new "$node"; then
	node=$PWD/node/node_modules/node/bin/node
	mkdir -p node
	is_new "$node" || npm install --silent --no-save --prefix node node@20 >&2 || fail 'Node 20 could not be installed'
fi
stamp=node_modules/.installed
if ! cmp -s package.json "$stamp"; then
	npm install --silent >&2 || fail 'the packages could not be installed'
	cp package.json "$stamp"
fi
exec "$node" interop.mjs
