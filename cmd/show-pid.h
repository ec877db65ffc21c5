/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the views of show-pid share: who is shown, and how a view is made. */
#ifndef MIGRATECTL_SHOW_PID_H
#define MIGRATECTL_SHOW_PID_H

#include <libmigrate.h>

#include "machine.h"
#include "options.h"
#include "output.h"

struct show_pid_args {
	struct common_args common;
	bool by_kind;
	bool maps;
	bool picture;
	bool tree;
	bool total;
	bool all_nodes;
};

/** One call of show-pid. */
struct show {
	const struct show_pid_args *args;
	const struct machine *machine;
	struct mig_target *target;
	const pid_t *pids; /**< that were given */
	size_t nr_pids;
	bool several; /**< rows have to say whose they are */
	void *state;  /**< the view's own */
};

/** A way to show processes. Every function returns an exit status after a message. */
struct show_view {
	/** Before the first process. Its state is freed by done() in any case. */
	int (*begin)(struct show *show);
	/** A process that cannot be read leaves no trace but a message; SHOW_GONE: not
	 *  even that. STATUS_PARTLY: some of it is shown. */
	int (*add)(struct show *show, const struct mig_process *process);
	/** After the last. */
	int (*print)(struct show *show);
	void (*done)(struct show *show);
};

extern const struct show_view show_view_sums;
extern const struct show_view show_view_maps;
extern const struct show_view show_view_picture;

extern const struct column_set show_process_columns;
extern const struct column_set show_kind_columns;
extern const struct column_set show_map_columns;

/** show_get_nodes - the nodes that columns are made for: those with memory. */
const struct mig_nodeset *show_get_nodes(const struct show *show);

/** A descendant that exited before it was looked at: not in the tree any more. */
#define SHOW_GONE (-1)

/** show_failure - say why @process cannot be shown. Return: for add() to return. */
int show_failure(const struct show *show, const struct mig_process *process, int error);

#endif
