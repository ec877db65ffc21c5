/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "cleanup.h"
#include "meminfo.h"
#include "procfs.h"
#include "topology.h"

/* The allocator of its pool; where none can be chosen it is zsmalloc. */
static bool is_zsmalloc(const struct mig_context *context)
{
	char buffer[32];
	struct mig_text text = { .at = buffer };
	ssize_t length = mig_procfs_read(context, buffer, sizeof(buffer),
					 "sys/module/zswap/parameters/zpool");

	if (length < 0)
		return true;
	text.length = (size_t)length;
	mig_text_trim(&text);
	return mig_text_is(text, "zsmalloc");
}

int mig_topology_read_zswap(const struct mig_topology *topology,
			    struct mig_zswap *ret_zswap)
{
	CLEANUP_FREE char *text = NULL;
	const struct mig_context *context;
	struct mig_meminfo meminfo;
	ssize_t length;

	if (!topology || !ret_zswap)
		return -EINVAL;
	context = mig_topology_get_context(topology);
	length = mig_procfs_read_alloc(context, &text, "proc/meminfo");
	if (length < 0)
		return (int)length;
	if (mig_meminfo_parse((struct mig_text){ text, (size_t)length }, &meminfo) < 0) {
		mig_log(context, MIG_LOG_WARNING, "/proc/meminfo does not parse");
		return -EBADMSG;
	}
	*ret_zswap = (struct mig_zswap){
		.pool_bytes = meminfo.zswap_bytes,
		.stored_bytes = meminfo.zswapped_bytes,
		.hidden_bytes = meminfo.zswap_bytes,
	};
	if (meminfo.zswap_bytes != MIG_UNKNOWN_BYTES && is_zsmalloc(context))
		ret_zswap->hidden_bytes = 0;
	return 0;
}
