// SPDX-License-Identifier: GPL-2.0-or-later
/* compact: what it says it gained is what /proc/buddyinfo shows, and nothing is harmed. */
#include "lab.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY 65534
#define HUGE_ORDER 9
/* What the rest of the machine may take or give meanwhile. */
#define TOLERANCE (8 * MEBIBYTE)

struct free_memory {
	uint64_t all;
	uint64_t huge; /**< in blocks of a huge page and more */
};

static struct free_memory read_free(int node)
{
	struct free_memory sum = { 0 };
	FILE *stream = fopen("/proc/buddyinfo", "re");
	char line[512];

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream)) {
		int found, length, order = 0;
		uint64_t blocks;

		if (sscanf(line, "Node %d, zone %*s%n", &found, &length) != 1 ||
		    found != node)
			continue;
		for (const char *at = line + length;
		     sscanf(at, "%" SCNu64 "%n", &blocks, &length) == 1;
		     at += length, order++) {
			sum.all += (blocks << order) * PAGE_BYTES;
			if (order >= HUGE_ORDER)
				sum.huge += (blocks << order) * PAGE_BYTES;
		}
	}
	fclose(stream);
	return sum;
}

/* What `compact --json` says of one node, summed over its zones. */
struct said {
	int node;
	uint64_t rounds;
	bool exhausted;
	struct free_memory before;
	struct free_memory after;
	uint64_t gained;
};

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("the report has no '%s'", key);
	return value;
}

static uint64_t get_number(struct json_object *object, const char *key)
{
	return json_object_get_uint64(get(object, key));
}

static struct said read_said(const struct run *run)
{
	struct json_object *document = json_tokener_parse(run->out);
	struct json_object *node = json_object_array_get_idx(get(document, "nodes"), 0);
	struct json_object *zones = get(node, "zones");
	struct said said = {
		.node = json_object_get_int(get(node, "node")),
		.rounds = get_number(node, "rounds"),
		.exhausted = json_object_get_boolean(get(node, "exhausted")),
	};

	assert_int_equal(json_object_array_length(get(document, "nodes")), 1);
	assert_int_equal(get_number(document, "huge_page_bytes"), 2 * MEBIBYTE);
	for (size_t i = 0; i < json_object_array_length(zones); i++) {
		struct json_object *zone = json_object_array_get_idx(zones, i);

		said.before.all += get_number(zone, "free_before_bytes");
		said.before.huge += get_number(zone, "huge_before_bytes");
		said.after.all += get_number(zone, "free_bytes");
		said.after.huge += get_number(zone, "huge_bytes");
		said.gained += get_number(zone, "gained_bytes");
	}
	json_object_put(document);
	return said;
}

static void assert_near(uint64_t a, uint64_t b)
{
	uint64_t difference = a > b ? a - b : b - a;

	if (difference > TOLERANCE)
		fail_msg("%" PRIu64 " MiB are not %" PRIu64 " MiB", a / MEBIBYTE,
			 b / MEBIBYTE);
}

/* Every second page of a part of a node is free: much memory, and no huge page. */
static struct victim *fragment(struct lab *lab, int node)
{
	struct victim *victim;

	lab_drop_caches();
	lab_show_all_free(lab);
	/* Not to be compacted by the kernel before we come. */
	lab_set(lab, "/proc/sys/vm/compaction_proactiveness", "0");
	victim = lab_victim(lab, "--size 256M --at %d", node);
	lab_ask(victim, "holes");
	return victim;
}

/* How much more was free in huge pages after a run, which must have said just that. */
static uint64_t compact_and_check(struct lab *lab, struct victim *victim)
{
	struct free_memory before = read_free(1), after;
	struct run *run = lab_migratectl(lab, "compact --json 1");
	struct said said;

	after = read_free(1);
	lab_assert_status(run, EXIT_IN_PLACE);
	said = read_said(run);
	assert_int_equal(said.node, 1);
	assert_true(said.exhausted);
	assert_near(said.before.huge, before.huge);
	assert_near(said.before.all, before.all);
	assert_near(said.after.huge, after.huge);
	assert_near(said.after.all, after.all);
	/* Within its node. */
	assert_int_equal(lab_count(victim, lab_look(lab, victim), 1),
			 lab_count(victim, lab_look(lab, victim), -1));
	lab_assert_intact(victim);
	return after.huge > before.huge ? after.huge - before.huge : 0;
}

/* Now and then the kernel moves next to nothing, however often it is asked: then others
 * are fragmented. */
static void a_fragmented_node_gains_huge_pages(void **state)
{
	struct lab *lab = *state;
	uint64_t migrated = oracle_vmstat("pgmigrate_success"), gained = 0;

	for (int i = 0; i < 6 && gained < 64 * MEBIBYTE; i++) {
		struct victim *victim = fragment(lab, 1);

		gained = compact_and_check(lab, victim);
		lab_end_victim(lab, victim);
	}
	assert_true(gained >= 64 * MEBIBYTE);
	assert_true(oracle_vmstat("pgmigrate_success") > migrated);
}

