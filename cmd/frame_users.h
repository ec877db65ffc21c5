/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes have a page frame mapped, as far as they are worth a mention. */
#ifndef MIGRATECTL_FRAME_USERS_H
#define MIGRATECTL_FRAME_USERS_H

#include <libmigrate.h>

#include "json.h"

/** Of the processes that have a frame mapped, how many are kept. */
#define FRAME_MOST_USERS 16

struct frame_user {
	pid_t pid;
	uint64_t address;
	char *command;
	char *mapping;
};

struct frame_users {
	struct frame_user *users; /**< NULL: there is none */
	size_t nr;                /**< in @users */
	uint64_t nr_maps;         /**< how often it is mapped */
};

/** frame_users_add - count one, and keep it if it is among the first. Errors: -ENOMEM. */
int frame_users_add(struct frame_users *users, const struct mig_frame_user *user);

/** frame_users_done - zeroed ones are allowed. */
void frame_users_done(struct frame_users *users);

/** frame_users_write - "maps", a number, and "users", an array, into the open object. */
void frame_users_write(const struct frame_users *users, struct json *json);

/** frame_content_may_be_mapped - whether processes may have such frames mapped. */
bool frame_content_may_be_mapped(enum mig_content content);

#endif
