/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system calls of the fake kernel. What a descriptor stands for is in its file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_kernel_memory.h"
#include "pagemap.h"
#include "pagemap_scan.h"

static struct fake_kernel *current;

void fake_kernel_set_current(struct fake_kernel *kernel)
{
	current = kernel;
}

/* ---- move_pages(2) ---- */

struct move {
	struct fake_process_memory *memory;
	int node;
	bool all;
	int *status;
	struct fake_folio **queue;
	size_t nr_queued;
	unsigned long start; /**< the first address of the batch */
};

static int status_of(const struct fake_pte *pte)
{
	if (!pte || pte->zero)
		return -EFAULT;
	if (!pte->folio || pte->sight != FAKE_SEEN)
		return -ENOENT;
	return pte->folio->node;
}

/* Return: INT_MAX if it is queued, otherwise its status. */
static int queue_page(struct move *move, uint64_t address)
{
	struct fake_pte *pte = fake_pte_find(move->memory, address);
	int status = status_of(pte);
	struct fake_folio *folio;

	if (status < 0 || status == move->node)
		return status;
	folio = pte->folio;
	if (folio->mapped[pte->page] > 1 && !move->all)
		return -EACCES;
	if (folio->off_lru || folio->queued)
		return -EBUSY;
	folio->queued = true;
	move->queue[move->nr_queued++] = folio;
	return INT_MAX;
}

static int move_single_pages(struct fake_folio *folio, int node)
{
	uint64_t first = folio->frame;
	uint32_t nr_pages = folio->nr_pages;

	fake_folio_split(current, folio);
	for (uint32_t page = 0; page < nr_pages; page++) {
		uint64_t frame = fake_frames_take(current, node, 1);

		if (!frame)
			return -ENOMEM;
		fake_folio_move(current, current->folio_of_frame[first + page], node,
				frame);
	}
	return 0;
}

/* Return: 0, 1 if it stays, or -ENOMEM. */
static int move_folio(struct fake_folio *folio, int node)
{
	uint64_t frame;

	if (folio->pinned || folio->busy) {
		/* Someone refers to it. The kernel writes it out before it notices. */
		fake_cache_note_tried(current, folio);
		folio->busy -= folio->busy > 0;
		return 1;
	}
	if (folio->kind == FAKE_HUGETLB && !current->nodes[node].huge_pool)
		return -ENOMEM;
	frame = fake_frames_take(current, node, folio->nr_pages);
	if (!frame && folio->nr_pages > 1 && folio->kind != FAKE_HUGETLB)
		return move_single_pages(folio, node);
	if (!frame)
		return -ENOMEM;
	if (folio->kind == FAKE_HUGETLB) {
		current->nodes[node].huge_pool--;
		current->nodes[folio->node].huge_pool++;
	}
	fake_folio_move(current, folio, node, frame);
	fake_cache_note_tried(current, folio);
	return 0;
}

/* Migrates what is queued; @end and what lies behind it has not been looked at. */
static long flush(struct move *move, unsigned long end, unsigned long count)
{
	long failed = 0;

	for (size_t i = 0; i < move->nr_queued && failed >= 0; i++) {
		int r = move_folio(move->queue[i], move->node);

		failed = r < 0 ? r : failed + r;
	}
	for (size_t i = 0; i < move->nr_queued; i++)
		move->queue[i]->queued = false;
	if (move->nr_queued && !failed)
		for (unsigned long i = move->start; i < end; i++)
			move->status[i] = move->node;
	move->nr_queued = 0;
	return failed > 0 ? failed + (long)(count - end) : failed;
}

static long move_all(struct move *move, unsigned long count, void *const *pages)
{
	for (unsigned long i = 0; i < count; i++) {
		int status = queue_page(move, (uintptr_t)pages[i]);
		long r;

		if (status == INT_MAX)
			continue;
		move->status[i] = status;
		r = flush(move, i, count);
		/* This address is accounted for. */
		if (r)
			return r > 0 ? r - 1 : r;
		move->start = i + 1;
	}
	return flush(move, count, count);
}

static long ask(struct fake_process_memory *memory, unsigned long count,
		void *const *pages, int *status)
{
	for (unsigned long i = 0; i < count; i++)
		status[i] = status_of(fake_pte_find(memory, (uintptr_t)pages[i]));
	return 0;
}

