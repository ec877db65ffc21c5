/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who has memory on which node: all processes of the machine, several side by side. As
 * little as possible is asked of each, since there may be very many: numa_maps is
 * opened by number and read once. More is only asked about one that shows nothing there.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "context.h"
#include "handles.h"
#include "memories.h"
#include "numa_maps.h"
#include "numbered.h"
#include "process.h"
#include "procfs.h"
#include "threads.h"
#include "topology.h"

struct mig_holder {
	struct mig_context *context;
	pid_t pid;
	pid_t tid;     /**< of a thread that has the memory */
	int fd;        /**< of its mappings: what they were read from */
	uint64_t mark; /**< see struct mig_memory */
	int end_node;  /**< behind the last that has something */
	uint64_t node_bytes[MIG_MAX_NODES];
};

/* What all threads share. */
struct search {
	struct mig_context *context;
	const struct mig_topology *topology;
	int (*visit)(void *data, const struct mig_holder *holder);
	void *data;
	pid_t *pids;
	size_t nr_pids;
	size_t capacity;
	pthread_mutex_t lock; /**< of all below, and of the visits */
	struct mig_memories memories;
	size_t next;
	size_t nr_looked_at;
	size_t nr_denied;
	int result; /**< non-zero ends the search */
};

/* Of one thread, for one process after the other. */
struct looker {
	struct search *search;
	struct mig_lines lines;
	struct mig_numa_maps_line line;
	struct mig_holder holder;
};

static void cleanup_search(struct search *search)
{
	free(search->pids);
	mig_memories_done(&search->memories);
	pthread_mutex_destroy(&search->lock);
}

static int list(void *data, uint64_t number)
{
	struct search *search = data;
	void *pids = search->pids;
	int r;

	if (!number || number > INT_MAX ||
	    (search->context->live && (pid_t)number == getpid()))
		return 0;
	r = mig_array_reserve(&pids, &search->capacity, search->nr_pids,
			      sizeof(*search->pids));
	search->pids = pids;
	if (!r)
		search->pids[search->nr_pids++] = (pid_t)number;
	return r;
}

static bool take_pid(struct search *search, pid_t *ret_pid)
{
	bool found;

	pthread_mutex_lock(&search->lock);
	found = !search->result && search->next < search->nr_pids;
	if (found)
		*ret_pid = search->pids[search->next++];
	pthread_mutex_unlock(&search->lock);
	return found;
}

static void begin_holder(struct mig_holder *holder, pid_t pid)
{
	memset(holder->node_bytes, 0,
	       (size_t)holder->end_node * sizeof(holder->node_bytes[0]));
	holder->pid = holder->tid = pid;
	holder->mark = 0;
	holder->end_node = 0;
}

/* Pages that the kernel has mapped for its own use, as that of uprobes, are neither a
 * file's nor anonymous. */
static bool is_kernels_own(const struct mig_numa_maps_line *line)
{
	return !line->has_file && !line->anon_pages && !line->is_heap && !line->is_stack;
}

static int add_line(struct mig_holder *holder, const struct mig_numa_maps_line *line)
{
	uint64_t unit =
		line->is_huge ? line->page_size_bytes : holder->context->page_size;

	/* The size stands only where something is resident. */
	if (!unit && line->resident_pages)
		return -EBADMSG;
	for (int node = 0; node < line->end_node; node++) {
		uint64_t bytes;

		if (__builtin_mul_overflow(line->node_pages[node], unit, &bytes) ||
		    __builtin_add_overflow(holder->node_bytes[node], bytes,
					   &holder->node_bytes[node]))
			return -EBADMSG;
	}
	if (holder->end_node < line->end_node)
		holder->end_node = line->end_node;
	return 0;
}

/* Errors: -ESRCH: it shows no mapping. */
static int read_lines(struct looker *looker)
{
	struct mig_holder *holder = &looker->holder;
	struct mig_text text;
	bool is_empty = true;
	int r;

	while ((r = mig_lines_next(&looker->lines, &text.at, &text.length)) > 0) {
		r = mig_numa_maps_parse(text, &looker->line);
		/* The last is the vdso, which stays where it was put at random. */
		holder->mark = looker->line.start;
		is_empty = false;
		if (!r && !is_kernels_own(&looker->line))
			r = add_line(holder, &looker->line);
		if (r < 0) {
			mig_log(holder->context, MIG_LOG_WARNING,
				"a line of 'proc/%d/numa_maps' does not parse",
				holder->pid);
			return r;
		}
	}
	return !r && is_empty ? -ESRCH : r;
}

/* Takes @fd over. */
static int take_file(struct looker *looker, int fd)
{
	int r = mig_lines_reopen(&looker->lines, fd);

	if (r < 0)
		close(fd);
	else
		looker->holder.fd = fd;
	return r;
}

/* Takes @fd over. */
static int read_numa_maps(struct looker *looker, int fd)
{
	int r = take_file(looker, fd);

	return r < 0 ? r : read_lines(looker);
}

