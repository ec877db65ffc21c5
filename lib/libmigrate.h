/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmigrate: see where memory lies on a NUMA machine, move it, and learn why
 * part of it did not go.
 *
 * The way of the data, left to right, each step an object of this header:
 *
 *   target -> mappings -> residency -> plan -> run -> outcome -> reasons
 *
 * Conventions. Functions return 0 or a negative errno and leave their outputs
 * untouched on failure; partial work is data, not an error. Outputs come last
 * and are named ret_. Pages are always base pages (mig_context_get_page_size),
 * bytes are always bytes. An address in another process is a uint64_t. Options
 * structs begin with their own size, set by the caller to sizeof(struct ...);
 * members that a caller does not know are taken as zero. NULL where it is not
 * allowed is -EINVAL. Nothing here prints, exits or reads the environment.
 *
 * Threads: objects are not locked. One object may be used by one thread at a
 * time, different objects by different threads, except where a function says
 * otherwise. Objects keep the ones they were made from in use: free a context
 * after everything that was made with it.
 */
#ifndef LIBMIGRATE_H
#define LIBMIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Node numbers are 0 to MIG_MAX_NODES - 1: Linux builds with NODES_SHIFT 10. */
#define MIG_MAX_NODES 1024

/** "No node": not known, or not covered by a rule. */
#define MIG_NO_NODE (-1)

/* ------------------------------------------------------------------------ *
 * Context
 * ------------------------------------------------------------------------ */

struct mig_context;

enum mig_log_level {
	MIG_LOG_WARNING = 0,
	MIG_LOG_INFO = 1,
	MIG_LOG_DEBUG = 2,
};

/** Receives one line without a newline. May be called from worker threads. */
typedef void (*mig_log_fn)(void *data, enum mig_log_level level, const char *line);

struct mig_context_options {
	size_t size;           /**< sizeof(struct mig_context_options) */
	const char *root_path; /**< where /proc and /sys are looked for; NULL: "/" */
	mig_log_fn log;        /**< NULL: nothing is logged */
	void *log_data;
};

/**
 * mig_context_new - start using the library
 * @options:  may be NULL: the live machine, no log
 * @ret_context: the new context
 *
 * Opens the root directory; every file of /proc and /sys is read relative to
 * it, so that a captured machine can be looked at. With a root other than "/"
 * nothing can be moved (-EXDEV from those functions).
 *
 * Errors: -ENOENT, -ENOTDIR, -EACCES of the root directory; -E2BIG: @options has a
 * member that this library does not know, as everywhere; -ENOMEM.
 * Ownership: the caller frees it with mig_context_free().
 * Threads: any thread. The context itself may be shared by threads.
 * Since: 0.1
 * Return: 0 or a negative errno.
 */
int mig_context_new(const struct mig_context_options *options,
		    struct mig_context **ret_context);

/**
 * mig_context_free - stop using the library
 * @context: may be NULL
 *
 * Since: 0.1
 */
void mig_context_free(struct mig_context *context);

/**
 * mig_context_get_page_size - the base page
 *
 * Units: bytes. Since: 0.1
 * Return: the size; 4096 on x86-64, 4096 to 65536 on arm64.
 */
size_t mig_context_get_page_size(const struct mig_context *context);

/* ------------------------------------------------------------------------ *
 * Node sets
 * ------------------------------------------------------------------------ */

/** A set of nodes, a plain value: copy it, zero it, keep it on the stack. */
struct mig_nodeset {
	uint64_t bits[MIG_MAX_NODES / 64];
};

struct mig_topology;

/** mig_nodeset_add - put @node in; numbers out of range are ignored. Since: 0.1 */
void mig_nodeset_add(struct mig_nodeset *set, int node);

/** mig_nodeset_remove - take @node out. Since: 0.1 */
void mig_nodeset_remove(struct mig_nodeset *set, int node);

/** mig_nodeset_has - whether @node is in; false for a number out of range. Since: 0.1 */
bool mig_nodeset_has(const struct mig_nodeset *set, int node);

/** mig_nodeset_count - how many nodes are in. Since: 0.1 */
unsigned int mig_nodeset_count(const struct mig_nodeset *set);

/**
 * mig_nodeset_next - walk a set in ascending order
 * @node: the last one seen, MIG_NO_NODE to begin
 *
 * Since: 0.1
 * Return: the next node in the set, MIG_NO_NODE after the last.
 */
int mig_nodeset_next(const struct mig_nodeset *set, int node);

/** mig_nodeset_is_equal - whether both have the same nodes. Since: 0.1 */
bool mig_nodeset_is_equal(const struct mig_nodeset *a, const struct mig_nodeset *b);

/** mig_nodeset_is_subset - whether every node of @set is in @of. Since: 0.1 */
bool mig_nodeset_is_subset(const struct mig_nodeset *set, const struct mig_nodeset *of);

/** mig_nodeset_and - keep of @set what is in @other too. Since: 0.1 */
void mig_nodeset_and(struct mig_nodeset *set, const struct mig_nodeset *other);

/** mig_nodeset_or - add to @set what is in @other. Since: 0.1 */
void mig_nodeset_or(struct mig_nodeset *set, const struct mig_nodeset *other);

/**
 * mig_nodeset_parse - read numactl's grammar of nodes
 * @topology: gives "all", "!" and "+" their meaning and says which nodes exist
 * @text:     need not end in NUL
 * @length:   of @text, in bytes
 * @ret_set:  the nodes
 *
 * Grammar: N, N-N and lists of them with commas; "all" (the nodes that the
 * caller's cpuset allows and that have memory); "!LIST" (all but these); "+LIST"
 * (the n-th allowed nodes, counted from 0); "netdev:DEV", "pci:ADDRESS",
 * "block:DEV", "file:PATH" (the node that the device is attached to, by sysfs),
 * "ip:ADDRESS" (by libnuma); devices only on the live machine. The ends of a range
 * must exist; gaps between them are passed over. "same" is not known here.
 *
 * Errors: -EINVAL: no node set at all, or something behind it; -ERANGE: a number
 * of MIG_MAX_NODES or more, or a range that runs backwards; -ENODEV: a node that
 * does not exist (is not online); -ENODATA: the set is empty, or a device is on a
 * node that is offline; -EXDEV: a device with a root that is not "/"; -ENOENT: a
 * device that does not exist or has no node.
 * Since: 0.1
 * Return: 0 or a negative errno.
 */
int mig_nodeset_parse(const struct mig_topology *topology, const char *text,
		      size_t length, struct mig_nodeset *ret_set);

/**
 * mig_nodeset_format - write a set as "0-3,5"
 * @buffer: may be NULL if @size is 0
 * @size:   of @buffer in bytes; what does not fit is cut off, always with a NUL
 *
 * Since: 0.1
 * Return: the length that the whole text has, without the NUL, as snprintf(3).
 */
size_t mig_nodeset_format(const struct mig_nodeset *set, char *buffer, size_t size);

/* ------------------------------------------------------------------------ *
 * Topology
 * ------------------------------------------------------------------------ */

enum mig_node_class {
	MIG_NODES_POSSIBLE = 0, /**< that the kernel could ever have */
	MIG_NODES_ONLINE = 1,   /**< that exist */
	MIG_NODES_MEMORY = 2,   /**< that have memory */
	MIG_NODES_CPU = 3,      /**< that have online CPUs */
	MIG_NODES_ALLOWED =
		4, /**< that have memory and that the caller's cpuset allows */
};

/** What one node holds now. Bytes; MIG_UNKNOWN_BYTES where the kernel does not tell. */
struct mig_node_memory {
	uint64_t total_bytes;
	uint64_t free_bytes;
	uint64_t room_bytes; /**< free above the high watermarks of its zones */
	uint64_t held_bytes; /**< free too, but kept by processors for themselves */
	uint64_t file_bytes; /**< page cache without shmem and swap cache */
	uint64_t anon_bytes;
	uint64_t shmem_bytes;
	uint64_t slab_bytes;
	uint64_t dirty_bytes;
	uint64_t writeback_bytes;
	uint64_t thp_bytes;           /**< anonymous huge pages */
	uint64_t hugetlb_total_bytes; /**< pools of all sizes */
	uint64_t hugetlb_free_bytes;
	uint64_t mapped_bytes;      /**< of file and shmem: that processes have mapped */
	uint64_t swap_cached_bytes; /**< in swap, and in memory besides */
	uint64_t slab_reclaimable_bytes;
	uint64_t slab_unreclaimable_bytes;
	uint64_t page_table_bytes; /**< with those of virtual machines and IOMMUs */
	uint64_t kernel_stack_bytes;
	uint64_t unevictable_bytes; /**< of the others: locked, or in ramfs */
	uint64_t zsmalloc_bytes;    /**< compressed: of zswap and zram, if by zsmalloc */
	uint64_t balloon_bytes;     /**< given back to the host (newer kernels) */
	uint64_t gpu_bytes;         /**< of graphics drivers (newer kernels) */
};

/** The pool of huge pages of one size on one node. */
struct mig_huge_pool {
	uint64_t size_bytes;
	uint64_t nr_pages;
	uint64_t nr_free;
	uint64_t nr_surplus; /**< of nr_pages: beyond what the pool was set to */
};

/** What zswap holds. Bytes; MIG_UNKNOWN_BYTES where the kernel does not tell. */
struct mig_zswap {
	uint64_t pool_bytes;   /**< memory that it takes */
	uint64_t stored_bytes; /**< what that stands for */
	uint64_t hidden_bytes; /**< of the pool: not in zsmalloc_bytes of any node */
};

#define MIG_UNKNOWN_BYTES UINT64_MAX

/** Speed of a node as HMAT tells, from its best initiators; 0: not told. */
struct mig_node_performance {
	uint64_t read_bandwidth_mbps;  /**< MB/s */
	uint64_t write_bandwidth_mbps; /**< MB/s */
	uint64_t read_latency_ns;
	uint64_t write_latency_ns;
};

