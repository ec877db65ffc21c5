/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "charged.h"

#include <errno.h>
#include <stdlib.h>

#include "array.h"
#include "cleanup.h"
#include "lru.h"
#include "pagemap.h"
#include "procfs.h"

/* Frames that are read at once. */
#define WINDOW_FRAMES MIG_CHARGED_STRIDE
/* The largest folio: a huge page of 64 KiB pages. */
#define MOST_ORDER 13

static int compare_inodes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int add_inode(void *data, uint64_t inode)
{
	struct mig_charged_owners *owners = data;
	void *array = owners->inodes;
	int r = mig_array_reserve(&array, &owners->capacity, owners->nr,
				  sizeof(*owners->inodes));

	owners->inodes = array;
	if (r < 0)
		return r;
	owners->inodes[owners->nr++] = inode;
	return 0;
}

int mig_charged_owners_add(struct mig_charged_owners *owners,
			   const struct mig_cgroup *cgroup)
{
	size_t had = owners->nr;
	int r = mig_cgroup_visit_inodes(cgroup, add_inode, owners);

	if (r < 0)
		owners->nr = had;
	else if (owners->nr)
		qsort(owners->inodes, owners->nr, sizeof(*owners->inodes),
		      compare_inodes);
	return r;
}

void mig_charged_owners_done(struct mig_charged_owners *owners)
{
	free(owners->inodes);
	*owners = (struct mig_charged_owners){ 0 };
}

bool mig_charged_owners_have(const struct mig_charged_owners *owners, uint64_t inode)
{
	return owners->nr && bsearch(&inode, owners->inodes, owners->nr,
				     sizeof(*owners->inodes), compare_inodes);
}

int mig_charged_open(const struct mig_context *context, const struct mig_frames *frames,
		     bool asks_cgroups, struct mig_charged *ret_charged)
{
	CLEANUP_CLOSE int flags_fd = -1;
	int cgroup_fd = -1;

	flags_fd = mig_procfs_open(context, "proc/kpageflags");
	if (flags_fd < 0)
		return flags_fd;
	if (asks_cgroups)
		cgroup_fd = mig_procfs_open(context, "proc/kpagecgroup");
	if (asks_cgroups && cgroup_fd < 0)
		return cgroup_fd;
	*ret_charged = (struct mig_charged){
		.context = context,
		.frames = frames,
		.flags_fd = flags_fd,
		.cgroup_fd = cgroup_fd,
	};
	flags_fd = -1;
	return 0;
}

void mig_charged_close(struct mig_charged *charged)
{
	if (charged->flags_fd >= 0)
		close(charged->flags_fd);
	if (charged->cgroup_fd >= 0)
		close(charged->cgroup_fd);
	charged->flags_fd = charged->cgroup_fd = -1;
}

