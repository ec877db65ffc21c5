// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A million files of which 1 % are cached: memory is that of a few. It takes minutes,
 * and is done where MIGRATECTL_LAB_LONG asks for it.
 */
#include "lab_files.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define NR_FEW 20000U
#define NR_MANY 1000000U

/* Every so-many-th file is cached. Of the few as many as one thread takes at once. */
#define EVERY_OF_FEW 20U
#define EVERY 100U
#define NR_FEW_CACHED (NR_FEW / EVERY_OF_FEW)
#define NR_MANY_CACHED (NR_MANY / EVERY)

/* What may be more for fifty times the files. */
#define GROWTH_KIB 512

/* Files in memory are made soonest. */
static struct lab_disk make_disk(struct lab *lab)
{
	struct lab_disk disk = { .path = "/tmp/many" };

	lab_shell(lab, "umount /tmp/many; rmdir /tmp/many",
		  "mkdir /tmp/many && "
		  "mount -t tmpfs -o size=100m,nr_inodes=%u none /tmp/many && "
		  "mkdir /tmp/many/few /tmp/many/many",
		  NR_MANY + NR_FEW + 2048);
	return disk;
}

/* What the kernel has to hold of each file, 1 KiB, comes to the processor's node: one
 * that nothing else is asked of. */
static void make(const char *directory, unsigned int nr, unsigned int every)
{
	double started = lab_now();
	cpu_set_t before, third;

	CPU_ZERO(&third);
	CPU_SET(2, &third);
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(third), &third), 0);
	lab_make_files(directory, nr, every);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	printf("%u files made in %.1f s\n", nr, lab_now() - started);
}

/* Returns the most memory it had. */
static long show(struct lab *lab, const char *options, const char *directory,
		 unsigned int nr, uint64_t nr_cached)
{
	struct run *run = lab_show_file(lab, NULL, "-r %s %s", options, directory);
	const struct report_file *total = &run->files[run->nr_files];

	lab_assert_status(run, EXIT_IN_PLACE);
	printf("show-file -r %s of %u files: %.1f s, %ld KiB\n", options, nr,
	       run->seconds, run->peak_kib);
	assert_int_equal(total->size_bytes, (uint64_t)nr * PAGE_BYTES);
	assert_int_equal(total->cached_bytes, nr_cached * PAGE_BYTES);
	assert_int_equal(total->node_bytes[0], total->cached_bytes);
	return run->peak_kib;
}

/* With one thread, whatever there is to do: each has memory of its own. */
static long move(struct lab *lab, const char *directory, unsigned int nr,
		 uint64_t nr_cached)
{
	struct run *run = lab_move_file(lab, "-r --threads 1 --to 1 %s", directory);

	lab_assert_status(run, EXIT_IN_PLACE);
	printf("move-file -r of %u files: %.1f s, %ld KiB\n", nr, run->seconds,
	       run->peak_kib);
	assert_int_equal(run->report->files, nr_cached);
	assert_int_equal(run->report->considered.pages, nr_cached);
	assert_int_equal(run->report->pairs[0][1], nr_cached);
	return run->peak_kib;
}

static void a_million_files_take_no_more_memory_than_a_few(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk;
	long few, many;

	if (!lab_has_time())
		lab_skip("a million files take minutes: ask for them by "
			 "MIGRATECTL_LAB_LONG=1");
	disk = make_disk(lab);
	make(lab_path(&disk, "few"), NR_FEW, EVERY_OF_FEW);
	make(lab_path(&disk, "many"), NR_MANY, EVERY);
	few = show(lab, "--summarize", lab_path(&disk, "few"), NR_FEW, NR_FEW_CACHED);
	many = show(lab, "--summarize", lab_path(&disk, "many"), NR_MANY, NR_MANY_CACHED);
	assert_in_range(many, 1, few + GROWTH_KIB);
	/* Rows that are printed take more. */
	show(lab, "--total", lab_path(&disk, "many"), NR_MANY, NR_MANY_CACHED);
	few = move(lab, lab_path(&disk, "few"), NR_FEW, NR_FEW_CACHED);
	many = move(lab, lab_path(&disk, "many"), NR_MANY, NR_MANY_CACHED);
	assert_in_range(many, 1, few + GROWTH_KIB);
	lab_assert_file_on(lab, lab_path(&disk, "many/0/0"), 1, 1);
	lab_assert_file_on(lab, lab_path(&disk, "many/999/999900"), 1, 1);
	lab_assert_file_on(lab, lab_path(&disk, "many/999/999901"), 1, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_million_files_take_no_more_memory_than_a_few),
	};

	return lab_main(tests, 4);
}