/**
 * mig_topology_new - read the machine's nodes
 *
 * Reads /sys/devices/system/node, memory tiers and /proc/self/status once; the
 * object is a snapshot. A machine without that directory (a kernel without NUMA)
 * is one node, 0.
 *
 * Errors: -EBADMSG: a file there does not parse (the log names it); -ENOMEM;
 * other errnos of the files.
 * Ownership: the caller frees it with mig_topology_free().
 * Threads: the finished object may be read by several threads.
 * Since: 0.1
 * Return: 0 or a negative errno.
 */
int mig_topology_new(struct mig_context *context, struct mig_topology **ret_topology);

/** mig_topology_free - @topology may be NULL. Since: 0.1 */
void mig_topology_free(struct mig_topology *topology);

/**
 * mig_topology_get_nodes - the nodes of a class
 *
 * Ownership: borrowed, valid as long as @topology.
 * Since: 0.1
 * Return: the set; an empty one for a class that does not exist.
 */
const struct mig_nodeset *mig_topology_get_nodes(const struct mig_topology *topology,
						 enum mig_node_class node_class);

/**
 * mig_topology_get_distance - as the firmware says, 10 is local
 *
 * Distances may be asymmetric.
 * Since: 0.1
 * Return: the distance, or 0 where it is not known.
 */
unsigned int mig_topology_get_distance(const struct mig_topology *topology, int from,
				       int to);

/**
 * mig_topology_get_cpulist - the online CPUs of a node, as "0-3,8"
 *
 * Ownership: borrowed, valid as long as @topology; never NULL, "" if none.
 * Since: 0.1
 */
const char *mig_topology_get_cpulist(const struct mig_topology *topology, int node);

/**
 * mig_topology_get_node_of_cpu - where a CPU is
 *
 * Since: 0.1
 * Return: its node, MIG_NO_NODE if it is not known.
 */
int mig_topology_get_node_of_cpu(const struct mig_topology *topology, unsigned int cpu);

/**
 * mig_topology_get_tier - the memory tier of a node
 *
 * Linux 6.1 and newer; a smaller number is faster, DRAM is 4.
 * Since: 0.1
 * Return: its number, or -1 where the kernel does not tell.
 */
int mig_topology_get_tier(const struct mig_topology *topology, int node);

/**
 * mig_topology_read_memory - what a node holds at this moment
 *
 * Errors: -ENODEV: no such node; -EBADMSG; errnos of nodeN/meminfo.
 * Since: 0.1
 * Return: 0 or a negative errno.
 */
int mig_topology_read_memory(const struct mig_topology *topology, int node,
			     struct mig_node_memory *ret_memory);

/**
 * mig_topology_read_huge_pools - huge pages of a node's pools, by size
 * @pools:     filled with up to @nr_pools entries, ascending by size
 * @ret_count: how many sizes there are
 *
 * Errors: -ENODEV: no such node; -ENOENT: a kernel without hugetlbfs; -EBADMSG; errnos of
 * the files. Since: 0.1
 */
int mig_topology_read_huge_pools(const struct mig_topology *topology, int node,
				 struct mig_huge_pool *pools, size_t nr_pools,
				 size_t *ret_count);

/**
 * mig_topology_read_zswap - what zswap holds at this moment
 *
 * Of the whole machine: by node the kernel tells only zsmalloc_bytes.
 * Errors: -EBADMSG; errnos of /proc/meminfo. Since: 0.1
 */
int mig_topology_read_zswap(const struct mig_topology *topology,
			    struct mig_zswap *ret_zswap);

/**
 * mig_topology_read_performance - bandwidth and latency where HMAT tells
 *
 * Errors: -ENODEV: no such node; -ENODATA: not told for it; -EBADMSG; errnos of the
 * files below nodeN/access0 and access1.
 * Since: 0.1
 * Return: 0 or a negative errno.
 */
int mig_topology_read_performance(const struct mig_topology *topology, int node,
				  struct mig_node_performance *ret_performance);

/* ------------------------------------------------------------------------ *
 * Processes and targets
 * ------------------------------------------------------------------------ */

struct mig_process;
struct mig_target;

/**
 * mig_process_open - hold a process
 * @pid: of the process or of one of its threads, in the caller's pid namespace;
 *       its threads share one memory, so the process is what is held
 *
 * The process is held by a pidfd, so that a number that is used again later is
 * never taken for it. Nothing needs to be permitted yet.
 *
 * Errors: -ESRCH: no such process; -ENXIO: a kernel thread, which has no memory
 * of its own; -ENODATA: a zombie: it has exited and its memory is gone; -EINVAL:
 * @pid below 1; -ENOSYS: a kernel before 5.3 has no pidfd.
 * A leader that has exited while other threads run is no zombie: one of those is
 * used to reach its memory.
 * Ownership: the caller frees it with mig_process_free().
 * Since: 0.1
 * Return: 0 or a negative errno.
 */
int mig_process_open(struct mig_context *context, pid_t pid,
		     struct mig_process **ret_process);

/** mig_process_free - @process may be NULL. Since: 0.1 */
void mig_process_free(struct mig_process *process);

/** mig_process_get_pid - its thread-group id. Since: 0.1 */
pid_t mig_process_get_pid(const struct mig_process *process);

/**
 * mig_process_get_name - its command name when it was opened
 *
 * Ownership: borrowed, valid as long as @process; may hold any byte but NUL:
 * escape it before showing it.
 * Since: 0.1
 */
const char *mig_process_get_name(const struct mig_process *process);

/** mig_process_get_parent - its parent when it was opened; 0: none here. Since: 0.1 */
pid_t mig_process_get_parent(const struct mig_process *process);

/**
 * mig_process_is_alive - whether it still runs
 *
 * Since: 0.1
 * Return: false once it has exited or is a zombie.
 */
bool mig_process_is_alive(const struct mig_process *process);

/**
 * mig_process_read_mems_allowed - the nodes that its cpuset lets it use
 *
 * move_pages(2) refuses any other destination, whoever calls.
 * Errors: -ESRCH: it has exited; -EBADMSG.
 * Since: 0.1
 */
int mig_process_read_mems_allowed(const struct mig_process *process,
				  struct mig_nodeset *ret_nodes);

/**
 * mig_process_read_run_nodes - the nodes where its threads run
 *
 * The nodes of the CPUs that each live thread last ran on.
 * Errors: -ESRCH: it has exited; -EBADMSG.
 * Since: 0.1
 */
int mig_process_read_run_nodes(const struct mig_process *process,
			       const struct mig_topology *topology,
			       struct mig_nodeset *ret_nodes);

/**
 * mig_process_read_run_time - how long its threads have run, those that ended too
 *
 * Units: nanoseconds, in steps of the kernel's clock tick. Errors: -ESRCH: it has
 * exited; -EBADMSG. Since: 0.1
 */
int mig_process_read_run_time(const struct mig_process *process, uint64_t *ret_ns);

/**
 * mig_target_new - an empty list of processes to look at or to move as one
 *
 * Ownership: the caller frees it with mig_target_free().
 * Since: 0.1
 */
int mig_target_new(struct mig_context *context, struct mig_target **ret_target);

/** mig_target_free - @target may be NULL; frees its processes. Since: 0.1 */
void mig_target_free(struct mig_target *target);

/**
 * mig_target_add_pid - add one process
 *
 * Errors: those of mig_process_open(); -EEXIST: it is a member already, or shares
 * its memory with one (kcmp(2) says so where it may be asked).
 * Since: 0.1
 */
int mig_target_add_pid(struct mig_target *target, pid_t pid);

/**
 * mig_target_add_tree - add a process and all its descendants
 *
 * Later mig_target_rescan() finds new descendants. Members that are gone before
 * they could be held are no error.
 * Errors: those of mig_target_add_pid() for @pid itself.
 * Since: 0.1
 */
int mig_target_add_tree(struct mig_target *target, pid_t pid);

/**
 * mig_target_add_everybody - add all processes of the machine but the caller's own
 *
 * Later mig_target_rescan() finds new ones. Kernel threads have no memory of their own
 * and are none. Those that the caller may not look at are counted when it is planned.
 * Each member takes a descriptor.
 * Errors: -ENOMEM; -EMFILE; errnos of reading /proc. Since: 0.1
 */
int mig_target_add_everybody(struct mig_target *target);

/**
 * mig_target_rescan - look for new descendants of the trees, and other new members
 * @ret_added: how many members were added, behind the others
 *
 * Since: 0.1
 */
int mig_target_rescan(struct mig_target *target, size_t *ret_added);

/** mig_target_get_count - how many members. Since: 0.1 */
size_t mig_target_get_count(const struct mig_target *target);

/**
 * mig_target_get_process - the member at @index
 *
 * Ownership: borrowed, valid as long as @target.
 * Since: 0.1
 * Return: the process, NULL if @index is out of range.
 */
struct mig_process *mig_target_get_process(const struct mig_target *target, size_t index);

/* ------------------------------------------------------------------------ *
 * Mappings and residency
 * ------------------------------------------------------------------------ */

/** What a mapping is. A private file mapping counts as file, its copies included. */
enum mig_kind {
	MIG_KIND_ANON = 0,
	MIG_KIND_HEAP = 1,
	MIG_KIND_STACK = 2,
	MIG_KIND_FILE = 3,
	MIG_KIND_SHMEM = 4,
	MIG_KIND_HUGETLB = 5,
	MIG_KIND_KERNEL =
		6, /**< [vdso], [vvar], [vsyscall]: never moved, never counted */
};

#define MIG_NR_KINDS 7

/** One mapping of a process, with what numa_maps says of it. */
struct mig_mapping {
	uint64_t start;
	uint64_t end;
	uint64_t file_offset_bytes;
	uint64_t inode; /**< 0: no file */
	uint32_t device_major;
	uint32_t device_minor;
	char permissions[5]; /**< as "rw-p" */
	enum mig_kind kind;
	uint64_t page_size_bytes; /**< of the kernel's pages in it: hugetlb sizes */
	bool has_residency;       /**< the members below are known */
	uint64_t anon_pages;
	uint64_t dirty_pages;
	uint64_t swapcache_pages;
	uint64_t writeback_pages;
	uint64_t most_mappers;      /**< of any page: more than 1 means shared pages */
	uint64_t resident_pages;    /**< the sum over the nodes */
	const uint64_t *node_pages; /**< MIG_MAX_NODES counts */
	const char *policy;         /**< as "bind:0-1"; "" if not known */
	const char
		*name; /**< raw as /proc/PID/maps has it: escape it before showing it */
};

