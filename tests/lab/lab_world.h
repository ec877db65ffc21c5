/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a test's world, for the harness alone. */
#ifndef LAB_WORLD_H
#define LAB_WORLD_H

#include "lab.h"

/* For what hangs, and far beyond what anything takes: an emulated machine on a busy
 * host is ten times slower than on an idle one, and stands still now and then. */
#define LAB_ANSWER_SECONDS 300
#define LAB_RUN_SECONDS 300
#define LAB_TEST_SECONDS 600

/** Where the images of disks lie: memory of node 0. */
#define LAB_IMAGES "/tmp/images"

/** lab_limit - such a limit, or a longer one where there is time. */
unsigned int lab_limit(unsigned int seconds);

/** Something to be done when the test is over: write text to path, or run it. */
struct lab_undo {
	char *path; /**< NULL: text is a command */
	char *text;
	struct lab_undo *next;
};

/** A view and who has it, to be freed. */
struct lab_view {
	struct oracle_view view;
	struct lab_view *next;
};

struct lab {
	struct victim *victims;
	struct run *runs;
	struct lab_undo *undos;
	struct lab_view *views;
	struct lab_file_view *file_views;
	unsigned int nr_cgroups;
	char cgroup[8][64];
	char mount_path[64];
};

/** Descriptors for a new process; -1: /dev/null. */
struct lab_streams {
	int in;
	int out;
	int err;
};

/**
 * lab_spawn - start a program, which dies with this one
 * @words: its arguments, then NULL
 */
pid_t lab_spawn(char *const *words, const struct lab_as *as, struct lab_streams streams);

/**
 * lab_split - the words of a command line; one free(3) frees them
 *
 * Blanks separate them; a vertical tab is a blank within a word.
 */
char **lab_split(const char *program, const char *line);

/** lab_pause - stop a run where it is, all of its threads; false: it is over. */
bool lab_pause(const struct run *run);

/** lab_kill - end a child and reap it. */
void lab_kill(pid_t pid);

/** lab_end_runs, lab_end_victims - what the teardown does to them. */
void lab_end_runs(struct lab *lab);
void lab_end_victims(struct lab *lab);

/** lab_forget_files - what lab_look_at_file() has seen. */
void lab_forget_files(struct lab *lab);

/** lab_undo_all - in the opposite order of lab_set() and lab_shell(). */
void lab_undo_all(struct lab *lab);

/** lab_program_path - of a program of the build, by an environment variable. */
const char *lab_program_path(const char *variable, const char *fallback);

#endif
