/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that is on the machine, as one target. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/shm.h>
#include <unistd.h>

#include "drain.h"
#include "handles.h"
#include "message.h"

/* Memory that only the kernel has cannot be moved by files; attached, it is one of ours.
 * Nothing of it is touched. */
static int attach(struct drain_target *target, int id)
{
	void **segments;
	void *segment = shmat(id, NULL, SHM_RDONLY);

	/* Removed since, or of somebody else: what is in it is told as it is. */
	if (segment == (void *)-1)
		return 0;
	segments = reallocarray(target->segments, target->nr_segments + 1,
				sizeof(*segments));
	if (!segments) {
		shmdt(segment);
		return -ENOMEM;
	}
	target->segments = segments;
	segments[target->nr_segments++] = segment;
	return 0;
}

static int attach_segments(struct drain_target *target)
{
	struct shm_info info;
	int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	int r = 0;

	for (int i = 0; !r && i <= last; i++) {
		struct shmid_ds segment;
		int id = shmctl(i, SHM_STAT, &segment);

		if (id >= 0 && !segment.shm_nattch)
			r = attach(target, id);
	}
	return r;
}

static int add_self(const struct drain *drain, struct drain_target *target)
{
	int r = attach_segments(target);

	if (!r && target->nr_segments)
		r = mig_process_open(drain->move.machine.context, getpid(),
				     &target->self);
	if (!r && target->nr_segments)
		r = mig_files_add_process(target->files, target->self);
	return r;
}

/* Wherever unmapped cache may be found, the user's own trees last. */
static int find_files(const struct drain *drain, struct drain_target *target)
{
	const char *search = drain->args->move.search;
	int r = mig_files_new(drain->move.machine.context, NULL, &target->files);

	for (size_t i = 0; !r && i < mig_target_get_count(target->target); i++)
		r = mig_files_add_process(target->files,
					  mig_target_get_process(target->target, i));
	if (!r)
		r = mig_files_add_mounts(target->files, "tmpfs");
	if (!r)
		r = mig_files_add_devices(target->files);
	if (!r)
		r = add_self(drain, target);
	if (!r && search)
		r = mig_files_add_path(target->files, search, MIG_FILES_RECURSE);
	return r;
}

static int fill(const struct drain *drain, unsigned int what, struct drain_target *target)
{
	int r = mig_target_new(drain->move.machine.context, &target->target);

	if (!r)
		r = mig_target_add_everybody(target->target);
	if (!r && what & DRAIN_CACHE)
		r = find_files(drain, target);
	return r;
}

int drain_target_open(const struct drain *drain, unsigned int what,
		      struct drain_target *ret_target)
{
	struct drain_target target = { 0 };
	int r = fill(drain, what, &target);

	if (!r && !(what & DRAIN_PROCESSES)) {
		/* They were needed for their files, which keep them in use. */
		target.members = STEAL(target.target);
		r = mig_target_new(drain->move.machine.context, &target.target);
	}
	if (!r && what & DRAIN_CACHE)
		r = mig_target_add_all_cache(target.target);
	if (!r && what & DRAIN_CACHE)
		r = mig_target_add_files(target.target, target.files);
	if (r < 0) {
		drain_target_close(&target);
		return message_failure(SUBJECT_SYSTEM, r, "cannot list what is on %s",
				       drain->name);
	}
	*ret_target = target;
	return STATUS_OK;
}

void drain_target_close(struct drain_target *target)
{
	mig_target_free(target->target);
	mig_files_free(target->files);
	mig_target_free(target->members);
	mig_process_free(target->self);
	for (size_t i = 0; i < target->nr_segments; i++)
		shmdt(target->segments[i]);
	free(target->segments);
	*target = (struct drain_target){ 0 };
}
