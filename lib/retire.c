/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking page frames out of use: the kernel's soft offline. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "numbered.h"
#include "pagemap.h"
#include "procfs.h"
#include "sysfs.h"
#include "text.h"
#include "topology.h"

#define MEMORY_DIRECTORY "sys/devices/system/memory"
#define SOFT_OFFLINE MEMORY_DIRECTORY "/soft_offline_page"
#define SWITCH "proc/sys/vm/enable_soft_offline"

/* A page under I/O, or on its way to a list, is free for the taking soon. */
#define BUSY_ATTEMPTS 5
#define FIRST_PAUSE_NS 1000000

static int note_node(void *data, uint64_t number)
{
	int *node = data;

	/* A block that nodes share is no single node's. */
	if (*node != MIG_NO_NODE || number >= MIG_MAX_NODES) {
		*node = MIG_NO_NODE;
		return 1;
	}
	*node = (int)number;
	return 0;
}

/* By the block that the frame is in, which has a link to each of its nodes. */
static int find_node(const struct mig_topology *topology, uint64_t frame)
{
	struct mig_context *context = mig_topology_get_context(topology);
	int node = mig_topology_get_only_node(topology);
	char path[MIG_PATH_SIZE], buffer[32];
	struct mig_text text = { .at = buffer };
	uint64_t block_bytes;
	ssize_t length;

	if (node != MIG_NO_NODE)
		return node;
	length = mig_procfs_read(context, buffer, sizeof(buffer),
				 MEMORY_DIRECTORY "/block_size_bytes");
	if (length < 0)
		return MIG_NO_NODE;
	text.length = (size_t)length;
	if (mig_text_take_number(&text, 16, &block_bytes) < 0 ||
	    block_bytes < context->page_size)
		return MIG_NO_NODE;
	snprintf(path, sizeof(path), MEMORY_DIRECTORY "/memory%" PRIu64,
		 frame / (block_bytes >> context->page_shift));
	if (mig_numbered_visit(context, path, "node", "", note_node, &node))
		return MIG_NO_NODE;
	return node;
}

static int read_content(struct mig_context *context, uint64_t frame,
			enum mig_content *ret_content)
{
	uint64_t pages[MIG_NR_CONTENTS];
	int content = 0;
	int r = mig_contents_read(context, frame, 1, pages);

	if (r < 0)
		return r;
	while (!pages[content])
		content++;
	*ret_content = (enum mig_content)content;
	return 0;
}

int mig_frame_look(const struct mig_topology *topology, uint64_t frame,
		   enum mig_content *ret_content, int *ret_node)
{
	enum mig_content content;
	int r;

	if (!topology || !ret_content || !ret_node)
		return -EINVAL;
	r = read_content(mig_topology_get_context(topology), frame, &content);
	if (r < 0)
		return r;
	*ret_node =
		content == MIG_CONTENT_ABSENT ? MIG_NO_NODE : find_node(topology, frame);
	*ret_content = content;
	return 0;
}

int mig_retirement_check(struct mig_context *context)
{
	uint64_t enabled;

	if (!context)
		return -EINVAL;
	if (!context->live)
		return -EXDEV;
	if (!mig_sysfs_exists(context, SOFT_OFFLINE))
		return -ENOSYS;
	if (!mig_sysfs_read_number(context, &enabled, SWITCH) && !enabled)
		return -EOPNOTSUPP;
	if (faccessat(context->root_fd, SOFT_OFFLINE, W_OK, AT_EACCESS) < 0)
		return -errno;
	return mig_pagemap_shows_frames(context) ? 0 : -EPERM;
}

static int soft_offline(const struct mig_context *context, uint64_t frame)
{
	CLEANUP_CLOSE int fd =
		openat(context->root_fd, SOFT_OFFLINE, O_WRONLY | O_CLOEXEC);
	char address[32];
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -ENOSYS : -errno;
	snprintf(address, sizeof(address), "0x%" PRIx64, frame << context->page_shift);
	do
		n = context->calls->write(fd, address, strlen(address));
	while (n == -EINTR);
	return n < 0 ? (int)n : 0;
}

/*
 * Success of the write proves nothing: a free page that another processor took
 * first stays in use all the same (Linux 6.1, mm/memory-failure.c,
 * soft_offline_page).
 */
static int try_to_retire(struct mig_context *context, uint64_t frame, bool *ret_poisoned)
{
	struct timespec pause = { .tv_nsec = FIRST_PAUSE_NS };
	int r = -EBUSY;

	*ret_poisoned = false;
	for (int i = 0; r == -EBUSY && i < BUSY_ATTEMPTS; i++) {
		enum mig_content content;
		int looked;

		if (i)
			nanosleep(&pause, NULL);
		pause.tv_nsec *= 4;
		r = soft_offline(context, frame);
		looked = read_content(context, frame, &content);
		if (looked < 0)
			return looked;
		*ret_poisoned = content == MIG_CONTENT_POISONED;
		if (!r && !*ret_poisoned)
			r = -EBUSY;
	}
	return r;
}

/* What concerns every frame, and not this one. */
static bool concerns_all(int error)
{
	return error == -EOPNOTSUPP || error == -ENOSYS || error == -EACCES ||
	       error == -EPERM;
}

int mig_frame_retire(const struct mig_topology *topology, uint64_t frame,
		     struct mig_retirement *ret_retirement)
{
	struct mig_retirement retirement = { 0 };
	struct mig_context *context;
	int r;

	if (!topology || !ret_retirement)
		return -EINVAL;
	context = mig_topology_get_context(topology);
	if (!context->live)
		return -EXDEV;
	r = mig_frame_look(topology, frame, &retirement.content, &retirement.node);
	if (r < 0)
		return r;
	if (retirement.content == MIG_CONTENT_ABSENT)
		return -ENXIO;
	retirement.was_poisoned = retirement.content == MIG_CONTENT_POISONED;
	retirement.is_poisoned = retirement.was_poisoned;
	if (!retirement.was_poisoned)
		retirement.error = try_to_retire(context, frame, &retirement.is_poisoned);
	if (concerns_all(retirement.error))
		return retirement.error;
	*ret_retirement = retirement;
	return 0;
}
