/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleanup attributes for memory, descriptors and streams. */
#ifndef MIG_CLEANUP_H
#define MIG_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_fclose(FILE *const *stream)
{
	if (*stream)
		fclose(*stream);
}

#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_CLOSE CLEANUP(cleanup_close)
#define CLEANUP_FCLOSE CLEANUP(cleanup_fclose)

/** Defines cleanup_<name>(), which frees a handle with mig_<name>_free(). */
#define DEFINE_CLEANUP(name)                                                    \
	static inline void cleanup_mig_##name(struct mig_##name *const *handle) \
	{                                                                       \
		mig_##name##_free(*handle);                                     \
	}

#define CLEANUP_MIG(name) CLEANUP(cleanup_mig_##name)

/** Hands a cleaned-up pointer to the caller. */
#define STEAL(pointer)                                   \
	__extension__({                                  \
		__typeof__(pointer) stolen_ = (pointer); \
		(pointer) = NULL;                        \
		stolen_;                                 \
	})

#endif
