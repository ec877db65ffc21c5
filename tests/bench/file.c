/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast cached files move and are looked at. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <numaif.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bench.h"

/* What the bare loop maps at once. */
#define WINDOW ((size_t)64 << 20)
#define SMALL_FILE 4096

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bench_die("cannot open %s", path);
	return fd;
}

static size_t size_of(int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		bench_die("fstat failed");
	return (size_t)status.st_size;
}

static void bind_to(int node)
{
	unsigned long mask = 1UL << node;

	if (set_mempolicy(MPOL_BIND, &mask, 8 * sizeof(mask)))
		bench_die("set_mempolicy failed");
}

static void read_file(int fd)
{
	static char buffer[1 << 20];
	ssize_t length;

	do
		length = read(fd, buffer, sizeof(buffer));
	while (length > 0);
}

#define DISK_CGROUP "/sys/fs/cgroup/bench-disk"

static void write_text(const char *path, const char *text)
{
	FILE *stream = fopen(path, "we");

	if (!stream || fputs(text, stream) < 0 || fclose(stream))
		bench_die("cannot write %s", path);
}

/* For this process a file's disk reads so many bytes a second at most. */
static void hold_disk_to(const char *path, const char *rate)
{
	struct stat status;
	char text[96];

	if (stat(path, &status))
		bench_die("no %s", path);
	if (mkdir(DISK_CGROUP, 0755) && errno != EEXIST)
		bench_die("cannot make " DISK_CGROUP);
	snprintf(text, sizeof(text), "%u:%u rbps=%s", major(status.st_dev),
		 minor(status.st_dev), rate);
	write_text(DISK_CGROUP "/io.max", text);
	write_text(DISK_CGROUP "/cgroup.procs", "0");
}

/* What sites do today. @rate: NULL: as fast as the disk is */
static void drop_and_read(const char *path, int node, const char *rate)
{
	int fd = open_file(path);

	if (rate)
		hold_disk_to(path, rate);
	if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		bench_die("cannot drop %s", path);
	bind_to(node);
	read_file(fd);
	close(fd);
}

struct share {
	int fd;
	size_t size;
	int node;
	unsigned int index;
	unsigned int nr;
};

static void move_window(char *start, size_t length, int node, void **pages, int *nodes,
			int *status)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), nr = 0;

	for (size_t at = 0; at < length; at += page) {
		*(volatile char *)(start + at);
		pages[nr] = start + at;
		nodes[nr++] = node;
	}
	/* One busy page ends a call before the others have had their turn. */
	for (int i = 0; i < 20; i++)
		if (!move_pages(0, nr, pages, nodes, status, MPOL_MF_MOVE_ALL))
			return;
	bench_die("move_pages leaves pages behind");
}

/* Touch and move_pages(2), nothing else. */
static void *move_share(void *data)
{
	const struct share *share = data;
	size_t most = WINDOW / (size_t)sysconf(_SC_PAGESIZE);
	void **pages = calloc(most, sizeof(*pages));
	int *nodes = calloc(most, sizeof(*nodes));
	int *status = calloc(most, sizeof(*status));

	if (!pages || !nodes || !status)
		bench_die("out of memory");
	for (size_t at = share->index * WINDOW; at < share->size;
	     at += share->nr * WINDOW) {
		size_t length = share->size - at < WINDOW ? share->size - at : WINDOW;
		char *start =
			mmap(NULL, length, PROT_READ, MAP_SHARED, share->fd, (off_t)at);

		if (start == MAP_FAILED)
			bench_die("mmap failed");
		madvise(start, length, MADV_RANDOM);
		move_window(start, length, share->node, pages, nodes, status);
		munmap(start, length);
	}
	free(pages);
	free(nodes);
	free(status);
	return NULL;
}

static void touch_and_move(const char *path, int node, unsigned int threads)
{
	struct share shares[16];
	pthread_t workers[16];
	int fd = open_file(path);

	for (unsigned int i = 0; i < threads; i++) {
		shares[i] = (struct share){ fd, size_of(fd), node, i, threads };
		if (pthread_create(&workers[i], NULL, move_share, &shares[i]))
			bench_die("cannot start a thread");
	}
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(workers[i], NULL);
	close(fd);
}

