/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "cleanup.h"
#include "meminfo.h"
#include "procfs.h"
#include "topology.h"

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
	};
	return 0;
}
