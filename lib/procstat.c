/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procstat.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "nodelist.h"

/* PF_KTHREAD of the kernel's include/linux/sched.h. */
#define FLAG_KERNEL_THREAD 0x00200000

/* Numbers of proc(5), where the state is field 3. */
#define FIELD_PARENT 4
#define FIELD_FLAGS 9
#define FIELD_USER_TIME 14
#define FIELD_SYSTEM_TIME 15
#define FIELD_STACK_START 28
#define FIELD_CPU 39

static int parse_pid(struct mig_text text, pid_t *ret_pid)
{
	uint64_t number;

	if (mig_text_take_number(&text, 10, &number) < 0 || text.length ||
	    number > INT_MAX)
		return -EBADMSG;
	*ret_pid = (pid_t)number;
	return 0;
}

/* The name ends at the last ')': it may hold that character itself. */
static bool take_name(struct mig_text *text, struct mig_text *ret_name)
{
	const char *end;
	uint64_t pid;

	if (mig_text_take_number(text, 10, &pid) < 0 ||
	    !mig_text_take_string(text, " (") || !text->length)
		return false;
	end = memrchr(text->at, ')', text->length);
	if (!end)
		return false;
	ret_name->at = text->at;
	ret_name->length = (size_t)(end - text->at);
	text->at = end + 1;
	text->length -= ret_name->length + 1;
	return true;
}

/* Only fields that are needed are read: some others are negative. */
static int read_field(unsigned int field, struct mig_text word, struct mig_procstat *stat)
{
	uint64_t number;

	if (field == FIELD_PARENT)
		return parse_pid(word, &stat->parent);
	if (field != FIELD_FLAGS && field != FIELD_CPU && field != FIELD_USER_TIME &&
	    field != FIELD_SYSTEM_TIME && field != FIELD_STACK_START)
		return 0;
	if (mig_text_take_number(&word, 10, &number) < 0 || word.length)
		return -EBADMSG;
	if (field == FIELD_USER_TIME || field == FIELD_SYSTEM_TIME)
		stat->ticks += number;
	else if (field == FIELD_STACK_START)
		stat->stack_start = number;
	else if (number > UINT_MAX)
		return -EBADMSG;
	else if (field == FIELD_FLAGS)
		stat->is_kernel_thread = (number & FLAG_KERNEL_THREAD) != 0;
	else
		stat->cpu = (unsigned int)number;
	return 0;
}

int mig_procstat_parse(struct mig_text text, struct mig_procstat *ret_stat)
{
	struct mig_procstat stat = { 0 };
	struct mig_text word;
	int r;

	mig_text_trim(&text);
	if (!take_name(&text, &stat.name) || !mig_text_take_blanks(&text))
		return -EBADMSG;
	word = mig_text_take_word(&text);
	if (word.length != 1)
		return -EBADMSG;
	stat.state = *word.at;
	for (unsigned int field = FIELD_PARENT; field <= FIELD_CPU; field++) {
		if (!mig_text_take_blanks(&text))
			return -EBADMSG;
		r = read_field(field, mig_text_take_word(&text), &stat);
		if (r < 0)
			return r;
	}
	*ret_stat = stat;
	return 0;
}

bool mig_procstat_is_live(const struct mig_procstat *stat)
{
	return stat->state != 'Z' && stat->state != 'X' && stat->state != 'x';
}

int mig_procstatus_parse_group(struct mig_text text, pid_t *ret_pid)
{
	struct mig_text value;
	pid_t pid;

	if (!mig_text_find_field(text, "Tgid", &value))
		return -EBADMSG;
	if (parse_pid(value, &pid) < 0 || pid < 0)
		return -EBADMSG;
	if (!pid)
		return -ESRCH;
	*ret_pid = pid;
	return 0;
}

int mig_procstatus_parse_mems_allowed(struct mig_text text, struct mig_nodeset *ret_nodes)
{
	struct mig_text value;

	if (!mig_text_find_field(text, "Mems_allowed_list", &value)) {
		memset(ret_nodes, 0xff, sizeof(*ret_nodes));
		return 0;
	}
	return mig_nodelist_parse(value, ret_nodes) < 0 ? -EBADMSG : 0;
}