/* What fincore(1) does, without a word about it. */
static void mincore_all(const char *directory)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), cached = 0;
	unsigned char resident[SMALL_FILE / 1024];
	struct dirent *entry;
	DIR *stream = opendir(directory);

	if (!stream)
		bench_die("cannot read %s", directory);
	while ((entry = readdir(stream))) {
		size_t size;
		void *start;
		int fd;

		if (entry->d_type != DT_REG)
			continue;
		fd = openat(dirfd(stream), entry->d_name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			bench_die("cannot open %s", entry->d_name);
		size = size_of(fd);
		start = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
		if (start == MAP_FAILED || mincore(start, size, resident))
			bench_die("mincore failed");
		for (size_t i = 0; i < (size + page - 1) / page; i++)
			cached += resident[i] & 1;
		munmap(start, size);
		close(fd);
	}
	closedir(stream);
	printf("%zu\n", cached);
}

int bench_file_main(int argc, char **arguments)
{
	if ((argc == 3 || argc == 4) && !strcmp(arguments[0], "reread"))
		drop_and_read(arguments[1], atoi(arguments[2]), arguments[3]);
	else if (argc == 4 && !strcmp(arguments[0], "touch"))
		touch_and_move(arguments[1], atoi(arguments[2]),
			       (unsigned int)atoi(arguments[3]));
	else if (argc == 2 && !strcmp(arguments[0], "mincore"))
		mincore_all(arguments[1]);
	else
		return 2;
	return 0;
}

static double time_program(const char *const *arguments, int wanted)
{
	uint64_t begin = bench_now_ns();
	int status = bench_run(arguments, NULL, NULL);

	if (status != wanted)
		bench_die("%s ended with status %d", arguments[0], status);
	return (double)(bench_now_ns() - begin) / 1e6;
}

static void write_file(const char *path, size_t size_bytes)
{
	static char buffer[1 << 20];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		bench_die("cannot create %s", path);
	for (size_t at = 0; at < size_bytes; at += sizeof(buffer)) {
		size_t rest = size_bytes - at;

		memset(buffer, (int)(at >> 20) + 1, sizeof(buffer));
		if (write(fd, buffer, rest < sizeof(buffer) ? rest : sizeof(buffer)) < 0)
			bench_die("cannot write %s", path);
	}
	if (fsync(fd))
		bench_die("fsync failed");
	close(fd);
}

/* By one page of every MiB. */
static void check_node(const char *path, int node, const char *who)
{
	int fd = open_file(path), status;
	size_t size = size_of(fd);
	char *start = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (start == MAP_FAILED)
		bench_die("mmap failed");
	for (size_t at = 0; at < size; at += (size_t)1 << 20) {
		void *page = start + at;

		*(volatile char *)page;
		if (move_pages(0, 1, &page, NULL, &status, 0) || status != node)
			bench_die("%s: not on node %d but %d", who, node, status);
	}
	munmap(start, size);
	close(fd);
}

/* Of the best of some rounds. */
static double bytes_copied_per_second(void)
{
	size_t size = (size_t)64 << 20;
	char *from = malloc(size), *to = malloc(size);
	double best = 0;

	if (!from || !to)
		bench_die("out of memory");
	memset(from, 1, size);
	memset(to, 2, size);
	for (int i = 0; i < 5; i++) {
		uint64_t begin = bench_now_ns();
		double rate;

		memcpy(to, from, size);
		/* Otherwise there would be no need for it. */
		__asm__ volatile("" : : "r"(to) : "memory");
		rate = (double)size * 1e9 / (double)(bench_now_ns() - begin);
		best = rate > best ? rate : best;
	}
	free(from);
	free(to);
	return best;
}

/* An emulated disk is the host's memory and costs nothing, while to move is emulated. So
 * there are two more that are to memory here as theirs are elsewhere: 0.5 and 0.2 of
 * 10 GB/s. */
#define SSD_SHARE 20
#define HARD_DISK_SHARE 50
#define NR_WAYS 6

