# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Asks the completion for bash: see completions.

# shellcheck disable=SC1090 # it is an argument
source "$1"

# ask LINE: what is offered at its end, a line each. Readline takes "=" and ":" for
# words of their own; none stand in these lines.
ask() {
	local -a COMP_WORDS COMPREPLY=()
	local COMP_CWORD COMP_TYPE=9

	read -r -a COMP_WORDS <<<"$1"
	[[ $1 != *' ' ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_migratectl
	((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
}

ask 'migratectl ' | sed 's/^/command /'
for command in $(ask 'migratectl ' | grep -v '^-'); do
	for option in $(ask "migratectl $command -"); do
		value=-
		# Only where no value is expected, options are offered again.
		ask "migratectl $command $option -" | grep -q '^--json$' || value=+
		echo "option $command $option $value"
	done
	for view in '' --by-kind --maps --blocks --by=file --online; do
		case $command$view in
		"$command" | show-pid--by-kind | show-pid--maps | show-cgroup--by-kind | \
			show-node--blocks | show-node--by=file | drain--online) ;;
		*) continue ;;
		esac
		ask "migratectl $command $view -o " | sed "s/^/column $command /"
		diff <(ask "migratectl $command $view -o ") \
			<(ask "migratectl $command $view --output ") >&2
	done
done
for option in 'move-pid --place' 'move-pid --shared' 'move-pid --fallback' 'move-pid --only' \
	'move-file --place' 'move-file --shared' 'move-file --fallback' 'show-file --sort' \
	'move-cgroup --place' 'move-cgroup --shared' 'move-cgroup --fallback' \
	'move-cgroup --only' 'show-node --by'; do
	ask "migratectl $option " | sed "s/^/word $option /"
done

# Lists go on behind what is there already, and processes and files are offered.
[[ $(ask 'migratectl move-pid --only anon,st') == anon,stack ]] || echo 'no list of kinds' >&2
[[ $(ask 'migratectl nodes -o +READ-B') == +READ-BW ]] || echo 'no list of columns' >&2
[[ $(__migratectl_expand 0-2,5,8-9 | tr '\n' ' ') == '0 1 2 5 8 9 ' ]] || echo 'no nodes' >&2
ask 'migratectl move-pid --to 0 ' | grep -qx "$$" || echo 'this process is not offered' >&2
ask 'migratectl show-file --of-pid ' | grep -qx "$$" || echo 'of-pid offers no process' >&2
[[ $(ask 'migratectl move-cgroup --to 0 /sys/f') == /sys/f* ]] || echo 'no cgroups' >&2
ask 'migratectl nodes ' | grep -q '^[0-9]' && echo 'nodes takes no process' >&2
[[ $(ask 'migratectl move-file --to 0 /pro') == /proc ]] || echo 'no files' >&2
[[ $(ask 'migratectl show-file --mount /pro') == /proc ]] || echo 'no mounts' >&2
[[ $(ask 'migratectl nodes --sysroot /pro') == /proc ]] || echo 'no directories' >&2
exit 0
