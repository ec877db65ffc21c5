/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frame_users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int frame_users_add(struct frame_users *users, const struct mig_frame_user *user)
{
	struct frame_user *kept;

	users->nr_maps++;
	if (users->nr == FRAME_MOST_USERS)
		return 0;
	if (!users->users)
		users->users = calloc(FRAME_MOST_USERS, sizeof(*users->users));
	if (!users->users)
		return -ENOMEM;
	kept = &users->users[users->nr++];
	*kept = (struct frame_user){
		.pid = mig_process_get_pid(user->process),
		.address = user->address,
		.command = strdup(mig_process_get_name(user->process)),
		.mapping = strdup(user->mapping->name),
	};
	return kept->command && kept->mapping ? 0 : -ENOMEM;
}

void frame_users_done(struct frame_users *users)
{
	for (size_t i = 0; i < users->nr; i++) {
		free(users->users[i].command);
		free(users->users[i].mapping);
	}
	free(users->users);
	*users = (struct frame_users){ 0 };
}

void frame_users_write(const struct frame_users *users, struct json *json)
{
	json_put_number(json, "maps", users->nr_maps);
	json_open_array(json, "users");
	for (size_t i = 0; i < users->nr; i++) {
		const struct frame_user *user = &users->users[i];

		json_open_object(json, NULL);
		json_put_number(json, "pid", (uint64_t)user->pid);
		json_put_text(json, "command", user->command);
		json_put_number(json, "at", user->address);
		json_put_text(json, "mapping", user->mapping);
		json_close_object(json);
	}
	json_close_array(json);
}

bool frame_content_may_be_mapped(enum mig_content content)
{
	return mig_content_is_movable(content) && content != MIG_CONTENT_FILE_UNMAPPED;
}
