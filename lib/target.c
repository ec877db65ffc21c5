/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "context.h"
#include "process.h"
#include "target.h"

DEFINE_CLEANUP(process)

/* A process that is held, because it is a member or because a tree goes through it. */
struct held {
	struct mig_process *process;
	bool is_member; /**< false: it shares the memory of a member */
	bool in_tree;   /**< its descendants belong to the target */
};

/* Places in the array of held processes, in some order. */
struct index {
	size_t *places;
	size_t count;
	size_t capacity;
};

struct mig_target {
	struct mig_context *context;
	struct mig_files *files; /**< the caller's */
	struct held *held;
	size_t nr_held;
	size_t capacity;
	struct index members; /**< in the order in which they came */
	struct index by_pid;
	struct index by_memory; /**< in the order that kcmp(2) gives */
};

struct family_link {
	pid_t parent;
	pid_t pid;
};

/* All parents and children of the machine, where the kernel does not list them. */
struct family {
	struct family_link *links;
	size_t count;
	size_t capacity;
};

/* Makes room for one more entry. */
static int grow(void **array, size_t *capacity, size_t count, size_t entry_size)
{
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *larger;

	if (count < *capacity)
		return 0;
	larger = reallocarray(*array, wanted, entry_size);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	*capacity = wanted;
	return 0;
}

static int index_reserve(struct index *index)
{
	void *places = index->places;
	int r = grow(&places, &index->capacity, index->count, sizeof(*index->places));

	index->places = places;
	return r;
}

/* There is room: index_reserve(). */
static void index_insert(struct index *index, size_t at, size_t place)
{
	memmove(index->places + at + 1, index->places + at,
		(index->count - at) * sizeof(*index->places));
	index->places[at] = place;
	index->count++;
}

static void index_remove(struct index *index, size_t at)
{
	index->count--;
	memmove(index->places + at, index->places + at + 1,
		(index->count - at) * sizeof(*index->places));
}

int mig_target_new(struct mig_context *context, struct mig_target **ret_target)
{
	struct mig_target *target;

	if (!context || !ret_target)
		return -EINVAL;
	target = calloc(1, sizeof(*target));
	if (!target)
		return -ENOMEM;
	target->context = context;
	*ret_target = target;
	return 0;
}

void mig_target_free(struct mig_target *target)
{
	if (!target)
		return;
	for (size_t i = 0; i < target->nr_held; i++)
		mig_process_free(target->held[i].process);
	free(target->held);
	free(target->members.places);
	free(target->by_pid.places);
	free(target->by_memory.places);
	free(target);
}

/* Where @pid stands among the held, or where it would stand. */
static bool find_pid(const struct mig_target *target, pid_t pid, size_t *ret_at)
{
	size_t low = 0, high = target->by_pid.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		pid_t other = target->held[target->by_pid.places[middle]].process->pid;

		if (other == pid) {
			*ret_at = middle;
			return true;
		}
		if (other < pid)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_at = low;
	return false;
}

/* The one that is held under this number now: an earlier bearer does not count. */
static struct held *find_held(const struct mig_target *target, pid_t pid)
{
	struct held *held;
	size_t at;

	if (!find_pid(target, pid, &at))
		return NULL;
	held = &target->held[target->by_pid.places[at]];
	return mig_process_holds_number(held->process) ? held : NULL;
}

/* Threads that have exited have no memory, and the kernel calls that equal. */
static bool has_memory(const struct mig_process *process)
{
	pid_t tid;

	return !mig_process_find_thread(process, &tid) && tid == process->tid;
}

/*
 * Looks for a member that shares @process's memory: 1 and nothing else, or 0 and
 * where @process belongs in the order of memories, or -ENOENT: it cannot be asked.
 *
 * Members that can no longer be compared (dead, or no longer ours to ask about)
 * leave the order as they are met. One that has called execve(2) stands in a wrong
 * place; then a shared memory can be missed, and is walked twice, which costs time
 * and nothing else. It is never found where there is none.
 */
