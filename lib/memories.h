/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memories of processes, each once. Asking the kernel whether two processes share
 * their memory is only needed where a mark of it says that they may.
 */
#ifndef MIG_MEMORIES_H
#define MIG_MEMORIES_H

#include <stdbool.h>

#include "calls.h"
#include "process.h"

struct mig_memory {
	/** Something that processes with one memory have in common, and others hardly
	 *  ever, as where in it something lies. */
	uint64_t mark;
	pid_t tid; /**< a thread that has it */
	/** That thread's, if it is held: only then its number is known to mean it. */
	const struct mig_process *process;
};

struct mig_memories {
	struct mig_memory *memories; /**< by mark, then in the order that kcmp(2) gives */
	size_t count;
	size_t capacity;
};

/** mig_memories_done - a zeroed one is allowed. */
void mig_memories_done(struct mig_memories *memories);

/**
 * mig_memories_add - add one, unless it is among them
 * @added: copied
 *
 * Those that can no longer be compared (dead, or no longer ours to ask about) leave as
 * they are met. One that has called execve(2), or whose number is somebody else's by
 * now, stands in a wrong place; then a shared memory can be missed, and is looked at
 * twice, which costs time and nothing else. It is never found where there is none.
 * Errors: -EEXIST: another has it; -ENOMEM.
 */
int mig_memories_add(struct mig_memories *memories, const struct mig_calls *calls,
		     const struct mig_memory *added);

#endif
