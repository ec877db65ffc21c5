# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of migratectl for bash. Everything it offers beside fixed words comes
# from /proc and /sys, read by the shell itself.

# Prints the numbers of "0-3,5", a line each.
__migratectl_expand() {
	local part node

	for part in ${1//,/ }; do
		for ((node = ${part%-*}; node <= ${part#*-}; node++)); do
			echo "$node"
		done
	done
}

# __migratectl_nodes CLASS: the nodes that a file of sysfs lists.
__migratectl_nodes() {
	local nodes=

	read -r nodes 2>/dev/null </sys/devices/system/node/"$1"
	__migratectl_expand "$nodes"
}

__migratectl_kinds() {
	echo anon heap stack file shmem hugetlb thp
}

# __migratectl_columns COMMAND VIEW
__migratectl_columns() {
	case $1$2 in
	nodes)
		echo NODE CPUS TOTAL FREE ROOM ANON FILE SHMEM SLAB DIRTY WRITEBACK THP \
			HUGETLB HUGEFREE TIER READ-BW WRITE-BW READ-LAT WRITE-LAT
		;;
	show-pid) echo PID PPID COMMAND TOTAL NODES SWAP RUNS LOCAL ;;
	show-pid--by-kind) echo PID COMMAND KIND TOTAL NODES ;;
	show-pid--maps)
		echo PID START END SIZE PERM KIND RES NODES ANON DIRTY WRITEBACK SWAPCACHE \
			MAPPERS PAGE OFFSET INODE DEVICE POLICY NAME
		;;
	show-cgroup)
		echo CGROUP PROCS HIDDEN TOTAL NODES SWAP ZSWAP RUNS LOCAL MEMS OWNMEMS
		;;
	show-cgroup--by-kind) echo CGROUP ACCOUNT KIND TOTAL NODES ;;
	show-node) echo KIND OF TOTAL NODES ;;
	show-node--blocks)
		echo BLOCK NODE STATE ZONES ADDRESS SIZE FREE MOVABLE UNMOVABLE ANON MAPPED \
			UNMAPPED SHMEM HUGETLB SLAB TABLES RESERVED KERNEL BALLOON POISONED ABSENT
		;;
	show-node--by) echo PID TOTAL NODES TYPE NAME ;;
	show-file) echo RES NODES SIZE DIRTY WRITEBACK LARGE PATH ;;
	compact) echo NODE ZONE FREE-BEFORE FREE HUGE-BEFORE HUGE GAINED FRAG-BEFORE FRAG ;;
	retire)
		echo ADDRESS PFN PAGES NODE CONTENT PID COMMAND MAPS AT MAPPING RESULT WHY
		;;
	drain--online) echo BLOCK NODE ZONES SIZE USED STATE RESULT SECONDS PFN WHY ;;
	move-pid | move-file | move-cgroup | drain) echo RESULT PAGES SIZE FROM TO WHY ;;
	esac
}

__migratectl_options() {
	case $1 in
	nodes) echo --distances ;;
	show-pid) echo --by-kind --maps --picture --tree --total --all-nodes ;;
	show-file) echo --min --sort --total -s --summarize --all-nodes ;;
	show-cgroup) echo --by-kind --tree --all-nodes ;;
	show-node) echo --blocks --by --top --search --all-nodes ;;
	move-pid) echo --only --range --min-size --tree ;;
	move-cgroup) echo --bind --cpus --freeze --cache --search --only --range --min-size ;;
	move-file) echo --writeback ;;
	drain)
		echo -t --to --free --fence --search --writeback --reclaim --rounds --offline \
			--offline-timeout --online --movable --kernel
		;;
	compact) echo --until --timeout -n --dry-run ;;
	retire) echo -y --yes -n --dry-run ;;
	esac
	case $1 in
	move-*) echo -t --to -f --from --map --place --weights --shared --fallback ;;
	esac
	case $1 in
	move-* | drain)
		echo --dry-run -n --force --threads --passes --rate --max-stall --timeout \
			--settle --require --progress
		;;
	esac
	case $1 in
	*-file) echo -r --recursive --cross --mount --of-pid --files0-from ;;
	esac
	echo --json --bytes --noheadings --raw -o --output --output-all --help
	case $1 in
	nodes | show-pid | show-cgroup | show-node | compact) echo --sysroot ;;
	esac
}

