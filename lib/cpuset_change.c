/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cgroup.h"
#include "cleanup.h"
#include "guardian.h"
#include "nodelist.h"
#include "text.h"

#define FIRST_READ_BYTES 4096
#define MOST_READ_BYTES (1 << 20)

#define MEMS "cpuset.mems"
#define CPUS "cpuset.cpus"
#define EFFECTIVE_MEMS MEMS ".effective"
#define EFFECTIVE_CPUS CPUS ".effective"
#define MIGRATE "cpuset.memory_migrate"
#define CONTROL "cgroup.subtree_control"

struct mig_cpuset_change {
	const struct mig_cgroup *cgroup;
	struct mig_guardian *guardian; /**< undoes it if we die before it is ended */
	bool is_v1;
	/* As they were; NULL: not touched. */
	char *mems;
	char *cpus;
	char *migrate;
	bool *enabled; /**< in the ancestor that is so many above, from 1 */
	size_t depth;  /**< how many ancestors there are */
};

static int read_file(const struct mig_cpuset_change *change, const char *name,
		     char **ret_text)
{
	ssize_t length = -EFBIG;

	for (size_t size = FIRST_READ_BYTES; size <= MOST_READ_BYTES && length == -EFBIG;
	     size *= 2) {
		CLEANUP_FREE char *text = malloc(size);

		if (!text)
			return -ENOMEM;
		length = mig_cgroup_read_file(change->cgroup, MIG_CONTROLLER_CPUSET, name,
					      text, size);
		if (length >= 0)
			*ret_text = STEAL(text);
	}
	return length < 0 ? (int)length : 0;
}

/* An empty one is a line without anything; a write of no byte at all may do nothing. */
static int write_file(const struct mig_cpuset_change *change, const char *name,
		      const char *text)
{
	return mig_cgroup_write_file(change->cgroup, MIG_CONTROLLER_CPUSET, name,
				     *text ? text : "\n");
}

/* v1 says -EACCES also where it is the parent that does not have what is wanted. */
static bool may_write(const struct mig_cpuset_change *change, const char *name)
{
	int directory = change->cgroup->places[MIG_CONTROLLER_CPUSET].fd;

	return !faccessat(directory, name, W_OK, AT_EACCESS);
}

/* @ret_before: for the undoing; the caller frees it. */
static int set_file(const struct mig_cpuset_change *change, const char *name,
		    const char *text, char **ret_before)
{
	CLEANUP_FREE char *before = NULL;
	int r = read_file(change, name, &before);

	if (r < 0)
		return r;
	r = write_file(change, name, text);
	if (!r)
		*ret_before = STEAL(before);
	return r == -EACCES && change->is_v1 && may_write(change, name) ? -EINVAL : r;
}

/* ---- The controller of cgroup v2, which each ancestor passes on or does not. ---- */

static size_t count_ancestors(const char *path)
{
	size_t nr = 0;

	for (; *path; path++)
		nr += path[0] == '/' && path[1] && path[1] != '/';
	return nr;
}

/* "../../cgroup.subtree_control"; the caller frees it. */
static char *file_above(size_t up, const char *file)
{
	size_t length = strlen("../") * up;
	char *name = malloc(length + strlen(file) + 1);

	if (!name)
		return NULL;
	for (size_t i = 0; i < length; i++)
		name[i] = "../"[i % 3];
	strcpy(name + length, file);
	return name;
}

static bool has_cpuset(const char *controllers)
{
	struct mig_text text = { .at = controllers, .length = strlen(controllers) };

	mig_text_trim(&text);
	while (text.length) {
		if (mig_text_is(mig_text_take_word(&text), "cpuset"))
			return true;
		mig_text_take_blanks(&text);
	}
	return false;
}

static int enable_in(struct mig_cpuset_change *change, size_t up)
{
	CLEANUP_FREE char *name = file_above(up, CONTROL);
	CLEANUP_FREE char *controllers = NULL;
	int r;

	if (!name)
		return -ENOMEM;
	r = read_file(change, name, &controllers);
	/* Above what is mounted here, as in a container: not ours to decide. */
	if (r == -ENODATA)
		return 0;
	if (r < 0 || has_cpuset(controllers))
		return r;
	r = write_file(change, name, "+cpuset");
	switch (r) {
	case 0:
		change->enabled[up] = true;
		return 0;
	case -EBUSY:      /* it has processes of its own */
	case -EOPNOTSUPP: /* it is a threaded one that may not */
	case -ENOENT:     /* it was not given the controller */
	case -EINVAL:     /* the kernel has none */
		return -ENODATA;
	default:
		return r;
	}
}

