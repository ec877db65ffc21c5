/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of memory blocks: a table and a line, JSON, and messages. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "blocks.h"
#include "command.h"
#include "message.h"

/* So many are explained one by one; the table has them all. */
#define MOST_SAID 8
/* So many users of a page are named; JSON has more. */
#define MOST_NAMED 4

enum blocks_column {
	COL_BLOCK,
	COL_NODES,
	COL_ZONES,
	COL_SIZE,
	COL_USED,
	COL_STATE,
	COL_RESULT,
	COL_SECONDS,
	COL_PFN,
	COL_WHY,
};

static const struct column columns[] = {
	[COL_BLOCK] = { "BLOCK", "block", COLUMN_NUMBER, COLUMN_DEFAULT,
			"N of /sys/devices/system/memory/memoryN" },
	[COL_NODES] = { "NODE", "nodes", COLUMN_NODES, COLUMN_DEFAULT,
			"that it belongs to" },
	[COL_ZONES] = { "ZONES", "zones", COLUMN_TEXT, 0,
			"its zone now, or those that it could come to" },
	[COL_SIZE] = { "SIZE", "size_bytes", COLUMN_SIZE, COLUMN_DEFAULT, "its size" },
	[COL_USED] = { "USED", "used_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "what was not free in it before" },
	[COL_STATE] = { "STATE", "state", COLUMN_TEXT, COLUMN_DEFAULT,
			"offline, online or going-offline, as it is now" },
	[COL_RESULT] = { "RESULT", "result", COLUMN_TEXT, COLUMN_DEFAULT,
			 "done, already, refused, timed-out, stopped, skipped or "
			 "not-tried; would-try in a dry run" },
	[COL_SECONDS] = { "SECONDS", "seconds", COLUMN_TEXT, 0, "how long it took" },
	[COL_PFN] = { "PFN", "frame", COLUMN_NUMBER, 0, "page frame that is in the way" },
	[COL_WHY] = { "WHY", "reason", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_TRUNCATE,
		      "what is in the way" },
};

const struct column_set blocks_columns = { "Columns of memory blocks", columns,
					   ARRAY_SIZE(columns) };

static const char *const result_names[BLOCK_NR_RESULTS] = {
	[BLOCK_WOULD_TRY] = "would-try", [BLOCK_DONE] = "done",
	[BLOCK_ALREADY] = "already",     [BLOCK_REFUSED] = "refused",
	[BLOCK_TIMED_OUT] = "timed-out", [BLOCK_STOPPED] = "stopped",
	[BLOCK_SKIPPED] = "skipped",     [BLOCK_NOT_TRIED] = "not-tried",
};

static const char *const state_names[] = {
	[MIG_BLOCK_OFFLINE] = "offline",
	[MIG_BLOCK_ONLINE] = "online",
	[MIG_BLOCK_GOING_OFFLINE] = "going-offline",
};

/* Of JSON. */
static const char *const reason_names[] = {
	[BLOCK_NO_REASON] = NULL,  [BLOCK_HOLES] = "holes",
	[BLOCK_SHARED] = "shared", [BLOCK_UNMOVABLE] = "unmovable",
	[BLOCK_HELD] = "held",     [BLOCK_ZONE] = "zone",
	[BLOCK_STUCK] = "stuck",   [BLOCK_ERROR] = "error",
};

/* ---- words ---- */

struct text {
	char at[256];
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text,
						      const char *format, ...)
{
	size_t room = sizeof(text->at) - text->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->at + text->length, room, format, arguments);
	va_end(arguments);
	if (length > 0)
		text->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* The flags of the frame say what it holds, if nothing has changed since; the log says
 * what it was then, and the name of a file. */
static void add_content(struct text *text, const struct block *block)
{
	bool is_known = mig_content_is_movable(block->content) ||
			block->content == MIG_CONTENT_SLAB ||
			block->content == MIG_CONTENT_PAGE_TABLE ||
			block->content == MIG_CONTENT_RESERVED;
	bool has_name = *block->page == '"';

	if (is_known || !*block->page)
		add(text, "%s", mig_content_get_name(block->content));
	if (has_name || (!is_known && *block->page))
		add(text, "%s%s", is_known ? " of " : "", block->page);
}

static void add_users(struct text *text, const struct block *block)
{
	const struct frame_users *users = &block->users;
	size_t nr = users->nr < MOST_NAMED ? users->nr : MOST_NAMED;

	for (size_t i = 0; i < nr; i++)
		add(text, "%s%d (%s)", i ? ", " : ", mapped by ", users->users[i].pid,
		    users->users[i].command);
	if (users->nr_maps > nr)
		add(text, ", ...");
}

static void add_page(struct text *text, const struct block *block)
{
	add_content(text, block);
	add_users(text, block);
}

static void add_others(struct text *text, const struct blocks *blocks,
		       const struct block *block)
{
	struct mig_nodeset others = block->nodes;
	char nodes[128];

	for (int node = mig_nodeset_next(&block->nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(&block->nodes, node))
		if (mig_nodeset_has(&blocks->wanted, node))
			mig_nodeset_remove(&others, node);
	mig_nodeset_format(&others, nodes, sizeof(nodes));
	add(text,
	    mig_nodeset_count(&others) > 1 ? "nodes %s have a part of it"
					   : "node %s has a part of it",
	    nodes);
}

static void add_unmovable(struct text *text, const struct blocks *blocks,
			  const struct block *block)
{
	char size[OUTPUT_BYTES_SIZE];

	if (block->has_frame) {
		add_page(text, block);
		return;
	}
	output_format_bytes(block->unmovable_pages * blocks->page_size, false, size);
	add(text, "up to %s of the kernel's own", size);
}

static void make_why(struct text *text, const struct blocks *blocks,
		     const struct block *block)
{
	*text = (struct text){ 0 };
	switch (block->reason) {
	case BLOCK_NO_REASON:
		break;
	case BLOCK_HOLES:
		add(text, "it has holes, or several zones");
		break;
	case BLOCK_SHARED:
		add_others(text, blocks, block);
		break;
	case BLOCK_UNMOVABLE:
		add_unmovable(text, blocks, block);
		break;
	case BLOCK_HELD:
		add_page(text, block);
		break;
	case BLOCK_ZONE:
		add(text, "in zone %s", block->zones);
		break;
	case BLOCK_STUCK:
		add(text, "the kernel does not let go of it");
		break;
	case BLOCK_ERROR:
		if (block->result == BLOCK_TIMED_OUT)
			add(text, "the time was up; nothing is known to be in the way");
		else
			add(text, "%s", strerror(-block->error));
		break;
	}
}

/* ---- for people ---- */

static void put_row(struct table *table, const struct blocks *blocks,
		    const struct block *block)
{
	struct text why;

	make_why(&why, blocks, block);
	table_add_row(table);
	table_put_number(table, COL_BLOCK, block->number);
	table_put_nodes(table, COL_NODES, &block->nodes);
	if (*block->zones)
		table_put_text(table, COL_ZONES, block->zones);
	table_put_number(table, COL_SIZE, block->nr_pages * blocks->page_size);
	if (block->has_contents)
		table_put_number(table, COL_USED, block->used_pages * blocks->page_size);
	table_put_text(table, COL_STATE, state_names[block->state]);
	table_put_text(table, COL_RESULT, result_names[block->result]);
	table_put_format(table, COL_SECONDS, "%.2f", (double)block->elapsed_ns / 1e9);
	if (block->has_frame)
		table_put_number(table, COL_PFN, block->frame);
	table_put_text(table, COL_WHY, why.at);
}

static void print_sums(const struct blocks *blocks, bool exact)
{
	const enum mig_block_state wanted =
		blocks->is_online ? MIG_BLOCK_ONLINE : MIG_BLOCK_OFFLINE;
	char part[OUTPUT_BYTES_SIZE], whole[OUTPUT_BYTES_SIZE];
	uint64_t pages = 0, wanted_pages = 0;
	size_t already = blocks_count(blocks, BLOCK_ALREADY), nr = 0;

	for (size_t i = 0; i < blocks->nr; i++) {
		const struct block *block = &blocks->entries[i];
		bool counts = blocks->is_dry ? block->result == BLOCK_WOULD_TRY
					     : block->state == wanted;

		pages += block->nr_pages;
		wanted_pages += counts ? block->nr_pages : 0;
		nr += counts;
	}
	output_format_bytes(wanted_pages * blocks->page_size, exact, part);
	output_format_bytes(pages * blocks->page_size, exact, whole);
	printf("%s%zu of %zu memory blocks (%s of %s) %s %s",
	       blocks->is_dry ? "a dry run: " : "", nr, blocks->nr, part, whole,
	       blocks->is_dry ? "would be tried to take" : "are", state_names[wanted]);
	if (already)
		printf(blocks->is_dry ? ", %zu are already" : ", %zu were before",
		       already);
	putchar('\n');
}

int blocks_print(const struct blocks *blocks, const struct common_args *common,
		 const char *command)
{
	CLEANUP_TABLE struct table *table = NULL;
	int status = table_new(common, command, &blocks_columns, 0, &table);

	if (status)
		return status;
	for (size_t i = 0; i < blocks->nr; i++)
		put_row(table, blocks, &blocks->entries[i]);
	status = table_print(table);
	if (!status && !common->raw && !common->noheadings)
		print_sums(blocks, common->bytes);
	return status;
}

/* ---- for programs ---- */

static void write_obstacle(const struct block *block, struct json *json)
{
	if (block->has_frame) {
		json_put_number(json, "frame", block->frame);
		json_put_text(json, "content", mig_content_get_name(block->content));
		json_put_text(json, "page", block->page);
	} else {
		json_put_null(json, "frame");
		json_put_null(json, "content");
		json_put_null(json, "page");
	}
	frame_users_write(&block->users, json);
}

void blocks_write(const struct blocks *blocks, struct json *json)
{
	json_open_array(json, "blocks");
	for (size_t i = 0; i < blocks->nr; i++) {
		const struct block *block = &blocks->entries[i];

		json_open_object(json, NULL);
		json_put_number(json, "block", block->number);
		json_put_nodes(json, "nodes", &block->nodes);
		json_put_text(json, "zones", block->zones);
		json_put_number(json, "size_bytes", block->nr_pages * blocks->page_size);
		if (block->has_contents)
			json_put_number(json, "used_bytes",
					block->used_pages * blocks->page_size);
		else
			json_put_null(json, "used_bytes");
		json_put_text(json, "state", state_names[block->state]);
		json_put_text(json, "result", result_names[block->result]);
		json_put_text(json, "reason", reason_names[block->reason]);
		json_put_number(json, "error", (uint64_t)-block->error);
		json_put_seconds(json, "seconds", block->elapsed_ns);
		write_obstacle(block, json);
		json_close_object(json);
	}
	json_close_array(json);
}

/* ---- messages ---- */

static bool stayed(const struct block *block)
{
	return block->result == BLOCK_REFUSED || block->result == BLOCK_TIMED_OUT ||
	       block->result == BLOCK_SKIPPED;
}

static void say_one(const struct blocks *blocks, const struct block *block)
{
	struct text text = { 0 }, why;

	make_why(&why, blocks, block);
	add(&text, "memory block %" PRIu64 " stays %s", block->number,
	    blocks->is_online ? "offline" : "online");
	if (block->result == BLOCK_TIMED_OUT)
		add(&text, " after %.0f s", (double)block->elapsed_ns / 1e9);
	if (block->has_frame)
		add(&text, ": page frame %" PRIu64, block->frame);
	message_error("%s: %s", text.at, why.at);
}

static bool has_reason(const struct blocks *blocks, enum block_reason reason)
{
	for (size_t i = 0; i < blocks->nr; i++)
		if (stayed(&blocks->entries[i]) && blocks->entries[i].reason == reason)
			return true;
	return false;
}

static bool has_error(const struct blocks *blocks, int error)
{
	for (size_t i = 0; i < blocks->nr; i++)
		if (blocks->entries[i].error == error)
			return true;
	return false;
}

static void say_hints(const struct blocks *blocks)
{
	if (has_error(blocks, -EACCES) || has_error(blocks, -EPERM))
		message_hint("it needs root");
	if (has_reason(blocks, BLOCK_HELD))
		message_hint("something holds on to the page, as a pipe, a device or "
			     "io_uring does: once its process has ended, or let go, "
			     "the block can go");
	if (has_reason(blocks, BLOCK_UNMOVABLE))
		message_hint("a page of the kernel's keeps its block online until the "
			     "kernel gives it back; there are none in zone Movable");
	if (has_reason(blocks, BLOCK_SHARED))
		message_hint("name all nodes that have a part of a block, to take it "
			     "offline too");
	if (has_reason(blocks, BLOCK_STUCK))
		message_hint("the kernel may still take it offline: see its state, and "
			     "the kernel's log");
}

void blocks_say(const struct blocks *blocks)
{
	size_t nr = 0;

	for (size_t i = 0; i < blocks->nr; i++)
		if (stayed(&blocks->entries[i]) && ++nr <= MOST_SAID)
			say_one(blocks, &blocks->entries[i]);
	if (nr > MOST_SAID)
		message_error("and %zu more memory blocks stay", nr - MOST_SAID);
	say_hints(blocks);
	nr = blocks_count(blocks, BLOCK_NOT_TRIED) + blocks_count(blocks, BLOCK_STOPPED);
	if (blocks->is_stopped && nr)
		message_error("stopped by a signal: %zu memory block%s not %s", nr,
			      nr == 1 ? " was" : "s were",
			      blocks->is_online ? "brought back" : "taken offline");
}