struct mig_mappings;

/**
 * mig_mappings_new - walk a process's mappings, in ascending order
 *
 * Streams /proc/PID/maps and numa_maps side by side; memory does not grow with
 * the process. numa_maps costs about 35 ns a page while the kernel holds the
 * mapping's lock for reading (measured, Linux 6.1 to 7.2).
 *
 * Errors: -ESRCH: it has exited; -EACCES, -EPERM: reading another user's process
 * needs CAP_SYS_PTRACE; -ENOENT: a captured machine without that file.
 * Ownership: the caller frees it with mig_mappings_free().
 * Since: 0.1
 */
int mig_mappings_new(const struct mig_process *process,
		     struct mig_mappings **ret_mappings);

/** mig_mappings_free - @mappings may be NULL. Since: 0.1 */
void mig_mappings_free(struct mig_mappings *mappings);

/**
 * mig_mappings_next - the next mapping
 * @ret_mapping: borrowed, valid until the next call; NULL after the last
 *
 * Errors: -EBADMSG: a line that does not parse (the log says which); -ESRCH: the
 * memory is gone, by exit or by execve(2).
 * Since: 0.1
 */
int mig_mappings_next(struct mig_mappings *mappings,
		      const struct mig_mapping **ret_mapping);

struct mig_residency;

/**
 * mig_residency_new - an empty account of bytes per node and kind
 *
 * Ownership: the caller frees it with mig_residency_free().
 * Since: 0.1
 */
int mig_residency_new(struct mig_context *context, struct mig_residency **ret_residency);

/** mig_residency_free - @residency may be NULL. Since: 0.1 */
void mig_residency_free(struct mig_residency *residency);

/**
 * mig_residency_add_process - count a process's resident memory
 *
 * Where the machine has one node with memory and the kernel has PAGEMAP_SCAN
 * (6.7), presence alone is read; otherwise numa_maps. Pages that several members
 * map are counted in each. Swapped memory is what /proc/PID/status says.
 *
 * Errors: as mig_mappings_new() and mig_mappings_next(), and -ENOSYS: a kernel with
 * neither numa_maps nor PAGEMAP_SCAN; the account is then as it was.
 * Since: 0.1
 */
int mig_residency_add_process(struct mig_residency *residency,
			      const struct mig_topology *topology,
			      const struct mig_process *process);

/**
 * mig_target_look - the residency of each member, several read side by side
 * @visit:    one call at a time, in no certain order, from any thread; what it is given
 *            is borrowed for the call; non-zero ends the walk with that value
 * @ret_denied: members that the caller may not look at. May be NULL.
 *
 * Members that have exited are passed over.
 * Errors: -ENOMEM; -EBADMSG; -ENOSYS: as mig_residency_add_process(). Since: 0.1
 */
int mig_target_look(struct mig_target *target, const struct mig_topology *topology,
		    int (*visit)(void *data, const struct mig_process *process,
				 const struct mig_residency *residency),
		    void *data, size_t *ret_denied);

/** What one process has on each node. */
struct mig_holder;

/** How many processes were looked at. */
struct mig_holders_counts {
	size_t nr_looked_at;
	size_t nr_denied; /**< of them, those that the caller may not look at */
};

/**
 * mig_holders_look - what each process of the machine has on which node
 * @visit: one call at a time, in no certain order, from any thread; what it is given is
 *         borrowed for the call; non-zero ends the walk with that value
 *
 * All but the caller's own, several side by side, each by numa_maps alone: this is for
 * machines with very many. Processes that share their memory are visited once, kernel
 * threads and those that have exited are not; one that exits or calls execve(2) just
 * then may be told in part. Takes a few descriptors, however many processes there are.
 * Errors: -ENOMEM; -EBADMSG: a line does not parse; -ENOSYS: as
 * mig_residency_add_process(); errnos of reading /proc.
 * Threads: makes some of its own, which have ended when it returns.
 * Since: 0.1
 * Return: 0, a negative errno, or what @visit returned.
 */
int mig_holders_look(const struct mig_topology *topology,
		     int (*visit)(void *data, const struct mig_holder *holder),
		     void *data, struct mig_holders_counts *ret_counts);

/** mig_holder_get_pid - its number. Since: 0.1 */
pid_t mig_holder_get_pid(const struct mig_holder *holder);

/**
 * mig_holder_get_node_bytes - what it has resident on a node
 *
 * Pages that others map too count in each. Units: bytes; 0 for a node that does not
 * exist. Since: 0.1
 */
uint64_t mig_holder_get_node_bytes(const struct mig_holder *holder, int node);

/**
 * mig_holder_read_name - its name
 * @size: of @ret_name in bytes; the name is cut to what fits, with a NUL
 *
 * Read only now, since that takes time for each process.
 * Errors: -ESRCH: it has exited, and what it had is gone; errnos of reading /proc.
 * Since: 0.1
 * Return: 0 or a negative errno.
 */
int mig_holder_read_name(const struct mig_holder *holder, char *ret_name, size_t size);

/** mig_residency_get_bytes - of one kind on one node. Since: 0.1 */
uint64_t mig_residency_get_bytes(const struct mig_residency *residency, int node,
				 enum mig_kind kind);

/** mig_residency_get_node_bytes - of all kinds on one node. Since: 0.1 */
uint64_t mig_residency_get_node_bytes(const struct mig_residency *residency, int node);

/** mig_residency_get_total_bytes - of all kinds on all nodes. Since: 0.1 */
uint64_t mig_residency_get_total_bytes(const struct mig_residency *residency);

/** mig_residency_get_swapped_bytes - swapped out, on no node. Since: 0.1 */
uint64_t mig_residency_get_swapped_bytes(const struct mig_residency *residency);

/** Huge pages of one size. */
struct mig_huge_pages {
	uint64_t size_bytes;
	uint64_t nr_hugetlb; /**< from the pools */
	uint64_t nr_thp;     /**< transparent ones that are mapped whole */
};

/**
 * mig_residency_read_huge_pages - count huge pages by size
 * @sizes:     filled with up to @nr_sizes entries, ascending by size
 * @ret_count: how many sizes there are
 *
 * From /proc/PID/smaps, which costs twice what numa_maps costs; not part of
 * mig_residency_add_process() for that reason.
 * Errors: as mig_mappings_new().
 * Since: 0.1
 */
int mig_residency_read_huge_pages(const struct mig_process *process,
				  struct mig_huge_pages *sizes, size_t nr_sizes,
				  size_t *ret_count);

/** Consecutive pages of a process that lie on one node. */
struct mig_page_run {
	uint64_t start;
	uint64_t nr_pages;
	int node; /**< MIG_NO_NODE: nothing resident there */
};

/**
 * mig_residency_read_runs - node by node, a mapping's pages in order
 * @start, @end: addresses, within one mapping
 * @page_size_bytes: the mapping's page size
 * @visit: called for each run in ascending order; returning non-zero ends the walk
 *         with that value
 *
 * From pagemap where the caller has CAP_SYS_ADMIN, otherwise move_pages(2) with
 * no destination, which costs about 170 ns a page.
 * Errors: -ESRCH, -EACCES, -EPERM.
 * Since: 0.1
 */
int mig_residency_read_runs(const struct mig_process *process,
			    const struct mig_topology *topology, uint64_t start,
			    uint64_t end, uint64_t page_size_bytes,
			    int (*visit)(void *data, const struct mig_page_run *run),
			    void *data);

/* ------------------------------------------------------------------------ *
 * Files: their cached pages
 * ------------------------------------------------------------------------ */

struct mig_files;

#define MIG_FILES_RECURSE 1U /**< a directory means everything below it */
#define MIG_FILES_CROSS 2U   /**< also where other file systems are mounted in it */

struct mig_files_options {
	size_t size; /**< sizeof(struct mig_files_options) */
	/** Called for each file that cannot be looked at: a negative errno, see
	 *  mig_files_look(). One call at a time, from any thread. May be NULL. */
	void (*problem)(void *data, const char *path, int error);
	void *problem_data;
};

/**
 * mig_files_new - an empty list of files to look at or to move as one
 * @options: may be NULL
 *
 * What is added is walked when it is looked at or planned, and not held: memory does
 * not grow with the number of files, except for those with several hard links, which
 * count once.
 * Errors: -ENOMEM. Ownership: the caller frees it with mig_files_free(). Since: 0.1
 */
int mig_files_new(struct mig_context *context, const struct mig_files_options *options,
		  struct mig_files **ret_files);

/** mig_files_free - @files may be NULL. Since: 0.1 */
void mig_files_free(struct mig_files *files);

/**
 * mig_files_add_path - a regular file, a block device, or a directory's files
 * @path:  a symbolic link is followed; below a directory none is
 * @flags: MIG_FILES_*; without MIG_FILES_RECURSE a directory is a problem (-EISDIR)
 *
 * Errors: -ENOMEM; what is wrong with the path is a problem when it is walked.
 * Since: 0.1
 */
int mig_files_add_path(struct mig_files *files, const char *path, unsigned int flags);

/**
 * mig_files_add_mount - all files of the file system that @path is on
 *
 * Errors: -ENOENT, -EACCES of @path; -ENODATA: the mount table does not have it;
 * -ENOMEM. Since: 0.1
 */
int mig_files_add_mount(struct mig_files *files, const char *path);

/**
 * mig_files_add_mounts - all files of all mounted file systems of a type
 * @type: "tmpfs"
 *
 * Where none is mounted nothing is added.
 * Errors: -ENODATA: there is no mount table; -ENOMEM. Since: 0.1
 */
int mig_files_add_mounts(struct mig_files *files, const char *type);

/**
 * mig_files_add_devices - the block devices of all file systems that are mounted
 *
 * In their own cache is what file systems keep beside files, as ext4 its tables.
 * Errors: as of mig_files_add_mounts(). Since: 0.1
 */
int mig_files_add_devices(struct mig_files *files);

/**
 * mig_files_add_list - paths that end in NUL, read from a descriptor
 * @fd: stays the caller's, and open until the list was walked, which is once
 *
 * Since: 0.1
 */
