/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for libFuzzer where the compiler has none: gives every file of the
 * directories on the command line to the target, once.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

/* A buffer of exactly the file's size: reading past its end is then noticed. */
static int replay(const char *path)
{
	FILE *stream = fopen(path, "re");
	struct stat status;
	uint8_t *data;
	size_t size;

	if (!stream || fstat(fileno(stream), &status)) {
		fprintf(stderr, "cannot open '%s': %s\n", path, strerror(errno));
		if (stream)
			fclose(stream);
		return -1;
	}
	size = (size_t)status.st_size;
	data = malloc(size ? size : 1);
	if (!data || fread(data, 1, size, stream) != size) {
		fprintf(stderr, "cannot read '%s'\n", path);
		free(data);
		fclose(stream);
		return -1;
	}
	fclose(stream);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int replay_directory(const char *path, unsigned int *count)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int r = 0;

	if (!directory) {
		fprintf(stderr, "cannot open '%s': %s\n", path, strerror(errno));
		return -1;
	}
	while (!r && (entry = readdir(directory))) {
		char file[PATH_MAX];

		if (*entry->d_name == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		r = replay(file);
		(*count)++;
	}
	closedir(directory);
	return r;
}

int main(int argc, char *argv[])
{
	unsigned int count = 0;

	for (int i = 1; i < argc; i++)
		if (replay_directory(argv[i], &count))
			return 1;
	printf("%u inputs\n", count);
	/* A corpus that has gone astray must not look like success. */
	return count ? 0 : 1;
}
