/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl retire: take failing page frames out of use. */
#include "retire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "frame_args.h"
#include "message.h"
#include "stop_signal.h"

static const struct option_spec options[] = {
	{ OPTION_FLAG(struct retire_args, yes), .letter = 'y', .name = "yes",
	  .help = "do not ask; needed where standard input is no terminal" },
	{ OPTION_FLAG(struct retire_args, dry_run), .letter = 'n', .name = "dry-run",
	  .help = "say what lies there; retire nothing" },
	OPTIONS_TABLE,
};

static const struct column_set *const column_sets[] = { &retire_columns };

static void retire_done(struct retire *retire)
{
	retire_frames_done(retire);
	free(retire->frames);
	machine_close(&retire->machine);
}

/* Retire and report what has come together. */
static int flush(struct retire *retire)
{
	int status, reported;

	if (!retire->nr_frames)
		return STATUS_OK;
	status = retire_frames(retire);
	/* What was done before it failed is done. */
	reported = retire_report_add(retire);
	retire_frames_done(retire);
	return status ? status : reported;
}

static int add_range(struct retire *retire, const struct frame_range *range)
{
	int status = STATUS_OK;

	for (uint64_t i = 0; i < range->nr && !status && !retire->stopped; i++) {
		retire->frames[retire->nr_frames++] =
			(struct retire_frame){ .frame = range->first + i };
		if (retire->nr_frames == RETIRE_CHUNK)
			status = flush(retire);
	}
	return status;
}

/* ---- standard input ---- */

static void add_mistake(struct retire *retire, const struct frame_lines *lines,
			const char *word, size_t length, const char *wrong)
{
	message_error("standard input, line %" PRIu64 ": '%.*s': %s", lines->number,
		      (int)length, word, wrong);
	retire->nr_mistakes++;
}

static int add_word(struct retire *retire, const struct frame_lines *lines,
		    const char *word, size_t length)
{
	struct frame_range range;
	const char *wrong = frame_range_parse(word, length, retire->page_size, &range);

	if (!wrong)
		return add_range(retire, &range);
	add_mistake(retire, lines, word, length, wrong);
	return STATUS_OK;
}

/* Addresses come one by one, or many at once: those that have come are taken together. */
static int add_standard_input(struct retire *retire)
{
	struct frame_lines lines = { .fd = STDIN_FILENO };
	int status = STATUS_OK;

	while (!status && !retire->stopped) {
		const char *word = "";
		size_t length = 0;
		int r = frame_lines_next(&lines, !retire->nr_frames, &word, &length);

		if (!r)
			break;
		if (r > 0)
			status = add_word(retire, &lines, word, length);
		else if (r == -EAGAIN)
			status = flush(retire);
		else if (r == -EMSGSIZE)
			add_mistake(retire, &lines, "", 0, "the line is too long");
		else if (r == -EINTR)
			retire->stopped = stop_signal_get();
		else
			return message_failure(SUBJECT_SYSTEM, r,
					       "cannot read standard input");
	}
	return status;
}

/* ---- operands ---- */

static bool is_standard_input(const char *operand)
{
	return !strcmp(operand, "-");
}

/* All of them, before anything is done. */
static int check_operands(const struct retire *retire, uint64_t *ret_nr_frames,
			  bool *ret_reads_input)
{
	const struct common_args *common = &retire->args->common;

	*ret_nr_frames = 0;
	*ret_reads_input = false;
	for (size_t i = 0; i < common->nr_operands; i++) {
		const char *operand = common->operands[i], *wrong;
		struct frame_range range;

		if (is_standard_input(operand)) {
			*ret_reads_input = true;
			continue;
		}
		wrong = frame_range_parse(operand, strlen(operand), retire->page_size,
					  &range);
		if (wrong)
			return message_usage("retire", "'%s': %s", operand, wrong);
		*ret_nr_frames += range.nr;
	}
	return STATUS_OK;
}

static int add_operand(struct retire *retire, const char *operand)
{
	struct frame_range range;

	if (is_standard_input(operand))
		return add_standard_input(retire);
	/* check_operands() has found nothing wrong. */
	frame_range_parse(operand, strlen(operand), retire->page_size, &range);
	return add_range(retire, &range);
}

/* Return: STATUS_OK, or the status of a failure that ended it. */
static int go_through(struct retire *retire)
{
	const struct common_args *common = &retire->args->common;
	int status = STATUS_OK;

	retire_report_begin(retire);
	for (size_t i = 0; i < common->nr_operands && !status && !retire->stopped; i++)
		status = add_operand(retire, common->operands[i]);
	if (!status && !retire->stopped)
		status = flush(retire);
	retire_report_end(retire);
	return status;
}

