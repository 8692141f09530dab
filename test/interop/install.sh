#!/bin/bash
# Installs AWS's own JavaScript client into this folder, with a Node that is new enough for it, and
# prints that Node's name. Where that fails, says why on stderr.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() {
	printf '%s\n' "$1" >&2
	exit 1
}

# is_new NODE: whether it is there and at least version 20
is_new() {
	local version

	version=$("$1" --version 2>/dev/null) || return 1
	version=${version#v}
	[ "${version%%.*}" -ge 20 ]
}

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
printf '%s\n' "$node"
