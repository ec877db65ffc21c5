/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "presence.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "handles.h"
#include "mappings.h"
#include "pagemap.h"
#include "pagemap_scan.h"

#define MOST_THREADS 4
/* Less than this is done before another thread has begun. */
#define WORTH_THREADS (UINT64_C(64) << 20)
/* What a thread takes at once: enough pieces that all are busy to the end. */
#define LEAST_PIECE (UINT64_C(32) << 20)
#define PIECES 256
/*
 * The kernel holds the lock of the target's mappings during a call, so the pages
 * that one call may find are bounded; 16384 take it about 0.2 ms.
 */
#define PAGES_A_CALL 16384
#define REGIONS_A_CALL 512
/* Mappings this far apart are neighbours. */
#define MOST_GAP (UINT64_C(1) << 20)

/* What pages that the kernel calls huge are in this mapping. */
enum huge {
	HUGE_COUNTS,      /**< memory, whatever it is */
	HUGE_MAY_BE_ZERO, /**< or the huge zero page */
	HUGE_IS_UNKNOWN,  /**< hugetlb or transparent */
};

/** What a scan has found. */
struct sums {
	uint64_t bytes;
	uint64_t huge_bytes; /**< of them, in huge pages that may be zero pages */
};

/* A mapping, and what all threads share. */
struct scan {
	const struct mig_context *context;
	int fd; /**< of pagemap */
	enum huge huge;
	uint64_t end;
	uint64_t piece_bytes;
	_Atomic uint64_t next; /**< where the next free piece begins */
	_Atomic uint64_t bytes;
	_Atomic int error;
};

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Kernels before 6.16 do not mark the huge zero page as a zero page. It is the one
 * huge page in private memory that pagemap shows as not anonymous.
 */
static int subtract_huge_zero(const struct scan *scan, uint64_t start, uint64_t end,
			      uint64_t *bytes)
{
	const struct mig_context *context = scan->context;
	/* A page table's worth of pages. */
	uint64_t huge_bytes = context->page_size / sizeof(uint64_t) * context->page_size;

	while (start < end) {
		uint64_t next = min((start | (huge_bytes - 1)) + 1, end), entry;
		off_t offset = (off_t)((start >> context->page_shift) * sizeof(entry));
		ssize_t n =
			context->calls->pread(scan->fd, &entry, sizeof(entry), offset);

		if (n < 0)
			return (int)n;
		if (n == sizeof(entry) && entry & MIG_PAGEMAP_PRESENT &&
		    entry & MIG_PAGEMAP_FILE)
			*bytes -= next - start;
		start = next;
	}
	return 0;
}

static int add_region(const struct scan *scan, const struct page_region *region,
		      struct sums *sums)
{
	sums->bytes += region->end - region->start;
	if (!(region->categories & PAGE_IS_HUGE) || scan->huge == HUGE_COUNTS)
		return 0;
	if (scan->huge == HUGE_IS_UNKNOWN)
		return -EOPNOTSUPP;
	sums->huge_bytes += region->end - region->start;
	return subtract_huge_zero(scan, region->start, region->end, &sums->bytes);
}

/* One call of the kernel. *@start becomes where it stopped, @end when all was seen. */
static int scan_some(const struct scan *scan, uint64_t *start, uint64_t end,
		     struct sums *sums)
{
	struct page_region regions[REGIONS_A_CALL];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = *start,
		.end = end,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS_A_CALL,
		.max_pages = PAGES_A_CALL,
		.category_mask = PAGE_IS_PRESENT | PAGE_IS_PFNZERO,
		.category_inverted = PAGE_IS_PFNZERO,
		.return_mask = PAGE_IS_HUGE,
	};
	int n = scan->context->calls->pagemap_scan(scan->fd, &arg);

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		int r = add_region(scan, &regions[i], sums);

		if (r < 0)
			return r;
	}
	/* It would go round for ever. */
	if (arg.walk_end <= *start)
		return -EIO;
	*start = arg.walk_end;
	return 0;
}

/* Takes pieces until there are none. */
static void scan_pieces(struct scan *scan)
{
	struct sums sums = { 0 };

	while (!atomic_load(&scan->error)) {
		uint64_t start = atomic_fetch_add(&scan->next, scan->piece_bytes);
		uint64_t end = min(start + scan->piece_bytes, scan->end);

		if (start >= scan->end)
			break;
		while (start < end) {
			int r = scan_some(scan, &start, end, &sums);

			if (r < 0) {
				atomic_store(&scan->error, r);
				return;
			}
		}
	}
	atomic_fetch_add(&scan->bytes, sums.bytes);
}

static void *work(void *data)
{
	scan_pieces(data);
	return NULL;
}

static size_t count_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 1)
		return 1;
	return cpus < MOST_THREADS ? (size_t)cpus : MOST_THREADS;
}