static int find_memory(struct mig_target *target, const struct mig_process *process,
		       size_t *ret_at)
{
	int (*compare)(pid_t, pid_t) = target->context->calls->kcmp_vm;
	struct index *order = &target->by_memory;
	size_t low = 0, high = order->count;

	if (!target->context->live || compare(process->tid, process->tid) != 0)
		return -ENOENT;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mig_process *other =
			target->held[order->places[middle]].process;
		int r = compare(process->tid, other->tid);

		/* Only while both are held do the numbers mean them. */
		if (r < 0 || r > 2 || !mig_process_holds_number(other)) {
			index_remove(order, middle);
			high--;
		} else if (!r) {
			return has_memory(process) ? 1 : -ENOENT;
		} else if (r == 1) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	*ret_at = low;
	return 0;
}

/* Makes a held process a member, if no member has its memory. */
static int try_member(struct mig_target *target, size_t place)
{
	struct held *held = &target->held[place];
	size_t at;
	int r;

	r = index_reserve(&target->members);
	if (!r)
		r = index_reserve(&target->by_memory);
	if (r < 0)
		return r;
	r = find_memory(target, held->process, &at);
	if (r == 1)
		return -EEXIST;
	if (!r)
		index_insert(&target->by_memory, at, place);
	index_insert(&target->members, target->members.count, place);
	held->is_member = true;
	return 0;
}

/* Takes @process over, unless it fails. */
static int keep(struct mig_target *target, struct mig_process *process, bool in_tree)
{
	void *held = target->held;
	size_t at;
	int r;

	r = grow(&held, &target->capacity, target->nr_held, sizeof(*target->held));
	target->held = held;
	if (!r)
		r = index_reserve(&target->by_pid);
	if (r < 0)
		return r;
	target->held[target->nr_held] =
		(struct held){ .process = process, .in_tree = in_tree };
	r = try_member(target, target->nr_held);
	/* A tree goes on below one that shares a member's memory. */
	if (r < 0 && !(r == -EEXIST && in_tree))
		return r;
	if (find_pid(target, process->pid, &at))
		target->by_pid.places[at] = target->nr_held;
	else
		index_insert(&target->by_pid, at, target->nr_held);
	target->nr_held++;
	return 0;
}

int mig_target_add_pid(struct mig_target *target, pid_t pid)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct held *held;
	int r;

	if (!target)
		return -EINVAL;
	r = mig_process_open(target->context, pid, &process);
	if (r < 0)
		return r;
	held = find_held(target, process->pid);
	if (held)
		return -EEXIST;
	r = keep(target, process, false);
	if (!r)
		process = NULL;
	return r;
}

struct child_scan {
	struct mig_target *target;
	const struct mig_process *parent;
	size_t again_from; /**< the first that joined the tree just now */
};

static int add_child(void *data, pid_t pid)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct child_scan *scan = data;
	struct held *held = find_held(scan->target, pid);
	int r;

	if (held && !held->in_tree) {
		size_t place = (size_t)(held - scan->target->held);

		/* It was named by itself; now its descendants count as well. */
		held->in_tree = true;
		if (place < scan->again_from)
			scan->again_from = place;
	}
	if (held)
		return 0;
	r = mig_process_open(scan->target->context, pid, &process);
	/* Gone, a kernel thread or a zombie: nothing to look at or to move. */
	if (r == -ESRCH || r == -ENXIO || r == -ENODATA)
		return 0;
	if (r < 0)
		return r;
	/*
	 * The number may have been used again since the parent's children were read.
	 * Whoever has the parent that is held is its child. One whose parent died in
	 * between is lost, as it would have been a moment later.
	 */
	if (process->pid != pid || process->parent != scan->parent->pid ||
	    !mig_process_holds_number(scan->parent))
		return 0;
	r = keep(scan->target, process, true);
	if (!r)
		process = NULL;
	return r;
}

static int add_link(void *data, pid_t pid, pid_t parent)
{
	struct family *family = data;
	void *links = family->links;
	int r = grow(&links, &family->capacity, family->count, sizeof(*family->links));

	family->links = links;
	if (!r)
		family->links[family->count++] =
			(struct family_link){ .parent = parent, .pid = pid };
	return r;
}