int mig_files_add_list(struct mig_files *files, int fd);

/**
 * mig_files_add_process - what a process has open or mapped, deleted files too
 * @process: must outlive @files
 *
 * Mapped files that are not open as well are reached by their path, or, with
 * CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, by /proc/PID/map_files. Since: 0.1
 */
int mig_files_add_process(struct mig_files *files, const struct mig_process *process);

#define MIG_UNKNOWN_PAGES UINT64_MAX

/** What is cached of one file. Pages are base pages. */
struct mig_file_cache {
	const char *path;
	uint64_t size_bytes;
	uint64_t cached_pages;
	const uint64_t *node_pages; /**< MIG_MAX_NODES counts */
	uint64_t dirty_pages;       /**< MIG_UNKNOWN_PAGES: the kernel tells root only */
	uint64_t writeback_pages;   /**< the same */
	uint64_t large_pages;       /**< in large folios; MIG_UNKNOWN_PAGES: the same */
	const char *type;           /**< of its file system, as "ext4"; "": not told */
	const char *mount;          /**< where that is; NULL: only the kernel sees it */
};

/**
 * mig_files_look - what is cached of each file, by node
 * @visit: called for each file in no certain order, one call at a time, from any
 *         thread; non-zero ends the walk with that value
 *
 * Reads nothing in and leaves LRU lists, dirtiness and access times as they are: only
 * pages that mincore(2) finds are touched, in a mapping whose accesses do not count
 * (MADV_RANDOM for the fault, MADV_SEQUENTIAL for the unmapping; mm/memory.c,
 * zap_present_folio_ptes, Linux 6.1 to 7.2). The access time of a file that the caller
 * neither owns nor has CAP_FOWNER for follows the rules of its mount. Where one node
 * has all the memory nothing is mapped at all on Linux 6.5 and newer (cachestat(2)).
 *
 * Errors: -ENOMEM, -EAGAIN: no buffers or threads. Those of one file go to the
 * problem callback: -ENOENT, -EACCES and others of open(2); -EISDIR; -EPERM: the kernel
 * shows its cache only to who owns it, may write it, or has CAP_FOWNER; -EOPNOTSUPP:
 * it has no page cache (a FIFO, a socket, a character device; DAX; secret memory);
 * -ENXIO: a file of hugetlbfs with holes, which a touch would fill, where userfaultfd(2)
 * is not to be had (Linux 5.11; not in every container).
 * Since: 0.1
 */
int mig_files_look(struct mig_files *files, const struct mig_topology *topology,
		   int (*visit)(void *data, const struct mig_file_cache *cache),
		   void *data);

/**
 * mig_target_add_files - let a target have files beside its processes
 * @files: must outlive the target
 *
 * Errors: -EEXIST: it has some already. Since: 0.1
 */
int mig_target_add_files(struct mig_target *target, struct mig_files *files);

/* ------------------------------------------------------------------------ *
 * Cgroups
 * ------------------------------------------------------------------------ */

struct mig_cgroup;

/**
 * mig_cgroup_open - hold a cgroup
 * @name: a path, absolute as a file system shows it ("/sys/fs/cgroup/batch") or below
 *        the root of the hierarchy, with or without a slash before it; the name of a
 *        systemd unit ("postgresql.service", "user-1000.slice"); "pid:N", the cgroup
 *        that a process is in; or "job:ID", that of a Slurm or PBS job
 *
 * Where the hierarchies are mounted is read from the mount table. On cgroup v2 there is
 * one; of v1 those of the controllers memory, cpuset and freezer are used, each where it
 * has the cgroup. Its members are those in the hierarchy of an absolute path, otherwise
 * in the first of these that has it, v2 last; of "pid:N" in the first where the process
 * is not in the root. A unit or a job is looked for in the whole hierarchy; of units with
 * the same name that of the system's manager goes before those of users and containers.
 * The cgroup is held by descriptors of its directories: one that is removed and made
 * again under its name is never taken for it.
 *
 * Errors: -ENOENT: no such cgroup, unit or job; -ENOTUNIQ: several units or jobs of that
 * name; -ENOTDIR: a path that is no directory; -EXDEV: a path outside of the cgroup
 * hierarchies; -ESRCH: "pid:N" of no process; -EOPNOTSUPP: no hierarchy is mounted;
 * -EINVAL: no name at all, or rubbish behind "pid:"; -EACCES; -EBADMSG; -ENOMEM.
 * Ownership: the caller frees it with mig_cgroup_free().
 * Since: 0.1
 * Return: 0 or a negative errno.
 */
int mig_cgroup_open(struct mig_context *context, const char *name,
		    struct mig_cgroup **ret_cgroup);

/** mig_cgroup_free - @cgroup may be NULL. Since: 0.1 */
void mig_cgroup_free(struct mig_cgroup *cgroup);

/**
 * mig_cgroup_get_path - below the root of its hierarchy, as "/system.slice/x.service"
 *
 * Ownership: borrowed, valid as long as @cgroup; may hold any byte but NUL: escape it
 * before showing it.
 * Since: 0.1
 */
const char *mig_cgroup_get_path(const struct mig_cgroup *cgroup);

/**
 * mig_cgroup_visit_children - the cgroups directly below
 * @visit: in the order of their names; @child is borrowed for the call; non-zero ends
 *         the walk with that value
 *
 * Errors: -ENODEV: the cgroup was removed; -EACCES; -ENOMEM. Since: 0.1
 */
int mig_cgroup_visit_children(const struct mig_cgroup *cgroup,
			      int (*visit)(void *data, struct mig_cgroup *child),
			      void *data);

/**
 * mig_cgroup_visit_members - the processes in a cgroup and in those below it
 * @visit: non-zero ends the walk with that value; a pid may come more than once
 * @ret_hidden: how many are outside of the caller's pid namespace; the kernel shows
 *              those as 0, and on v1 not at all. Of a threaded cgroup, how many threads.
 *              May be NULL.
 *
 * Of a threaded cgroup the processes of its threads. Members that come or go meanwhile
 * are seen or not. A cgroup below that is removed meanwhile is passed over.
 * Errors: -ENODEV: the cgroup was removed; -EACCES; -ENOMEM. Since: 0.1
 */
int mig_cgroup_visit_members(const struct mig_cgroup *cgroup,
			     int (*visit)(void *data, pid_t pid), void *data,
			     size_t *ret_hidden);

/**
 * mig_cgroup_read_mems - the nodes that its cpuset allows
 * @ret_own:       as it was written; empty: as the parent says. May be NULL.
 * @ret_effective: what counts. May be NULL.
 *
 * Errors: -ENODATA: the cgroup has no cpuset of its own: the controller is not enabled
 * for it; -ENODEV: removed; -EBADMSG. Since: 0.1
 */
int mig_cgroup_read_mems(const struct mig_cgroup *cgroup, struct mig_nodeset *ret_own,
			 struct mig_nodeset *ret_effective);

/** What is charged to a cgroup. */
enum mig_charge {
	MIG_CHARGE_ANON = 0, /**< on v1 with shmem and what is locked: the kernel does not
			      part them there */
	MIG_CHARGE_FILE = 1, /**< page cache of files, without shmem */
	MIG_CHARGE_SHMEM = 2,       /**< tmpfs, shared memory, memfd; not told on v1 */
	MIG_CHARGE_KERNEL = 3,      /**< slab, stacks, page tables; not told on v1 */
	MIG_CHARGE_FILE_MAPPED = 4, /**< of file and shmem: that processes have mapped */
	MIG_CHARGE_FILE_DIRTY = 5,  /**< of file */
	MIG_CHARGE_FILE_WRITEBACK = 6, /**< of file */
	MIG_CHARGE_ANON_THP = 7,       /**< of anon: transparent huge pages */
};

#define MIG_NR_CHARGES 8

struct mig_charges;

/**
 * mig_charges_read - read memory.numa_stat and what is swapped out
 *
 * With everything below the cgroup. The kernel brings its counters up to date every two
 * seconds at least (mm/memcontrol.c, FLUSH_TIME, Linux 5.15 to 7.2), so that a move may
 * show late.
 * Errors: -ENODATA: the memory controller is not enabled for the cgroup; -ENODEV:
 * removed; -EBADMSG; -ENOMEM.
 * Ownership: the caller frees it with mig_charges_free().
 * Since: 0.1
 */
int mig_charges_read(const struct mig_cgroup *cgroup, struct mig_charges **ret_charges);

/** mig_charges_free - @charges may be NULL. Since: 0.1 */
void mig_charges_free(struct mig_charges *charges);

/**
 * mig_charges_get_bytes - of one kind on one node
 *
 * Since: 0.1
 * Return: bytes; MIG_UNKNOWN_BYTES where this kernel does not tell that kind.
 */
uint64_t mig_charges_get_bytes(const struct mig_charges *charges, int node,
			       enum mig_charge charge);

/** mig_charges_get_swapped_bytes - in swap; MIG_UNKNOWN_BYTES: not told. Since: 0.1 */
uint64_t mig_charges_get_swapped_bytes(const struct mig_charges *charges);

/** mig_charges_get_zswapped_bytes - of them, what they take in zswap. Since: 0.1 */
uint64_t mig_charges_get_zswapped_bytes(const struct mig_charges *charges);

/**
 * mig_target_add_cgroup - add all members of a cgroup and of those below it
 * @cgroup: must outlive the target
 *
 * Later mig_target_rescan() finds those that have joined. An empty cgroup is no error.
 * Errors: -ENODEV: removed; -EACCES; -ENOMEM. Since: 0.1
 */
int mig_target_add_cgroup(struct mig_target *target, struct mig_cgroup *cgroup);