static int enable(struct mig_cpuset_change *change)
{
	size_t depth = count_ancestors(change->cgroup->path);
	int r = 0;

	change->enabled = calloc(depth + 1, sizeof(*change->enabled));
	if (!change->enabled)
		return -ENOMEM;
	change->depth = depth;
	for (size_t up = depth; up && !r; up--)
		r = enable_in(change, up);
	return r;
}

static int disable_in(struct mig_cpuset_change *change, size_t up)
{
	CLEANUP_FREE char *name = file_above(up, CONTROL);

	return name ? write_file(change, name, "-cpuset") : -ENOMEM;
}

/* ---- What is written. ---- */

static int read_nodes(const struct mig_cpuset_change *change, const char *name,
		      struct mig_nodeset *ret_nodes)
{
	CLEANUP_FREE char *text = NULL;
	int r = read_file(change, name, &text);

	if (r < 0)
		return r;
	r = mig_nodelist_parse((struct mig_text){ text, strlen(text) }, ret_nodes);
	return r < 0 ? -EBADMSG : 0;
}

static int set_mems(struct mig_cpuset_change *change, const struct mig_nodeset *nodes)
{
	struct mig_nodeset wanted = *nodes, parent;
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int r;

	/* v2 takes of them what the parent has; v1 wants none that it has not. */
	if (change->is_v1) {
		r = read_nodes(change, "../" MEMS, &parent);
		if (r < 0)
			return r;
		mig_nodeset_and(&wanted, &parent);
		if (!mig_nodeset_count(&wanted))
			return -EINVAL;
	}
	size = mig_nodeset_format(&wanted, NULL, 0) + 1;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	mig_nodeset_format(&wanted, text, size);
	return set_file(change, MEMS, text, &change->mems);
}

/* The CPUs of all nodes in one list; the caller frees it. */
static int list_cpus(const struct mig_topology *topology, const struct mig_nodeset *nodes,
		     char **ret_list)
{
	size_t size = 1, length = 0;
	char *list;

	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node))
		size += strlen(mig_topology_get_cpulist(topology, node)) + 1;
	list = calloc(1, size);
	if (!list)
		return -ENOMEM;
	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node)) {
		const char *cpus = mig_topology_get_cpulist(topology, node);

		if (*cpus)
			length += (size_t)sprintf(list + length, "%s%s",
						  length ? "," : "", cpus);
	}
	*ret_list = list;
	return 0;
}

static int set_cpus(struct mig_cpuset_change *change, const struct mig_topology *topology,
		    const struct mig_nodeset *nodes)
{
	CLEANUP_FREE char *list = NULL;
	int r = list_cpus(topology, nodes, &list);

	if (r < 0)
		return r;
	/* An empty list would mean all of the parent's. */
	return *list ? set_file(change, CPUS, list, &change->cpus) : -EINVAL;
}

/* ---- v2 accepts what the parent forbids, and goes on with all that the parent has; and
 * a list that was empty cannot be so again while there are members. So the parent's is
 * looked at before anything is written, and what came of it afterwards. ---- */

static int check_parents_mems(const struct mig_cpuset_change *change,
			      const struct mig_nodeset *nodes)
{
	struct mig_nodeset parent;
	int r = read_nodes(change, "../" EFFECTIVE_MEMS, &parent);

	/* Not to be seen from here. */
	if (r == -ENODATA || r == -EACCES)
		return 0;
	if (r < 0)
		return r;
	mig_nodeset_and(&parent, nodes);
	return mig_nodeset_count(&parent) ? 0 : -EINVAL;
}

static int check_mems(const struct mig_cpuset_change *change,
		      const struct mig_nodeset *nodes)
{
	struct mig_nodeset effective;
	int r = read_nodes(change, EFFECTIVE_MEMS, &effective);

	if (r < 0)
		return r;
	return mig_nodeset_is_subset(&effective, nodes) ? 0 : -EINVAL;
}

struct cpu_check {
	const struct mig_topology *topology;
	const struct mig_nodeset *nodes;
	bool has_wanted;
	bool has_others;
};

static int check_cpu_range(void *data, uint64_t first, uint64_t last)
{
	struct cpu_check *check = data;

	if (last > UINT16_MAX)
		return -ERANGE;
	for (unsigned int cpu = (unsigned int)first; cpu <= last; cpu++) {
		int node = mig_topology_get_node_of_cpu(check->topology, cpu);

		if (mig_nodeset_has(check->nodes, node))
			check->has_wanted = true;
		else
			check->has_others = true;
	}
	return 0;
}

static int read_cpus(const struct mig_cpuset_change *change, const char *name,
		     struct cpu_check *check)
{
	CLEANUP_FREE char *text = NULL;
	int r = read_file(change, name, &text);

