// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files whose device is another machine: NFS version 4, from this very one, and 9p. The
 * client's own counters witness what was asked of the server.
 */
#include "lab_files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (2 * MEBIBYTE)
#define NR_PAGES (SIZE / PAGE_BYTES)
#define NR_DIRTY (NR_PAGES / 4)

/* Dirty pages that are tried on each file system, to see what becomes of them. */
#define NR_TRIED 2

#define CLIENT "/tmp/client"

/* Where it is mounted by the client; calls are counted by itself. */
static const struct lab_disk client = { .path = CLIENT };

/* --------------------------------------------------------------------------- NFS */

/* What mountd(8) would answer the kernel is told before it asks: who the client is, what
 * is exported to him (insecure, asynchronous, no_subtree_check, fsid), and where that
 * is. Other versions would want rpcbind(8). For ten seconds nobody can open a file:
 * former clients might have claims. */
static void start_server(struct lab *lab, const struct lab_disk *disk)
{
	lab_shell(lab, "umount /proc/fs/nfsd",
		  "modprobe -a nfsd nfsv4 && mount -t nfsd nfsd /proc/fs/nfsd");
	lab_shell(lab,
		  "for i in auth.unix.ip nfsd.export nfsd.fh; do "
		  "date +%s >/proc/net/rpc/$i/flush; done",
		  "cd /proc/net/rpc && "
		  "echo nfsd 127.0.0.1 2147483647 lab >auth.unix.ip/channel && "
		  "echo lab %s 2147483647 %d 65534 65534 0 >nfsd.export/channel && "
		  "printf 'lab 1 \\\\x00000000 2147483647 %s\\n' >nfsd.fh/channel",
		  disk->path, 0x2 | 0x10 | 0x400 | 0x2000, disk->path);
	lab_shell(lab, "echo 0 >/proc/fs/nfsd/threads",
		  "cd /proc/fs/nfsd && for i in -2 -3; do echo $i >versions; done "
		  "2>/dev/null; echo 10 >nfsv4leasetime && "
		  "echo 10 >nfsv4gracetime && echo tcp 2049 >portlist && "
		  "echo 2 >threads");
}

/* Without helpers that only packages have. Soft, since a test that fails leaves a file
 * open that is written out when the server is gone. */
static void mount_client(struct lab *lab)
{
	lab_shell(lab, "umount -l " CLIENT "; rmdir " CLIENT,
		  "mkdir " CLIENT " && timeout 120 mount -i -t nfs4 -o "
		  "addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.2,soft,timeo=100 "
		  "127.0.0.1:/ " CLIENT);
}

static void mount_nfs(struct lab *lab)
{
	struct lab_disk disk = lab_disk(lab, "ext4");

	if (system("modprobe -q -n -a nfsd nfsv4"))
		lab_skip("the kernel has no nfsd");
	start_server(lab, &disk);
	mount_client(lab);
}

static bool is_of_data(const char *call)
{
	static const char *const calls[] = { "READ", "READ_PLUS", "WRITE", "COMMIT" };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!strcmp(call, calls[i]))
			return true;
	}
	return false;
}

/* Calls that read or write files. */
static uint64_t count_calls(void)
{
	FILE *stream = fopen("/proc/self/mountstats", "re");
	char line[512], name[32];
	uint64_t nr = 0, calls;

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream)) {
		if (sscanf(line, " %31[A-Z_]: %" SCNu64, name, &calls) == 2 &&
		    is_of_data(name))
			nr += calls;
	}
	fclose(stream);
	return nr;
}

static void assert_clean_pages_move(struct lab *lab, const char *path)
{
	uint64_t nr_calls = count_calls();

	lab_drop_caches();
	lab_read_file(path, 0, 0, SIZE);
	assert_true(count_calls() > nr_calls);
	nr_calls = count_calls();
	for (int node = 1; node < 3; node++) {
		lab_assert_file_moves(lab, &client, path, "--to %d", node);
		lab_assert_file_on(lab, path, node, NR_PAGES);
	}
	assert_int_equal(count_calls(), nr_calls);
	lab_assert_file(path, 0, SIZE, 1);
}

/* Each fourth page. */
static void change(int fd)
{
	assert_true(fd >= 0);
	for (uint64_t i = 0; i < NR_PAGES; i += 4)
		assert_int_equal(pwrite(fd, "x", 1, (off_t)(i * PAGE_BYTES)), 1);
}