static long move_locked(pid_t pid, unsigned long count, void *const *pages,
			const int *nodes, int *status, int flags)
{
	struct fake_task *task = fake_task_find(current, pid);
	struct move move = { .status = status, .all = flags & MPOL_MF_MOVE_ALL };
	long r;

	if (move.all && current->options.no_sys_nice)
		return -EPERM;
	if (pid && !task)
		return -ESRCH;
	if (!count)
		return 0;
	if (!nodes)
		return ask(&task->memory, count, pages, status);
	if (task->refusal)
		return -task->refusal;
	if (nodes[0] < 0 || nodes[0] >= current->options.nr_nodes)
		return -ENODEV;
	move.memory = &task->memory;
	move.node = nodes[0];
	move.queue = fake_need(calloc(count, sizeof(*move.queue)));
	r = move_all(&move, count, pages);
	free(move.queue);
	fake_files_write_changes(current);
	return r;
}

static long call_move_pages(pid_t pid, unsigned long count, void *const *pages,
			    const int *nodes, int *status, int flags)
{
	long r;

	if (count && nodes) {
		unsigned int number =
			__atomic_add_fetch(&current->nr_calls, 1, __ATOMIC_RELAXED);

		if (current->hook)
			current->hook(current->hook_data, current, number);
	}
	pthread_mutex_lock(&current->lock);
	r = move_locked(pid, count, pages, nodes, status, flags);
	pthread_mutex_unlock(&current->lock);
	return r;
}

/* ---- the others that move or page out ---- */

static bool has_bit(const unsigned long *mask, int node)
{
	return mask[0] >> node & 1;
}

static int lowest(const unsigned long *mask)
{
	return __builtin_ctzl(mask[0]);
}

static long migrate_mapping(struct fake_mapping *mapping, const unsigned long *from,
			    int to, bool all)
{
	long failed = 0;

	for (uint64_t i = 0; i < mapping->nr_pages; i++) {
		const struct fake_pte *pte = &mapping->ptes[i];
		int r;

		if (!pte->folio || !has_bit(from, pte->folio->node) ||
		    pte->folio->node == to || (pte->folio->mapped[pte->page] > 1 && !all))
			continue;
		r = move_folio(pte->folio, to);
		if (r < 0)
			return r;
		failed += r;
	}
	return failed;
}

static long migrate(pid_t pid, const unsigned long *from, const unsigned long *to,
		    bool all)
{
	struct fake_task *task;
	long failed = 0;

	pthread_mutex_lock(&current->lock);
	task = fake_task_find(current, pid);
	if (!task)
		failed = -ESRCH;
	else if (task->refusal)
		failed = -task->refusal;
	for (size_t m = 0; failed >= 0 && m < task->memory.nr_mappings; m++) {
		long r =
			migrate_mapping(&task->memory.mappings[m], from, lowest(to), all);

		failed = r < 0 ? r : failed + r;
	}
	fake_files_write_changes(current);
	pthread_mutex_unlock(&current->lock);
	return failed;
}

static long call_migrate_pages(pid_t pid, unsigned long maxnode,
			       const unsigned long *from, const unsigned long *to)
{
	(void)maxnode;
	return migrate(pid, from, to, !current->options.no_sys_nice);
}

static long call_migrate_exclusive_pages(pid_t pid, unsigned long maxnode,
					 const unsigned long *from,
					 const unsigned long *to)
{
	(void)maxnode;
	return migrate(pid, from, to, false);
}

/* What the descriptor's file says: a word and up to two numbers. */
static void read_head(int fd, char word[16], int *pid, unsigned int *id)
{
	char text[64];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	*word = '\0';
	*pid = 0;
	*id = 0;
	if (length <= 0)
		return;
	text[length] = '\0';
	sscanf(text, "%15s %d %u", word, pid, id);
}

static bool can_page_out(const struct fake_pte *pte)
{
	return pte && pte->folio && pte->folio->kind == FAKE_ANON &&
	       pte->folio->nr_pages == 1 && !pte->folio->pinned &&
	       pte->folio->mapped[0] == 1;
}

static ssize_t page_out(struct fake_process_memory *memory, const struct iovec *range)
{
	uint64_t start = (uintptr_t)range->iov_base;
	const struct fake_mapping *mapping = fake_mapping_find(memory, start);

	if (!mapping || mapping->kind == FAKE_HUGETLB)
		return -EINVAL;
	for (uint64_t at = 0; at < range->iov_len; at += current->page_size) {
		struct fake_pte *pte = fake_pte_find(memory, start + at);

		if (!can_page_out(pte))
			continue;
		fake_pte_unmap(current, pte);
		pte->swapped = true;
	}
	return (ssize_t)range->iov_len;
}