/**
 * mig_target_add_cache - let a target have what a cgroup is charged for, mapped or not
 * @cgroup: must outlive the target; those below it belong to it
 *
 * Page cache and shared memory that nobody has mapped: of files that were only read or
 * written, and of tmpfs and memfds whose processes are gone. Physical memory is moved, by
 * DAMON (Linux 6.12 and newer), where nobody else uses that and each node's pages have
 * one destination; before 7.0 mapped pages of files go with them. What that leaves, and
 * elsewhere all of it, is looked for in the files of mig_target_add_files(), which are
 * not moved otherwise; what is in none of them is left, with MIG_REASON_NO_FILE.
 * mig_plan_new() says -EACCES or -EPERM: CAP_SYS_ADMIN is missing; -ENOENT: the kernel
 * does not tell whom pages are charged to; -ENODATA: no memory controller;
 * -EOPNOTSUPP: no memory blocks.
 * Errors: -ENOMEM. Since: 0.1
 */
int mig_target_add_cache(struct mig_target *target, struct mig_cgroup *cgroup);

/**
 * mig_target_add_all_cache - let a target have all cache that nobody has mapped
 *
 * As mig_target_add_cache(), whoever is charged for it, or nobody is; cgroups are not
 * needed then. What is added of single cgroups is part of it. Of nodes that nothing is
 * taken from only the kernel's counters are read, which do not tell files from shared
 * memory: there all of it counts as files.
 * Since: 0.1
 */
int mig_target_add_all_cache(struct mig_target *target);

/**
 * mig_target_get_hidden - members that cannot be held
 *
 * Since: 0.1
 * Return: how many members of its cgroups were outside of the caller's pid namespace,
 * and of everybody how many procfs hides (hidepid=1), when they were looked at last.
 */
size_t mig_target_get_hidden(const struct mig_target *target);

struct mig_freeze;

/**
 * mig_freeze_begin - freeze a cgroup and wait until it stands still
 * @timeout_ns: how long to wait; it is thawed again if that is not enough
 *
 * A child process watches, which is a copy of the caller, as of fork(2): it thaws the
 * cgroup if the caller dies, by whatever, or calls execve(2), before mig_freeze_end().
 * wait(2) does not see it. What was frozen before stays so; what only stands still with
 * a cgroup above it is frozen by itself meanwhile.
 * Errors: -ENODATA: it cannot be frozen here: the root, or a v1 cgroup that the freezer
 * does not have; -EDEADLK: the caller is in it, or below; -ETIMEDOUT; -ENODEV: removed;
 * -EACCES; -EAGAIN, -ENOMEM, -EMFILE: no child; -EXDEV: the context's root is not "/";
 * -EBADMSG.
 * Ownership: ended with mig_freeze_end(). @cgroup must live until then.
 * Threads: any.
 * Since: 0.1
 */
int mig_freeze_begin(const struct mig_cgroup *cgroup, uint64_t timeout_ns,
		     struct mig_freeze **ret_freeze);

/**
 * mig_freeze_end - thaw it, unless it was frozen before
 * @freeze: may be NULL; freed in any case
 *
 * Errors: those of the write; a cgroup that was removed is none. Since: 0.1
 */
int mig_freeze_end(struct mig_freeze *freeze);

struct mig_cpuset_change;

#define MIG_CPUSET_CPUS 1U /**< also cpuset.cpus: the CPUs of the nodes */

/**
 * mig_cpuset_bind - set a cgroup's cpuset.mems, so that its memory stays there
 * @flags: MIG_CPUSET_*
 *
 * The kernel moves the members' mapped pages by itself while this runs, and reports
 * nothing; on v1 only with cpuset.memory_migrate, which is set meanwhile. On v2 the
 * controller is enabled where it is not, from the root down.
 * Of @nodes those count that the parent has; of their CPUs too, but on v1 it must have
 * all of them.
 * Errors: -ENODATA: the cpuset controller cannot be had for this cgroup: an ancestor has
 * processes of its own, or v1 does not have the cgroup; -EACCES, -EPERM; -EINVAL: no
 * node of @nodes is allowed to the parent, or no CPU of them, or they have none; -EBUSY:
 * a child has a node or a CPU (v1) that @nodes lacks; -ENODEV: removed; -EXDEV: the
 * context's root is not "/"; -EBADMSG; -ENOMEM. Nothing is changed then.
 * Ownership: the caller ends it with mig_cpuset_keep() or mig_cpuset_undo(). @cgroup
 * must live until then.
 * Since: 0.1
 */
int mig_cpuset_bind(const struct mig_cgroup *cgroup, const struct mig_topology *topology,
		    const struct mig_nodeset *nodes, unsigned int flags,
		    struct mig_cpuset_change **ret_change);

/** mig_cpuset_keep - let it be as it is now. @change may be NULL. Since: 0.1 */
void mig_cpuset_keep(struct mig_cpuset_change *change);

/**
 * mig_cpuset_undo - make it as it was, the controller too
 * @change: may be NULL; freed in any case
 *
 * The kernel moves pages that may no longer be where they are, not those that may stay.
 * All of it is tried, whatever fails.
 * Errors: -ENOSPC: its list was empty before, and the kernel empties none of a cgroup
 * that has members; on v2 it names all nodes then, of which count those that the parent
 * has, as before; -EBUSY: by now others need the controller; others of the writes; a
 * cgroup that was removed is none.
 * Since: 0.1
 */
int mig_cpuset_undo(struct mig_cpuset_change *change);

/* ------------------------------------------------------------------------ *
 * Memory blocks: what can be taken offline
 * ------------------------------------------------------------------------ */

enum mig_block_state {
	MIG_BLOCK_OFFLINE = 0,
	MIG_BLOCK_ONLINE = 1,
	MIG_BLOCK_GOING_OFFLINE = 2,
};

/** One memory block: the unit in which the kernel takes memory out of use. */
struct mig_memory_block {
	uint64_t number;      /**< N of /sys/devices/system/memory/memoryN */
	uint64_t first_frame; /**< page frame number */
	uint64_t nr_pages;    /**< base pages */
	enum mig_block_state state;
	/** As valid_zones says. Of an online block its zone, as "Normal" or "Movable";
	 *  "none" where it has holes or spans several, and cannot be taken offline. Of an
	 *  offline one the zones that it could come to, with blanks between, the default
	 *  first. "": the kernel does not tell. */
	const char *zones;
	struct mig_nodeset nodes; /**< small nodes may share one; empty: not told */
};

struct mig_memory_blocks;

/**
 * mig_memory_blocks_read - the memory blocks of the machine, as they are now
 *
 * Errors: -EOPNOTSUPP: the kernel has no memory blocks; -EBADMSG; -ENOMEM; errnos of the
 * files. Ownership: freed with mig_memory_blocks_free(). Since: 0.1
 */
int mig_memory_blocks_read(const struct mig_topology *topology,
			   struct mig_memory_blocks **ret_blocks);

/** mig_memory_blocks_free - @blocks may be NULL. Since: 0.1 */
void mig_memory_blocks_free(struct mig_memory_blocks *blocks);

/** mig_memory_blocks_get_count - how many. Since: 0.1 */
size_t mig_memory_blocks_get_count(const struct mig_memory_blocks *blocks);

/**
 * mig_memory_blocks_get - the @index-th, ascending by number
 *
 * Ownership: borrowed, valid as long as @blocks. Since: 0.1
 * Return: NULL behind the last.
 */
const struct mig_memory_block *
mig_memory_blocks_get(const struct mig_memory_blocks *blocks, size_t index);

/** Why a block stayed online, as the kernel's log says. */
enum mig_block_obstacle {
	MIG_OBSTACLE_UNKNOWN = 0,   /**< nothing in the log */
	MIG_OBSTACLE_UNMOVABLE = 1, /**< a page that never moves; found before any try */
	MIG_OBSTACLE_STAYED = 2, /**< a page that could not be moved, tried on and on */
};

/** How an attempt to change the state of a block went. */
struct mig_block_attempt {
	bool was_done;  /**< it was so already */
	bool timed_out; /**< and was not done */
	/** 0: done. -EBUSY: a page does not move; -EINVAL: the block has holes, or spans
	 *  zones; -EINTR: ended, by the time or by @is_stopped, and as it was before;
	 *  -EINPROGRESS: ended, but the kernel has not let go of it even 30 seconds later,
	 *  and may still do it; other errnos of the kernel. */
	int error;
	enum mig_block_obstacle obstacle;
	uint64_t frame; /**< in the way; valid unless the obstacle is unknown */
	char page[64];  /**< what the kernel's log calls it, as "slab"; "" if nothing */
	uint64_t elapsed_ns;
};

/**
 * mig_memory_block_offline - take a block offline, within a time
 * @timeout_ns: not 0
 * @is_stopped: asked about ten times a second; true gives up. May be NULL.
 *
 * The kernel moves what is in it to nodes of its own choice, and tries for ever where a
 * page does not go (mm/memory_hotplug.c, offline_pages, Linux 6.1 to 7.2); only a signal
 * ends that. So a child process does it, which is killed after @timeout_ns, and if the
 * caller dies. The block is as before then.
 *
 * One block of the machine is changed at a time: one that waits for others does so within
 * its time.
 *
 * Errors: -EOPNOTSUPP: the kernel has no memory blocks; -ENODEV: no such block; -EACCES:
 * not root; -EAGAIN, -ENOMEM: no child; -EXDEV: the context's root is not "/". Refusals
 * are in @ret_attempt. Threads: any. Since: 0.1
 */
int mig_memory_block_offline(struct mig_context *context, uint64_t number,
			     uint64_t timeout_ns, bool (*is_stopped)(void *data),
			     void *data, struct mig_block_attempt *ret_attempt);

enum mig_block_zone {
	MIG_ZONE_DEFAULT = 0, /**< as the kernel's policy for new memory says */
	MIG_ZONE_MOVABLE = 1, /**< it can be taken offline again */
	MIG_ZONE_KERNEL = 2,
};

/**
 * mig_memory_block_online - bring a block back
 *
 * It takes less than a second, unless others change blocks: it waits up to a minute for
 * these.
 * Errors: as of mig_memory_block_offline(). Threads: any. Since: 0.1
 */
int mig_memory_block_online(struct mig_context *context, uint64_t number,
			    enum mig_block_zone zone,
			    struct mig_block_attempt *ret_attempt);

/* ------------------------------------------------------------------------ *
 * Page frames: what memory holds
 * ------------------------------------------------------------------------ */