int bench_file(size_t size_bytes, unsigned int rounds, const char *tool,
	       const char *directory)
{
	static const char *const names[NR_WAYS] = {
		"drop, read, this disk",  "drop, read, SATA SSD",
		"drop, read, hard disk",  "touch, move, 1 thread",
		"touch, move, 2 threads", "migratectl move-file"
	};
	double values[NR_WAYS][BENCH_MOST_ROUNDS], copied = bytes_copied_per_second();
	char path[4096], ssd[32], hard_disk[32];
	int node = 0;

	snprintf(ssd, sizeof(ssd), "%.0f", copied / SSD_SHARE);
	snprintf(hard_disk, sizeof(hard_disk), "%.0f", copied / HARD_DISK_SHARE);
	snprintf(path, sizeof(path), "%s/bench", directory);
	write_file(path, size_bytes);
	drop_and_read(path, 0, NULL);
	for (unsigned int round = 0; round < rounds; round++)
		for (unsigned int i = 0; i < NR_WAYS; i++) {
			char to[2] = { (char)('0' + !node), 0 };
			const char *const commands[NR_WAYS][7] = {
				{ bench_self, "reread", path, to },
				{ bench_self, "reread", path, to, ssd },
				{ bench_self, "reread", path, to, hard_disk },
				{ bench_self, "touch", path, to, "1" },
				{ bench_self, "touch", path, to, "2" },
				{ tool, "move-file", "--to", to, path },
			};

			values[i][round] = time_program(commands[i], 0);
			node = !node;
			check_node(path, node, names[i]);
		}
	unlink(path);
	printf("a file of %zu MiB, %u rounds; memory is copied at %.0f MiB/s here, the "
	       "SSD reads at 1/%d of that, the hard disk at 1/%d\n",
	       size_bytes >> 20, rounds, copied / (1 << 20), SSD_SHARE, HARD_DISK_SHARE);
	bench_print_medians(names, values, NR_WAYS, rounds);
	return 0;
}

static void make_files(const char *directory, unsigned int nr)
{
	char path[4096];

	if (mkdir(directory, 0700))
		bench_die("cannot make %s", directory);
	for (unsigned int i = 0; i < nr; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%u", directory, i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, path, sizeof(path)) != SMALL_FILE)
			bench_die("cannot write %s", path);
		close(fd);
	}
	sync();
}

static void remove_files(const char *directory, unsigned int nr)
{
	char path[4096];

	for (unsigned int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%u", directory, i);
		unlink(path);
	}
	rmdir(directory);
}

int bench_files(unsigned int nr, unsigned int rounds, const char *tool,
		const char *directory)
{
	static const char *const names[] = { "fincore", "bare mincore(2)",
					     "migratectl show-file" };
	double values[3][BENCH_MOST_ROUNDS];
	char path[4000], fincore[4096], show_file[3 * 4096],
		*whole_tool = realpath(tool, NULL);

	/* All of them say the same short names. */
	snprintf(path, sizeof(path), "%s/bench-files", directory);
	snprintf(fincore, sizeof(fincore), "cd %s && exec fincore *", path);
	snprintf(show_file, sizeof(show_file), "cd %s && exec %s show-file -r .", path,
		 whole_tool ? whole_tool : tool);
	free(whole_tool);
	make_files(path, nr);
	for (unsigned int round = 0; round < rounds; round++) {
		const char *const commands[3][4] = {
			{ "sh", "-c", fincore },
			{ bench_self, "mincore", path },
			{ "sh", "-c", show_file },
		};

		for (unsigned int i = 0; i < 3; i++)
			values[i][round] = time_program(commands[i], 0);
	}
	remove_files(path, nr);
	printf("%u files of 4 KiB, %u rounds\n", nr, rounds);
	bench_print_medians(names, values, 3, rounds);
	return 0;
}

int bench_file_memory(unsigned int nr, const char *tool, const char *directory)
{
	char path[4000];
	const char *const move[] = { tool, "move-file", "--to", "0", "-r", path, NULL };
	const char *const show[] = { tool, "show-file", "-s", "-r", path, NULL };
	long move_kib = 0, show_kib = 0;

	snprintf(path, sizeof(path), "%s/bench-files", directory);
	make_files(path, nr);
	if (bench_run(move, NULL, &move_kib) || bench_run(show, NULL, &show_kib))
		bench_die("migratectl failed");
	remove_files(path, nr);
	printf("peak memory over %u files: move-file %ld KiB, show-file -s %ld KiB\n", nr,
	       move_kib, show_kib);
	return 0;
}