static ssize_t call_process_madvise(int pidfd, const struct iovec *ranges,
				    size_t nr_ranges, int advice)
{
	struct fake_task *task;
	ssize_t done = 0;
	char word[16];
	unsigned int id;
	int pid;

	read_head(pidfd, word, &pid, &id);
	if (advice != MADV_PAGEOUT)
		return -EINVAL;
	pthread_mutex_lock(&current->lock);
	task = fake_task_find(current, pid);
	for (size_t i = 0; task && i < nr_ranges; i++) {
		ssize_t r = page_out(&task->memory, &ranges[i]);

		if (r < 0) {
			done = done ? done : r;
			break;
		}
		done += r;
	}
	fake_files_write_changes(current);
	pthread_mutex_unlock(&current->lock);
	return task ? done : -ESRCH;
}

static ssize_t call_process_vm_readv(pid_t pid, const struct iovec *local,
				     size_t nr_local, const struct iovec *remote,
				     size_t nr_remote)
{
	struct fake_task *task;

	(void)local;
	(void)nr_local;
	pthread_mutex_lock(&current->lock);
	task = fake_task_find(current, pid);
	for (size_t i = 0; task && i < nr_remote; i++) {
		struct fake_pte *pte =
			fake_pte_find(&task->memory, (uintptr_t)remote[i].iov_base);

		if (pte && pte->sight == FAKE_HIDDEN_BY_HINT)
			pte->sight = FAKE_SEEN;
	}
	pthread_mutex_unlock(&current->lock);
	return task ? 1 : -ESRCH;
}

/* ---- holding processes ---- */

static int call_pidfd_open(pid_t pid)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/proc/%d/pidfd", current->root->path, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -ESRCH : fd;
}

static int call_pidfd_probe(int pidfd)
{
	bool lives;
	char word[16];
	unsigned int id;
	int pid;

	read_head(pidfd, word, &pid, &id);
	pthread_mutex_lock(&current->lock);
	lives = fake_task_find(current, pid) != NULL;
	pthread_mutex_unlock(&current->lock);
	return lives ? 0 : -ESRCH;
}

static int call_kcmp_vm(pid_t a, pid_t b)
{
	if (a == b)
		return 0;
	return a < b ? 1 : 2;
}

/* ---- pagemap, kpageflags, kpagecount ---- */

static uint64_t pagemap_entry(struct fake_process_memory *memory, uint64_t page)
{
	const struct fake_pte *pte = fake_pte_find(memory, page * current->page_size);
	uint64_t entry = pte ? fake_pagemap_entry(pte) : 0;

	return current->options.hides_frames ? entry & ~MIG_PAGEMAP_FRAME : entry;
}

static uint64_t page_flags(uint64_t frame)
{
	const struct fake_folio *folio;
	uint64_t flags = 0;

	if (frame == fake_zero_frame())
		return MIG_FLAG_ZERO_PAGE | MIG_FLAG_RESERVED;
	if (frame >= (FAKE_MOST_NODES + 1) * FAKE_BLOCK_FRAMES)
		return 0;
	folio = current->folio_of_frame[frame];
	if (!folio)
		return 0;
	if (!folio->off_lru)
		flags |= MIG_FLAG_LRU;
	if (folio->dirty)
		flags |= MIG_FLAG_DIRTY;
	if (folio->writeback)
		flags |= MIG_FLAG_WRITEBACK;
	if (folio->kind == FAKE_ANON)
		flags |= MIG_FLAG_ANON;
	if (folio->nr_pages > 1)
		flags |= frame == folio->frame ? MIG_FLAG_HEAD : MIG_FLAG_TAIL;
	return flags;
}

static uint64_t page_count(uint64_t frame)
{
	const struct fake_folio *folio;

	if (frame >= (FAKE_MOST_NODES + 1) * FAKE_BLOCK_FRAMES)
		return 0;
	folio = current->folio_of_frame[frame];
	return folio ? folio->mapped[frame - folio->frame] : 0;
}

static ssize_t read_pagemap(pid_t pid, unsigned int id, uint64_t *words, size_t nr,
			    uint64_t first)
{
	struct fake_task *task = fake_task_find(current, pid);

	/* Its memory is gone: the file stays with it. */
	if (!task || task->memory.id != id)
		return 0;
	for (size_t i = 0; i < nr; i++)
		words[i] = pagemap_entry(&task->memory, first + i);
	return (ssize_t)(nr * sizeof(*words));
}