	if (r < 0)
		return r;
	r = mig_nodelist_visit((struct mig_text){ text, strlen(text) }, check_cpu_range,
			       check);
	return r < 0 ? -EBADMSG : 0;
}

static int check_parents_cpus(const struct mig_cpuset_change *change,
			      const struct mig_topology *topology,
			      const struct mig_nodeset *nodes)
{
	struct cpu_check check = { .topology = topology, .nodes = nodes };
	int r = read_cpus(change, "../" EFFECTIVE_CPUS, &check);

	if (r == -ENODATA || r == -EACCES)
		return 0;
	if (r < 0)
		return r;
	return check.has_wanted ? 0 : -EINVAL;
}

static int check_cpus(const struct mig_cpuset_change *change,
		      const struct mig_topology *topology,
		      const struct mig_nodeset *nodes)
{
	struct cpu_check check = { .topology = topology, .nodes = nodes };
	int r = read_cpus(change, EFFECTIVE_CPUS, &check);

	if (r < 0)
		return r;
	return check.has_others ? -EINVAL : 0;
}

/* ---- What is undone if the caller dies meanwhile. ---- */

/* Owned by the list, as long as it is filled. */
struct undoing {
	struct mig_guardian_write writes[MIG_GUARDIAN_MOST_WRITES];
	char *texts[2 * MIG_GUARDIAN_MOST_WRITES];
	size_t nr;
	size_t nr_texts;
};

static void cleanup_undoing(struct undoing *undoing)
{
	for (size_t i = 0; i < undoing->nr_texts; i++)
		free(undoing->texts[i]);
}

/* Takes both over. Deeper than any hierarchy goes it is not watched over. */
static int add_undo(const struct mig_cpuset_change *change, struct undoing *undoing,
		    char *name, char *text)
{
	undoing->texts[undoing->nr_texts++] = name;
	undoing->texts[undoing->nr_texts++] = text;
	if (!name || !text)
		return -ENOMEM;
	undoing->writes[undoing->nr++] = (struct mig_guardian_write){
		.dir_fd = change->cgroup->places[MIG_CONTROLLER_CPUSET].fd,
		.name = name,
		.text = *text ? text : "\n",
	};
	return undoing->nr < MIG_GUARDIAN_MOST_WRITES ? 0 : -E2BIG;
}

/* All that may be seen of what is above; NULL: nothing. */
static char *read_all_above(const struct mig_cpuset_change *change, const char *effective)
{
	char *all = NULL;

	for (size_t up = count_ancestors(change->cgroup->path); up && !all; up--) {
		CLEANUP_FREE char *above = file_above(up, effective);

		if (!above || read_file(change, above, &all) < 0)
			all = NULL;
	}
	return all;
}

/* A list of v2 that was empty may not become so again, see restore_list(). */
static int undo_list(const struct mig_cpuset_change *change, struct undoing *undoing,
		     const char *name, const char *effective)
{
	char *before, *all = NULL;
	int r = read_file(change, name, &before);

	if (r < 0)
		return r;
	if (!change->is_v1 && (!*before || *before == '\n'))
		all = read_all_above(change, effective);
	if (all)
		r = add_undo(change, undoing, strdup(name), all);
	if (r < 0) {
		free(before);
		return r;
	}
	return add_undo(change, undoing, strdup(name), before);
}

/* Those that do not pass the controller on, from below. */
static int undo_enabling(const struct mig_cpuset_change *change, struct undoing *undoing)
{
	size_t depth = count_ancestors(change->cgroup->path);
	int r = 0;

	for (size_t up = 1; up <= depth && !r; up++) {
		CLEANUP_FREE char *name = file_above(up, CONTROL);
		CLEANUP_FREE char *controllers = NULL;

		r = name ? read_file(change, name, &controllers) : -ENOMEM;
		if (!r && !has_cpuset(controllers))
			r = add_undo(change, undoing, STEAL(name), strdup("-cpuset"));
		else if (r == -ENODATA)
			r = 0;
	}
	return r;
}

static int guard(struct mig_cpuset_change *change, unsigned int flags)
{
	CLEANUP(cleanup_undoing) struct undoing undoing = { 0 };
	int r = undo_list(change, &undoing, MEMS, EFFECTIVE_MEMS);

	if (r == -ENODATA && !change->is_v1)
		r = undo_enabling(change, &undoing);
	else if (!r && flags & MIG_CPUSET_CPUS)
		r = undo_list(change, &undoing, CPUS, EFFECTIVE_CPUS);
	if (!r && change->is_v1)
		r = undo_list(change, &undoing, MIGRATE, MIGRATE);
	return r < 0 ? r
		     : mig_guardian_new(undoing.writes, undoing.nr, &change->guardian);
}

