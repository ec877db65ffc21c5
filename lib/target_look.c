/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many processes side by side: each thread takes the next one and counts its memory. */
#include <errno.h>
#include <pthread.h>

#include "handles.h"
#include "residency.h"
#include "target.h"
#include "threads.h"

/* What all threads share. */
struct look {
	const struct mig_target *target;
	const struct mig_topology *topology;
	int (*visit)(void *data, const struct mig_process *process,
		     const struct mig_residency *residency);
	void *data;
	pthread_mutex_t lock; /**< of all below, and of the visits */
	size_t next;
	size_t nr_denied;
	int result; /**< non-zero ends the walk */
};

static const struct mig_process *take_process(struct look *look)
{
	const struct mig_process *process = NULL;

	pthread_mutex_lock(&look->lock);
	if (!look->result)
		process = mig_target_get_process(look->target, look->next++);
	pthread_mutex_unlock(&look->lock);
	return process;
}

/* A captured machine may have a process's name and nothing else of it. */
static bool is_denied(int error)
{
	return error == -EACCES || error == -EPERM || error == -ENOENT;
}

static void take_residency(struct look *look, const struct mig_process *process,
			   const struct mig_residency *residency, int error)
{
	pthread_mutex_lock(&look->lock);
	if (is_denied(error))
		look->nr_denied++;
	else if (!error && !look->result)
		look->result = look->visit(look->data, process, residency);
	else if (error != -ESRCH && !look->result)
		look->result = error;
	pthread_mutex_unlock(&look->lock);
}

static void *work(void *data)
{
	struct look *look = data;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_process *process;

	while ((process = take_process(look))) {
		CLEANUP_MIG(residency) struct mig_residency *residency = NULL;
		int r = mig_residency_new(look->target->context, &residency);

		if (!r)
			r = mig_residency_add_next(residency, look->topology, process,
						   &mappings);
		take_residency(look, process, residency, r);
	}
	return NULL;
}

int mig_target_look(struct mig_target *target, const struct mig_topology *topology,
		    int (*visit)(void *data, const struct mig_process *process,
				 const struct mig_residency *residency),
		    void *data, size_t *ret_denied)
{
	struct look look = {
		.target = target,
		.topology = topology,
		.visit = visit,
		.data = data,
	};

	if (!target || !topology || !visit)
		return -EINVAL;
	pthread_mutex_init(&look.lock, NULL);
	mig_threads_run(mig_target_get_count(target), work, &look);
	pthread_mutex_destroy(&look.lock);
	if (!look.result && ret_denied)
		*ret_denied = look.nr_denied;
	return look.result;
}
