/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pids.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "message.h"
#include "number.h"

struct list {
	pid_t *pids;
	size_t count;
	size_t max;
};

static void list_done(struct list *list)
{
	free(list->pids);
}

static int list_add(struct list *list, pid_t pid)
{
	if (list->count == list->max) {
		size_t max = list->max ? 2 * list->max : 16;
		pid_t *pids = reallocarray(list->pids, max, sizeof(*pids));

		if (!pids)
			return message_failure(SUBJECT_SYSTEM, -ENOMEM,
					       "cannot list processes");
		list->pids = pids;
		list->max = max;
	}
	list->pids[list->count++] = pid;
	return STATUS_OK;
}

static int add_word(struct list *list, const char *command, const char *word)
{
	uint64_t number;
	int r = number_parse(word, strlen(word), &number);

	if (r == -EINVAL)
		return message_usage(command, "'%s' is not a PID", word);
	if (r == -ERANGE || number > INT_MAX)
		return message_usage(command, "'%s' is too large for a PID", word);
	if (!number)
		return message_usage(command, "'%s' is no PID: they begin at 1", word);
	return list_add(list, (pid_t)number);
}

static int add_standard_input(struct list *list, const char *command)
{
	CLEANUP_FREE char *line = NULL;
	int status = STATUS_OK;
	size_t size = 0;

	while (!status && getline(&line, &size, stdin) >= 0) {
		char *rest = NULL;

		for (char *word = strtok_r(line, " \t\n", &rest); word && !status;
		     word = strtok_r(NULL, " \t\n", &rest))
			status = add_word(list, command, word);
	}
	if (!status && ferror(stdin))
		return message_failure(SUBJECT_SYSTEM, -errno,
				       "cannot read standard input");
	return status;
}

int pids_parse(const char *command, const struct common_args *args, pid_t **ret_pids,
	       size_t *ret_count)
{
	CLEANUP(list_done) struct list list = { 0 };

	for (size_t i = 0; i < args->nr_operands; i++) {
		const char *word = args->operands[i];
		int status;

		status = !strcmp(word, "-") ? add_standard_input(&list, command)
					    : add_word(&list, command, word);
		if (status)
			return status;
	}
	if (!list.count)
		return message_usage(command, "no PID on standard input");
	*ret_pids = STEAL(list.pids);
	*ret_count = list.count;
	return STATUS_OK;
}