/* ---- Together. ---- */

static int prepare(struct mig_cpuset_change *change)
{
	CLEANUP_FREE char *mems = NULL;
	int r = read_file(change, MEMS, &mems);

	if (change->is_v1)
		return r < 0 ? r : set_file(change, MIGRATE, "1", &change->migrate);
	return r == -ENODATA ? enable(change) : r;
}

static int apply(struct mig_cpuset_change *change, const struct mig_topology *topology,
		 const struct mig_nodeset *nodes, unsigned int flags)
{
	bool with_cpus = flags & MIG_CPUSET_CPUS;
	int r = guard(change, flags);

	if (!r)
		r = prepare(change);
	if (!r && !change->is_v1)
		r = check_parents_mems(change, nodes);
	if (!r && with_cpus && !change->is_v1)
		r = check_parents_cpus(change, topology, nodes);
	if (!r && with_cpus)
		r = set_cpus(change, topology, nodes);
	if (!r)
		r = set_mems(change, nodes);
	if (!r && !change->is_v1)
		r = check_mems(change, nodes);
	if (!r && with_cpus && !change->is_v1)
		r = check_cpus(change, topology, nodes);
	return r;
}

int mig_cpuset_bind(const struct mig_cgroup *cgroup, const struct mig_topology *topology,
		    const struct mig_nodeset *nodes, unsigned int flags,
		    struct mig_cpuset_change **ret_change)
{
	struct mig_cpuset_change *change;
	int r;

	if (!cgroup || !topology || !mig_nodeset_count(nodes) || !ret_change ||
	    flags & ~MIG_CPUSET_CPUS)
		return -EINVAL;
	if (!cgroup->context->live)
		return -EXDEV;
	change = calloc(1, sizeof(*change));
	if (!change)
		return -ENOMEM;
	change->cgroup = cgroup;
	change->is_v1 = cgroup->places[MIG_CONTROLLER_CPUSET].is_v1;
	r = apply(change, topology, nodes, flags);
	if (r < 0) {
		mig_cpuset_undo(change);
		return r;
	}
	*ret_change = change;
	return 0;
}

static void free_change(struct mig_cpuset_change *change)
{
	mig_guardian_free(change->guardian);
	free(change->mems);
	free(change->cpus);
	free(change->migrate);
	free(change->enabled);
	free(change);
}

/* A cgroup that is gone needs nothing any more. */
static void note(int *first_error, int r)
{
	if (!*first_error && r != -ENODEV)
		*first_error = r;
}

static void restore(const struct mig_cpuset_change *change, const char *name,
		    const char *before, int *first_error)
{
	if (before)
		note(first_error, write_file(change, name, before));
}

/* All that the machine has: what counts is what the parent has of it, as with an empty
 * list. Of what is above, that may not be seen from here which is farthest. */
static void write_all(const struct mig_cpuset_change *change, const char *effective,
		      const char *name)
{
	size_t depth = count_ancestors(change->cgroup->path);
	int r = -ENODATA;

	for (size_t up = depth; up && r == -ENODATA; up--) {
		CLEANUP_FREE char *above = file_above(up, effective);
		CLEANUP_FREE char *all = NULL;

		r = above ? read_file(change, above, &all) : -ENOMEM;
		if (!r)
			r = write_file(change, name, all);
	}
	if (r < 0)
		mig_log(change->cgroup->context, MIG_LOG_WARNING,
			"cannot restore %s: errno %d", name, -r);
}

/* The kernel empties no list of a cgroup that has members. */
static void restore_list(const struct mig_cpuset_change *change, const char *name,
			 const char *effective, const char *before, int *first_error)
{
	int r = before ? write_file(change, name, before) : 0;

	if (r == -ENOSPC && !change->is_v1)
		write_all(change, effective, name);
	note(first_error, r);
}

void mig_cpuset_keep(struct mig_cpuset_change *change)
{
	int r = 0;

	if (!change)
		return;
	restore(change, MIGRATE, change->migrate, &r);
	if (r < 0)
		mig_log(change->cgroup->context, MIG_LOG_WARNING,
			"cannot restore " MIGRATE ": errno %d", -r);
	free_change(change);
}

int mig_cpuset_undo(struct mig_cpuset_change *change)
{
	int r = 0;

	if (!change)
		return 0;
	restore_list(change, MEMS, EFFECTIVE_MEMS, change->mems, &r);
	restore_list(change, CPUS, EFFECTIVE_CPUS, change->cpus, &r);
	restore(change, MIGRATE, change->migrate, &r);
	for (size_t up = 1; up <= change->depth; up++)
		if (change->enabled[up])
			note(&r, disable_in(change, up));
	free_change(change);
	return r;
}