static int compare_links(const void *left, const void *right)
{
	const struct family_link *a = left, *b = right;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static int read_family(const struct mig_context *context, struct family *family)
{
	int r = mig_process_visit_all(context, add_link, family);

	if (!r && family->count)
		qsort(family->links, family->count, sizeof(*family->links),
		      compare_links);
	return r;
}

static int visit_family(const struct family *family, struct child_scan *scan)
{
	size_t low = 0, high = family->count;
	int r = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (family->links[middle].parent < scan->parent->pid)
			low = middle + 1;
		else
			high = middle;
	}
	while (!r && low < family->count &&
	       family->links[low].parent == scan->parent->pid)
		r = add_child(scan, family->links[low++].pid);
	return r;
}

static void cleanup_family(struct family *family)
{
	free(family->links);
}

/* What has appeared below one process; @family is read when it is needed. */
static int scan_children(struct child_scan *scan, struct family *family)
{
	int r;

	if (!family->count) {
		r = mig_process_visit_children(scan->parent, add_child, scan);
		if (r != -ENOSYS)
			return r == -ESRCH ? 0 : r;
		r = read_family(scan->target->context, family);
		if (r < 0)
			return r;
	}
	return visit_family(family, scan);
}

/*
 * Adds what has appeared below the processes from @place on; those that are added
 * come behind and are looked at too. Members that have exited have no children any
 * more: those went to another parent and can only be found if that one is in the
 * tree.
 */
static int scan_trees(struct mig_target *target, size_t place)
{
	CLEANUP(cleanup_family) struct family family = { 0 };

	while (place < target->nr_held) {
		struct child_scan scan = {
			.target = target,
			.parent = target->held[place].process,
			.again_from = place + 1,
		};
		int r = 0;

		if (target->held[place].in_tree)
			r = scan_children(&scan, &family);
		if (r < 0)
			return r;
		place = scan.again_from;
	}
	return 0;
}

int mig_target_add_tree(struct mig_target *target, pid_t pid)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	size_t first;
	struct held *held;
	int r;

	if (!target)
		return -EINVAL;
	r = mig_process_open(target->context, pid, &process);
	if (r < 0)
		return r;
	held = find_held(target, process->pid);
	if (held && held->in_tree)
		return -EEXIST;
	if (held) {
		/* A member so far by itself becomes the root of a tree. */
		held->in_tree = true;
		first = (size_t)(held - target->held);
		return scan_trees(target, first);
	}
	first = target->nr_held;
	r = keep(target, process, true);
	if (r < 0)
		return r;
	process = NULL;
	return scan_trees(target, first);
}

/* One that shared a member's memory has its own once it has called execve(2). */
static int retry_sharers(struct mig_target *target)
{
	for (size_t place = 0; place < target->nr_held; place++) {
		const struct held *held = &target->held[place];
		int r;

		if (held->is_member || !mig_process_is_alive(held->process))
			continue;
		r = try_member(target, place);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

int mig_target_rescan(struct mig_target *target, size_t *ret_added)
{
	size_t before;
	int r;

	if (!target || !ret_added)
		return -EINVAL;
	before = target->members.count;
	r = retry_sharers(target);
	if (!r)
		r = scan_trees(target, 0);
	if (r < 0)
		return r;
	*ret_added = target->members.count - before;
	return 0;
}

size_t mig_target_get_count(const struct mig_target *target)
{
	return target ? target->members.count : 0;
}

struct mig_process *mig_target_get_process(const struct mig_target *target, size_t index)
{
	if (!target || index >= target->members.count)
		return NULL;
	return target->held[target->members.places[index]].process;
}

int mig_target_add_files(struct mig_target *target, struct mig_files *files)
{
	if (!target || !files)
		return -EINVAL;
	if (target->files)
		return -EEXIST;
	target->files = files;
	return 0;
}

struct mig_files *mig_target_get_files(const struct mig_target *target)
{
	return target->files;
}
