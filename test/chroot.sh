# shellcheck shell=bash
# Root folders with other releases of Debian in them, made by mmdebstrap and kept in a cache, and
# commands that run inside one. To be sourced after test/setup.sh; all of it takes root (or sudo).
#
# The addresses of Debian's mirrors are those of this machine's own apt configuration.

# chroot_cache [FOLDER]: where the root folders are kept; made if it is not there, and printed.
chroot_cache() {
	local folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/iotdata}

	mkdir -p "$folder" && realpath "$folder"
}

# chroot_mirror SUFFIX: the address this machine gets its own release, or its release with that
# suffix (-security), from; nothing when apt does not know one.
chroot_mirror() {
	local codename

	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI)' "Codename: $codename${1:-}" 'Component: main' 'Created-By: Packages' | sort -u | head -n 1
}

# chroot_make FOLDER SUITE[+EXTRA] PIN PACKAGE...: makes sure that FOLDER holds that release with
# these packages. EXTRA is a second release to take the source package PIN from (else PIN is -).
# What mmdebstrap says goes to FOLDER.log. A folder that was finished before is used as it is; one
# that was not, or was made for other packages, is made again.
chroot_make() {
	local folder=$1 release=$2 pin=$3 suite=${2%%+*} stamp sources=() options=() mirror security proxy=

	shift 3
	stamp="$release $pin $*"
	[ "$(cat "$folder/.made-for" 2>/dev/null)" != "$stamp" ] || return 0
	chroot_remove "$folder" || return

	mirror=$(chroot_mirror)
	security=$(chroot_mirror -security)
	if [ -z "$mirror" ]; then
		say "apt on this machine knows no mirror of its own release" >"$folder.log"
		return 1
	fi
	sources=("deb $mirror $suite main")
	case $suite in
		bookworm | trixie) [ -z "$security" ] || sources+=("deb $security $suite-security main") ;;
	esac
	if [ "$release" != "$suite" ]; then
		sources+=("deb $mirror ${release#*+} main")
		# shellcheck disable=SC2016
		options+=(--setup-hook='mkdir -p "$1/etc/apt/preferences.d" &&
			printf "Package: src:%s\nPin: release a=%s\nPin-Priority: 990\n" '"$pin ${release#*+}"' >"$1/etc/apt/preferences.d/iotdata"')
	fi
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	[ -z "$proxy" ] || options+=(--aptopt="Acquire::http::Proxy \"$proxy\"")

	# The man pages and translations would be half of it. No cluster is made by Debian's packages.
	# shellcheck disable=SC2016
	as_root mmdebstrap --mode=root --variant=apt "${options[@]}" \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Retries "3"' \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='force-unsafe-io' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--essential-hook='mkdir -p "$1/etc/postgresql-common" &&
			echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
		--customize-hook='printf "127.0.0.1 localhost\n::1 localhost\n" >"$1/etc/hosts"' \
		--include="$(printf '%s,' "$@")" \
		"$suite" "$folder" "${sources[@]}" >"$folder.log" 2>&1 || return
	printf '%s\n' "$stamp" | as_root tee "$folder/.made-for" >/dev/null
}

# What a cut-off bootstrap may have left mounted is not entered.
chroot_remove() {
	as_root rm -rf --one-file-system "$1"
}

# chroot_run FOLDER COMMAND...: as root in that root folder, in namespaces of its own: its mounts
# end with it, its network is a loopback that nobody else is on, and so are its processes and its
# shared memory. The command's environment is what "env" before it sets.
chroot_run() {
	# shellcheck disable=SC2016
	as_root unshare --mount --pid --net --ipc --uts --fork --kill-child --propagation private sh -euc '
		root=$1
		shift
		ip link set lo up
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
	' sh "$@"
}