# Processes that have a command line: not kernel threads. Where they are only listed,
# their names stand beside them.
__migratectl_pids() {
	local directory pid name byte

	for directory in /proc/[0-9]*; do
		pid=${directory##*/}
		[[ $pid == "$1"* ]] || continue
		byte=
		{ IFS= read -r -d '' -n 1 byte <"$directory/cmdline"; } 2>/dev/null
		[[ $byte ]] || continue
		if [[ $COMP_TYPE == 63 ]]; then
			{ read -r name <"$directory/comm"; } 2>/dev/null && pid+=" ($name)"
		fi
		COMPREPLY+=("$pid")
	done
}

# __migratectl_files WAY: files (-f), or only directories (-d).
__migratectl_files() {
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
	compopt -o filenames 2>/dev/null
}

# Where the cgroups are that names without a slash before them are below.
__migratectl_cgroup_root() {
	local root

	for root in /sys/fs/cgroup /sys/fs/cgroup/memory /sys/fs/cgroup/unified; do
		[[ ! -e $root/cgroup.procs ]] || break
	done
	echo "$root"
}

# Cgroups by their path below the root, a level at a time, and systemd's units by name.
__migratectl_cgroups() {
	local root

	if [[ $cur == /* ]]; then
		__migratectl_files -d
		return
	fi
	root=$(__migratectl_cgroup_root)
	mapfile -t COMPREPLY < <(
		shopt -s globstar nullglob
		for path in "$root/$cur"*/; do
			echo "${path#"$root"/}"
		done
		[[ $cur == */* ]] || for path in "$root"/**/*.{service,slice,scope}/; do
			path=${path%/}
			[[ ${path##*/} != "$cur"* ]] || echo "${path##*/}"
		done | sort -u
	)
	compopt -o filenames -o nospace 2>/dev/null
}

# The last of several cgroups with commas between them.
__migratectl_cgroup_list() {
	local head=${cur%"${cur##*,}"}

	cur=${cur#"$head"}
	__migratectl_cgroups
	COMPREPLY=("${COMPREPLY[@]/#/$head}")
}

# __migratectl_list WORDS: an element of a list behind what is already there.
__migratectl_list() {
	local head=${cur%"${cur##*[,!+-]}"}

	# shellcheck disable=SC2207 # words without blanks
	COMPREPLY=($(compgen -P "$head" -W "$1" -- "${cur#"$head"}"))
	compopt -o nospace 2>/dev/null
}

# __migratectl_value OPTION COMMAND VIEW. Return: whether the option takes a value.
__migratectl_value() {
	local words=

	case $1 in
	--to | -t) __migratectl_list "$(__migratectl_nodes has_memory) all" ;;
	--from | -f) __migratectl_list "$(__migratectl_nodes online) all" ;;
	--map) __migratectl_list "$(__migratectl_nodes online)" ;;
	--only) __migratectl_list "$(__migratectl_kinds)" ;;
	--output | -o)
		# A hyphen is part of some names, not between two.
		local head=${cur%"${cur##*[,+]}"}
		# shellcheck disable=SC2207 # words without blanks
		COMPREPLY=($(compgen -P "$head" -W "$(__migratectl_columns "$2" "$3")" -- \
			"${cur#"$head"}"))
		compopt -o nospace 2>/dev/null
		;;
	--fence) __migratectl_cgroup_list ;;
	--place) words='relative nearest spread' ;;
	--shared) words='anon all none' ;;
	--fallback)
		words=swap
		[[ $2 != move-file ]] || words=reread
		;;
	--sort) words='path res size dirty' ;;
	--by) words='process cgroup file mount' ;;
	--sysroot) __migratectl_files -d ;;
	--mount | --files0-from | --search) __migratectl_files -f ;;
	--of-pid) __migratectl_pids "$cur" ;;
	--free | --rounds | --offline-timeout | --until | --top | --weights | --range | --min-size | --min | --threads | --passes | --rate | \
		--max-stall | --timeout | --settle | --require) ;;
	*) return 1 ;;
	esac
	# shellcheck disable=SC2207 # words without blanks
	[[ ! $words ]] || COMPREPLY=($(compgen -W "$words" -- "$cur"))
	return 0
}

_migratectl() {
	local IFS=$' \t\n' cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-}
	local first=$COMP_CWORD option view='' ended='' i

	COMPREPLY=()
	# Readline splits "--map=0:1" at "=" and ":": go back to where the word begins.
	while ((first > 1)) && [[ ${COMP_WORDS[first]} == [:=] ||
		${COMP_WORDS[first - 1]} == [:=] ]]; do
		((first--))
	done
	option=${COMP_WORDS[first - 1]}
	if [[ ${COMP_WORDS[first]} == --* && ${COMP_WORDS[first + 1]-} == '=' ]]; then
		option=${COMP_WORDS[first]}
	fi
	[[ $cur != [:=] ]] || cur=

	if ((COMP_CWORD == 1)); then
		# shellcheck disable=SC2207 # words without blanks
		COMPREPLY=($(compgen -W 'nodes drain compact retire show-pid move-pid show-file move-file
			show-cgroup move-cgroup show-node --help
			--version --list-options' -- "$cur"))
		return
	fi
	for ((i = 2; i < first; i++)); do
		case ${COMP_WORDS[i]} in
		--) ended=yes ;;
		--by-kind | --maps | --blocks | --online) view=${COMP_WORDS[i]} ;;
		--by | --by=*) view=--by ;;
		esac
	done
	if [[ ! $ended ]]; then
		! __migratectl_value "$option" "$command" "$view" || return
		if [[ $cur == -* ]]; then
			# shellcheck disable=SC2207 # words without blanks
			COMPREPLY=($(compgen -W "$(__migratectl_options "$command")" -- "$cur"))
			return
		fi
	fi
	case $command in
	*-pid) __migratectl_pids "$cur" ;;
	*-file) __migratectl_files -f ;;
	*-cgroup) __migratectl_cgroups ;;
	compact) __migratectl_list "$(__migratectl_nodes has_memory) all" ;;
	drain | show-node) __migratectl_list "$(__migratectl_nodes online) all" ;;
	esac
}

complete -F _migratectl migratectl
