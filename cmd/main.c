/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dispatch only: a table of commands and a loop. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cleanup.h"
#include "command.h"
#include "help.h"
#include "message.h"

static const struct command *const commands[] = {
	&command_compact,   &command_drain,       &command_move_cgroup,
	&command_move_file, &command_move_pid,    &command_nodes,
	&command_retire,    &command_show_cgroup, &command_show_file,
	&command_show_node, &command_show_pid,
};

enum global {
	GLOBAL_HELP = 0,
	GLOBAL_VERSION = 1,
	GLOBAL_LIST_OPTIONS = 2,
};

static const struct global_option global_options[] = {
	[GLOBAL_HELP] = { "help", "print this help" },
	[GLOBAL_VERSION] = { "version", "print the version" },
	[GLOBAL_LIST_OPTIONS] = { "list-options",
				  "list the options of all commands, for completions "
				  "and tests" },
};

static int run_global(const char *word)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(global_options) && strcmp(global_options[i].name, word))
		i++;
	switch (i) {
	case GLOBAL_HELP:
		help_print_tool(commands, ARRAY_SIZE(commands), global_options,
				ARRAY_SIZE(global_options));
		return STATUS_OK;
	case GLOBAL_VERSION:
		puts("migratectl " MIGRATECTL_VERSION);
		return STATUS_OK;
	case GLOBAL_LIST_OPTIONS:
		help_list_options(commands, ARRAY_SIZE(commands), global_options,
				  ARRAY_SIZE(global_options));
		return STATUS_OK;
	default:
		return message_usage(NULL, "unknown option '--%s'", word);
	}
}

static int run_command(const struct command *command, int argc, char **argv)
{
	CLEANUP_FREE struct common_args *args = calloc(1, command->args_size);
	int status;

	if (!args)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot start");
	if (command->defaults)
		memcpy(args, command->defaults, command->args_size);
	if (options_parse(command, argc, argv, args, &status))
		status = command->run(args);
	free(args->operands);
	return status;
}

static int dispatch(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word)
		return message_usage(NULL, "missing command");
	if (!strncmp(word, "--", 2) && word[2])
		return run_global(word + 2);
	if (word[0] == '-')
		return message_usage(NULL, "unknown option '%s'", word);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, word))
			return run_command(commands[i], argc - 1, argv + 1);
	return message_usage(NULL, "unknown command '%s'", word);
}

/* A descriptor is held for every process: as many as may be. */
static void raise_open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* An answer that did not reach its file is no answer. */
static int close_stdout(int status)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fflush(stdout))
		failed = true;
	/* That it was closed from the start is no matter if nothing was written. */
	if (fclose(stdout) && errno != EBADF)
		failed = true;
	if (!failed)
		return status;
	if (errno)
		return message_failure(SUBJECT_SYSTEM, -errno,
				       "cannot write to standard output");
	message_error("cannot write to standard output");
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	raise_open_files();
	return close_stdout(dispatch(argc, argv));
}