/* ---- the question ---- */

static bool is_answered_yes(void)
{
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;

	fflush(stdout);
	if (getline(&line, &size, stdin) < 0) {
		fputc('\n', stderr);
		return false;
	}
	return !strcmp(line, "y\n") || !strcmp(line, "Y\n") || !strcmp(line, "yes\n");
}

/* What there is to lose is shown first, if it is not too much to read. */
static int ask(struct retire *retire, uint64_t nr_frames)
{
	char size[OUTPUT_BYTES_SIZE];
	int status = STATUS_OK;

	if (nr_frames <= RETIRE_CHUNK && !retire->args->common.json) {
		retire->only_looks = true;
		status = go_through(retire);
		retire->only_looks = false;
		retire->has_reported = false;
		memset(retire->counts, 0, sizeof(retire->counts));
	}
	if (status)
		return status;
	output_format_bytes(nr_frames * retire->page_size, false, size);
	fprintf(stderr,
		"Take %" PRIu64 " page frame%s (%s) out of use until the machine "
		"restarts?\nIt cannot be undone. [y/N] ",
		nr_frames, nr_frames == 1 ? "" : "s", size);
	if (is_answered_yes())
		return STATUS_OK;
	message_error("nothing was retired");
	return STATUS_FAILED;
}

static int confirm(struct retire *retire, uint64_t nr_frames, bool reads_input)
{
	if (retire->args->yes || retire->args->dry_run)
		return STATUS_OK;
	if (reads_input || !isatty(STDIN_FILENO))
		return message_usage(
			"retire", "nothing was retired: it cannot be undone, and needs "
				  "--yes where nobody can be asked");
	return ask(retire, nr_frames);
}

/* A dry run shows all the same what could be retired if it were not for that. */
static int check_machine(struct retire *retire)
{
	int r = mig_retirement_check(retire->machine.context), status;

	if (!r)
		return STATUS_OK;
	status = message_failure(SUBJECT_RETIRE, r, "cannot retire page frames");
	if (!retire->args->dry_run || (r != -EOPNOTSUPP && r != -ENOSYS))
		return status;
	go_through(retire);
	return status;
}

static int judge(const struct retire *retire)
{
	uint64_t nr_good = retire->counts[RETIRE_COULD] + retire->counts[RETIRE_RETIRED] +
			   retire->counts[RETIRE_ALREADY];
	bool is_whole = !retire->counts[RETIRE_REFUSED] && !retire->nr_mistakes &&
			!retire->stopped;

	if (retire->stopped)
		message_error("stopped by a signal");
	if (retire->has_busy_file)
		message_hint("a page of a file may go once it is written: try again "
			     "after sync(1)");
	if (is_whole)
		return STATUS_OK;
	return nr_good ? STATUS_PARTLY : STATUS_FAILED;
}

static int run(const void *given)
{
	CLEANUP(retire_done) struct retire retire = { .args = given };
	const struct retire_args *args = given;
	uint64_t nr_frames = 0;
	bool reads_input = false;
	int status = table_check_columns(&args->common, "retire", &retire_columns);

	if (!status)
		status = machine_open(NULL, &retire.machine);
	if (status)
		return status;
	retire.page_size = mig_context_get_page_size(retire.machine.context);
	retire.only_looks = args->dry_run;
	retire.frames = calloc(RETIRE_CHUNK, sizeof(*retire.frames));
	if (!retire.frames)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot retire");
	status = check_operands(&retire, &nr_frames, &reads_input);
	if (!status)
		status = check_machine(&retire);
	if (!status)
		status = confirm(&retire, nr_frames, reads_input);
	if (status)
		return status;
	stop_signal_watch();
	status = go_through(&retire);
	return status ? status : judge(&retire);
}

const struct command command_retire = {
	.name = "retire",
	.summary = "take failing page frames of memory out of use",
	.operands = "ADDRESS|START-END|pfn:N|-...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.description =
		"Have the kernel move what lies in page frames elsewhere, and never use "
		"them again until the machine restarts. It cannot be undone.\n"
		"An ADDRESS is a physical one, as the machine's error log has it; of a "
		"range the END is not included; N is the number of a page frame. '-' "
		"reads such words from standard input, one a line.",
	.notes = "It needs root, for --dry-run too.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct retire_args),
	.run = run,
};
