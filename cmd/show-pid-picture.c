/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-pid --picture: the address space as strips, a character for some pages. */
#include "show-pid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "handles.h"
#include "kind.h"
#include "message.h"
#include "size.h"

/* A row is an address of 12 digits, 2 blanks and the cells: 78 columns. */
#define CELLS_PER_ROW 64
#define MAX_ROWS 4

/* Mappings with less than this share of the process are only counted. */
#define SMALL_SHARE 100

/* A node has a cell to itself with three quarters of what is resident there. */
#define HAS_MOST(pages, all) (4 * (pages) >= 3 * (all))

/* Nodes in a row of the legend. */
#define LEGEND_PER_ROW 4

#define MIXED '%'
#define EMPTY '.'
#define BEYOND '#'

/* Nodes 0 to 9 are their digit; the others that hold something get a letter each. */
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* What is kept of a mapping until it is known how large it is among the others. */
struct part {
	uint64_t start;
	uint64_t end;
	uint64_t page_size;
	uint64_t resident_bytes;
	enum mig_kind kind;
	char *name; /* escaped */
};

struct strip {
	char cells[CELLS_PER_ROW * MAX_ROWS];
	uint64_t start;
	uint64_t cell_bytes;
	size_t nr_cells;
	size_t current; /* the cell that is being summed up */
	uint64_t base_page;
	uint64_t pages[MIG_MAX_NODES]; /* of the current cell */
	uint64_t all_pages;
};

struct picture {
	struct part *parts;
	size_t nr_parts;
	size_t max_parts;
	uint64_t node_bytes[MIG_MAX_NODES];
	uint64_t all_bytes;
	char symbols[MIG_MAX_NODES];
	struct strip strip;
	bool follows; /* a picture stands above */
};

static int begin(struct show *show)
{
	if (show->args->common.sysroot) {
		message_error(
			"--picture needs a live machine: with --sysroot nobody knows "
			"where a page lies");
		return STATUS_UNSUPPORTED;
	}
	show->state = calloc(1, sizeof(struct picture));
	if (!show->state)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot draw");
	return STATUS_OK;
}

static void forget_parts(struct picture *picture)
{
	for (size_t i = 0; i < picture->nr_parts; i++)
		free(picture->parts[i].name);
	picture->nr_parts = 0;
}

static void done(struct show *show)
{
	struct picture *picture = show->state;

	if (!picture)
		return;
	forget_parts(picture);
	free(picture->parts);
	free(picture);
}

