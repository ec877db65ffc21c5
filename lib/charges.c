/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>

#include "cgroup.h"
#include "handles.h"
#include "numa_stat.h"
#include "procfs.h"

struct mig_charges {
	struct mig_numa_stat stat;
	uint64_t swapped_bytes;
	uint64_t zswapped_bytes;
};

static ssize_t read_all(const struct mig_cgroup *cgroup, const char *name,
			char **ret_text)
{
	CLEANUP_CLOSE int fd =
		mig_cgroup_open_file(cgroup, MIG_CONTROLLER_MEMORY, name, O_RDONLY);

	return fd < 0 ? fd : mig_procfs_read_fd_alloc(fd, ret_text);
}

static int complain(const struct mig_cgroup *cgroup, const char *name)
{
	mig_log(cgroup->context, MIG_LOG_WARNING, "'%s' of a cgroup does not parse",
		name);
	return -EBADMSG;
}

static int read_stat(const struct mig_cgroup *cgroup, struct mig_numa_stat *ret_stat)
{
	bool is_v1 = cgroup->places[MIG_CONTROLLER_MEMORY].is_v1;
	CLEANUP_FREE char *text = NULL;
	ssize_t length = read_all(cgroup, "memory.numa_stat", &text);

	if (length < 0)
		return (int)length;
	if (mig_numa_stat_parse((struct mig_text){ text, (size_t)length },
				is_v1 ? cgroup->context->page_size : 0, ret_stat) < 0)
		return complain(cgroup, "memory.numa_stat");
	return 0;
}

/* A file with one number; it is not known where there is no such file. */
static int read_number(const struct mig_cgroup *cgroup, const char *name,
		       uint64_t *ret_number)
{
	struct mig_text text;
	char buffer[32];
	ssize_t length = mig_cgroup_read_file(cgroup, MIG_CONTROLLER_MEMORY, name, buffer,
					      sizeof(buffer));

	if (length == -ENODATA)
		return 0;
	if (length < 0)
		return (int)length;
	text = (struct mig_text){ buffer, (size_t)length };
	mig_text_trim(&text);
	if (mig_text_take_number(&text, 10, ret_number) < 0 || text.length)
		return complain(cgroup, name);
	return 0;
}

/* v1 has it in memory.stat, if it counts swap at all. */
static int read_total_swap(const struct mig_cgroup *cgroup, uint64_t *ret_bytes)
{
	CLEANUP_FREE char *text = NULL;
	struct mig_text rest;
	ssize_t length = read_all(cgroup, "memory.stat", &text);

	if (length < 0)
		return length == -ENODATA ? 0 : (int)length;
	rest = (struct mig_text){ text, (size_t)length };
	while (rest.length) {
		struct mig_text line = mig_text_take_line(&rest);

		if (!mig_text_take_string(&line, "total_swap "))
			continue;
		if (mig_text_take_number(&line, 10, ret_bytes) < 0 || line.length)
			return complain(cgroup, "memory.stat");
	}
	return 0;
}

int mig_charges_read(const struct mig_cgroup *cgroup, struct mig_charges **ret_charges)
{
	CLEANUP_MIG(charges) struct mig_charges *charges = NULL;
	int r;

	if (!cgroup || !ret_charges)
		return -EINVAL;
	charges = malloc(sizeof(*charges));
	if (!charges)
		return -ENOMEM;
	charges->swapped_bytes = charges->zswapped_bytes = MIG_UNKNOWN_BYTES;
	r = read_stat(cgroup, &charges->stat);
	if (r < 0)
		return r;
	if (cgroup->places[MIG_CONTROLLER_MEMORY].is_v1) {
		r = read_total_swap(cgroup, &charges->swapped_bytes);
	} else {
		r = read_number(cgroup, "memory.swap.current", &charges->swapped_bytes);
		if (!r)
			r = read_number(cgroup, "memory.zswap.current",
					&charges->zswapped_bytes);
	}
	if (!r)
		*ret_charges = STEAL(charges);
	return r;
}

void mig_charges_free(struct mig_charges *charges)
{
	free(charges);
}

uint64_t mig_charges_get_bytes(const struct mig_charges *charges, int node,
			       enum mig_charge charge)
{
	if (!charges || node < 0 || node >= MIG_MAX_NODES ||
	    (unsigned int)charge >= MIG_NR_CHARGES || !charges->stat.is_known[charge])
		return MIG_UNKNOWN_BYTES;
	return charges->stat.bytes[charge][node];
}

uint64_t mig_charges_get_swapped_bytes(const struct mig_charges *charges)
{
	return charges ? charges->swapped_bytes : MIG_UNKNOWN_BYTES;
}

uint64_t mig_charges_get_zswapped_bytes(const struct mig_charges *charges)
{
	return charges ? charges->zswapped_bytes : MIG_UNKNOWN_BYTES;
}