/** What a page frame holds, as /proc/kpageflags tells. */
enum mig_content {
	MIG_CONTENT_FREE = 0,
	MIG_CONTENT_ANON = 1,        /**< with what is in the swap cache */
	MIG_CONTENT_FILE_MAPPED = 2, /**< page cache that processes have mapped */
	MIG_CONTENT_FILE_UNMAPPED = 3,
	MIG_CONTENT_SHMEM = 4,   /**< mapped or not */
	MIG_CONTENT_HUGETLB = 5, /**< in use or free in a pool */
	MIG_CONTENT_SLAB = 6,
	MIG_CONTENT_PAGE_TABLE = 7,
	MIG_CONTENT_RESERVED = 8,  /**< the kernel's image, its page structs, firmware */
	MIG_CONTENT_OFFLINE = 9,   /**< given away by a balloon, or not in use */
	MIG_CONTENT_POISONED = 10, /**< failed, or retired */
	MIG_CONTENT_KERNEL = 11,   /**< anything else: stacks, buffers, compressed swap */
	MIG_CONTENT_ABSENT = 12,   /**< no memory there */
};

#define MIG_NR_CONTENTS 13

/** mig_content_get_name - a stable key as "file-unmapped". Never NULL. Since: 0.1 */
const char *mig_content_get_name(enum mig_content content);

/**
 * mig_content_is_movable - whether such pages can be moved, as a rule
 *
 * Since: 0.1
 * Return: false also where nothing is there that would have to be: FREE, OFFLINE,
 * POISONED and ABSENT, which are in nobody's way.
 */
bool mig_content_is_movable(enum mig_content content);

/**
 * mig_contents_read - count what consecutive page frames hold
 * @ret_pages: base pages of each
 *
 * A moment's picture: free pages that a processor holds back from the common lists are
 * taken for the kernel's. Where pages of files may be on their way to an LRU list all
 * processors are made to put theirs there. A block that is offline is absent, as is all
 * behind the last frame.
 * Errors: -EACCES, -EPERM: not root; -ENOENT: no /proc/kpageflags; -EINVAL: more frames
 * than there can be; -ENOMEM; errnos of read(2). Threads: any.
 * Since: 0.1
 */
int mig_contents_read(struct mig_context *context, uint64_t first_frame,
		      uint64_t nr_pages, uint64_t ret_pages[MIG_NR_CONTENTS]);

/**
 * mig_frame_look - what one page frame holds, and which node it belongs to
 * @ret_node: MIG_NO_NODE: it is absent, in a block that nodes share, or the kernel has no
 *            memory blocks
 *
 * Errors: as mig_contents_read(). Threads: any. Since: 0.1
 */
int mig_frame_look(const struct mig_topology *topology, uint64_t frame,
		   enum mig_content *ret_content, int *ret_node);

/** A process that has a page frame mapped. */
struct mig_frame_user {
	uint64_t frame;
	const struct mig_process *process;
	uint64_t address;                  /**< in it */
	const struct mig_mapping *mapping; /**< that it is in; without residency */
};

/**
 * mig_frames_visit_users - find who has page frames mapped
 * @frames: ascending, each once
 * @visit:  in no certain order; a frame comes once for each mapping of it; what it is
 *          given is borrowed for the call; non-zero ends the walk with that value
 *
 * Reads the page tables of all processes: as long as they are large. Frames that nobody
 * is found for hold cache that is not mapped, memory of the kernel, or nothing.
 * Errors: -EPERM: frame numbers are shown to CAP_SYS_ADMIN only; -EBADMSG: a line of a
 * process's maps does not parse; -ENOMEM. Since: 0.1
 */
int mig_frames_visit_users(struct mig_context *context, const uint64_t *frames,
			   size_t nr_frames,
			   int (*visit)(void *data, const struct mig_frame_user *user),
			   void *data);

/* ------------------------------------------------------------------------ *
 * Retiring: taking failing page frames out of use
 * ------------------------------------------------------------------------ */

/** What became of a page frame that was to be retired. */
struct mig_retirement {
	bool was_poisoned;        /**< it was out of use already */
	enum mig_content content; /**< what was in it before */
	int node;                 /**< that it belongs to; MIG_NO_NODE: not known */
	int error;                /**< negative errno; 0: it is out of use now */
	bool is_poisoned;         /**< as /proc/kpageflags says afterwards */
};

/**
 * mig_retirement_check - whether frames can be retired here at all
 *
 * Errors: -ENOSYS: the kernel was built without it; -EOPNOTSUPP: vm.enable_soft_offline
 * is 0 (Linux 6.11 and newer); -EACCES: not root; -EPERM: CAP_SYS_ADMIN is missing;
 * -EXDEV: the context's root is not "/". Since: 0.1
 */
int mig_retirement_check(struct mig_context *context);

/**
 * mig_frame_retire - soft-offline a page frame
 *
 * The kernel moves what is in it to another frame of the same node, wherever that is
 * possible (a clean page of a file that nobody has mapped is dropped), and never uses
 * the frame again until the machine restarts. It cannot be undone. Where the page is
 * busy it is tried again for a tenth of a second.
 * Errors: those of mig_retirement_check(); -ENXIO: no memory at that frame; -ENOENT: no
 * /proc/kpageflags. What the kernel refuses is in @ret_retirement: -EBUSY: the page does
 * not go; -EIO: it is the kernel's own. Threads: any; the kernel takes one at a time.
 * Since: 0.1
 */
int mig_frame_retire(const struct mig_topology *topology, uint64_t frame,
		     struct mig_retirement *ret_retirement);

/* ------------------------------------------------------------------------ *
 * Compaction
 * ------------------------------------------------------------------------ */

/** Free blocks of 1, 2, 4, ... base pages; more than any kernel has. */
#define MIG_MOST_ORDERS 32

/** The free memory of one zone. */
struct mig_zone {
	int node;
	char name[16]; /**< "DMA32", "Normal", "Movable" */
	unsigned int nr_orders;
	uint64_t nr_free[MIG_MOST_ORDERS]; /**< free blocks of 2^i base pages */
	/** Thousandths of the free memory that is in blocks smaller than 2^i pages, as
	 *  the kernel has it for root in extfrag/unusable_index; 1000: nothing is free. */
	unsigned int unusable_thousandths[MIG_MOST_ORDERS];
};

struct mig_zones;

/**
 * mig_zones_read - the free blocks of all zones, as they are now
 *
 * From /proc/buddyinfo, which is what the lists of free pages hold: pages that single
 * processors keep aside are in no block.
 * Errors: -EBADMSG; -ENOMEM; errnos of the file. Ownership: freed with mig_zones_free().
 * Since: 0.1
 */
int mig_zones_read(struct mig_context *context, struct mig_zones **ret_zones);

/** mig_zones_free - @zones may be NULL. Since: 0.1 */
void mig_zones_free(struct mig_zones *zones);

/** mig_zones_get - the @index-th; borrowed; NULL behind the last. Since: 0.1 */
const struct mig_zone *mig_zones_get(const struct mig_zones *zones, size_t index);

/**
 * mig_zones_sum_free - free memory of a node in blocks of a size and larger
 * @block_bytes: 0: all that is free
 *
 * Since: 0.1
 * Return: bytes.
 */
uint64_t mig_zones_sum_free(const struct mig_zones *zones, int node,
			    uint64_t block_bytes);

/**
 * mig_zones_get_huge_page_bytes - how large a block must be to become a huge page
 *
 * Of those huge pages that one entry of the lowest table but one maps: 2 MiB on x86-64.
 * Since: 0.1
 */
uint64_t mig_zones_get_huge_page_bytes(const struct mig_zones *zones);

/**
 * mig_node_compact - have the kernel compact all zones of a node, once
 *
 * Pages move within their zone, so that free memory comes together. The kernel reports
 * success whatever it did (mm/compaction.c, Linux 6.1 to 7.2): look at the zones. Only a
 * signal that kills ends it early.
 * Errors: -ENODEV: no such node; -EOPNOTSUPP: the kernel cannot; -EACCES: not root;
 * -EXDEV: the context's root is not "/". Since: 0.1
 */
int mig_node_compact(struct mig_context *context, int node);

/**
 * mig_node_reclaim - have the kernel drop page cache that is on a node
 * @ret_bytes: by how much the node's page cache has become smaller
 *
 * Clean pages, mapped ones too; nothing is written and nothing is swapped out. By the
 * node's own file (Linux 7.0), or by the generations of pages in debugfs, where they are
 * on (CONFIG_LRU_GEN, Linux 6.1). Where demotion is on, and a slower tier is there, the
 * kernel moves pages to that instead.
 * Errors: -EOPNOTSUPP: the kernel has neither; -ENODEV: no such node; -EACCES, -EPERM: not
 * root, or locked down; -EXDEV: the context's root is not "/"; -EBADMSG; -ENOMEM.
 * Since: 0.1
 */
int mig_node_reclaim(struct mig_context *context, int node, uint64_t *ret_bytes);

/* ------------------------------------------------------------------------ *
 * Placement: the rule that gives each page its wanted node
 * ------------------------------------------------------------------------ */

enum mig_place {
	MIG_PLACE_DEFAULT = 0, /**< relative with a from set, nearest without */
	MIG_PLACE_RELATIVE =
		1, /**< i-th of from to i-th of to, as migrate_pages(2) pairs */
	MIG_PLACE_NEAREST = 2, /**< the nearest target by distance that has room */
	MIG_PLACE_SPREAD = 3,  /**< interleaved by page over the targets */
	MIG_PLACE_MAP = 4,     /**< the pairs of the map */
};

struct mig_node_pair {
	int from;
	int to;
};

struct mig_placement_options {
	size_t size; /**< sizeof(struct mig_placement_options) */
	enum mig_place place;
	const struct mig_nodeset *from; /**< NULL: every node but the targets */
	const struct mig_nodeset *to;   /**< required unless there is a map */
	const struct mig_node_pair *map;
	size_t nr_map;
	const unsigned int
		*weights; /**< spread: one for each target, ascending; NULL: 1 each */
	size_t nr_weights;
};

struct mig_placement;

/**
 * mig_placement_new - make a rule
 *
 * Errors: -EINVAL: options that contradict each other (relative without from, a
 * weight that is zero, as many weights as targets are not there, two targets for
 * one node of the map); -ENODEV: a target that has no memory; -ENOMEM.
 * Ownership: the caller frees it with mig_placement_free().
 * Since: 0.1
 */
