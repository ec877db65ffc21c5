// SPDX-License-Identifier: GPL-2.0-or-later
/* Real programs that check their own data, moved back and forth while they work. */
#include "lab_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REDIS_PORT 16379
#define NR_KEYS 1000

/* Of its exit statuses; what it finds wrong is another. */
#define STRESS_NG_NO_RESOURCE 3

static void require_program(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", name);
	if (system(command))
		lab_skip("%s is not installed", name);
}

/* While it runs: anything may be busy for a while; nothing may go wrong. Returns how many
 * pages were moved. */
static uint64_t move_around(struct lab *lab, const struct run *program)
{
	uint64_t nr_moved = 0;
	int nr_moves = 0;

	while (!lab_has_ended(program)) {
		struct run *run = lab_move(lab, "--timeout 30 --tree --to %d %d",
					   ++nr_moves % 4, program->pid);

		if (run->report)
			nr_moved += run->report->moved.pages;
		/* It may have ended before it could be looked at, or be about to: its
		 * memory goes first. */
		if (lab_has_ended(program) || strstr(run->err, "it has exited"))
			break;
		assert_true(run->status == EXIT_IN_PLACE || run->status == EXIT_PARTLY);
		assert_int_equal(report_left(run->report, "unknown"), 0);
		assert_int_equal(report_left(run->report, "permission"), 0);
	}
	return nr_moved;
}

/* The longer, the slower the machine is: until pages of its own memory have moved. */
static void move_while_it_verifies(struct lab *lab, const char *command,
				   uint64_t nr_wanted)
{
	for (unsigned int seconds = 8; seconds <= 64; seconds *= 2) {
		struct run *program = lab_program(lab, "%s%u", command, seconds);
		uint64_t nr_moved;

		sleep(1);
		nr_moved = move_around(lab, program);
		lab_finish(program);
		/* Its time was up before a part of it had begun. */
		if (program->status == STRESS_NG_NO_RESOURCE)
			continue;
		lab_assert_status(program, 0);
		if (nr_moved >= nr_wanted)
			return;
	}
	fail_msg("it was not moved while it was at work");
}

static void fio_verifies_what_it_wrote(void **state)
{
	require_program("fio");
	move_while_it_verifies(*state,
			       "fio --name=job --directory=/tmp --size=16M --bs=4k-64k "
			       "--ioengine=mmap --rw=randrw --verify=sha1 "
			       "--verify_fatal=1 --time_based --output-format=terse "
			       "--runtime=",
			       4 * PAGES_PER_MEBIBYTE);
}

static void stress_ng_verifies_its_memory(void **state)
{
	require_program("stress-ng");
	move_while_it_verifies(*state,
			       "stress-ng --vm 2 --vm-bytes 32M --vm-method rand-set "
			       "--verify --temp-path /tmp --timeout ",
			       16 * PAGES_PER_MEBIBYTE);
}

/* Its collector moves the objects too. */
static void a_java_machine_verifies_its_objects(void **state)
{
	const char *victim = lab_program_path("VICTIM", "victim");
	int length = (int)(strrchr(victim, '/') - victim);
	char path[256], command[512];

	require_program("java");
	snprintf(path, sizeof(path), "%.*s/Victim.class", length, victim);
	if (access(path, F_OK))
		lab_skip("there was no javac when this was built");
	snprintf(command, sizeof(command), "java -Xmx64m -cp %.*s Victim ", length,
		 victim);
	move_while_it_verifies(*state, command, 16 * PAGES_PER_MEBIBYTE);
}

/* ----------------------------------------------------------------------- redis */

static int connect_redis(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(REDIS_PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	double deadline = lab_now() + 120;
	int fd;

	do {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return fd;
		close(fd);
		usleep(100000);
	} while (lab_now() < deadline);
	fail_msg("redis-server does not answer");
	return -1;
}

/* The key's number tells the value. */
static void value_of(unsigned int key, char value[1024])
{
	for (size_t i = 0; i < 1023; i++)
		value[i] = (char)('a' + (key * 31 + i * 7 + key * i) % 26);
	value[1023] = '\0';
}

static void set_keys(FILE *redis)
{
	char value[1024], answer[64];

	for (unsigned int key = 0; key < NR_KEYS; key++) {
		value_of(key, value);
		fprintf(redis, "SET key%u %s\r\n", key, value);
		fflush(redis);
		assert_non_null(fgets(answer, sizeof(answer), redis));
		assert_string_equal(answer, "+OK\r\n");
	}
}

static void check_keys(FILE *redis)
{
	char value[1024], answer[1100];

	for (unsigned int key = 0; key < NR_KEYS; key++) {
		value_of(key, value);
		fprintf(redis, "GET key%u\r\n", key);
		fflush(redis);
		assert_non_null(fgets(answer, sizeof(answer), redis));
		assert_string_equal(answer, "$1023\r\n");
		assert_non_null(fgets(answer, sizeof(answer), redis));
		answer[strcspn(answer, "\r")] = '\0';
		assert_string_equal(answer, value);
	}
}

static void redis_keeps_its_data(void **state)
{
	struct lab *lab = *state;
	struct run *server;
	FILE *redis;

	require_program("redis-server");
	server = lab_program(lab,
			     "redis-server --port %d --save 86400 1 --appendonly no "
			     "--dir /tmp",
			     REDIS_PORT);
	redis = fdopen(connect_redis(), "r+");
	assert_non_null(redis);
	set_keys(redis);
	for (int i = 0; i < 4; i++) {
		struct run *run =
			lab_start_move(lab, "--to %d %d", (i + 1) % 4, server->pid);

		check_keys(redis);
		lab_finish(run);
		assert_int_equal(report_left(run->report, NULL),
				 report_left(run->report, "busy"));
	}
	lab_assert_status(lab_move_busy(lab, "--to 0 %d", server->pid), EXIT_IN_PLACE);
	set_keys(redis);
	check_keys(redis);
	fclose(redis);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(fio_verifies_what_it_wrote),
		LAB_TEST(stress_ng_verifies_its_memory),
		LAB_TEST(a_java_machine_verifies_its_objects),
		LAB_TEST(redis_keeps_its_data),
	};

	return lab_main(tests, 4);
}