/* By another process: whoever closes the file, were it with a program that he starts,
 * writes it out. It does when @ret_end is closed. */
static pid_t start_writer(const char *path, int *ret_end)
{
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		change(open(path, O_WRONLY | O_CLOEXEC));
		_exit(write(ends[1], "", 1) != 1 || read(ends[1], &byte, 1) != 0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	*ret_end = ends[0];
	return pid;
}

/* Linux 6.1 and 6.12 hold dirty pages where they are until the server has them; 7.2 moves
 * them by sending them there. All send them when somebody asks how old the file is: nobody
 * does, the oracle neither. */
static void assert_dirty_pages_stay(struct lab *lab, const char *path)
{
	const struct lab_file_view *before, *after;
	int status, end;
	pid_t writer = start_writer(path, &end);
	uint64_t nr_calls = count_calls(), nr_kept;
	struct run *run;

	before = lab_look_at_part(lab, path, 0, SIZE);
	assert_int_equal(before->nr_dirty, NR_DIRTY);
	run = lab_show_file(lab, NULL, "%s", path);
	assert_true(run->files[0].dirty_bytes == NR_DIRTY * PAGE_BYTES ||
		    run->files[0].dirty_bytes == REPORT_UNKNOWN);
	assert_int_equal(count_calls(), nr_calls);
	run = lab_move_file(lab, "--to 3 %s", path);
	after = lab_look_at_part(lab, path, 0, SIZE);
	lab_assert_file_accounting(run->report, before, after);
	nr_kept = report_left(run->report, "file-system") +
		  report_skipped(run->report, "dirty");
	assert_in_range(nr_kept, NR_DIRTY - NR_TRIED, NR_DIRTY);
	assert_int_equal(after->nr_dirty, nr_kept);
	if (nr_kept == NR_DIRTY)
		assert_int_equal(count_calls(), nr_calls);
	nr_calls = count_calls();
	close(end);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	assert_true(count_calls() > nr_calls);
	run = lab_move_file(lab, "--to 3 %s", path);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_file_on(lab, path, 3, NR_PAGES);
}

static void of_nfs_clean_pages_move_and_dirty_ones_stay_dirty(void **state)
{
	static const char path[] = CLIENT "/file", copy[] = "/tmp/copy";
	struct lab *lab = *state;
	int fd;

	mount_nfs(lab);
	lab_write_file(path, 0, 0, SIZE, 1);
	assert_clean_pages_move(lab, path);
	assert_dirty_pages_stay(lab, path);
	lab_drop_caches();
	lab_write_file(copy, 0, 0, SIZE, 1);
	fd = open(copy, O_WRONLY | O_CLOEXEC);
	change(fd);
	close(fd);
	lab_shell(lab, "rm /tmp/copy", "cmp %s %s", copy, path);
}

/* ---------------------------------------------------------------------------- 9p */

/* The modules lie on it, without an overlay. */
static void a_directory_that_the_host_shares_is_moved(void **state)
{
	struct lab *lab = *state;
	struct lab_disk directory;
	struct utsname name;
	const char *path;
	uint64_t nr;

	uname(&name);
	snprintf(directory.path, sizeof(directory.path), "/lib/modules/%.40s",
		 name.release);
	directory.counters_path[0] = '\0';
	path = lab_path(&directory, "modules.dep");
	lab_shell(lab, NULL, "test $(findmnt -n -o FSTYPE -T %s) = 9p", path);
	lab_drop_caches();
	lab_read_file(path, 0, 0, 8 * PAGE_BYTES);
	nr = lab_look_at_file(lab, path)->nr_cached;
	assert_true(nr >= 8);
	lab_assert_file_moves(lab, &directory, path, "--to 1");
	lab_assert_file_on(lab, path, 1, nr);
	lab_assert_status(lab_move_file(lab, "-r --to 2 %s", directory.path),
			  EXIT_IN_PLACE);
	lab_assert_file_on(lab, path, 2, nr);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(of_nfs_clean_pages_move_and_dirty_ones_stay_dirty),
		LAB_TEST(a_directory_that_the_host_shares_is_moved),
	};

	return lab_main(tests, 4);
}
