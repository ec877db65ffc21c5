/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup_mounts.h"
#include "cgroup_names.h"
#include "cgroup_search.h"
#include "cgroup_tree.h"
#include "handles.h"
#include "nodelist.h"
#include "procfs.h"

/* A list of all nodes with gaps between them. */
#define LIST_SIZE 8192

/* Another descriptor of the same directory. -1 has none. */
static int duplicate(int fd, int *ret_fd)
{
	int copy = fd;

	if (fd >= 0)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && copy < 0)
		return -errno;
	*ret_fd = copy;
	return 0;
}

static struct mig_cgroup *new_cgroup(struct mig_context *context)
{
	struct mig_cgroup *cgroup = calloc(1, sizeof(*cgroup));

	if (!cgroup)
		return NULL;
	cgroup->context = context;
	cgroup->fd = -1;
	for (size_t i = 0; i < MIG_NR_CONTROLLERS; i++)
		cgroup->places[i].fd = -1;
	return cgroup;
}

/*
 * The directory in each hierarchy; -1: not there. Each is opened once, however many
 * controllers it has, so that it cannot be removed and made again in between.
 */
static int open_all(const struct mig_cgroup_mounts *mounts, const char *path,
		    int fds[MIG_NR_HIERARCHIES])
{
	for (unsigned int i = 0; i < MIG_NR_HIERARCHIES; i++) {
		unsigned int same = 0;
		int fd, r;

		while (mounts->of[same] != mounts->of[i])
			same++;
		if (same < i) {
			r = duplicate(fds[same], &fds[i]);
			if (r < 0)
				return r;
			continue;
		}
		fd = mig_cgroup_mounts_open(mounts, i, path);
		if (fd >= 0)
			fds[i] = fd;
		else if (fd != -ENOENT && fd != -ENOTDIR)
			return fd;
	}
	return 0;
}

static int set_places(struct mig_cgroup *cgroup, const struct mig_cgroup_mounts *mounts,
		      unsigned int hierarchy, const int fds[MIG_NR_HIERARCHIES])
{
	for (unsigned int i = 0; i < MIG_NR_CONTROLLERS; i++) {
		struct mig_cgroup_place *place = &cgroup->places[i];
		unsigned int from = i;
		int r;

		if (!mounts->of[i] || (i == MIG_CONTROLLER_FREEZER && fds[i] < 0))
			from = MIG_HIERARCHY_V2;
		place->is_v1 = from != MIG_HIERARCHY_V2;
		r = duplicate(fds[from], &place->fd);
		if (r < 0)
			return r;
	}
	cgroup->is_v1 = hierarchy != MIG_HIERARCHY_V2;
	return duplicate(fds[hierarchy], &cgroup->fd);
}

