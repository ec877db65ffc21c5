# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the contract tests share. Sourced, never run. A test says everything that is
# wrong before it fails. In the environment of each are
#
#	SOURCE      the tree
#	BUILD       the build directory
#	MIGRATECTL  the tool
#	LIBRARY     libmigrate.so
#	ARCHIVE     libmigrate.a
#	CC, CXX     compilers

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

LC_ALL=C
export LC_ALL

# Counted in a file, since many complain behind a pipe, in a shell of their own.
complain() {
	printf '%s\n' "$*" >&2
	echo >>"$work/complaints"
}

# complain_lines FORMAT: once for each line of standard input.
complain_lines() {
	while IFS= read -r line; do
		# shellcheck disable=SC2059 # it is a format
		complain "$(printf "$1" "$line")"
	done
}

# same A FILE B FILE: both files hold the same lines, in any order and each once.
same() {
	sort "$2" | uniq -d | sed "s|^|in $1 twice: |" >"$work/differences"
	sort -u "$2" >"$work/left"
	sort -u "$4" >"$work/right"
	comm -23 "$work/left" "$work/right" | sed "s|^|in $1, not in $3: |" >>"$work/differences"
	comm -13 "$work/left" "$work/right" | sed "s|^|in $3, not in $1: |" >>"$work/differences"
	complain_lines '%s' <"$work/differences"
}

# need COMMAND...: without it the test is skipped.
need() {
	for command; do
		command -v "$command" >/dev/null 2>&1 || skip "$command is not installed"
	done
}

skip() {
	echo "SKIPPED: $*" >&2
	exit 77
}

# not_empty FILE WHAT: a test that found nothing to compare has tested nothing.
not_empty() {
	[ -s "$1" ] || complain "found no $2"
}

# The files of the tree (what git would commit, or all but a build directory) without
# those that are nothing but data: captured machines, inputs of fuzzers, expected
# outputs, licence texts, and formats that have no comments.
source_files() {
	if git -C "${SOURCE:?}" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -C "$SOURCE" ls-files --cached --others --exclude-standard
	else
		(cd "$SOURCE" && find . -path ./build -prune -o -type f -print) | sed 's|^\./||'
	fi | while IFS= read -r file; do
		case $file in
		tests/sysroot/* | tests/fuzz/corpus/* | tests/cli/machines/* | tests/cli/cases/*) ;;
		LICENSES/* | LICENSE | *.json) ;;
		.clang-format | .editorconfig | .gitignore | .shellcheckrc) ;;
		*) [ ! -f "$SOURCE/$file" ] || printf '%s\n' "$file" ;;
		esac
	done
}

finish() {
	[ ! -e "$work/complaints" ] || exit 1
}