int mig_placement_new(const struct mig_topology *topology,
		      const struct mig_placement_options *options,
		      struct mig_placement **ret_placement);

/** mig_placement_free - @placement may be NULL. Since: 0.1 */
void mig_placement_free(struct mig_placement *placement);

/** mig_placement_get_targets - every node that a page could be sent to. Since: 0.1 */
const struct mig_nodeset *
mig_placement_get_targets(const struct mig_placement *placement);

/* ------------------------------------------------------------------------ *
 * Outcomes and reasons
 * ------------------------------------------------------------------------ */

/** Why pages were skipped: a rule that the user can change. */
enum mig_skip {
	MIG_SKIP_SHARED = 0,   /**< others map them too */
	MIG_SKIP_FILTERED = 1, /**< --only, --range, --min-size */
	MIG_SKIP_NOT_FROM = 2, /**< on a node that is not a source */
	MIG_SKIP_STOPPED = 3, /**< found, and not tried before a stop or the time limit */
	MIG_SKIP_DIRTY = 4,   /**< moving would have its file system write them out */
};

#define MIG_NR_SKIPS 5

/** Why pages that should have moved did not. */
enum mig_reason {
	MIG_REASON_BUSY = 0,            /**< under I/O or in use, may go later */
	MIG_REASON_PINNED = 1,          /**< extra references that do not go away */
	MIG_REASON_PINNED_IO_URING = 2, /**< a registered io_uring buffer */
	MIG_REASON_NO_MEMORY = 3,       /**< the destination is full */
	MIG_REASON_CPUSET_TARGET = 4, /**< the target's cpuset forbids the destination */
	MIG_REASON_CPUSET_CALLER = 5, /**< the caller's own cpuset forbids it */
	MIG_REASON_PERMISSION = 6,    /**< a capability is missing */
	MIG_REASON_HUGETLB_POOL = 7,  /**< no free huge page on the destination */
	MIG_REASON_FILE_SYSTEM = 8,   /**< cannot move dirty pages */
	MIG_REASON_DEVICE = 9,        /**< device memory or a driver's pages */
	MIG_REASON_PROTECTED =
		10, /**< PROT_NONE or NUMA hint: this kernel does not see them */
	MIG_REASON_SECRET = 11,    /**< memfd_secret(2) */
	MIG_REASON_NODE_GONE = 12, /**< the destination vanished */
	MIG_REASON_UNKNOWN = 13, /**< the kernel gives an errno and nothing else tells */
	MIG_REASON_UNSUPPORTED = 14, /**< no such system call, or forbidden by seccomp */
	MIG_REASON_NO_FILE = 15,     /**< cached, of a file that nobody has found */
};

#define MIG_NR_REASONS 16

/** mig_skip_get_name - a stable key as "shared". Never NULL. Since: 0.1 */
const char *mig_skip_get_name(enum mig_skip skip);

/** mig_skip_get_text - in words. Never NULL. Since: 0.1 */
const char *mig_skip_get_text(enum mig_skip skip);

/** mig_reason_get_name - a stable key as "pinned-io-uring". Never NULL. Since: 0.1 */
const char *mig_reason_get_name(enum mig_reason reason);

/** mig_reason_get_text - in words. Never NULL. Since: 0.1 */
const char *mig_reason_get_text(enum mig_reason reason);

/** mig_reason_get_hint - what may help, NULL if nothing is known. Since: 0.1 */
const char *mig_reason_get_hint(enum mig_reason reason);

struct mig_outcome;

/** Pages with one reason and, where it belongs to the reason, one node or errno. */
struct mig_left {
	enum mig_reason reason;
	int node;  /**< the wanted node */
	int error; /**< errno behind MIG_REASON_UNKNOWN, or 0 */
	uint64_t nr_pages;
};

/** How cache that nobody has mapped was moved. */
enum mig_cache_way {
	MIG_CACHE_NONE = 0, /**< the target has none, or it was not come to */
	MIG_CACHE_BY_DAMON = 1,
	MIG_CACHE_BY_FILES = 2,
};

/** The sums. moved + already + skipped + left + gone = considered, always. */
struct mig_totals {
	uint64_t considered_pages;
	uint64_t moved_pages;
	uint64_t already_pages;
	uint64_t skipped_pages;
	uint64_t left_pages;
	uint64_t gone_pages;       /**< unmapped, exited, or replaced by the zero page */
	uint64_t paged_out_pages;  /**< of left: pushed to swap by the fallback */
	uint64_t reread_pages;     /**< of left: dropped and read again in place */
	uint64_t swapped_pages;    /**< swapped out when it was planned: not considered */
	uint64_t moved_huge_pages; /**< units of more than one page that moved whole */
	uint64_t
		split_huge_pages; /**< transparent ones that the kernel split on the way */
	uint64_t elapsed_ns;
	uint64_t longest_call_ns; /**< the longest single system call */
	unsigned int passes;
	unsigned int threads;          /**< the most that worked at once */
	unsigned int processes;        /**< members that were walked */
	unsigned int processes_gone;   /**< of them, exited or execed meanwhile */
	unsigned int processes_denied; /**< of them, not permitted to be looked at */
	uint64_t files;                /**< with cached pages, that were walked */
	uint64_t files_gone;           /**< of them, deleted or replaced meanwhile */
	uint64_t files_denied;         /**< of all: with a problem */
	enum mig_cache_way cache_way;
	int error;    /**< a negative errno that ended the walk early
					 (-EAGAIN: a tree that kept forking), or 0 */
	bool stopped; /**< by the progress callback */
	bool timed_out;
};

/** mig_outcome_free - @outcome may be NULL. Since: 0.1 */
void mig_outcome_free(struct mig_outcome *outcome);

/** mig_outcome_get_totals - borrowed, valid as long as @outcome. Since: 0.1 */
const struct mig_totals *mig_outcome_get_totals(const struct mig_outcome *outcome);

/** mig_outcome_get_skipped - pages with that reason to skip. Since: 0.1 */
uint64_t mig_outcome_get_skipped(const struct mig_outcome *outcome, enum mig_skip skip);

/**
 * mig_outcome_get_left - the @index-th reason for what is left, largest first
 *
 * Ownership: borrowed, valid as long as @outcome. Since: 0.1
 * Return: NULL behind the last.
 */
const struct mig_left *mig_outcome_get_left(const struct mig_outcome *outcome,
					    size_t index);

/** Pages that go, or went, from one node to another. */
struct mig_pair_count {
	int from;
	int to;
	uint64_t nr_pages;
};

/**
 * mig_outcome_get_pair - the @index-th pair of nodes between which pages moved
 *
 * Ownership: borrowed, valid as long as @outcome. Since: 0.1
 * Return: NULL behind the last.
 */
const struct mig_pair_count *mig_outcome_get_pair(const struct mig_outcome *outcome,
						  size_t index);

/* ------------------------------------------------------------------------ *
 * Plan and run
 * ------------------------------------------------------------------------ */

enum mig_shared {
	MIG_SHARED_DEFAULT = 0, /**< anon with CAP_SYS_NICE (all, where the target is
				 files only), none without */
	MIG_SHARED_ANON =
		1, /**< shared anonymous and shmem pages move, file pages do not */
	MIG_SHARED_ALL = 2,
	MIG_SHARED_NONE = 3,
};

struct mig_address_range {
	uint64_t start;
	uint64_t end;
};

struct mig_plan_options {
	size_t size; /**< sizeof(struct mig_plan_options) */
	enum mig_shared shared;
	unsigned int only_kinds; /**< bits 1 << enum mig_kind; 0: all */
	bool only_thp;           /**< transparent huge pages of those kinds only */
	const struct mig_address_range *range; /**< NULL: everywhere */
	uint64_t min_mapping_bytes; /**< mappings with less resident memory are skipped */
	bool may_write; /**< move dirty pages even if the file system writes them out */
	/** Files need not be looked at where their number of cached pages, or their size,
	 *  shows that they fit: each page is then come to once, in the run. Until then
	 *  the plan has neither pairs nor residency of them. */
	bool may_estimate;
	bool cache_by_files; /**< unmapped cache: not by DAMON, even where that is */
	/** Of unmapped cache DAMON is to move no more than about this, and the rest is
	 *  skipped (MIG_SKIP_STOPPED); 0: all of it. */
	uint64_t most_cache_bytes;
};

/** What a plan found out before anything is moved. */
enum mig_finding_code {
	MIG_FINDING_NO_ROOM = 0,       /**< refuses: needed and room say by how much */
	MIG_FINDING_CPUSET_TARGET = 1, /**< refuses: @process, @node */
	MIG_FINDING_CPUSET_CALLER = 2, /**< refuses: @node */
	MIG_FINDING_NO_SYS_NICE = 3,   /**< refuses: shared pages were asked for */
	MIG_FINDING_NO_ACCESS =
		4, /**< refuses: @process may not be moved by the caller */
	MIG_FINDING_BOUND =
		5, /**< warns: @needed_bytes lie in mappings bound to a source */
	MIG_FINDING_NUMA_BALANCING =
		6, /**< warns: may move pages back to where @process runs */
	MIG_FINDING_PROCESS_GONE =
		7, /**< informs: @process exited before it was planned */
	MIG_FINDING_DIRTY =
		8, /**< warns: @needed_bytes are dirty, and on a file system that may
		    have to write them out, which only moving one tells */
};

struct mig_finding {
	enum mig_finding_code code;
	bool refuses; /**< mig_plan_run() would be wrong without force */
	int node;     /**< MIG_NO_NODE where it does not belong */
	const struct mig_process *process; /**< borrowed, may be NULL */
	uint64_t needed_bytes;
	uint64_t room_bytes;
};

struct mig_plan;

/**
 * mig_plan_new - decide what has to move and check whether it can
 * @target:    must outlive the plan
 * @placement: must outlive the plan
 * @options:   may be NULL
 *
 * Reads numa_maps of every member once; moves nothing. Figures are an upper
 * bound where shared pages may be skipped, since numa_maps does not tell them
 * apart.
 *
 * Errors: -EXDEV: the context's root is not "/"; -ENOSYS: the kernel has no
 * move_pages(2), or seccomp forbids it; -EBADMSG; -ESRCH: every member is gone.
 * Ownership: the caller frees it with mig_plan_free().
 * Since: 0.1
 */
