/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of page frames, chunk by chunk, so that memory does not grow with what is
 * retired: a table each, or the elements of one array of JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "message.h"
#include "retire.h"

enum retire_column {
	COL_ADDRESS,
	COL_PFN,
	COL_PAGES,
	COL_NODE,
	COL_CONTENT,
	COL_PID,
	COL_COMMAND,
	COL_MAPS,
	COL_AT,
	COL_MAPPING,
	COL_RESULT,
	COL_WHY,
};

static const struct column columns[] = {
	[COL_ADDRESS] = { "ADDRESS", "address", COLUMN_TEXT, COLUMN_DEFAULT,
			  "physical address" },
	[COL_PFN] = { "PFN", "frame", COLUMN_NUMBER, 0, "number of the page frame" },
	[COL_PAGES] = { "PAGES", "pages", COLUMN_NUMBER, COLUMN_DEFAULT,
			"page frames from there on that are alike" },
	[COL_NODE] = { "NODE", "node", COLUMN_NUMBER, COLUMN_DEFAULT,
		       "that it belongs to" },
	[COL_CONTENT] = { "CONTENT", "content", COLUMN_TEXT, COLUMN_DEFAULT,
			  "what was in it before" },
	[COL_PID] = { "PID", "pid", COLUMN_NUMBER, COLUMN_DEFAULT,
		      "a process that had it mapped" },
	[COL_COMMAND] = { "COMMAND", "command", COLUMN_TEXT, COLUMN_DEFAULT,
			  "name of that process" },
	[COL_MAPS] = { "MAPS", "maps", COLUMN_NUMBER, 0, "how often it was mapped" },
	[COL_AT] = { "AT", "at", COLUMN_TEXT, 0, "address in the process" },
	[COL_MAPPING] = { "MAPPING", "mapping", COLUMN_TEXT,
			  COLUMN_DEFAULT | COLUMN_KEEP_END,
			  "name of the mapping, as its file" },
	[COL_RESULT] = { "RESULT", "result", COLUMN_TEXT, COLUMN_DEFAULT,
			 "retired, already, refused; retirable in a dry run" },
	[COL_WHY] = { "WHY", "reason", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_TRUNCATE,
		      "why it was refused" },
};

const struct column_set retire_columns = { "Columns", columns, ARRAY_SIZE(columns) };

static const char *const result_names[RETIRE_NR_RESULTS] = {
	[RETIRE_COULD] = "retirable",
	[RETIRE_RETIRED] = "retired",
	[RETIRE_ALREADY] = "already",
	[RETIRE_REFUSED] = "refused",
};

static const char *get_why(const struct retire_frame *frame)
{
	static const struct {
		const char *reason;
		const char *text;
	} texts[] = {
		{ "absent", "no memory there" },     { "reserved", "kernel or firmware" },
		{ "slab", "objects of the kernel" }, { "page-tables", "page tables" },
		{ "kernel", "kernel's own" },        { "busy", "busy or pinned" },
	};

	if (!frame->reason)
		return "";
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!strcmp(texts[i].reason, frame->reason))
			return texts[i].text;
	return strerror(-frame->error);
}

/* ---- for people ---- */

static bool has_same_user(const struct retire_frame *a, const struct retire_frame *b)
{
	const struct frame_users *x = &a->users, *y = &b->users;

	if (!x->nr || !y->nr)
		return x->nr == y->nr;
	return x->users[0].pid == y->users[0].pid && x->nr_maps == y->nr_maps &&
	       !strcmp(x->users[0].mapping, y->users[0].mapping);
}

static bool is_alike(const struct retire_frame *a, const struct retire_frame *b)
{
	return b->frame == a->frame + 1 && a->content == b->content &&
	       a->node == b->node && a->result == b->result && a->error == b->error &&
	       has_same_user(a, b);
}

