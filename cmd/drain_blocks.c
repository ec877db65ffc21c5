/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory blocks of the nodes that are drained, or were. */
#include "blocks.h"
#include "drain.h"
#include "stop_signal.h"

#define DEFAULT_TIMEOUT_NS UINT64_C(30000000000)

static int report(const struct drain *drain, const struct blocks *blocks,
		  struct json *json)
{
	struct common_args common = drain->args->move.common;

	blocks_say(blocks);
	if (common.json) {
		blocks_write(blocks, json);
		return STATUS_OK;
	}
	/* Beside a table of moves, --output names the columns of that. */
	if (!drain->args->online) {
		common.output = NULL;
		common.output_all = false;
	}
	return blocks_print(blocks, &common, "drain");
}

int drain_offline(struct drain *drain)
{
	const struct blocks_options options = {
		.dry_run = drain->args->move.dry_run,
		.timeout_ns = drain->args->offline_timeout_ns
				      ? drain->args->offline_timeout_ns
				      : DEFAULT_TIMEOUT_NS,
	};
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	int reported;
	int status =
		blocks_offline(&drain->move.machine, &drain->nodes, &options, &blocks);

	reported = report(drain, &blocks, &drain->report.json);
	if (!status)
		status = blocks_get_status(&blocks);
	return status ? status : reported;
}

int drain_online(struct drain *drain)
{
	const struct drain_args *args = drain->args;
	const struct blocks_options options = {
		.dry_run = args->move.dry_run,
		.zone = args->movable  ? MIG_ZONE_MOVABLE
			: args->kernel ? MIG_ZONE_KERNEL
				       : MIG_ZONE_DEFAULT,
	};
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	struct json json;
	int reported, status;

	stop_signal_watch();
	status = blocks_online(&drain->move.machine, &drain->nodes, &options, &blocks);
	if (args->move.common.json)
		json_begin(&json, stdout);
	reported = report(drain, &blocks, &json);
	if (args->move.common.json && !reported)
		reported = json_end(&json);
	if (!status)
		status = blocks_get_status(&blocks);
	return status ? status : reported;
}
