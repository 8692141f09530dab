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

export IOTDATA_EMULATOR=${IOTDATA_EMULATOR:-$PWD/../../emulator/iotdata-emulator}
[ -x "$IOTDATA_EMULATOR" ] || fail "no local endpoint at $IOTDATA_EMULATOR"
node=$(./install.sh) || fail "AWS's client could not be installed; the reason is above"
exec "$node" interop.mjs
