/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files a command is about: operands, directories, mounts, processes, lists. */
#ifndef MIGRATECTL_FILE_ARGS_H
#define MIGRATECTL_FILE_ARGS_H

#include <libmigrate.h>

#include "machine.h"
#include "options.h"

struct file_args {
	bool recurse;
	bool cross;
	const char *mount;
	const char *files0_from;
	unsigned int of_pid; /**< 0: not given */
};

/** The options of a struct file_args called files in @args. */
#define OPTIONS_FILES(args)                                                             \
	{ OPTION_FLAG(args, files.recurse), .letter = 'r', .name = "recursive",         \
	  .help = "take the files below directories too" },                             \
		{ OPTION_FLAG(args, files.cross), .name = "cross",                      \
		  .help = "with -r: also where other file systems are mounted" },       \
		{ OPTION_STRING(args, files.mount), .name = "mount", .metavar = "PATH", \
		  .help = "all files of the file system that PATH is on" },             \
		{ OPTION_UNSIGNED(args, files.of_pid),                                  \
		  .name = "of-pid",                                                     \
		  .metavar = "PID",                                                     \
		  .minimum = 1,                                                         \
		  .maximum = INT_MAX,                                                   \
		  .help = "what this process has open or mapped, deleted files too" },  \
	{                                                                               \
		OPTION_STRING(args, files.files0_from),                                 \
			.name = "files0-from", .metavar = "FILE",                       \
			.help = "paths that end in NUL, read from FILE; -: from "       \
				"standard input"                                        \
	}

/** The files of a command, and what was said about those that failed. */
struct file_set {
	struct mig_files *files;
	struct mig_process *process; /**< of --of-pid */
	int list_fd;                 /**< of --files0-from; -1: none */
	uint64_t nr_problems;
};

/**
 * file_set_open - all that the options and operands name
 * Return: STATUS_OK, or the status to leave with after a message.
 */
int file_set_open(const char *command, const struct machine *machine,
		  const struct common_args *common, const struct file_args *args,
		  struct file_set *ret_set);

/** file_set_close - a zeroed one is allowed. */
void file_set_close(struct file_set *set);

#endif