static void put_row(const struct retire *retire, struct table *table,
		    const struct retire_frame *frame, size_t nr_pages)
{
	const struct frame_user *user = frame->users.users;

	table_add_row(table);
	table_put_format(table, COL_ADDRESS, "0x%" PRIx64,
			 frame->frame * retire->page_size);
	table_put_number(table, COL_PFN, frame->frame);
	table_put_number(table, COL_PAGES, nr_pages);
	if (frame->node != MIG_NO_NODE)
		table_put_number(table, COL_NODE, (uint64_t)frame->node);
	table_put_text(table, COL_CONTENT, mig_content_get_name(frame->content));
	table_put_number(table, COL_MAPS, frame->users.nr_maps);
	if (user) {
		table_put_number(table, COL_PID, (uint64_t)user->pid);
		table_put_text(table, COL_COMMAND, user->command);
		table_put_format(table, COL_AT, "0x%" PRIx64, user->address);
		table_put_text(table, COL_MAPPING, user->mapping);
	}
	table_put_text(table, COL_RESULT, result_names[frame->result]);
	table_put_text(table, COL_WHY, get_why(frame));
}

static int print_chunk(const struct retire *retire)
{
	struct common_args common = retire->args->common;
	CLEANUP_TABLE struct table *table = NULL;
	size_t next = 0;
	int status;

	common.noheadings |= retire->has_reported;
	status = table_new(&common, "retire", &retire_columns, 0, &table);
	if (status)
		return status;
	for (size_t i = 0; i < retire->nr_frames; i = next) {
		for (next = i + 1;
		     next < retire->nr_frames &&
		     is_alike(&retire->frames[next - 1], &retire->frames[next]);
		     next++)
			;
		put_row(retire, table, &retire->frames[i], next - i);
	}
	return table_print(table);
}

/* ---- for programs ---- */

static int write_frame(const struct retire *retire, const struct retire_frame *frame)
{
	struct json json;

	json_begin(&json, stdout);
	json_put_number(&json, "frame", frame->frame);
	json_put_number(&json, "address", frame->frame * retire->page_size);
	if (frame->node == MIG_NO_NODE)
		json_put_null(&json, "node");
	else
		json_put_number(&json, "node", (uint64_t)frame->node);
	json_put_text(&json, "content", mig_content_get_name(frame->content));
	frame_users_write(&frame->users, &json);
	json_put_text(&json, "result", result_names[frame->result]);
	json_put_text(&json, "reason", frame->reason);
	json_put_number(&json, "error", (uint64_t)-frame->error);
	return json_end(&json);
}

/* ---- both ---- */

void retire_report_begin(const struct retire *retire)
{
	if (retire->args->common.json)
		printf("{\n\"dry_run\": %s,\n\"frames\": [\n",
		       retire->only_looks ? "true" : "false");
}

int retire_report_add(struct retire *retire)
{
	int status = STATUS_OK;

	if (!retire->nr_frames)
		return STATUS_OK;
	if (!retire->args->common.json)
		status = print_chunk(retire);
	for (size_t i = 0; i < retire->nr_frames && retire->args->common.json && !status;
	     i++) {
		fputs(retire->has_reported || i ? "," : "", stdout);
		status = write_frame(retire, &retire->frames[i]);
	}
	retire->has_reported = true;
	/* Who feeds one address after the other wants to see what became of each. */
	fflush(stdout);
	return status;
}

static void print_sums(const struct retire *retire)
{
	const uint64_t *counts = retire->counts;
	uint64_t all = 0;

	for (size_t i = 0; i < RETIRE_NR_RESULTS; i++)
		all += counts[i];
	if (retire->args->dry_run)
		printf("a dry run: %" PRIu64 " of %" PRIu64 " page frames could be "
		       "retired",
		       counts[RETIRE_COULD], all);
	else
		printf("%" PRIu64 " of %" PRIu64 " page frames retired",
		       counts[RETIRE_RETIRED], all);
	if (counts[RETIRE_ALREADY])
		printf(", %" PRIu64 " were out of use already", counts[RETIRE_ALREADY]);
	putchar('\n');
}

void retire_report_end(const struct retire *retire)
{
	const struct common_args *common = &retire->args->common;
	const uint64_t *counts = retire->counts;

	if (common->json)
		printf("],\n\"retirable\": %" PRIu64 ",\n\"retired\": %" PRIu64
		       ",\n\"already\": %" PRIu64 ",\n\"refused\": %" PRIu64
		       ",\n\"mistakes\": %" PRIu64 ",\n\"stopped\": %s\n}\n",
		       counts[RETIRE_COULD], counts[RETIRE_RETIRED],
		       counts[RETIRE_ALREADY], counts[RETIRE_REFUSED],
		       retire->nr_mistakes, retire->stopped ? "true" : "false");
	else if (!common->raw && !common->noheadings &&
		 retire->only_looks == retire->args->dry_run)
		print_sums(retire);
}