static int grow(struct picture *picture)
{
	size_t max = picture->max_parts ? 2 * picture->max_parts : 64;
	struct part *parts;

	if (picture->nr_parts < picture->max_parts)
		return 0;
	parts = reallocarray(picture->parts, max, sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	picture->parts = parts;
	picture->max_parts = max;
	return 0;
}

static int add_part(struct picture *picture, const struct mig_mapping *mapping,
		    uint64_t base_page)
{
	size_t length = strlen(mapping->name);
	struct part *part;

	if (!mapping->has_residency || !mapping->resident_pages)
		return 0;
	if (grow(picture) < 0)
		return -ENOMEM;
	part = &picture->parts[picture->nr_parts];
	*part = (struct part){
		.start = mapping->start,
		.end = mapping->end,
		.page_size =
			mapping->page_size_bytes ? mapping->page_size_bytes : base_page,
		.resident_bytes = mapping->resident_pages * base_page,
		.kind = mapping->kind,
		.name = malloc(ESCAPE_SIZE(length)),
	};
	if (!part->name)
		return -ENOMEM;
	escape_text(mapping->name, length, part->name);
	picture->nr_parts++;
	picture->all_bytes += part->resident_bytes;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		picture->node_bytes[node] += mapping->node_pages[node] * base_page;
	return 0;
}

static int read_parts(struct picture *picture, const struct mig_process *process,
		      uint64_t base_page)
{
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	int r = mig_mappings_new(process, &mappings);

	while (!r) {
		const struct mig_mapping *mapping;

		r = mig_mappings_next(mappings, &mapping);
		if (r < 0 || !mapping)
			break;
		r = add_part(picture, mapping, base_page);
	}
	return r;
}

static void choose_symbols(struct picture *picture)
{
	size_t nr_letters = 0;

	for (int node = 0; node < MIG_MAX_NODES; node++) {
		picture->symbols[node] = BEYOND;
		if (node < 10)
			picture->symbols[node] = (char)('0' + node);
		else if (picture->node_bytes[node] && nr_letters < sizeof(letters) - 1)
			picture->symbols[node] = letters[nr_letters++];
	}
}

static char get_symbol(const struct picture *picture)
{
	const struct strip *strip = &picture->strip;
	int largest = 0;

	if (!strip->all_pages)
		return EMPTY;
	for (int node = 1; node < MIG_MAX_NODES; node++)
		if (strip->pages[node] > strip->pages[largest])
			largest = node;
	return HAS_MOST(strip->pages[largest], strip->all_pages)
		       ? picture->symbols[largest]
		       : MIXED;
}

static void finish_cell(struct picture *picture)
{
	struct strip *strip = &picture->strip;

	strip->cells[strip->current] = get_symbol(picture);
	memset(strip->pages, 0, sizeof(strip->pages));
	strip->all_pages = 0;
}

/* Pages that lie one behind the other on one node; runs come in ascending order. */
static int add_run(void *data, const struct mig_page_run *run)
{
	struct picture *picture = data;
	struct strip *strip = &picture->strip;
	uint64_t at = run->start - strip->start;
	uint64_t end = at + run->nr_pages * strip->base_page;

	if (run->node == MIG_NO_NODE)
		return 0;
	while (at < end && at / strip->cell_bytes < strip->nr_cells) {
		size_t cell = at / strip->cell_bytes;
		uint64_t cell_end = (cell + 1) * strip->cell_bytes;
		uint64_t nr_pages =
			((cell_end < end ? cell_end : end) - at) / strip->base_page;

		if (cell != strip->current) {
			finish_cell(picture);
			strip->current = cell;
		}
		strip->pages[run->node] += nr_pages;
		strip->all_pages += nr_pages;
		at = cell_end;
	}
	return 0;
}

/* The smallest cell, in powers of two, with which the mapping fits into its rows. */
static void begin_strip(struct strip *strip, const struct part *part, uint64_t base_page)
{
	uint64_t size = part->end - part->start;

	memset(strip, 0, sizeof(*strip));
	memset(strip->cells, EMPTY, sizeof(strip->cells));
	strip->start = part->start;
	strip->base_page = base_page;
	strip->cell_bytes = part->page_size;
	while (size / strip->cell_bytes > CELLS_PER_ROW * MAX_ROWS)
		strip->cell_bytes *= 2;
	strip->nr_cells = (size + strip->cell_bytes - 1) / strip->cell_bytes;
}

static void print_part(const struct strip *strip, const struct part *part)
{
	char size[SIZE_TEXT_SIZE], resident[SIZE_TEXT_SIZE], cell[SIZE_TEXT_SIZE];

	printf("\n%s: %s of %s, a character is %s%s%s\n", kind_get_name(part->kind),
	       size_format(part->resident_bytes, resident),
	       size_format(part->end - part->start, size),
	       size_format(strip->cell_bytes, cell), *part->name ? ": " : "", part->name);
	for (size_t first = 0; first < strip->nr_cells; first += CELLS_PER_ROW) {
		size_t nr_cells = strip->nr_cells - first;

		printf("%12" PRIx64 "  %.*s\n", strip->start + first * strip->cell_bytes,
		       (int)(nr_cells < CELLS_PER_ROW ? nr_cells : CELLS_PER_ROW),
		       strip->cells + first);
	}
}

/* The process, and what its characters mean. */
static void print_heading(const struct picture *picture,
			  const struct mig_process *process)
{
	const char *name = mig_process_get_name(process);
	char escaped[ESCAPE_SIZE(64)], size[SIZE_TEXT_SIZE];
	size_t nr_entries = 0;

	escape_text(name, strnlen(name, 64), escaped);
	printf("%s%d %s: %s resident\n", picture->follows ? "\n" : "",
	       (int)mig_process_get_pid(process), escaped,
	       size_format(picture->all_bytes, size));
	for (int node = 0; node < MIG_MAX_NODES; node++) {
		if (!picture->node_bytes[node])
			continue;
		printf("%s%c node %-4d %5s",
		       nr_entries % LEGEND_PER_ROW ? "    "
		       : nr_entries                ? "\n"
						   : "",
		       picture->symbols[node], node,
		       size_format(picture->node_bytes[node], size));
		nr_entries++;
	}
	printf("%s%c several nodes, none with three quarters    %c nothing resident\n",
	       nr_entries ? "\n" : "", MIXED, EMPTY);
}

static int draw_part(const struct show *show, const struct mig_process *process,
		     const struct part *part)
{
	struct picture *picture = show->state;
	uint64_t base_page = mig_context_get_page_size(show->machine->context);
	int r;

	begin_strip(&picture->strip, part, base_page);
	r = mig_residency_read_runs(process, show->machine->topology, part->start,
				    part->end, part->page_size, add_run, picture);
	if (r < 0)
		return r;
	finish_cell(picture);
	print_part(&picture->strip, part);
	return 0;
}

static int draw(const struct show *show, const struct mig_process *process)
{
	const struct picture *picture = show->state;
	uint64_t small_bytes = 0;
	size_t nr_small = 0;

	print_heading(picture, process);
	for (size_t i = 0; i < picture->nr_parts; i++) {
		const struct part *part = &picture->parts[i];
		int r;

		if (part->resident_bytes < picture->all_bytes / SMALL_SHARE) {
			small_bytes += part->resident_bytes;
			nr_small++;
			continue;
		}
		r = draw_part(show, process, part);
		if (r < 0)
			return r;
	}
	if (nr_small) {
		char size[SIZE_TEXT_SIZE];

		printf("\n%zu smaller mappings: %s\n", nr_small,
		       size_format(small_bytes, size));
	}
	return 0;
}

static int add(struct show *show, const struct mig_process *process)
{
	struct picture *picture = show->state;
	int r;

	forget_parts(picture);
	picture->all_bytes = 0;
	memset(picture->node_bytes, 0, sizeof(picture->node_bytes));
	r = read_parts(picture, process,
		       mig_context_get_page_size(show->machine->context));
	if (r < 0)
		return show_failure(show, process, r);
	choose_symbols(picture);
	r = draw(show, process);
	picture->follows = true;
	return r < 0 ? show_failure(show, process, r) : STATUS_OK;
}

static int print(struct show *show)
{
	(void)show;
	return STATUS_OK;
}

const struct show_view show_view_picture = {
	.begin = begin,
	.add = add,
	.print = print,
	.done = done,
};
