#!/bin/bash
# Runs AWS's own JavaScript client against the local endpoint, with mqtt.js for the devices, and
# our reader of profiles beside that client's.
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
read -ra flags < <(pkg-config --cflags --libs json-c)
"${CC:-cc}" -std=gnu11 -O1 -I../../src -o profile_tree profile_tree.c ../../src/aws/{profile_tree,profile_syntax,command_line,utf8}.c "${flags[@]}" ||
	fail 'our reader of profiles could not be built'
export IOTDATA_PROFILE_TREE=$PWD/profile_tree
exec "$node" interop.mjs
