// SPDX-License-Identifier: GPL-2.0-or-later
/* A service of a real systemd, which runs as the first process of a container: with pids,
 * mounts and cgroups of its own. */
#include "lab_cgroups.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SYSTEMD "/lib/systemd/systemd"
#define UNITS "/tmp/units"
#define CONTAINER LAB_CGROUPS "/lab-systemd"
#define SLICE CONTAINER "/system.slice"
#define SERVICE SLICE "/lab.service"

#define WAIT_SECONDS 120

static const char target[] = "[Unit]\nDefaultDependencies=no\nRequires=lab.service\n";

static const char service[] = "[Unit]\nDefaultDependencies=no\n"
			      "[Service]\nSlice=system.slice\nMemoryAccounting=yes\n"
			      "ExecStart=/bin/sleep infinity\n";

/* What it writes goes with its mounts: on the tmpfs of the root it would stay charged to
 * the container, and the dead container would keep v1 from having the controllers. */
static const char start[] =
	"echo 0 >" CONTAINER "/cgroup.procs\n"
	"exec unshare --pid --mount --cgroup --fork --kill-child sh -ec '\n"
	"mount -t proc proc /proc\n"
	"mount -o remount,bind,ro /\n"
	"mount -t tmpfs settings /etc/systemd\n"
	"mount -t tmpfs run /run\n"
	"mkdir -p /run/systemd/system\n"
	"cp " UNITS "/lab.* /run/systemd/system\n"
	"umount -l /sys/fs/cgroup\n"
	"mount -t cgroup2 cgroup2 /sys/fs/cgroup\n"
	"exec env container=lab " SYSTEMD " --system --unit=lab.target "
	"--log-target=console --log-level=warning'\n";

static void write_text(const char *path, const char *text)
{
	FILE *stream = fopen(path, "we");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

static struct run *start_systemd(struct lab *lab)
{
	double deadline = lab_now() + WAIT_SECONDS;
	struct run *run;

	if (access(SYSTEMD, X_OK))
		lab_skip("systemd is not installed");
	lab_group(lab, NULL, "lab-systemd");
	lab_shell(lab,
		  "rm -r " UNITS "; echo 1 >" CONTAINER "/cgroup.kill; "
		  "until find " CONTAINER " -mindepth 1 -depth -type d -exec rmdir {} +; "
		  "do sleep 0.1; done 2>/dev/null",
		  "mkdir " UNITS);
	write_text(UNITS "/lab.target", target);
	write_text(UNITS "/lab.service", service);
	write_text(UNITS "/start", start);
	run = lab_program(lab, "sh " UNITS "/start");
	while (access(SERVICE, F_OK) || !*lab_group_read(SERVICE, "cgroup.procs")) {
		if (lab_has_ended(run))
			fail_msg("systemd has ended");
		if (lab_now() > deadline)
			fail_msg("systemd does not start the service");
		usleep(100000);
	}
	/* Whoever waits for it: a cgroup with processes of its own passes on no cpuset. */
	lab_join(LAB_CGROUPS, run->pid);
	return run;
}

/* As somebody in the container does it. */
static void systemctl(struct lab *lab, const struct run *container, const char *words)
{
	lab_shell(lab, NULL,
		  "nsenter --all --target $(cat /proc/%d/task/%d/children) systemctl %s",
		  container->pid, container->pid, words);
}

static void a_service_moves_by_its_name(void **state)
{
	struct lab *lab = *state;
	struct victim *victim;
	struct shown shown;
	struct run *run;

	start_systemd(lab);
	victim = lab_victim(lab, "--size 8M --node 0");
	lab_join(SERVICE, victim->pid);
	lab_show_groups(lab, &shown, "lab.service");
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	assert_string_equal(shown.groups[0].path,
			    "/lab-systemd/system.slice/lab.service");
	assert_int_equal(shown.groups[0].processes, 2);
	run = lab_move_group(lab, "--to 1 lab.service");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->processes, 2);
	lab_assert_all_on(lab, victim, 1);
	/* With all that is in its slice. */
	run = lab_move_group(lab, "--freeze --to 2 %s", SLICE);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 2);
	lab_assert_intact(victim);
}

/* What the manual says to do, so that systemd leaves it so. */
static void a_binding_lasts_that_systemd_knows_of(void **state)
{
	struct lab *lab = *state;
	struct run *container = start_systemd(lab), *run;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");

	lab_join(SERVICE, victim->pid);
	run = lab_move_group(lab, "--bind --to 3 lab.service");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_group_read(SERVICE, "cpuset.mems"), "3");
	systemctl(lab, container, "set-property lab.service AllowedMemoryNodes=3");
	systemctl(lab, container, "daemon-reload");
	assert_string_equal(lab_group_read(SERVICE, "cpuset.mems"), "3");
	lab_assert_intact(victim);
	lab_ask(victim, "refill");
	lab_assert_all_on(lab, victim, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_service_moves_by_its_name),
		LAB_TEST(a_binding_lasts_that_systemd_knows_of),
	};

	return lab_main(tests, 4);
}
