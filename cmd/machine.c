/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

static void log_line(void *data, enum mig_log_level level, const char *line)
{
	(void)data;
	if (level == MIG_LOG_WARNING)
		message_warning("%s", line);
}

/* An empty directory would pass for a machine without NUMA. */
static int check_sysroot(const char *sysroot)
{
	CLEANUP_CLOSE int fd = open(sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return message_failure(SUBJECT_SYSTEM, -errno, "cannot open '%s'",
				       sysroot);
	if (!faccessat(fd, "proc", F_OK, 0) || !faccessat(fd, "sys", F_OK, 0))
		return STATUS_OK;
	message_error("'%s' holds no machine: it has neither proc nor sys", sysroot);
	return STATUS_FAILED;
}

int machine_open(const char *sysroot, struct machine *ret_machine)
{
	const struct mig_context_options options = {
		.size = sizeof(options),
		.root_path = sysroot,
		.log = log_line,
	};
	struct machine machine = { 0 };
	int r;

	if (sysroot) {
		int status = check_sysroot(sysroot);

		if (status)
			return status;
	}
	r = mig_context_new(&options, &machine.context);
	if (r < 0)
		return message_failure(SUBJECT_MACHINE, r, "cannot open '%s'",
				       sysroot ? sysroot : "/");
	r = mig_topology_new(machine.context, &machine.topology);
	if (r < 0) {
		machine_close(&machine);
		return message_failure(SUBJECT_MACHINE, r, "cannot read the nodes of %s",
				       sysroot ? sysroot : "this machine");
	}
	*ret_machine = machine;
	return STATUS_OK;
}

void machine_close(struct machine *machine)
{
	mig_topology_free(machine->topology);
	mig_context_free(machine->context);
}

int machine_parse_nodes(const struct machine *machine, const char *command,
			const char *option, const char *text,
			struct mig_nodeset *ret_nodes)
{
	int status, r;

	r = mig_nodeset_parse(machine->topology, text, strlen(text), ret_nodes);
	if (r >= 0)
		return STATUS_OK;
	status = message_failure(SUBJECT_NODES, r, "option '%s': '%s'", option, text);
	return status == STATUS_USAGE ? message_try(command) : status;
}