static void it_goes_on_until_as_much_is_free_as_was_asked_for(void **state)
{
	struct lab *lab = *state;
	struct run *run = NULL;
	uint64_t goal = 0;

	for (int i = 0; i < 6 && (!run || run->status == EXIT_PARTLY); i++) {
		struct victim *victim = fragment(lab, 1);

		goal = read_free(1).huge + 48 * MEBIBYTE;
		run = lab_migratectl(lab, "compact --until %" PRIu64 " 1", goal);
		assert_int_equal(run->status == EXIT_IN_PLACE,
				 read_free(1).huge + TOLERANCE >= goal);
		lab_assert_intact(victim);
		lab_end_victim(lab, victim);
	}
	lab_assert_status(run, EXIT_IN_PLACE);
	/* Now there is nothing to do. */
	run = lab_migratectl(lab, "compact --json --until 1M 1");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(read_said(run).rounds, 0);
}

static void what_cannot_be_gained_is_said(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = fragment(lab, 2);
	struct run *run = lab_migratectl(lab, "compact --json --until 10G 2");
	struct said said;

	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "of 10G are free in blocks of a huge page: "
			     "nothing more can be gained");
	lab_assert_says(run, "drain --free");
	said = read_said(run);
	assert_true(said.rounds >= 3);
	assert_true(said.exhausted);
	assert_near(said.after.huge, read_free(2).huge);
	lab_assert_intact(victim);
}

static void a_time_limit_ends_it_between_two_rounds(void **state)
{
	struct lab *lab = *state;
	struct run *run =
		lab_migratectl(lab, "compact --json --until 10G --timeout 1ns 1");

	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "the time is over");
	assert_int_equal(read_said(run).rounds, 0);
}

static void all_nodes_with_memory_are_compacted_by_default(void **state)
{
	struct lab *lab = *state;
	struct run *run = lab_migratectl(lab, "compact");

	lab_assert_status(run, EXIT_IN_PLACE);
	for (int node = 0; node < 4; node++) {
		char text[32];

		snprintf(text, sizeof(text), "node %d: ", node);
		assert_non_null(strstr(run->out, text));
	}
}

/* The kernel's own figure of the zone that the first row is of, in thousandths. */
static long read_unusable(const char *wanted)
{
	FILE *stream = fopen("/sys/kernel/debug/extfrag/unusable_index", "re");
	char line[512], zone[16];
	long thousandths = -1;

	if (!stream)
		lab_skip("this kernel has no extfrag");
	while (fgets(line, sizeof(line), stream)) {
		double index[HUGE_ORDER + 1];
		int node, length;
		const char *at;

		if (sscanf(line, "Node %d, zone %15s%n", &node, zone, &length) != 2 ||
		    node != 1 || strcmp(zone, wanted) != 0)
			continue;
		at = line + length;
		for (int i = 0; i <= HUGE_ORDER; i++, at += length)
			assert_int_equal(sscanf(at, "%lf%n", &index[i], &length), 1);
		thousandths = (long)(index[HUGE_ORDER] * 1000 + 0.5);
	}
	fclose(stream);
	return thousandths;
}

static void fragmentation_is_what_the_kernel_says(void **state)
{
	struct lab *lab = *state;
	char zone[16];
	unsigned int percent;
	struct run *run;
	long unusable;

	fragment(lab, 1);
	run = lab_migratectl(lab, "compact --dry-run --raw --noheadings -o ZONE,FRAG 1");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(sscanf(run->out, "%15s %u", zone, &percent), 2);
	unusable = read_unusable(zone);
	printf("%s: %u %%, %ld thousandths\n", zone, percent, unusable);
	assert_true(labs(unusable - (long)percent * 10) <= 15);
}

static void a_dry_run_compacts_nothing(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = fragment(lab, 1);
	struct oracle_view *before = lab_look(lab, victim);

	lab_assert_status(lab_migratectl(lab, "compact -n --until 10G 1"), EXIT_IN_PLACE);
	lab_assert_nothing_moved(lab, victim, before);
}

static void nodes_that_do_not_exist_are_refused(void **state)
{
	struct lab *lab = *state;
	struct run *run = lab_migratectl(lab, "compact 9");

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "no such node");
	run = lab_migratectl(lab, "compact 9 1");
	lab_assert_status(run, EXIT_PARTLY);
	assert_non_null(strstr(run->out, "node 1: "));
	lab_assert_status(lab_migratectl(lab, "compact rubbish"), EXIT_MISUSED);
}

static void an_ordinary_user_is_told_what_it_takes(void **state)
{
	const struct lab_as nobody = { .uid = NOBODY };
	struct lab *lab = *state;
	struct run *run = lab_migratectl_as(lab, &nobody, "compact 1");

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "cannot compact node 1: Permission denied");
	lab_assert_says(run, "needs root");
	run = lab_migratectl_as(lab, &nobody, "compact --dry-run 1");
	lab_assert_status(run, EXIT_IN_PLACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_fragmented_node_gains_huge_pages),
		LAB_TEST(it_goes_on_until_as_much_is_free_as_was_asked_for),
		LAB_TEST(what_cannot_be_gained_is_said),
		LAB_TEST(a_time_limit_ends_it_between_two_rounds),
		LAB_TEST(all_nodes_with_memory_are_compacted_by_default),
		LAB_TEST(fragmentation_is_what_the_kernel_says),
		LAB_TEST(a_dry_run_compacts_nothing),
		LAB_TEST(nodes_that_do_not_exist_are_refused),
		LAB_TEST(an_ordinary_user_is_told_what_it_takes),
	};

	return lab_main(tests, 4);
}
