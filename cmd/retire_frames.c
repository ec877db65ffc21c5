/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies in page frames, who has them mapped, and taking them out of use. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "retire.h"
#include "stop_signal.h"

static int compare_frames(const void *a, const void *b)
{
	const struct retire_frame *x = a, *y = b;

	return (x->frame > y->frame) - (x->frame < y->frame);
}

/* In ascending order, each once. */
static void sort(struct retire *retire)
{
	size_t nr = 0;

	qsort(retire->frames, retire->nr_frames, sizeof(*retire->frames), compare_frames);
	for (size_t i = 0; i < retire->nr_frames; i++)
		if (!nr || retire->frames[i].frame != retire->frames[nr - 1].frame)
			retire->frames[nr++] = retire->frames[i];
	retire->nr_frames = nr;
}

static int look(struct retire *retire)
{
	for (size_t i = 0; i < retire->nr_frames; i++) {
		struct retire_frame *frame = &retire->frames[i];
		int r = mig_frame_look(retire->machine.topology, frame->frame,
				       &frame->content, &frame->node);

		if (r < 0)
			return message_failure(SUBJECT_RETIRE, r,
					       "cannot look at page frames");
	}
	return STATUS_OK;
}

/* ---- users ---- */

static int note_user(void *data, const struct mig_frame_user *user)
{
	struct retire *retire = data;
	const struct retire_frame key = { .frame = user->frame };
	struct retire_frame *frame = bsearch(&key, retire->frames, retire->nr_frames,
					     sizeof(key), compare_frames);

	return frame_users_add(&frame->users, user);
}

/* One walk of all page tables for the whole chunk. */
static void find_users(struct retire *retire)
{
	uint64_t mapped[RETIRE_CHUNK];
	size_t nr = 0;
	int r;

	for (size_t i = 0; i < retire->nr_frames; i++)
		if (frame_content_may_be_mapped(retire->frames[i].content))
			mapped[nr++] = retire->frames[i].frame;
	r = mig_frames_visit_users(retire->machine.context, mapped, nr, note_user,
				   retire);
	if (r < 0)
		message_warning("cannot tell all processes that have them mapped: %s",
				strerror(-r));
}

/* ---- retiring ---- */

static void refuse(struct retire_frame *frame, const char *reason, int error)
{
	frame->result = RETIRE_REFUSED;
	frame->reason = reason;
	frame->error = error;
}

/* Of these it is certain beforehand; of others the kernel knows more than its flags. */
static bool is_refused(enum mig_content content)
{
	return content == MIG_CONTENT_ABSENT || content == MIG_CONTENT_RESERVED ||
	       content == MIG_CONTENT_SLAB || content == MIG_CONTENT_PAGE_TABLE;
}

static const char *reason_of(int error)
{
	switch (error) {
	case -EBUSY:
		return "busy";
	case -EIO:
		return "kernel";
	case -ENXIO:
		return "absent";
	default:
		return "error";
	}
}

static int retire_one(struct retire *retire, struct retire_frame *frame)
{
	struct mig_retirement done;
	int r = mig_frame_retire(retire->machine.topology, frame->frame, &done);

	if (r == -ENXIO) {
		refuse(frame, reason_of(r), r);
		return STATUS_OK;
	}
	if (r < 0)
		return message_failure(SUBJECT_RETIRE, r, "cannot retire page frames");
	if (done.error == -EBUSY && (frame->content == MIG_CONTENT_FILE_MAPPED ||
				     frame->content == MIG_CONTENT_FILE_UNMAPPED))
		retire->has_busy_file = true;
	if (done.error)
		refuse(frame, reason_of(done.error), done.error);
	else
		frame->result = done.was_poisoned ? RETIRE_ALREADY : RETIRE_RETIRED;
	return STATUS_OK;
}

static int settle(struct retire *retire, struct retire_frame *frame)
{
	if (frame->content == MIG_CONTENT_POISONED)
		frame->result = RETIRE_ALREADY;
	else if (is_refused(frame->content))
		refuse(frame, mig_content_get_name(frame->content), 0);
	else if (retire->only_looks)
		frame->result = RETIRE_COULD;
	else
		return retire_one(retire, frame);
	return STATUS_OK;
}

/* Those from @first on were not come to. */
static void cut(struct retire *retire, size_t first)
{
	for (size_t i = first; i < retire->nr_frames; i++)
		frame_users_done(&retire->frames[i].users);
	retire->nr_frames = first;
}

int retire_frames(struct retire *retire)
{
	int status;

	sort(retire);
	status = look(retire);
	if (status)
		return status;
	find_users(retire);
	for (size_t i = 0; i < retire->nr_frames; i++) {
		retire->stopped = stop_signal_get();
		if (!retire->stopped)
			status = settle(retire, &retire->frames[i]);
		if (status || retire->stopped) {
			cut(retire, i);
			break;
		}
		retire->counts[retire->frames[i].result]++;
	}
	return status;
}

void retire_frames_done(struct retire *retire)
{
	cut(retire, 0);
}