/* The caller's thread works too, so that a thread that cannot be had is no error. */
static int scan_in_parallel(struct scan *scan, uint64_t start)
{
	pthread_t threads[MOST_THREADS];
	size_t wanted = count_threads() - 1, nr_threads = 0;
	sigset_t all, before;

	scan->piece_bytes = (scan->end - start) / PIECES;
	if (scan->piece_bytes < LEAST_PIECE)
		scan->piece_bytes = LEAST_PIECE;
	/* Whole pages, as the kernel asks for. */
	scan->piece_bytes &= ~(uint64_t)(scan->context->page_size - 1);
	atomic_store(&scan->next, start);
	/* Threads begin with the signal mask of the one that makes them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (nr_threads < wanted &&
	       !pthread_create(&threads[nr_threads], NULL, work, scan))
		nr_threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	scan_pieces(scan);
	while (nr_threads)
		pthread_join(threads[--nr_threads], NULL);
	return atomic_load(&scan->error);
}

static enum huge classify_huge(const struct mig_mapping *mapping)
{
	switch (mapping->kind) {
	case MIG_KIND_ANON:
	case MIG_KIND_HEAP:
	case MIG_KIND_STACK:
		return HUGE_MAY_BE_ZERO;
	case MIG_KIND_FILE:
	case MIG_KIND_SHMEM:
		/* Without a device it may be a file of hugetlbfs. */
		return mapping->device_major ? HUGE_COUNTS : HUGE_IS_UNKNOWN;
	case MIG_KIND_HUGETLB:
	case MIG_KIND_KERNEL:
		break;
	}
	return HUGE_COUNTS;
}

/* Neighbouring mappings of one kind, which are scanned as one. */
struct stretch {
	uint64_t start;
	uint64_t end; /**< 0: there is none */
	enum mig_kind kind;
	enum huge huge;
};

/* To look at each huge page that may be a zero page takes longer than reading numa_maps,
 * which is quick with huge pages. */
static bool is_for_numa_maps(const struct sums *first, uint64_t bytes_to_go)
{
	return bytes_to_go > WORTH_THREADS && first->huge_bytes > first->bytes / 2;
}

static int scan_stretch(struct scan *scan, const struct stretch *stretch, uint64_t *kinds)
{
	uint64_t start = stretch->start;
	struct sums sums = { 0 };
	int r;

	if (!stretch->end || stretch->kind == MIG_KIND_KERNEL)
		return 0;
	scan->huge = stretch->huge;
	scan->end = stretch->end;
	atomic_store(&scan->bytes, 0);
	r = scan_some(scan, &start, scan->end, &sums);
	if (!r && is_for_numa_maps(&sums, scan->end - start))
		return -EOPNOTSUPP;
	if (!r && start < scan->end && scan->end - start > WORTH_THREADS) {
		r = scan_in_parallel(scan, start);
		start = scan->end;
	}
	while (!r && start < scan->end)
		r = scan_some(scan, &start, scan->end, &sums);
	if (r < 0)
		return r;
	kinds[stretch->kind] += sums.bytes + atomic_load(&scan->bytes);
	return 0;
}

/* A process may have tens of thousands of mappings: a call for each would be slow. */
static bool join(struct stretch *stretch, const struct mig_mapping *mapping)
{
	if (!stretch->end || mapping->kind != stretch->kind ||
	    mapping->start < stretch->end || mapping->start - stretch->end > MOST_GAP ||
	    classify_huge(mapping) != stretch->huge)
		return false;
	stretch->end = mapping->end;
	return true;
}

static int scan_process(struct scan *scan, struct mig_mappings *mappings, uint64_t *sums)
{
	struct stretch stretch = { 0 };
	const struct mig_mapping *mapping;
	int r;

	for (;;) {
		r = mig_mappings_next(mappings, &mapping);
		if (r < 0)
			return r;
		if (!mapping)
			break;
		if (join(&stretch, mapping))
			continue;
		r = scan_stretch(scan, &stretch, sums);
		if (r < 0)
			return r;
		stretch = (struct stretch){
			.start = mapping->start,
			.end = mapping->end,
			.kind = mapping->kind,
			.huge = classify_huge(mapping),
		};
	}
	r = scan_stretch(scan, &stretch, sums);
	/* Again at the end, so that it tells whether the memory is still there. */
	return r < 0 ? r : mig_mappings_next(mappings, &mapping);
}

int mig_presence_count(const struct mig_process *process, uint64_t *ret_bytes)
{
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	CLEANUP_CLOSE int fd = -1;
	uint64_t bytes[MIG_NR_KINDS] = { 0 };
	struct scan scan = { .context = process->context };
	int r;

	/*
	 * In this order: the walk of the mappings notices at its end that their memory
	 * is gone, and memory that is newer than they are would not be.
	 */
	r = mig_mappings_open(process, false, &mappings);
	if (r < 0)
		return r;
	fd = mig_process_open_file(process, "pagemap");
	/* Without it the other way may do; if not, that says what is wrong. */
	if (fd < 0)
		return fd == -ESRCH ? fd : -EOPNOTSUPP;
	scan.fd = fd;
	r = scan_process(&scan, mappings, bytes);
	/* Before 6.7 the file has no ioctl(2); a filter may not know this one. */
	if (r == -ENOTTY || r == -EINVAL || r == -ENOSYS || r == -EPERM)
		return -EOPNOTSUPP;
	if (r < 0)
		return r;
	memcpy(ret_bytes, bytes, sizeof(bytes));
	return 0;
}
