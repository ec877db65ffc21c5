# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034 # boot reads what these set
#
# The language that the files in layouts/ are written in. Sourced by boot, which
# turns the result into QEMU's options.

layout_processors=1
layout_memory=0
layout_dimms=0
layout_machine=pc
layout_numa=''
layout_paths=''
layout_qemu=''
layout_kernel=''
layout_cpu_nodes=''
layout_srat=''

# processors N: how many there are, unless --cpus says otherwise.
processors() {
	layout_processors=$1
}

# node NUMBER SIZE [cpu] [initiator=NODE]: a node with so many mebibytes, which can
# be 0. With "cpu" it gets its share of the processors; its initiator is the node
# with the processors nearest to its memory, which path wants to know.
node() {
	node_options=nodeid=$1
	if [ "$2" -gt 0 ]; then
		node_options=$node_options,memdev=memory$1
		layout_memory=$((layout_memory + $2))
		layout_qemu="$layout_qemu -object memory-backend-ram,id=memory$1,size=$2M"
	fi
	for extra; do
		case $extra in
		cpu) layout_cpu_nodes="$layout_cpu_nodes $1" ;;
		initiator=*) node_options=$node_options,$extra ;;
		esac
	done
	layout_numa="$layout_numa -numa node,$node_options"
}

# dimm NODE SIZE: memory that is plugged in rather than soldered: the kernel finds
# it late and can give all of it back: QEMU's device dimmNODE. The last node's, as QEMU
# announces it there.
dimm() {
	layout_dimms=$((layout_dimms + $2))
	layout_qemu="$layout_qemu -object memory-backend-ram,id=dimm$1,size=$2M"
	layout_qemu="$layout_qemu -device pc-dimm,id=dimm$1,memdev=dimm$1,node=$1"
}

# distance A B VALUE: from A to B, and back unless that is said too. If one is
# said, all must be.
distance() {
	layout_numa="$layout_numa -numa dist,src=$1,dst=$2,val=$3"
}

# path FROM TO NANOSECONDS MEBIBYTES: latency, and bandwidth in a second, of a
# node's processors to a node's memory. Needs "machine hmat=on".
path() {
	path_option=hmat-lb,initiator=$1,target=$2,hierarchy=memory
	layout_paths="$layout_paths -numa $path_option,data-type=access-latency,latency=$3"
	layout_paths="$layout_paths -numa $path_option,data-type=access-bandwidth,bandwidth=$4M"
}

# machine OPTION: one of QEMU's -machine options.
machine() {
	layout_machine="$layout_machine,$1"
}

# qemu ARG...: further arguments for QEMU.
qemu() {
	layout_qemu="$layout_qemu $*"
}

# kernel ARG...: further arguments for the kernel.
kernel() {
	layout_kernel="$layout_kernel $*"
}

# QEMU numbers nodes without gaps and knows none without processors and memory.
# Where that is not enough, a layout writes the table that tells the kernel of
# the nodes (the ACPI specification's SRAT) with the functions below, instead of
# node and distance. Linux numbers nodes in the order of first mention,
# srat_memory last.

# byte VALUE...: append bytes, in the form that printf %b undoes.
byte() {
	for value; do
		layout_srat="$layout_srat\\0$((value >> 6 & 3))$((value >> 3 & 7))$((value & 7))"
	done
}

# number SIZE VALUE: append a little-endian number of so many bytes.
number() {
	shifted=0
	while [ "$shifted" -lt $(($1 * 8)) ]; do
		byte $(($2 >> shifted & 255))
		shifted=$((shifted + 8))
	done
}

# srat_processor NODE APIC-ID: a processor, which need not be there.
srat_processor() {
	byte 0 16 $(($1 & 255)) "$2"
	number 4 1
	byte 0
	number 3 $(($1 >> 8))
	number 4 0
}

# srat_device NODE: a device that reads memory without a processor's help, which
# makes a node of its own ("generic initiator").
srat_device() {
	byte 5 32 0 1
	number 4 "$1"
	number 8 0
	number 8 0
	number 4 1
	number 4 0
}

# srat_memory NODE SIZE: the next so many mebibytes are the node's. Less than
# 3584 in all, to end below the hole for devices.
srat_memory() {
	byte 1 40
	number 4 "$1"
	number 2 0
	number 8 $((layout_memory << 20))
	number 8 $(($2 << 20))
	number 4 0
	number 4 1
	number 8 0
	layout_memory=$((layout_memory + $2))
}
