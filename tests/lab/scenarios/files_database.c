// SPDX-License-Identifier: GPL-2.0-or-later
/* Databases at work, which check their own data: their files are moved back and forth, and
 * of one the processes too. */
#include "lab_files.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

/* ---------------------------------------------------------------------- sqlite */

#define ROWS 2000

/* It changes all rows again and again, their sum always the same, and it checks. */
static void start_sqlite(struct lab *lab, const struct lab_disk *disk)
{
	lab_shell(lab, NULL,
		  "cd %s && { echo 'pragma journal_mode=wal; pragma mmap_size=67108864; "
		  "create table t(id integer primary key, v integer, f blob); begin;'; "
		  "seq 1 %d | sed 's/.*/insert into t values(&, 1000, "
		  "randomblob(500));/'; echo 'commit;'; } | sqlite3 db >/dev/null",
		  disk->path, ROWS);
	lab_shell(lab, NULL,
		  "cd %s && { echo 'pragma mmap_size=67108864; pragma "
		  "wal_autocheckpoint=100;'; for i in $(seq 1 10); do "
		  "echo 'begin; update t set v=v-1 where id%%2=0; "
		  "update t set v=v+1 where id%%2=1; "
		  "update t set f=randomblob(500) where id%%50=abs(random()%%50); "
		  "commit; select sum(v) from t;'; done; } >load.sql",
		  disk->path);
}

static uint64_t move_files(struct lab *lab, const struct lab_disk *disk, int to)
{
	/* Only bounded so that it ends at all. */
	struct run *run =
		lab_move_file(lab, "-r --timeout 60 --to %d %s", to, disk->path);

	assert_true(run->status == EXIT_IN_PLACE || run->status == EXIT_PARTLY);
	assert_int_equal(report_left(run->report, "unknown"), 0);
	return run->report->moved.pages;
}

static void assert_sqlite_is_right(struct lab *lab, const struct lab_disk *disk)
{
	lab_shell(lab, NULL,
		  "cd %s && sqlite3 db 'pragma integrity_check; select sum(v) from t' "
		  ">result && sync && echo 3 >/proc/sys/vm/drop_caches && "
		  "sqlite3 db 'pragma integrity_check; select sum(v) from t' >again && "
		  "printf 'ok\\n%d\\n' | cmp - result && cmp result again",
		  disk->path, ROWS * 1000);
}

static void sqlite_at_work_is_moved_back_and_forth(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	int nr_moves = lab_has_time() ? 100 : 20;
	uint64_t nr_moved = 0;
	struct run *load;

	if (system("command -v sqlite3 >/dev/null"))
		lab_skip("sqlite3 is not installed");
	start_sqlite(lab, &disk);
	load = lab_program(lab,
			   "sh -c cd\v%s;\vuntil\v[\v-e\vstop\v];\vdo\vsqlite3\vdb\v"
			   "<load.sql\v|\vgrep\v-v\v-x\v-e\v%d\v-e\v67108864\v-e\v100;\v"
			   "done;\vtrue",
			   disk.path, ROWS * 1000);
	for (int i = 1; i <= nr_moves; i++)
		nr_moved += move_files(lab, &disk, i % 4);
	lab_shell(lab, NULL, "touch %s/stop", disk.path);
	lab_finish(load);
	printf("%d moves of %lu pages\n", nr_moves, (unsigned long)nr_moved);
	assert_string_equal(load->out, "");
	assert_string_equal(load->err, "");
	assert_true(nr_moved > 1000);
	assert_sqlite_is_right(lab, &disk);
}

/* ------------------------------------------------------------------ PostgreSQL */

/* It refuses to be root's. */
#define AS_NOBODY "setpriv --reuid 65534 --regid 65534 --clear-groups "
#define CLIENT " -h /tmp -U postgres "

/* Debian keeps most of its programs where no shell looks. */
static void need_postgresql(void)
{
	char path[4096];
	glob_t found;

	if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found))
		lab_skip("PostgreSQL is not installed");
	snprintf(path, sizeof(path), "%s:%s", found.gl_pathv[found.gl_pathc - 1],
		 getenv("PATH"));
	assert_int_equal(setenv("PATH", path, 1), 0);
	globfree(&found);
}

