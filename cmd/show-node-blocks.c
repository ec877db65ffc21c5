/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-node --blocks: a row for each memory block, and what it holds. */
#include <errno.h>

#include "command.h"
#include "handles.h"
#include "message.h"
#include "show-node.h"

enum block_column {
	BLOCK_NUMBER,
	BLOCK_NODE,
	BLOCK_STATE,
	BLOCK_ZONES,
	BLOCK_ADDRESS,
	BLOCK_SIZE,
	BLOCK_FREE,
	BLOCK_MOVABLE,
	BLOCK_UNMOVABLE,
	BLOCK_ANON,
	BLOCK_MAPPED,
	BLOCK_UNMAPPED,
	BLOCK_SHMEM,
	BLOCK_HUGETLB,
	BLOCK_SLAB,
	BLOCK_TABLES,
	BLOCK_RESERVED,
	BLOCK_KERNEL,
	BLOCK_BALLOON,
	BLOCK_POISONED,
	BLOCK_ABSENT,
};

static const struct column columns[] = {
	[BLOCK_NUMBER] = { "BLOCK", "block", COLUMN_NUMBER, COLUMN_DEFAULT,
			   "N of /sys/devices/system/memory/memoryN" },
	[BLOCK_NODE] = { "NODE", "block_nodes", COLUMN_NODES, COLUMN_DEFAULT,
			 "its node; small ones may share a block" },
	[BLOCK_STATE] = { "STATE", "state", COLUMN_TEXT, COLUMN_DEFAULT,
			  "online, offline or going-offline" },
	[BLOCK_ZONES] = { "ZONES", "zones", COLUMN_TEXT, COLUMN_DEFAULT,
			  "its zone; none if it has several, or holes; of one that is "
			  "offline those that it could come to" },
	[BLOCK_ADDRESS] = { "ADDRESS", "address", COLUMN_ADDRESS, 0,
			    "physical, of its first byte" },
	[BLOCK_SIZE] = { "SIZE", "size_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			 "how large it is" },
	[BLOCK_FREE] = { "FREE", "free_bytes", COLUMN_SIZE, COLUMN_DEFAULT, "free" },
	[BLOCK_MOVABLE] = { "MOVABLE", "movable_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			    "anonymous, page cache, shmem, huge pages: they move unless "
			    "they are pinned" },
	[BLOCK_UNMOVABLE] = { "UNMOVABLE", "unmovable_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			      "of the kernel: in a block of zone Movable it does not "
			      "stay" },
	[BLOCK_ANON] = { "ANON", "anon_bytes", COLUMN_SIZE, 0, "of MOVABLE: anonymous" },
	[BLOCK_MAPPED] = { "MAPPED", "file_mapped_bytes", COLUMN_SIZE, 0,
			   "of MOVABLE: page cache that processes have mapped" },
	[BLOCK_UNMAPPED] = { "UNMAPPED", "file_unmapped_bytes", COLUMN_SIZE, 0,
			     "of MOVABLE: page cache that nobody has mapped" },
	[BLOCK_SHMEM] = { "SHMEM", "shmem_bytes", COLUMN_SIZE, 0, "of MOVABLE: shmem" },
	[BLOCK_HUGETLB] = { "HUGETLB", "hugetlb_bytes", COLUMN_SIZE, 0,
			    "of MOVABLE: huge pages of pools, free or not" },
	[BLOCK_SLAB] = { "SLAB", "slab_bytes", COLUMN_SIZE, 0, "of UNMOVABLE: slab" },
	[BLOCK_TABLES] = { "TABLES", "page_table_bytes", COLUMN_SIZE, 0,
			   "of UNMOVABLE: page tables" },
	[BLOCK_RESERVED] = { "RESERVED", "reserved_bytes", COLUMN_SIZE, 0,
			     "of UNMOVABLE: since the machine started" },
	[BLOCK_KERNEL] = { "KERNEL", "kernel_bytes", COLUMN_SIZE, 0,
			   "of UNMOVABLE: anything else, and free pages that "
			   "processors keep for themselves" },
	[BLOCK_BALLOON] = { "BALLOON", "balloon_bytes", COLUMN_SIZE, 0,
			    "given back to the host" },
	[BLOCK_POISONED] = { "POISONED", "poisoned_bytes", COLUMN_SIZE, 0,
			     "failed, or retired" },
	[BLOCK_ABSENT] = { "ABSENT", "absent_bytes", COLUMN_SIZE, 0,
			   "holes: no memory there" },
};

const struct column_set show_node_block_columns = { "Columns of --blocks", columns,
						    ARRAY_SIZE(columns) };

/* MOVABLE and UNMOVABLE are sums. */
static const enum block_column column_of[MIG_NR_CONTENTS] = {
	[MIG_CONTENT_FREE] = BLOCK_FREE,
	[MIG_CONTENT_ANON] = BLOCK_ANON,
	[MIG_CONTENT_FILE_MAPPED] = BLOCK_MAPPED,
	[MIG_CONTENT_FILE_UNMAPPED] = BLOCK_UNMAPPED,
	[MIG_CONTENT_SHMEM] = BLOCK_SHMEM,
	[MIG_CONTENT_HUGETLB] = BLOCK_HUGETLB,
	[MIG_CONTENT_SLAB] = BLOCK_SLAB,
	[MIG_CONTENT_PAGE_TABLE] = BLOCK_TABLES,
	[MIG_CONTENT_RESERVED] = BLOCK_RESERVED,
	[MIG_CONTENT_OFFLINE] = BLOCK_BALLOON,
	[MIG_CONTENT_POISONED] = BLOCK_POISONED,
	[MIG_CONTENT_KERNEL] = BLOCK_KERNEL,
	[MIG_CONTENT_ABSENT] = BLOCK_ABSENT,
};

static bool is_unmovable(enum mig_content content)
{
	switch (content) {
	case MIG_CONTENT_SLAB:
	case MIG_CONTENT_PAGE_TABLE:
	case MIG_CONTENT_RESERVED:
	case MIG_CONTENT_KERNEL:
		return true;
	default:
		return false;
	}
}

static void put_contents(struct table *table, const uint64_t pages[MIG_NR_CONTENTS],
			 uint64_t page_size)
{
	uint64_t movable = 0, unmovable = 0;

	for (int i = 0; i < MIG_NR_CONTENTS; i++) {
		uint64_t bytes = pages[i] * page_size;

		table_put_number(table, column_of[i], bytes);
		if (mig_content_is_movable((enum mig_content)i))
			movable += bytes;
		else if (is_unmovable((enum mig_content)i))
			unmovable += bytes;
	}
	table_put_number(table, BLOCK_MOVABLE, movable);
	table_put_number(table, BLOCK_UNMOVABLE, unmovable);
}

static const char *get_state_name(enum mig_block_state state)
{
	switch (state) {
	case MIG_BLOCK_OFFLINE:
		return "offline";
	case MIG_BLOCK_ONLINE:
		return "online";
	case MIG_BLOCK_GOING_OFFLINE:
		return "going-offline";
	}
	return "-";
}

static void put_block(struct table *table, const struct mig_memory_block *block,
		      uint64_t page_size)
{
	table_add_row(table);
	table_put_number(table, BLOCK_NUMBER, block->number);
	table_put_nodes(table, BLOCK_NODE, &block->nodes);
	table_put_text(table, BLOCK_STATE, get_state_name(block->state));
	if (*block->zones)
		table_put_text(table, BLOCK_ZONES, block->zones);
	table_put_number(table, BLOCK_ADDRESS, block->first_frame * page_size);
	table_put_number(table, BLOCK_SIZE, block->nr_pages * page_size);
}

/* Said once, whatever number of blocks there is. */
static int say_unknown(int error)
{
	if (error == -ENOENT) {
		message_warning("there is no /proc/kpageflags: what memory blocks hold "
				"is not known");
		return STATUS_OK;
	}
	message_failure(SUBJECT_SYSTEM, error, "what memory blocks hold is not known");
	if (error == -EACCES || error == -EPERM)
		message_hint("only root may read /proc/kpageflags");
	return STATUS_PARTLY;
}

static bool is_on(const struct mig_memory_block *block, const struct shown_nodes *nodes)
{
	struct mig_nodeset common = block->nodes;

	mig_nodeset_and(&common, &nodes->set);
	return mig_nodeset_count(&common) != 0;
}

int show_node_put_blocks(struct table *table, const struct machine *machine,
			 const struct shown_nodes *nodes)
{
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *blocks = NULL;
	uint64_t page_size = mig_context_get_page_size(machine->context);
	const struct mig_memory_block *block;
	int r = mig_memory_blocks_read(machine->topology, &blocks);

	if (r == -EOPNOTSUPP) {
		message_error("the kernel has no memory blocks");
		return STATUS_UNSUPPORTED;
	}
	if (r < 0)
		return message_failure(SUBJECT_MACHINE, r, "cannot read memory blocks");
	for (size_t i = 0; (block = mig_memory_blocks_get(blocks, i)); i++) {
		uint64_t pages[MIG_NR_CONTENTS];

		if (!is_on(block, nodes))
			continue;
		put_block(table, block, page_size);
		/* The kernel knows nothing of what is offline. */
		if (r < 0 || block->state == MIG_BLOCK_OFFLINE)
			continue;
		r = mig_contents_read(machine->context, block->first_frame,
				      block->nr_pages, pages);
		if (!r)
			put_contents(table, pages, page_size);
	}
	return r < 0 ? say_unknown(r) : STATUS_OK;
}
