# SPDX-License-Identifier: GPL-2.0-or-later
# Asks the completion for zsh: see completions. What it would hand to the completion
# system is caught, since that works in an editor only.

typeset -a specs commands_offered

_arguments() {
	if [[ $1 == -C ]]; then
		state=$wanted_state
		shift
	fi
	specs+=("$@")
	return 0
}

_describe() { commands_offered+=("${(@P)4}") }
_files() { : }
_values() { shift 3; print -rl -- "$@" }
compset() { : }
compadd() { print -rl -- "${(@P)argv[-1]}" }

# "(--raw)--json[text]", "-t+[text]:nodes:action": the option, and + or -.
print_option() {
	local option=${1%%\[*} value=-

	[[ $option == \(*\)* ]] && option=${option#*\)}
	[[ $option == *[=+] ]] && value=+
	print -r -- "option $command ${option%[=+]} $value"
}

print_words() {
	local option=${${${1%%\[*}#*\)}%=} action=${1##*:} word

	case $action in
	\(*\))
		for word in ${=${action#\(}%\)}; do
			print -r -- "word $command $option $word"
		done
		;;
	__migratectl_kinds)
		for word in $(__migratectl_kinds); do
			print -r -- "word $command $option $word"
		done
		;;
	esac
}

print_columns() {
	__migratectl_command=$command
	words=(migratectl $command "$@")
	__migratectl_columns | sed "s/^/column $command /"
}

# The functions first: the file ends with a call.
source =(sed '/^_migratectl "\$@"$/d' $1)

wanted_state=command
_migratectl
for command in ${commands_offered%%:*}; do
	print -r -- "command $command"
done
for spec in $specs; do
	[[ $spec == *--*\[* ]] && print -r -- "command ${${spec%%\[*}#*\)}"
done

for command in ${commands_offered%%:*}; do
	specs=()
	wanted_state=rest
	words=($command)
	_migratectl
	# What stands before the command is the tool's own.
	specs=("${(@)specs[6,-1]}")
	for spec in $specs; do
		[[ $spec == *-*\[* ]] || continue
		print_option $spec
		print_words $spec
	done
	print_columns
	if [[ $command == show-pid ]]; then
		print_columns --by-kind
		print_columns --maps
	elif [[ $command == show-cgroup ]]; then
		print_columns --by-kind
	elif [[ $command == show-node ]]; then
		print_columns --blocks
		print_columns --by=file
	elif [[ $command == drain ]]; then
		print_columns --online
	fi
done

[[ "$(source <(:); __migratectl_read_nodes online | head -n 1)" == <-> ]] ||
	[[ ! -r /sys/devices/system/node/online ]] || print -u 2 'no nodes'
exit 0