/* Of consecutive frames, all of them. */
static int read_words(const struct mig_charged *charged, int fd, uint64_t frame,
		      uint64_t *words, uint64_t nr)
{
	size_t length = nr * sizeof(*words), done = 0;

	while (done < length) {
		ssize_t n = charged->context->calls->pread(
			fd, (char *)words + done, length - done,
			(off_t)(frame * sizeof(*words) + done));

		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		if (!n || n % (ssize_t)sizeof(*words))
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

struct walk {
	const struct mig_charged *charged;
	const struct mig_charged_owners *owners;
	int (*visit)(void *data, const struct mig_charged_run *run);
	void *data;
	uint64_t *flags;
	uint64_t *inodes;
	uint64_t last_inode; /**< what was looked up last, 0 at first */
	bool last_is_owner;
	struct mig_charged_run run; /**< not told yet; of no pages: none */
};

/* Flags are asked for where such a piece of a window has an owned frame. No folio on an
 * LRU list is larger than what a page of page-table entries maps: none crosses a piece. */
static uint64_t piece_frames(const struct mig_charged *charged)
{
	return charged->context->page_size / sizeof(uint64_t);
}

/* Those of a file's cache or of shared memory that no process has mapped. */
static bool is_candidate(uint64_t flags)
{
	return (flags & (MIG_FLAG_LRU | MIG_FLAG_ANON | MIG_FLAG_MMAP)) == MIG_FLAG_LRU;
}

/*
 * All of a folio is mapped where one of its pages is: it moves as a whole. Every page
 * shows that, but on 6.1 tails show little else, so they are given what the head has.
 */
static void spread_heads(uint64_t *flags, uint64_t nr)
{
	for (uint64_t i = 1; i < nr; i++)
		if (flags[i] & MIG_FLAG_TAIL &&
		    flags[i - 1] & (MIG_FLAG_HEAD | MIG_FLAG_TAIL))
			flags[i] = (flags[i - 1] & ~MIG_FLAG_HEAD) | MIG_FLAG_TAIL;
}

/* On 6.1 a tail is charged to nobody. */
static uint64_t get_inode(const struct walk *walk, uint64_t i, uint64_t first)
{
	if (i > first && walk->flags[i] & MIG_FLAG_TAIL &&
	    walk->flags[i - 1] & (MIG_FLAG_HEAD | MIG_FLAG_TAIL))
		walk->inodes[i] = walk->inodes[i - 1];
	return walk->inodes[i];
}

static bool is_owned(struct walk *walk, uint64_t inode)
{
	/* Neighbours are often of one cgroup. No cgroup has the inode 0. */
	if (!inode)
		return false;
	if (inode != walk->last_inode) {
		walk->last_inode = inode;
		walk->last_is_owner = mig_charged_owners_have(walk->owners, inode);
	}
	return walk->last_is_owner;
}

static int tell_run(struct walk *walk)
{
	struct mig_charged_run run = walk->run;

	walk->run.nr_pages = 0;
	return run.nr_pages ? walk->visit(walk->data, &run) : 0;
}

static int add_frame(struct walk *walk, uint64_t frame, uint64_t flags, int node)
{
	struct mig_charged_run *run = &walk->run;
	bool is_shmem = flags & MIG_FLAG_SWAPBACKED, is_dirty = flags & MIG_FLAG_DIRTY,
	     is_writeback = flags & MIG_FLAG_WRITEBACK;
	int r;

	if (run->nr_pages && run->frame + run->nr_pages == frame && run->node == node &&
	    run->is_shmem == is_shmem && run->is_dirty == is_dirty &&
	    run->is_writeback == is_writeback) {
		run->nr_pages++;
		return 0;
	}
	r = tell_run(walk);
	*run = (struct mig_charged_run){
		.frame = frame,
		.nr_pages = 1,
		.node = node,
		.is_shmem = is_shmem,
		.is_dirty = is_dirty,
		.is_writeback = is_writeback,
	};
	return r;
}

/* Of a window that begins at @window, what is in [@first, @end). */
static int visit_stretch(struct walk *walk, uint64_t window, uint64_t first, uint64_t end,
			 int node)
{
	int r = read_words(walk->charged, walk->charged->flags_fd, window + first,
			   walk->flags + first, end - first);

	if (r < 0)
		return r;
	spread_heads(walk->flags + first, end - first);
	for (uint64_t i = first; !r && i < end; i++) {
		bool is_wanted =
			!walk->owners || is_owned(walk, get_inode(walk, i, first));

		if (is_wanted && is_candidate(walk->flags[i]))
			r = add_frame(walk, window + i, walk->flags[i], node);
	}
	return r;
}

static bool has_owned(struct walk *walk, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		if (is_owned(walk, walk->inodes[i]))
			return true;
	return false;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The kernel tells a cgroup much sooner than flags, and most of memory is others'. */
static int visit_owned(struct walk *walk, uint64_t window, uint64_t nr, int node)
{
	uint64_t piece = piece_frames(walk->charged), first = 0, end = 0;
	int r = read_words(walk->charged, walk->charged->cgroup_fd, window, walk->inodes,
			   nr);

	if (r < 0)
		return r;
	/* Neighbouring pieces with owned frames are one stretch. */
	for (uint64_t next; end < nr; end = next) {
		next = min(end + piece, nr);
		if (has_owned(walk, end, next))
			continue;
		if (first < end)
			r = visit_stretch(walk, window, first, end, node);
		if (r)
			return r;
		first = next;
	}
	return first < end ? visit_stretch(walk, window, first, end, node) : 0;
}

static int visit_window(struct walk *walk, uint64_t window, uint64_t nr, int node)
{
	return walk->owners ? visit_owned(walk, window, nr, node)
			    : visit_stretch(walk, window, 0, nr, node);
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int visit_node_run(struct walk *walk, const struct mig_frames_run *run,
			  uint64_t first, uint64_t last_end)
{
	uint64_t end = min(run->end, last_end);

	for (uint64_t frame = max(run->start, first), next; frame < end; frame = next) {
		int r;

		next = min((frame | (WINDOW_FRAMES - 1)) + 1, end);
		r = visit_window(walk, frame, next - frame, run->node);
		if (r)
			return r;
	}
	return 0;
}

int mig_charged_visit_range(const struct mig_charged *charged,
			    const struct mig_charged_owners *owners,
			    const struct mig_nodeset *without, uint64_t first,
			    uint64_t end,
			    int (*visit)(void *data, const struct mig_charged_run *run),
			    void *data)
{
	CLEANUP_FREE uint64_t *flags = NULL;
	CLEANUP_FREE uint64_t *inodes = NULL;
	struct walk walk = { charged, owners, visit, data, .last_inode = 0 };
	struct mig_frames_run run = { .end = first };

	walk.flags = flags = malloc(WINDOW_FRAMES * sizeof(*flags));
	walk.inodes = inodes = malloc(WINDOW_FRAMES * sizeof(*inodes));
	if (!flags || !inodes)
		return -ENOMEM;
	while (mig_frames_next_run(charged->frames, run.end, &run) && run.start < end) {
		int r = mig_nodeset_has(without, run.node)
				? 0
				: visit_node_run(&walk, &run, first, end);

		if (r)
			return r;
	}
	return tell_run(&walk);
}

int mig_charged_visit(const struct mig_charged *charged,
		      const struct mig_charged_owners *owners,
		      const struct mig_nodeset *without,
		      int (*visit)(void *data, const struct mig_charged_run *run),
		      void *data)
{
	mig_lru_gather(charged->context);
	return mig_charged_visit_range(charged, owners, without, 0, UINT64_MAX, visit,
				       data);
}

int mig_charged_read_inodes(const struct mig_charged *charged, uint64_t frame,
			    uint64_t *inodes, size_t nr)
{
	return read_words(charged, charged->cgroup_fd, frame, inodes, nr);
}

/* Errors: -ENOENT: it is a tail of nothing by now. */
static int find_head(const struct mig_charged *charged, uint64_t frame,
		     uint64_t *ret_head)
{
	for (unsigned int order = 1; order <= MOST_ORDER; order++) {
		uint64_t head = frame & ~((UINT64_C(1) << order) - 1), flags;
		int r = read_words(charged, charged->flags_fd, head, &flags, 1);

		if (r < 0)
			return r;
		/* All between a head and its tail are tails too. */
		if (flags & MIG_FLAG_TAIL)
			continue;
		*ret_head = head;
		return flags & MIG_FLAG_HEAD ? 0 : -ENOENT;
	}
	return -ENOENT;
}

int mig_charged_is_owned(const struct mig_charged *charged,
			 const struct mig_charged_owners *owners, uint64_t frame)
{
	uint64_t inode, flags, head;
	int r;

	r = read_words(charged, charged->cgroup_fd, frame, &inode, 1);
	if (r < 0)
		return r;
	if (!inode) {
		r = read_words(charged, charged->flags_fd, frame, &flags, 1);
		if (r < 0)
			return r;
		if (!(flags & MIG_FLAG_TAIL))
			return 0;
		r = find_head(charged, frame, &head);
		if (!r)
			r = read_words(charged, charged->cgroup_fd, head, &inode, 1);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
	}
	return inode && mig_charged_owners_have(owners, inode);
}