int mig_plan_new(struct mig_target *target, const struct mig_topology *topology,
		 const struct mig_placement *placement,
		 const struct mig_plan_options *options, struct mig_plan **ret_plan);

/** mig_plan_free - @plan may be NULL. Since: 0.1 */
void mig_plan_free(struct mig_plan *plan);

/**
 * mig_plan_get_pair - the @index-th pair of nodes between which pages would move
 *
 * Ownership: borrowed, valid as long as @plan. Since: 0.1
 * Return: NULL behind the last.
 */
const struct mig_pair_count *mig_plan_get_pair(const struct mig_plan *plan, size_t index);

/** mig_plan_get_total_bytes - that would move, at the most. Since: 0.1 */
uint64_t mig_plan_get_total_bytes(const struct mig_plan *plan);

/**
 * mig_plan_get_residency - where it all was before anything moved
 *
 * Of files that were estimated only (may_estimate) the run fills it in: of the parts
 * that it came to. Borrowed. Since: 0.1
 */
const struct mig_residency *mig_plan_get_residency(const struct mig_plan *plan);

/**
 * mig_plan_read_residency - where it all is now
 *
 * Of files: those in which the plan has found cached pages; called for the first time
 * after a run, as the run saw each part of them when it left it; and cache that nobody
 * has mapped as DAMON left it. Members that have exited have none.
 * Errors: as mig_residency_add_process(); -ENOMEM, -EIO.
 * Ownership: the caller frees it with mig_residency_free(). Since: 0.1
 */
int mig_plan_read_residency(struct mig_plan *plan, struct mig_residency **ret_residency);

/**
 * mig_plan_get_finding - what stands in the way, refusals first
 *
 * Ownership: borrowed, valid as long as @plan. Since: 0.1
 * Return: NULL behind the last.
 */
const struct mig_finding *mig_plan_get_finding(const struct mig_plan *plan, size_t index);

/** How far a run is. */
struct mig_progress {
	uint64_t planned_bytes; /**< what the plan found, an estimate */
	uint64_t moved_bytes;
	uint64_t done_bytes; /**< moved or settled otherwise, of planned */
	uint64_t elapsed_ns;
	unsigned int pass;
	unsigned int threads;
};

enum mig_fallback {
	MIG_FALLBACK_NONE = 0,
	MIG_FALLBACK_SWAP = 1,   /**< page out what direct migration could not move */
	MIG_FALLBACK_REREAD = 2, /**< drop clean page cache and read it again in place */
};

struct mig_run_options {
	size_t size;                    /**< sizeof(struct mig_run_options) */
	unsigned int threads;           /**< 0: decided while running */
	unsigned int passes;            /**< 0: 6 */
	uint64_t max_stall_ns;          /**< bound for one system call; 0: 250 ms */
	uint64_t rate_bytes_per_second; /**< 0: no bound */
	uint64_t timeout_ns;            /**< 0: none */
	enum mig_fallback fallback;
	/** Called about ten times a second, in the calling thread; true stops the
	 *  run between two system calls. May be NULL. */
	bool (*progress)(void *data, const struct mig_progress *progress);
	void *progress_data;
};

/**
 * mig_plan_run - move
 * @options: may be NULL
 *
 * Walks the members' pages once, moves those that are not in place with
 * move_pages(2), one destination a call, and tries busy ones again in later
 * passes. A page's wanted node is decided from where it was when the walk came
 * by, and pages that arrived in this run are not moved again. Members that exit
 * or exec meanwhile are gone; descendants that appear are walked too. Memory does
 * not grow with the target.
 *
 * The caller needs nothing for its own processes, CAP_SYS_PTRACE and
 * CAP_DAC_READ_SEARCH (pagemap is mode 0400) for others', CAP_SYS_NICE for shared
 * pages. A plan is run once. Runs worker threads, which block all signals; returns when all of
 * them have ended.
 *
 * Errors: -ENOMEM, -EAGAIN: no buffers or threads. Everything else is in the
 * outcome.
 * Ownership: the caller frees the outcome with mig_outcome_free().
 * Since: 0.1
 */
int mig_plan_run(struct mig_plan *plan, const struct mig_run_options *options,
		 struct mig_outcome **ret_outcome);

/* ------------------------------------------------------------------------ *
 * The system calls as checked primitives
 * ------------------------------------------------------------------------ */

/** What became of one address of mig_pages_move(). */
enum mig_page_result {
	MIG_PAGE_MOVED = 0,   /**< it is on the wanted node now */
	MIG_PAGE_FAILED = 1,  /**< tried and still elsewhere: busy, pinned or no memory */
	MIG_PAGE_UNTRIED = 2, /**< the kernel stopped before it */
	MIG_PAGE_ABSENT = 3,  /**< nothing resident there, or no mapping */
	MIG_PAGE_SHARED = 4,  /**< others map it and MIG_MOVE_SHARED was not given */
};

struct mig_page {
	uint64_t address;
	int node;                    /**< out: where it is now; MIG_NO_NODE if absent */
	enum mig_page_result result; /**< out */
};

#define MIG_MOVE_SHARED 1U /**< MPOL_MF_MOVE_ALL: needs CAP_SYS_NICE */

/**
 * mig_pages_query - on which nodes pages are: move_pages(2) without nodes
 * @pid:   0: the caller
 * @pages: address in, node out; result is MIG_PAGE_MOVED where a node is known
 *         (it is there) and MIG_PAGE_ABSENT elsewhere
 *
 * Errors: -ESRCH, -EPERM, -EINVAL (the process has no memory), -ENOSYS, -EXDEV.
 * Threads: any. Since: 0.1
 */
int mig_pages_query(struct mig_context *context, pid_t pid, struct mig_page *pages,
		    size_t nr_pages);

/**
 * mig_pages_move - one call of move_pages(2), decoded exactly
 * @pid:   0: the caller
 * @pages: address in (one for each folio: a second address of the same folio is
 *         asked for again, not believed); node and result out
 * @node:  the one destination
 * @flags: 0 or MIG_MOVE_SHARED
 * @ret_moved: how many are on @node now
 *
 * The kernel writes no status for a page that failed, nor for any behind it
 * (Linux 6.1 to 7.2, mm/migrate.c, do_pages_move): those are asked again here,
 * and pages it never came to are told from pages that failed.
 *
 * Errors: of the call as a whole: -ESRCH, -EPERM, -EINVAL, -ENODEV: @node has no
 * memory; -EACCES: the target's cpuset forbids it; -ENOSYS; -EXDEV. A full node is
 * no error: the pages are MIG_PAGE_FAILED.
 * Threads: any. Since: 0.1
 */
int mig_pages_move(struct mig_context *context, pid_t pid, struct mig_page *pages,
		   size_t nr_pages, int node, unsigned int flags, size_t *ret_moved);

/** What migrate_pages(2) said and what numa_maps says afterwards. */
struct mig_migration {
	uint64_t kernel_count; /**< its return value: pages it knows it could not move */
	int error;             /**< 0, or the errno with which it stopped half-way */
	uint64_t before_pages; /**< on the source nodes, before */
	uint64_t left_pages;   /**< on source nodes that no pair keeps, after */
};

/**
 * mig_nodes_migrate - migrate_pages(2) between node sets, with what it left
 * @pid: 0: the caller
 *
 * The return value of the system call hides shared pages that were skipped for
 * want of CAP_SYS_NICE, and on 6.1 pages that could not be isolated; so the
 * process's numa_maps is read before and after. left_pages counts pages on nodes
 * of @from that are not in @to.
 *
 * Errors: -ESRCH, -EPERM, -EINVAL (no node of @to may be used), -ENOSYS, -EXDEV;
 * -ENOMEM of the system call is not an error here but in @ret_migration.
 * Since: 0.1
 */
int mig_nodes_migrate(struct mig_context *context, pid_t pid,
		      const struct mig_nodeset *from, const struct mig_nodeset *to,
		      struct mig_migration *ret_migration);

enum mig_policy {
	MIG_POLICY_DEFAULT = 0,
	MIG_POLICY_BIND = 1,
	MIG_POLICY_PREFER = 2, /**< one node */
	MIG_POLICY_INTERLEAVE = 3,
	MIG_POLICY_WEIGHTED_INTERLEAVE = 4, /**< Linux 6.9 and newer, else -ENOTSUP */
};

#define MIG_BIND_MOVE 1U        /**< move pages that are misplaced */
#define MIG_BIND_MOVE_SHARED 2U /**< also those that others map: CAP_SYS_NICE */

/** A range after mig_range_bind(), read back. */
struct mig_binding {
	enum mig_policy policy; /**< as get_mempolicy(2) says at its start */
	struct mig_nodeset nodes;
	uint64_t resident_pages;
	uint64_t misplaced_pages; /**< resident on a node that is not in @nodes */
};

/**
 * mig_range_bind - mbind(2) on the caller's own memory, read back
 * @start:  page-aligned
 * @length: bytes
 * @nodes:  NULL or empty only with MIG_POLICY_DEFAULT
 * @flags:  MIG_BIND_*
 *
 * Success of the system call proves nothing about the pages (it returns 0 with
 * none moved): misplaced_pages does. On tmpfs, shmem and hugetlbfs the policy
 * stays in the inode after the mapping is gone and steers every later page of
 * the file, whoever writes it.
 *
 * Errors: -EINVAL, -EFAULT: not one mapped range; -EPERM: MIG_BIND_MOVE_SHARED
 * without CAP_SYS_NICE; -ENOTSUP: the kernel lacks the policy; -ENOSYS; -EXDEV.
 * Since: 0.1
 */
int mig_range_bind(struct mig_context *context, void *start, size_t length,
		   enum mig_policy policy, const struct mig_nodeset *nodes,
		   unsigned int flags, struct mig_binding *ret_binding);

#ifdef __cplusplus
}
#endif

#endif /* LIBMIGRATE_H */