static ssize_t read_frames(uint64_t (*get)(uint64_t frame), uint64_t *words, size_t nr,
			   uint64_t first)
{
	for (size_t i = 0; i < nr; i++)
		words[i] = get(first + i);
	return (ssize_t)(nr * sizeof(*words));
}

static ssize_t read_self(uint64_t *words)
{
	words[0] = MIG_PAGEMAP_PRESENT;
	if (!current->options.hides_frames)
		words[0] |= fake_zero_frame();
	return sizeof(*words);
}

static ssize_t call_pread(int fd, void *buffer, size_t length, off_t offset)
{
	size_t nr = length / sizeof(uint64_t);
	uint64_t first = (uint64_t)offset / sizeof(uint64_t);
	ssize_t r = 0;
	char word[16];
	unsigned int id;
	int pid;

	read_head(fd, word, &pid, &id);
	if (!strcmp(word, "self"))
		return read_self(buffer);
	pthread_mutex_lock(&current->lock);
	if (!strcmp(word, "pagemap"))
		r = read_pagemap(pid, id, buffer, nr, first);
	else if (!strcmp(word, "kpageflags"))
		r = read_frames(page_flags, buffer, nr, first);
	else if (!strcmp(word, "kpagecount"))
		r = read_frames(page_count, buffer, nr, first);
	pthread_mutex_unlock(&current->lock);
	return r;
}

/* Only what is asked of it: the first page that is present or swapped out. */
static int scan_locked(struct fake_process_memory *memory, struct pm_scan_arg *arg)
{
	struct page_region *region = (struct page_region *)(uintptr_t)arg->vec;

	for (uint64_t at = arg->start; at < arg->end; at += current->page_size) {
		const struct fake_pte *pte = fake_pte_find(memory, at);

		if (!pte || !fake_pagemap_entry(pte))
			continue;
		*region = (struct page_region){ .start = at,
						.end = at + current->page_size };
		return 1;
	}
	return 0;
}

static int call_pagemap_scan(int fd, void *arg)
{
	struct fake_task *task;
	char word[16];
	unsigned int id;
	int pid, r = 0;

	if (current->options.no_scan)
		return -ENOTTY;
	read_head(fd, word, &pid, &id);
	pthread_mutex_lock(&current->lock);
	task = fake_task_find(current, pid);
	if (task && task->memory.id == id)
		r = scan_locked(&task->memory, arg);
	pthread_mutex_unlock(&current->lock);
	return r;
}

/* ---- files ---- */

static int call_cachestat(int fd, const uint64_t range[2], uint64_t counts[5])
{
	int r;

	pthread_mutex_lock(&current->lock);
	r = fake_cache_cachestat(current, fd, range, counts);
	pthread_mutex_unlock(&current->lock);
	return r;
}

static int call_mincore(void *start, size_t length, unsigned char *resident)
{
	int r;

	pthread_mutex_lock(&current->lock);
	r = fake_cache_mincore(current, start, length, resident);
	pthread_mutex_unlock(&current->lock);
	return r;
}

static int call_touch(const void *address)
{
	int r;

	pthread_mutex_lock(&current->lock);
	r = fake_cache_touch(current, address);
	pthread_mutex_unlock(&current->lock);
	return r;
}

static long call_set_mempolicy(int mode, const unsigned long *mask, unsigned long maxnode)
{
	long r;

	(void)maxnode;
	pthread_mutex_lock(&current->lock);
	r = fake_cache_set_mempolicy(current, mode, mask);
	pthread_mutex_unlock(&current->lock);
	return r;
}

const struct mig_calls *fake_kernel_calls(void)
{
	static const struct mig_calls calls = {
		.move_pages = call_move_pages,
		.migrate_pages = call_migrate_pages,
		.migrate_exclusive_pages = call_migrate_exclusive_pages,
		.pidfd_open = call_pidfd_open,
		.pidfd_probe = call_pidfd_probe,
		.process_madvise = call_process_madvise,
		.process_vm_readv = call_process_vm_readv,
		.kcmp_vm = call_kcmp_vm,
		.pread = call_pread,
		.pagemap_scan = call_pagemap_scan,
		.cachestat = call_cachestat,
		.mincore = call_mincore,
		.touch = call_touch,
		.set_mempolicy = call_set_mempolicy,
	};

	return &calls;
}
