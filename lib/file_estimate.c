/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file_estimate.h"

#include "files.h"
#include "target.h"
#include "threads.h"

struct estimate {
	struct mig_plan *plan;
	pthread_mutex_t lock; /**< of everything below, and of the plan */
	uint64_t nr_pages;    /**< that may be cached */
	bool must_look;       /**< some file has to be looked at */
};

/* At the most, where the kernel does not count. */
static uint64_t size_in_pages(const struct mig_file *file)
{
	return (file->size_bytes + file->context->page_size - 1) >>
	       file->context->page_shift;
}

/* Dirty pages that may have to be written out are said before anything moves, and
 * huge pages need room of their own kind. */
static bool must_look(const struct mig_plan *plan, const struct mig_file *file,
		      bool may_be_dirty)
{
	if (file->kind == MIG_KIND_HUGETLB)
		return true;
	return may_be_dirty && !plan->options.may_write &&
	       mig_backing_may_write(file->backing);
}

static int count_file(void *data, unsigned int thread, struct mig_file *file)
{
	struct estimate *estimate = data;
	struct mig_cache_counts counts;
	bool counted = !mig_file_count(file, 0, file->size_bytes, &counts);
	uint64_t nr_pages = counted ? counts.cached_pages : size_in_pages(file);
	int r;

	(void)thread;
	if (!nr_pages)
		return 0;
	pthread_mutex_lock(&estimate->lock);
	r = mig_found_add(&estimate->plan->found, file);
	estimate->nr_pages += nr_pages;
	estimate->must_look |=
		must_look(estimate->plan, file, !counted || counts.dirty_pages);
	pthread_mutex_unlock(&estimate->lock);
	return r;
}

int mig_file_estimate(struct mig_plan *plan, bool *ret_enough)
{
	struct mig_files *files = mig_target_get_files(plan->target);
	struct estimate estimate = { .plan = plan };
	int r;

	pthread_mutex_init(&estimate.lock, NULL);
	r = mig_files_walk(files, mig_threads_count(), count_file, &estimate);
	pthread_mutex_destroy(&estimate.lock);
	if (r < 0)
		return r;
	*ret_enough = !estimate.must_look && mig_plan_has_room(plan, estimate.nr_pages);
	if (*ret_enough)
		plan->estimated_pages = estimate.nr_pages;
	return 0;
}
