/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "node.h"

#include <errno.h>
#include <stdio.h>

#include "procfs.h"
#include "text.h"

/* One number of access0 or access1. 0 where the file is not there. */
static int read_value(const struct mig_context *context, int node, int access,
		      const char *name, uint64_t *ret_value)
{
	char buffer[32], path[MIG_PATH_SIZE];
	struct mig_text text = { .at = buffer };
	ssize_t length;

	snprintf(path, sizeof(path), MIG_NODE_DIRECTORY "/node%d/access%d/initiators/%s",
		 node, access, name);
	length = mig_procfs_read(context, buffer, sizeof(buffer), "%s", path);
	if (length == -ENOENT) {
		*ret_value = 0;
		return 0;
	}
	if (length < 0)
		return (int)length;
	text.length = (size_t)length;
	mig_text_trim(&text);
	if (mig_text_take_number(&text, 10, ret_value) < 0 || text.length) {
		mig_log(context, MIG_LOG_WARNING, "/%s does not parse", path);
		return -EBADMSG;
	}
	return 0;
}

static int read_access(const struct mig_context *context, int node, int access,
		       struct mig_node_performance *ret_performance)
{
	struct mig_node_performance *p = ret_performance;
	const struct {
		const char *name;
		uint64_t *value;
	} files[] = {
		{ "read_bandwidth", &p->read_bandwidth_mbps },
		{ "write_bandwidth", &p->write_bandwidth_mbps },
		{ "read_latency", &p->read_latency_ns },
		{ "write_latency", &p->write_latency_ns },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int r = read_value(context, node, access, files[i].name, files[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

int mig_node_read_performance(const struct mig_context *context, int node,
			      struct mig_node_performance *ret_performance)
{
	/* access0 is from the best initiator of any kind, access1 from the best CPU. */
	for (int access = 0; access <= 1; access++) {
		struct mig_node_performance p;
		int r = read_access(context, node, access, &p);

		if (r < 0)
			return r;
		if (!p.read_bandwidth_mbps && !p.write_bandwidth_mbps &&
		    !p.read_latency_ns && !p.write_latency_ns)
			continue;
		*ret_performance = p;
		return 0;
	}
	return -ENODATA;
}