/* A kernel without numa_maps, and a captured machine that lacks some. */
static int read_residency(struct looker *looker, const struct mig_process *process)
{
	CLEANUP_MIG(residency) struct mig_residency *residency = NULL;
	struct mig_holder *holder = &looker->holder;
	int fd, r = mig_residency_new(holder->context, &residency);

	if (!r)
		r = mig_residency_add_process(residency, looker->search->topology,
					      process);
	if (r < 0)
		return r;
	holder->end_node = MIG_MAX_NODES;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		holder->node_bytes[node] = mig_residency_get_node_bytes(residency, node);
	fd = mig_process_open_file(process, "maps");
	return fd < 0 ? fd : take_file(looker, fd);
}

/* A kernel thread, a zombie, one whose first thread has exited, or none any more.
 * Errors: -ESRCH: it has no memory. */
static int look_closely(struct looker *looker)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct mig_holder *holder = &looker->holder;
	int fd, r = mig_process_open_leader(holder->context, holder->pid, &process);

	if (r == -ENXIO || r == -ENODATA)
		return -ESRCH;
	if (r < 0)
		return r;
	begin_holder(holder, holder->pid);
	holder->tid = process->tid;
	fd = mig_process_open_file(process, "numa_maps");
	if (fd < 0)
		return fd == -ENOENT ? read_residency(looker, process) : fd;
	return read_numa_maps(looker, fd);
}

static int look_at(struct looker *looker, pid_t pid)
{
	int fd, r;

	begin_holder(&looker->holder, pid);
	fd = mig_procfs_open(looker->search->context, "proc/%d/numa_maps", pid);
	r = fd < 0 ? fd : read_numa_maps(looker, fd);
	return r == -ESRCH || r == -ENOENT ? look_closely(looker) : r;
}

/* A captured machine may have a process's name and nothing else of it. */
static bool is_denied(int error)
{
	return error == -EACCES || error == -EPERM || error == -ENOENT;
}

/* The search's lock is held. */
static int visit_once(struct search *search, const struct mig_holder *holder)
{
	const struct mig_memory memory = { .mark = holder->mark, .tid = holder->tid };
	int r = 0;

	if (search->context->live)
		r = mig_memories_add(&search->memories, search->context->calls, &memory);
	if (r < 0)
		return r == -EEXIST ? 0 : r;
	search->nr_looked_at++;
	return search->visit(search->data, holder);
}

static void take_holder(struct search *search, const struct mig_holder *holder, int error)
{
	pthread_mutex_lock(&search->lock);
	if (is_denied(error)) {
		search->nr_denied++;
		search->nr_looked_at++;
	} else if (error != -ESRCH && !search->result) {
		search->result = error ? error : visit_once(search, holder);
	}
	pthread_mutex_unlock(&search->lock);
}

static void *work(void *data)
{
	struct looker *looker = calloc(1, sizeof(*looker));
	struct search *search = data;
	pid_t pid;

	if (!looker) {
		take_holder(search, NULL, -ENOMEM);
		return NULL;
	}
	looker->search = search;
	looker->holder.context = search->context;
	while (take_pid(search, &pid))
		take_holder(search, &looker->holder, look_at(looker, pid));
	mig_lines_done(&looker->lines);
	free(looker);
	return NULL;
}

int mig_holders_look(const struct mig_topology *topology,
		     int (*visit)(void *data, const struct mig_holder *holder),
		     void *data, struct mig_holders_counts *ret_counts)
{
	CLEANUP(cleanup_search)
	struct search search = {
		.topology = topology,
		.visit = visit,
		.data = data,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	int r;

	if (!topology || !visit || !ret_counts)
		return -EINVAL;
	search.context = mig_topology_get_context(topology);
	r = mig_numbered_visit(search.context, "proc", "", "", list, &search);
	if (r < 0)
		return r;
	mig_threads_run(search.nr_pids, work, &search);
	if (!search.result)
		*ret_counts = (struct mig_holders_counts){
			.nr_looked_at = search.nr_looked_at,
			.nr_denied = search.nr_denied,
		};
	return search.result;
}

pid_t mig_holder_get_pid(const struct mig_holder *holder)
{
	return holder ? holder->pid : 0;
}

uint64_t mig_holder_get_node_bytes(const struct mig_holder *holder, int node)
{
	return holder && node >= 0 && node < holder->end_node ? holder->node_bytes[node]
							      : 0;
}

/* Its mappings are read again behind its name: while they are there, the number has not
 * become another's. */
int mig_holder_read_name(const struct mig_holder *holder, char *ret_name, size_t size)
{
	char name[64], byte;
	ssize_t length;

	if (!holder || !ret_name || !size)
		return -EINVAL;
	length = mig_procfs_read(holder->context, name, sizeof(name), "proc/%d/comm",
				 holder->pid);
	if (length == -ENOENT)
		return -ESRCH;
	if (length < 0)
		return (int)length;
	if (pread(holder->fd, &byte, 1, 0) <= 0)
		return -ESRCH;
	if (length && name[length - 1] == '\n')
		length--;
	if ((size_t)length >= size)
		length = (ssize_t)size - 1;
	memcpy(ret_name, name, (size_t)length);
	ret_name[length] = '\0';
	return 0;
}
