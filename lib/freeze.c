/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "cgroup.h"
#include "cleanup.h"
#include "guardian.h"
#include "text.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
/* Not every kernel wakes who waits for news of a cgroup that is removed. */
#define MOST_WAIT_MS UINT64_C(100)
#define V1_WAIT_MS UINT64_C(5)

/* The files by which the two freezers are driven. */
struct freezer {
	const char *
		own; /**< "1": this cgroup itself is to be frozen, whatever those above */
	const char *lever; /**< what is written to */
	const char *freeze;
	const char *thaw;
	const char *state;  /**< what is looked at */
	const char *frozen; /**< a line of it */
};

static const struct freezer freezer_v1 = {
	.own = "freezer.self_freezing",
	.lever = "freezer.state",
	.freeze = "FROZEN",
	.thaw = "THAWED",
	.state = "freezer.state",
	.frozen = "FROZEN",
};

static const struct freezer freezer_v2 = {
	.own = "cgroup.freeze",
	.lever = "cgroup.freeze",
	.freeze = "1",
	.thaw = "0",
	.state = "cgroup.events",
	.frozen = "frozen 1",
};

struct mig_freeze {
	const struct mig_cgroup *cgroup;
	const struct freezer *freezer;
	struct mig_guardian *guardian; /**< NULL: it was frozen before */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static int pull(const struct mig_freeze *freeze, const char *text)
{
	return mig_cgroup_write_file(freeze->cgroup, MIG_CONTROLLER_FREEZER,
				     freeze->freezer->lever, text);
}

/* Whether it was told to freeze by itself: a cgroup that only stands still because one
 * above it does is frozen and thawed as any other, and goes on standing still. */
static int was_frozen(const struct mig_freeze *freeze)
{
	char text[16];
	ssize_t length = mig_cgroup_read_file(freeze->cgroup, MIG_CONTROLLER_FREEZER,
					      freeze->freezer->own, text, sizeof(text));

	if (length < 0)
		return (int)length;
	if (text[0] != '0' && text[0] != '1')
		return -EBADMSG;
	return text[0] == '1';
}

static int is_caller(void *data, pid_t pid)
{
	(void)data;
	return pid == getpid() ? -EDEADLK : 0;
}

/* A caller who is frozen thaws nothing, and neither does its child. On v1 the freezer
 * may have other members than the hierarchy that counts. */
static int refuse_caller(const struct mig_cgroup *cgroup)
{
	struct mig_cgroup frozen = *cgroup;

	frozen.fd = cgroup->places[MIG_CONTROLLER_FREEZER].fd;
	frozen.is_v1 = cgroup->places[MIG_CONTROLLER_FREEZER].is_v1;
	return mig_cgroup_visit_members(&frozen, is_caller, NULL, NULL);
}

static int is_still(const struct mig_freeze *freeze, int fd)
{
	char buffer[256];
	ssize_t length = pread(fd, buffer, sizeof(buffer), 0);
	struct mig_text text = { .at = buffer, .length = (size_t)length };

	if (length < 0)
		return -errno;
	while (text.length) {
		struct mig_text line = mig_text_take_line(&text);

		if (mig_text_is(line, freeze->freezer->frozen))
			return 1;
	}
	return 0;
}

/* Until there may be news. */
static int wait_a_moment(const struct mig_freeze *freeze, int fd, uint64_t left_ns)
{
	const struct freezer *freezer = freeze->freezer;
	uint64_t most_ms = freezer == &freezer_v1 ? V1_WAIT_MS : MOST_WAIT_MS;
	struct pollfd news = { .fd = fd, .events = POLLPRI };
	uint64_t left_ms = left_ns / NS_PER_MS + 1;

	/* v1 tells no news, and may need to be told again for tasks that came late. */
	if (freezer == &freezer_v1)
		news.fd = -1;
	if (poll(&news, 1, (int)(left_ms < most_ms ? left_ms : most_ms)) < 0 &&
	    errno != EINTR)
		return -errno;
	return freezer == &freezer_v1 && freeze->guardian ? pull(freeze, freezer->freeze)
							  : 0;
}

static int wait_until_still(const struct mig_freeze *freeze, uint64_t timeout_ns)
{
	CLEANUP_CLOSE int fd = mig_cgroup_open_file(
		freeze->cgroup, MIG_CONTROLLER_FREEZER, freeze->freezer->state, O_RDONLY);
	uint64_t start = now_ns(), waited;
	int r;

	if (fd < 0)
		return fd;
	for (;;) {
		r = is_still(freeze, fd);
		if (r)
			return r < 0 ? r : 0;
		waited = now_ns() - start;
		if (waited >= timeout_ns)
			return -ETIMEDOUT;
		r = wait_a_moment(freeze, fd, timeout_ns - waited);
		if (r < 0)
			return r;
	}
}

/* Whoever watches comes first: at no moment would a death leave it frozen. */
static int freeze_it(struct mig_freeze *freeze)
{
	const struct mig_guardian_write thaw = {
		.dir_fd = freeze->cgroup->places[MIG_CONTROLLER_FREEZER].fd,
		.name = freeze->freezer->lever,
		.text = freeze->freezer->thaw,
	};
	int r = refuse_caller(freeze->cgroup);

	if (r < 0)
		return r;
	r = mig_guardian_new(&thaw, 1, &freeze->guardian);
	return r < 0 ? r : pull(freeze, freeze->freezer->freeze);
}

int mig_freeze_begin(const struct mig_cgroup *cgroup, uint64_t timeout_ns,
		     struct mig_freeze **ret_freeze)
{
	struct mig_freeze *freeze;
	int r;

	if (!cgroup || !ret_freeze)
		return -EINVAL;
	if (!cgroup->context->live)
		return -EXDEV;
	freeze = calloc(1, sizeof(*freeze));
	if (!freeze)
		return -ENOMEM;
	freeze->cgroup = cgroup;
	freeze->freezer =
		cgroup->places[MIG_CONTROLLER_FREEZER].is_v1 ? &freezer_v1 : &freezer_v2;
	r = was_frozen(freeze);
	if (!r)
		r = freeze_it(freeze);
	if (r >= 0)
		r = wait_until_still(freeze, timeout_ns);
	if (r < 0) {
		mig_freeze_end(freeze);
		return r;
	}
	*ret_freeze = freeze;
	return 0;
}

int mig_freeze_end(struct mig_freeze *freeze)
{
	int r = 0;

	if (!freeze)
		return 0;
	if (freeze->guardian) {
		r = pull(freeze, freeze->freezer->thaw);
		/* It has a descriptor left where the caller may not. */
		if (r < 0 && r != -ENODEV)
			r = mig_guardian_undo(freeze->guardian);
		else
			mig_guardian_free(freeze->guardian);
	}
	free(freeze);
	return r == -ENODEV ? 0 : r;
}