/* With checksums of all pages. What it has not synced a crash would lose, not a move. */
static struct run *start_postgresql(struct lab *lab, const struct lab_disk *disk)
{
	struct run *server;

	lab_shell(lab, NULL,
		  "mkdir %s/db && chown 65534 %s/db && " AS_NOBODY
		  "initdb -D %s/db -U postgres -A trust -k -N --no-locale "
		  "--wal-segsize=1 >/dev/null",
		  disk->path, disk->path, disk->path);
	server = lab_program(lab,
			     AS_NOBODY "postgres -D %s/db -k /tmp -c listen_addresses= "
				       "-c fsync=off -c shared_buffers=16MB",
			     disk->path);
	lab_shell(lab, NULL,
		  "until pg_isready -q -h /tmp; do kill -0 %d && sleep 0.1; done && "
		  "pgbench -q" CLIENT "-i -s 1 postgres 2>/dev/null >&2",
		  server->pid);
	return server;
}

static uint64_t move_processes(struct lab *lab, const struct run *server, int to)
{
	struct run *run =
		lab_move(lab, "--timeout 60 --tree --to %d %d", to, server->pid);

	assert_true(run->status == EXIT_IN_PLACE || run->status == EXIT_PARTLY);
	assert_int_equal(report_left(run->report, "unknown"), 0);
	assert_int_equal(report_left(run->report, "permission"), 0);
	return run->report->moved.pages;
}

/* Each transaction adds the same amount in three tables and notes it in a fourth. */
static void assert_postgresql_is_right(struct lab *lab)
{
	lab_shell(lab, NULL,
		  "psql" CLIENT "-Atc 'select count(*) > 0 and "
		  "sum(delta) = (select sum(abalance) from pgbench_accounts) and "
		  "sum(delta) = (select sum(tbalance) from pgbench_tellers) and "
		  "sum(delta) = (select sum(bbalance) from pgbench_branches) "
		  "from pgbench_history' postgres | grep -qx t && "
		  "pg_amcheck" CLIENT "--install-missing --heapallindexed postgres");
}

/* As often as it takes: the load is over sooner on some machines than on others. */
static void move_under_load(struct lab *lab, const struct lab_disk *disk,
			    const struct run *server)
{
	uint64_t nr_file_pages = 0, nr_pages = 0;

	for (unsigned int nr = 100; nr <= 12800; nr *= 2) {
		struct run *load =
			lab_program(lab, "pgbench" CLIENT "-n -c 2 -t %u postgres", nr);

		for (int i = 1; !lab_has_ended(load); i++) {
			nr_pages += move_processes(lab, server, i % 4);
			nr_file_pages += move_files(lab, disk, (i + 1) % 4);
		}
		lab_finish(load);
		lab_assert_status(load, 0);
		printf("%u transactions: %lu pages of processes, %lu of files\n", 2 * nr,
		       (unsigned long)nr_pages, (unsigned long)nr_file_pages);
		if (nr_pages > 4000 && nr_file_pages > 4000)
			return;
	}
	fail_msg("it was not moved while it was at work");
}

static void postgresql_at_work_is_moved_with_its_files(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk;
	struct run *server;

	if (!lab_has_time())
		lab_skip("PostgreSQL takes minutes: ask for it by MIGRATECTL_LAB_LONG=1");
	need_postgresql();
	disk = lab_disk(lab, "ext4");
	server = start_postgresql(lab, &disk);
	move_under_load(lab, &disk, server);
	assert_postgresql_is_right(lab);
	kill(server->pid, SIGINT);
	lab_finish(server);
	lab_assert_status(server, 0);
	lab_shell(lab, NULL,
		  "sync && echo 3 >/proc/sys/vm/drop_caches && " AS_NOBODY
		  "pg_checksums --check -D %s/db >/dev/null",
		  disk.path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(sqlite_at_work_is_moved_back_and_forth),
		LAB_TEST(postgresql_at_work_is_moved_with_its_files),
	};

	return lab_main(tests, 4);
}
