# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the lab's scripts share. Sourced, never run.

lab_program=${0##*/}

# Fetched kernels; never inside the source tree.
# shellcheck disable=SC2034
lab_cache=${MIGRATECTL_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/migratectl-lab}

warn() {
	printf '%s: %s\n' "$lab_program" "$*" >&2
}

die() {
	warn "$*"
	exit 1
}

# A mistake in how the script was called.
misuse() {
	warn "$*"
	printf "Try '%s --help'\n" "$lab_program" >&2
	exit 2
}

# The comment at a script's top is its help.
help_from_comment() {
	sed -n '/^# Usage:/,/^[^#]/s/^# \{0,1\}//p' "$1"
}

# need COMMAND PACKAGE: say which package is missing, not which command.
need() {
	command -v "$1" >/dev/null 2>&1 ||
		die "'$1' is missing: install the package $2"
}

# quote WORD...: the words as shell source that means exactly them, newlines
# in them included.
quote() {
	for word; do
		printf '%s\n' "$word" |
			sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/' \\\\/"
	done
	echo
}

nodes_with_memory() {
	for node in /sys/devices/system/node/node[0-9]*; do
		! grep -q 'MemTotal: *[1-9]' "$node/meminfo" || echo "${node##*/node}"
	done | sort -n
}
