/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup_search.h"

#include <errno.h>
#include <string.h>

#include "cgroup_tree.h"
#include "cleanup.h"

struct search {
	/** @parents: of the path what lies before @name, @length bytes. */
	bool (*matches)(const char *wanted, const char *parents, size_t length,
			const char *name);
	bool (*is_behind)(const char *parents, size_t length);
	const char *wanted;
	const char *root; /**< of the mount that is looked through */
	unsigned int hierarchy;
	struct mig_cgroup_spot best;
	bool best_is_behind;
	bool is_unique;
};

char *mig_cgroup_path_join(const char *root, const char *path)
{
	char *joined;

	if (!strcmp(root, "/"))
		return strdup(path);
	if (!strcmp(path, "/"))
		return strdup(root);
	return asprintf(&joined, "%s%s", root, path) < 0 ? NULL : joined;
}

static bool ends_in(const char *text, size_t length, const char *end)
{
	size_t end_length = strlen(end);

	return length > end_length &&
	       !memcmp(text + length - end_length, end, end_length);
}

bool mig_cgroup_is_unit_name(const char *name)
{
	static const char *const suffixes[] = { ".service", ".slice", ".scope",
						".socket",  ".mount", ".swap" };

	if (strchr(name, '/'))
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (ends_in(name, strlen(name), suffixes[i]))
			return true;
	return false;
}

static void keep(struct search *search, char **path, bool is_behind)
{
	free(search->best.path);
	search->best.path = STEAL(*path);
	search->best.hierarchy = search->hierarchy;
	search->best_is_behind = is_behind;
	search->is_unique = true;
}

static int look_at(void *data, const char *below, int fd)
{
	struct search *search = data;
	CLEANUP_FREE char *path = NULL, *absolute = NULL;
	const char *name;
	size_t length;
	bool is_behind;

	(void)fd;
	if (!*below)
		return 0;
	if (asprintf(&absolute, "/%s", below) < 0) {
		absolute = NULL;
		return -ENOMEM;
	}
	path = mig_cgroup_path_join(search->root, absolute);
	if (!path)
		return -ENOMEM;
	name = strrchr(path, '/') + 1;
	length = (size_t)(name - path);
	if (!search->matches(search->wanted, path, length, name))
		return 0;
	is_behind = search->is_behind(path, length);
	if (!search->best.path || (search->best_is_behind && !is_behind))
		keep(search, &path, is_behind);
	else if (is_behind == search->best_is_behind && strcmp(path, search->best.path))
		search->is_unique = false;
	return 0;
}

/* One that is in several hierarchies is one. */
static int run(const struct mig_cgroup_mounts *mounts, struct search *search,
	       struct mig_cgroup_spot *ret_spot)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < MIG_NR_HIERARCHIES; i++) {
		if (!mounts->of[i])
			continue;
		search->hierarchy = i;
		search->root = mounts->of[i]->root;
		r = mig_cgroup_tree_visit(mounts->of[i]->fd, look_at, search);
	}
	if (!r && !search->best.path)
		r = -ENOENT;
	if (!r && !search->is_unique)
		r = -ENOTUNIQ;
	if (r < 0)
		free(search->best.path);
	else
		*ret_spot = search->best;
	return r;
}

/* systemd puts a '_' before names that the kernel could take for files of its own. */
static bool is_unit(const char *wanted, const char *parents, size_t length,
		    const char *name)
{
	(void)parents;
	(void)length;
	return !strcmp(name, wanted) || (*name == '_' && !strcmp(name + 1, wanted));
}

/* Whether a manager of its own runs there: one of a user, or in a container. */
static bool is_of_another_manager(const char *parents, size_t length)
{
	while (length > 1) {
		size_t end = length - 1;

		if (ends_in(parents, end, ".service") || ends_in(parents, end, ".scope"))
			return true;
		for (length = end; parents[length - 1] != '/'; length--)
			;
	}
	return false;
}

int mig_cgroup_search_unit(const struct mig_cgroup_mounts *mounts, const char *name,
			   struct mig_cgroup_spot *ret_spot)
{
	struct search search = {
		.matches = is_unit,
		.is_behind = is_of_another_manager,
		.wanted = name,
	};

	return run(mounts, &search, ret_spot);
}

static int hex_value(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return -1;
}

/* The next character of a name that systemd has escaped. */
static char take_escaped(const char **name)
{
	const char *at = *name;

	if (at[0] == '\\' && at[1] == 'x' && hex_value(at[2]) >= 0 &&
	    hex_value(at[3]) >= 0) {
		*name += 4;
		return (char)(hex_value(at[2]) << 4 | hex_value(at[3]));
	}
	*name += 1;
	return at[0] == '-' ? '/' : at[0];
}

/* "pbspro-12.server.slice" */
static bool is_pbs_slice(const char *wanted, const char *name)
{
	const char *at = strchr(name, '-');
	size_t length = strlen(name);
	const char *end;

	if (!at || strncmp(name, "pbs", 3) != 0 || !ends_in(name, length, ".slice"))
		return false;
	end = name + length - strlen(".slice");
	at++;
	while (*wanted && at < end)
		if (take_escaped(&at) != *wanted++)
			return false;
	return !*wanted && (at == end || (at < end && *at == '.'));
}

static bool is_pbs_job(const char *wanted, const char *name)
{
	size_t length = strlen(wanted);

	if (!strncmp(name, wanted, length) && (!name[length] || name[length] == '.'))
		return true;
	return is_pbs_slice(wanted, name);
}

static bool is_job(const char *wanted, const char *parents, size_t length,
		   const char *name)
{
	if (memmem(parents, length, "slurm", 5) && !strncmp(name, "job_", 4) &&
	    !strcmp(name + 4, wanted))
		return true;
	return memmem(parents, length, "pbs", 3) && is_pbs_job(wanted, name);
}

static bool is_never_behind(const char *parents, size_t length)
{
	(void)parents;
	(void)length;
	return false;
}

int mig_cgroup_search_job(const struct mig_cgroup_mounts *mounts, const char *id,
			  struct mig_cgroup_spot *ret_spot)
{
	struct search search = {
		.matches = is_job,
		.is_behind = is_never_behind,
		.wanted = id,
	};

	if (!*id || strchr(id, '/'))
		return -EINVAL;
	return run(mounts, &search, ret_spot);
}
