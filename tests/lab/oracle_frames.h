/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells of a page frame: its node, its flags, how often it is mapped. */
#ifndef ORACLE_FRAMES_H
#define ORACLE_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct oracle_frames;

/** Bits of /proc/kpageflags, as in include/uapi/linux/kernel-page-flags.h. */
#define KPF_BIT(number) (UINT64_C(1) << (number))
#define KPF_REFERENCED KPF_BIT(2)
#define KPF_DIRTY KPF_BIT(4)
#define KPF_ACTIVE KPF_BIT(6)
#define KPF_WRITEBACK KPF_BIT(8)
#define KPF_COMPOUND_HEAD KPF_BIT(15)
#define KPF_COMPOUND_TAIL KPF_BIT(16)
#define KPF_HUGE KPF_BIT(17)
#define KPF_THP KPF_BIT(22)
#define KPF_ZERO_PAGE KPF_BIT(24)

/** oracle_frames_open - as the memory blocks are now: they come and go. */
int oracle_frames_open(struct oracle_frames **ret_frames);

/** oracle_frames_close - @frames may be NULL. */
void oracle_frames_close(struct oracle_frames *frames);

/** oracle_frames_node - -1 if no node has it. */
int oracle_frames_node(const struct oracle_frames *frames, uint64_t frame);

/** oracle_frames_read - flags and number of mappings of consecutive frames. */
int oracle_frames_read(const struct oracle_frames *frames, uint64_t first, size_t nr,
		       uint64_t *ret_flags, uint64_t *ret_mappings);

#endif
