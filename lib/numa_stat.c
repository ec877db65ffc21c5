/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "numa_stat.h"

#include <errno.h>

struct field {
	const char *name;
	enum mig_charge charge;
};

/* Some charges are the sum of several. */
static const struct field fields_v2[] = {
	{ "anon", MIG_CHARGE_ANON },
	{ "file", MIG_CHARGE_FILE },
	{ "shmem", MIG_CHARGE_SHMEM },
	{ "kernel_stack", MIG_CHARGE_KERNEL },
	{ "pagetables", MIG_CHARGE_KERNEL },
	{ "sec_pagetables", MIG_CHARGE_KERNEL },
	{ "slab_reclaimable", MIG_CHARGE_KERNEL },
	{ "slab_unreclaimable", MIG_CHARGE_KERNEL },
	{ "file_mapped", MIG_CHARGE_FILE_MAPPED },
	{ "file_dirty", MIG_CHARGE_FILE_DIRTY },
	{ "file_writeback", MIG_CHARGE_FILE_WRITEBACK },
	{ "anon_thp", MIG_CHARGE_ANON_THP },
};

/* Counted by the lists that pages are on: shared memory is on those of anonymous
 * pages, and so is most of what is locked. */
static const struct field fields_v1[] = {
	{ "hierarchical_anon", MIG_CHARGE_ANON },
	{ "hierarchical_unevictable", MIG_CHARGE_ANON },
	{ "hierarchical_file", MIG_CHARGE_FILE },
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

/* "N0=4096" */
static int add_node(struct mig_text word, uint64_t unit, uint64_t bytes[MIG_MAX_NODES])
{
	uint64_t node, count;

	if (!mig_text_take_char(&word, 'N') ||
	    mig_text_take_number(&word, 10, &node) < 0 || node >= MIG_MAX_NODES ||
	    !mig_text_take_char(&word, '=') ||
	    mig_text_take_number(&word, 10, &count) < 0 || word.length ||
	    __builtin_mul_overflow(count, unit, &count) ||
	    __builtin_add_overflow(bytes[node], count, &bytes[node]))
		return -EBADMSG;
	return 0;
}

static int add_nodes(struct mig_text line, uint64_t unit, uint64_t bytes[MIG_MAX_NODES])
{
	mig_text_trim(&line);
	while (mig_text_take_blanks(&line)) {
		int r = add_node(mig_text_take_word(&line), unit, bytes);

		if (r < 0)
			return r;
	}
	return line.length ? -EBADMSG : 0;
}

/* v2 has a blank behind the name, v1 the sum over the nodes. */
static bool take_name(struct mig_text *line, const char *name, bool is_v1)
{
	uint64_t sum;

	if (!mig_text_take_string(line, name))
		return false;
	if (!is_v1)
		return !line->length || *line->at == ' ';
	return mig_text_take_char(line, '=') && !mig_text_take_number(line, 10, &sum);
}

static int parse_line(struct mig_text line, size_t page_size, struct mig_numa_stat *stat)
{
	const struct field *fields = page_size ? fields_v1 : fields_v2;
	size_t nr_fields = page_size ? NR(fields_v1) : NR(fields_v2);

	for (size_t i = 0; i < nr_fields; i++) {
		enum mig_charge charge = fields[i].charge;
		struct mig_text rest = line;

		if (!take_name(&rest, fields[i].name, page_size != 0))
			continue;
		stat->is_known[charge] = true;
		return add_nodes(rest, page_size ? page_size : 1, stat->bytes[charge]);
	}
	return 0;
}

/* On v2 what is in files is all of the page cache. The counters are not read at one
 * moment, so that the part can be larger than the whole. */
static void part_shmem(struct mig_numa_stat *stat)
{
	uint64_t *file = stat->bytes[MIG_CHARGE_FILE];
	const uint64_t *shmem = stat->bytes[MIG_CHARGE_SHMEM];

	for (size_t node = 0; node < MIG_MAX_NODES; node++)
		file[node] -= shmem[node] < file[node] ? shmem[node] : file[node];
}

int mig_numa_stat_parse(struct mig_text text, size_t page_size,
			struct mig_numa_stat *ret_stat)
{
	*ret_stat = (struct mig_numa_stat){ 0 };
	while (text.length) {
		int r = parse_line(mig_text_take_line(&text), page_size, ret_stat);

		if (r < 0)
			return r;
	}
	part_shmem(ret_stat);
	return 0;
}