static int open_places(struct mig_cgroup *cgroup, const struct mig_cgroup_mounts *mounts,
		       unsigned int hierarchy)
{
	int fds[MIG_NR_HIERARCHIES] = { -1, -1, -1, -1 };
	int r = open_all(mounts, cgroup->path, fds);

	if (!r)
		r = set_places(cgroup, mounts, hierarchy, fds);
	for (size_t i = 0; i < MIG_NR_HIERARCHIES; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	/* Removed since it was found. */
	if (!r && cgroup->fd < 0)
		r = -ENOENT;
	return r;
}

int mig_cgroup_open(struct mig_context *context, const char *name,
		    struct mig_cgroup **ret_cgroup)
{
	CLEANUP(mig_cgroup_mounts_done) struct mig_cgroup_mounts mounts = { 0 };
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;
	struct mig_cgroup_spot spot;
	int r;

	if (!context || !name || !ret_cgroup)
		return -EINVAL;
	r = mig_cgroup_mounts_read(context, &mounts);
	if (r < 0)
		return r;
	r = mig_cgroup_names_find(context, &mounts, name, &spot);
	if (r < 0)
		return r;
	cgroup = new_cgroup(context);
	if (!cgroup) {
		free(spot.path);
		return -ENOMEM;
	}
	cgroup->path = spot.path;
	cgroup->is_root = !strcmp(cgroup->path, "/");
	r = open_places(cgroup, &mounts, spot.hierarchy);
	if (r < 0)
		return r;
	*ret_cgroup = STEAL(cgroup);
	return 0;
}

void mig_cgroup_free(struct mig_cgroup *cgroup)
{
	if (!cgroup)
		return;
	for (size_t i = 0; i < MIG_NR_CONTROLLERS; i++)
		if (cgroup->places[i].fd >= 0)
			close(cgroup->places[i].fd);
	if (cgroup->fd >= 0)
		close(cgroup->fd);
	free(cgroup->path);
	free(cgroup);
}

const char *mig_cgroup_get_path(const struct mig_cgroup *cgroup)
{
	return cgroup ? cgroup->path : "";
}

/* Every cgroup has cgroup.procs; below a directory that was removed nothing is found. */
static bool is_removed(int fd)
{
	return faccessat(fd, "cgroup.procs", F_OK, 0) < 0 &&
	       (errno == ENOENT || errno == ENODEV);
}

bool mig_cgroup_is_removed(const struct mig_cgroup *cgroup)
{
	return is_removed(cgroup->fd);
}

int mig_cgroup_open_file(const struct mig_cgroup *cgroup, enum mig_controller controller,
			 const char *name, int flags)
{
	const struct mig_cgroup_place *place = &cgroup->places[controller];
	int fd;

	if (place->fd < 0)
		return mig_cgroup_is_removed(cgroup) ? -ENODEV : -ENODATA;
	fd = openat(place->fd, name, flags | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return is_removed(place->fd) ? -ENODEV : -ENODATA;
	return fd < 0 ? -errno : fd;
}

ssize_t mig_cgroup_read_file(const struct mig_cgroup *cgroup,
			     enum mig_controller controller, const char *name,
			     char *buffer, size_t size)
{
	CLEANUP_CLOSE int fd = mig_cgroup_open_file(cgroup, controller, name, O_RDONLY);

	return fd < 0 ? fd : mig_procfs_read_fd(fd, buffer, size);
}

int mig_cgroup_write_file(const struct mig_cgroup *cgroup, enum mig_controller controller,
			  const char *name, const char *text)
{
	CLEANUP_CLOSE int fd = mig_cgroup_open_file(cgroup, controller, name, O_WRONLY);
	size_t length = strlen(text);
	ssize_t n;

	if (fd < 0)
		return fd;
	do
		n = write(fd, text, length);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* The kernel takes all of it or nothing. */
	return (size_t)n == length ? 0 : -EIO;
}

static int open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool is_same_directory(int a, int b)
{
	struct stat left, right;

	return !fstat(a, &left) && !fstat(b, &right) && left.st_dev == right.st_dev &&
	       left.st_ino == right.st_ino;
}

/* The place of a child: @parent's directory may be that of another controller too. */
static int open_child_place(const struct mig_cgroup *cgroup,
			    const struct mig_cgroup *child, size_t controller,
			    const char *name, int *ret_fd)
{
	int parent = cgroup->places[controller].fd;
	int fd;

	if (parent < 0)
		return 0;
	if (is_same_directory(parent, cgroup->fd))
		return duplicate(child->fd, ret_fd);
	for (size_t i = 0; i < controller; i++)
		if (child->places[i].fd >= 0 &&
		    is_same_directory(parent, cgroup->places[i].fd))
			return duplicate(child->places[i].fd, ret_fd);
	fd = open_directory(parent, name);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENODEV ? 0 : fd;
	*ret_fd = fd;
	return 0;
}

static int open_child(const struct mig_cgroup *cgroup, const char *name,
		      struct mig_cgroup **ret_child)
{
	CLEANUP_MIG(cgroup) struct mig_cgroup *child = new_cgroup(cgroup->context);
	int r = 0;

	if (!child || asprintf(&child->path, "%s/%s", cgroup->is_root ? "" : cgroup->path,
			       name) < 0) {
		if (child)
			child->path = NULL;
		return -ENOMEM;
	}
	child->is_v1 = cgroup->is_v1;
	child->fd = open_directory(cgroup->fd, name);
	if (child->fd < 0) {
		r = child->fd;
		child->fd = -1;
	}
	for (size_t i = 0; !r && i < MIG_NR_CONTROLLERS; i++) {
		child->places[i].is_v1 = cgroup->places[i].is_v1;
		r = open_child_place(cgroup, child, i, name, &child->places[i].fd);
	}
	if (!r)
		*ret_child = STEAL(child);
	return r;
}

int mig_cgroup_visit_children(const struct mig_cgroup *cgroup,
			      int (*visit)(void *data, struct mig_cgroup *child),
			      void *data)
{
	CLEANUP(mig_names_done) struct mig_names names = { 0 };
	int r;

	if (!cgroup || !visit)
		return -EINVAL;
	r = mig_cgroup_tree_list(cgroup->fd, &names);
	/* One that was removed can be listed, and has nothing in it. */
	if ((!r || r == -ENOENT) && !names.nr && mig_cgroup_is_removed(cgroup))
		return -ENODEV;
	for (size_t i = 0; !r && i < names.nr; i++) {
		CLEANUP_MIG(cgroup) struct mig_cgroup *child = NULL;

		r = open_child(cgroup, names.names[i], &child);
		if (!r)
			r = visit(data, child);
		/* Removed since it was listed. */
		else if (r == -ENOENT || r == -ENODEV)
			r = 0;
	}
	return r;
}

struct inode_walk {
	int (*visit)(void *data, uint64_t inode);
	void *data;
};

static int visit_inode(void *data, const char *path, int fd)
{
	const struct inode_walk *walk = data;
	struct stat status;

	(void)path;
	if (fstat(fd, &status) < 0)
		return -errno;
	return walk->visit(walk->data, status.st_ino);
}

int mig_cgroup_visit_inodes(const struct mig_cgroup *cgroup,
			    int (*visit)(void *data, uint64_t inode), void *data)
{
	struct inode_walk walk = { .visit = visit, .data = data };
	CLEANUP_CLOSE int fd = -1;

	/* Both versions have it where the controller is. */
	fd = mig_cgroup_open_file(cgroup, MIG_CONTROLLER_MEMORY, "memory.stat", O_PATH);
	if (fd < 0)
		return fd;
	return mig_cgroup_tree_visit(cgroup->places[MIG_CONTROLLER_MEMORY].fd,
				     visit_inode, &walk);
}

static int read_nodes(const struct mig_cgroup *cgroup, const char *name,
		      struct mig_nodeset *ret_nodes)
{
	char text[LIST_SIZE];
	ssize_t length = mig_cgroup_read_file(cgroup, MIG_CONTROLLER_CPUSET, name, text,
					      sizeof(text));
	int r;

	if (length < 0)
		return (int)length;
	r = mig_nodelist_parse((struct mig_text){ text, (size_t)length }, ret_nodes);
	if (r < 0) {
		mig_log(cgroup->context, MIG_LOG_WARNING,
			"'%s' of a cgroup does not parse", name);
		return -EBADMSG;
	}
	return 0;
}

int mig_cgroup_read_mems(const struct mig_cgroup *cgroup, struct mig_nodeset *ret_own,
			 struct mig_nodeset *ret_effective)
{
	struct mig_nodeset own = { 0 }, effective = { 0 };
	bool is_v1;
	int r;

	if (!cgroup)
		return -EINVAL;
	is_v1 = cgroup->places[MIG_CONTROLLER_CPUSET].is_v1;
	r = read_nodes(cgroup, is_v1 ? "cpuset.effective_mems" : "cpuset.mems.effective",
		       &effective);
	if (r < 0)
		return r;
	r = read_nodes(cgroup, "cpuset.mems", &own);
	/* The root of v2 has none of its own. */
	if (r < 0 && r != -ENODATA)
		return r;
	if (ret_own)
		*ret_own = own;
	if (ret_effective)
		*ret_effective = effective;
	return 0;
}
