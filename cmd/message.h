/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that is said on standard error, and the one place where error codes
 * of libmigrate become sentences and exit statuses.
 *
 * Every line is escaped as a whole (escape.h), so a name that comes from another
 * process or a file may be put into a format as it is.
 */
#ifndef MIGRATECTL_MESSAGE_H
#define MIGRATECTL_MESSAGE_H

#include "exit_status.h"

/** What a code of libmigrate is about: -ENODATA of a process is not that of a set. */
enum message_subject {
	SUBJECT_SYSTEM = 0,    /**< files and system calls: strerror(3) says it */
	SUBJECT_MACHINE = 1,   /**< mig_context_new(), mig_topology_*() */
	SUBJECT_NODES = 2,     /**< mig_nodeset_parse() */
	SUBJECT_PROCESS = 3,   /**< mig_process_open(), mig_target_add_*() */
	SUBJECT_MEMORY = 4,    /**< mig_mappings_*(), mig_residency_*() of a process */
	SUBJECT_PLACEMENT = 5, /**< mig_placement_new() */
	SUBJECT_MOVE = 6,      /**< mig_plan_new(), mig_plan_run() */
	SUBJECT_FILE = 7,      /**< one file, as mig_files_look() says */
	SUBJECT_CGROUP = 8,    /**< mig_cgroup_*(), mig_charges_read() */
	SUBJECT_UNIT = 9,      /**< mig_cgroup_open() of a unit's name */
	SUBJECT_JOB = 10,      /**< mig_cgroup_open() of "job:ID" */
	SUBJECT_FREEZE = 11,   /**< mig_freeze_*() */
	SUBJECT_CPUSET = 12,   /**< mig_cpuset_*() */
	SUBJECT_CACHE = 13,    /**< mig_plan_new() where unmapped cache moves */
	SUBJECT_COMPACT = 14,  /**< mig_node_compact() */
	SUBJECT_RETIRE = 15,   /**< mig_retirement_check(), mig_frame_*() */
	SUBJECT_RECLAIM = 16,  /**< mig_node_reclaim() */
};

/** message_error - "migratectl: FORMAT" */
__attribute__((format(printf, 1, 2))) void message_error(const char *format, ...);

/** message_warning - "migratectl: warning: FORMAT" */
__attribute__((format(printf, 1, 2))) void message_warning(const char *format, ...);

/** message_hint - "hint: FORMAT", on the line after an error or a warning */
__attribute__((format(printf, 1, 2))) void message_hint(const char *format, ...);

/**
 * message_usage - an error, then "Try 'migratectl COMMAND --help'"
 * @command: NULL: outside any command
 * Return: STATUS_USAGE.
 */
__attribute__((format(printf, 2, 3))) int message_usage(const char *command,
							const char *format, ...);

/** message_try - only the second line of message_usage(). Return: STATUS_USAGE. */
int message_try(const char *command);

/**
 * message_failure - "migratectl: FORMAT: TEXT" and, where a remedy is known, a hint
 * @error: a negative errno of libmigrate or of a system call
 * Return: the exit status that the error stands for.
 */
__attribute__((format(printf, 3, 4))) int
message_failure(enum message_subject subject, int error, const char *format, ...);

#endif
