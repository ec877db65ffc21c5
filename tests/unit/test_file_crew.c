/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many files side by side. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "live_files.h"

/* Names "0", "1" and so on, up to an end or an error. */
struct source {
	const struct live_files *live;
	unsigned int next;
	unsigned int end;
	int error;          /**< behind the last */
	unsigned int twice; /**< files that were met before: every so many; 0: none */
	bool named;         /**< by the caller, not come upon */
	unsigned int nr_asked;
	int busy; /**< atomic: threads in one of the functions */
	bool overlaps;
};

static void enter(struct source *source)
{
	if (__atomic_add_fetch(&source->busy, 1, __ATOMIC_SEQ_CST) != 1)
		source->overlaps = true;
}

static void leave(struct source *source)
{
	__atomic_sub_fetch(&source->busy, 1, __ATOMIC_SEQ_CST);
}

static int next_name(void *data, struct mig_file_name *ret_name)
{
	struct source *source = data;
	char *path = NULL;
	int r = 1;

	enter(source);
	if (source->next == source->end)
		r = source->error;
	else if (asprintf(&path, "%s/%u", source->live->root->path, source->next++) < 0)
		r = -ENOMEM;
	else
		*ret_name =
			(struct mig_file_name){ .path = path, .follow = source->named };
	leave(source);
	return r;
}

static bool is_first(void *data, const struct mig_file *file)
{
	struct source *source = data;
	unsigned int number;

	(void)file;
	enter(source);
	number = source->nr_asked++;
	leave(source);
	return !source->twice || number % source->twice;
}

struct visits {
	unsigned int nr;      /**< atomic */
	unsigned int threads; /**< atomic: bits of those that came */
	unsigned int end_at;
	int result;
	bool signals; /**< some thread beside the caller's takes signals */
	pthread_t caller;
};

static int visit(void *data, unsigned int thread, struct mig_file *file)
{
	struct visits *visits = data;
	unsigned int number = __atomic_add_fetch(&visits->nr, 1, __ATOMIC_SEQ_CST);
	sigset_t blocked;

	assert_true(file->fd >= 0);
	__atomic_fetch_or(&visits->threads, 1U << thread, __ATOMIC_SEQ_CST);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	if (!pthread_equal(pthread_self(), visits->caller) &&
	    !sigismember(&blocked, SIGINT))
		visits->signals = true;
	/* The thread that ends it has time to say so. */
	if (visits->end_at && number > visits->end_at)
		usleep(10000);
	return number == visits->end_at ? visits->result : 0;
}

static int set_up(void **state)
{
	struct live_files *live;
	char name[16];

	live_files_set_up(state);
	live = *state;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%d", i);
		fake_root_write(live->root, name, "");
	}
	return 0;
}

static int each(struct live_files *live, struct source *source, unsigned int nr_threads,
		struct visits *visits)
{
	const struct mig_file_names names = { .next = next_name,
					      .is_first = is_first,
					      .data = source };

	source->live = live;
	visits->caller = pthread_self();
	return mig_files_each(live->files, &names, nr_threads, visit, visits);
}

static void every_file_is_visited_by_some_thread(void **state)
{
	for (unsigned int nr_threads = 1; nr_threads <= 8; nr_threads++) {
		struct source source = { .end = 100 };
		struct visits visits = { 0 };

		assert_int_equal(each(*state, &source, nr_threads, &visits), 0);
		assert_int_equal(visits.nr, 100);
		assert_int_equal(source.nr_asked, 100);
		assert_false(source.overlaps);
		assert_false(visits.signals);
		assert_int_equal(visits.threads >> nr_threads, 0);
		assert_true(visits.threads != 0);
	}
}

static void what_was_met_before_is_not_visited(void **state)
{
	struct source source = { .end = 100, .twice = 4 };
	struct visits visits = { 0 };

	assert_int_equal(each(*state, &source, 2, &visits), 0);
	assert_int_equal(visits.nr, 75);
}

static void a_visitor_ends_it_with_its_own_value(void **state)
{
	static const int results[] = { 7, -EIO, -ENOMEM };

	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
		struct source source = { .end = 100 };
		struct visits visits = { .end_at = 5, .result = results[i] };

		assert_int_equal(each(*state, &source, 2, &visits), results[i]);
		/* The other thread goes on until it is told. */
		assert_in_range(visits.nr, 5, 99);
	}
}

static void names_that_end_with_an_error_end_it(void **state)
{
	struct source source = { .end = 10, .error = -EIO };
	struct visits visits = { 0 };

	assert_int_equal(each(*state, &source, 2, &visits), -EIO);
	assert_int_equal(visits.nr, 10);
}

static void what_cannot_be_opened_is_told_and_does_not_end_it(void **state)
{
	struct live_files *live = *state;
	struct source source = { .end = 103, .named = true };
	struct visits visits = { 0 };

	assert_int_equal(each(live, &source, 2, &visits), 0);
	assert_int_equal(visits.nr, 100);
	assert_int_equal(live->nr_problems, 3);
	assert_int_equal(live->problem, -ENOENT);
	assert_int_equal(live->files->nr_problems, 3);
}

static void what_was_come_upon_and_is_gone_again_is_not_told(void **state)
{
	struct live_files *live = *state;
	struct source source = { .end = 104 };
	struct visits visits = { 0 };

	fake_root_link(live->root, "100", "0");
	fake_root_mkdir(live->root, "101");
	assert_int_equal(mkfifo(live_files_path(live, "102"), 0600), 0);
	assert_int_equal(each(live, &source, 2, &visits), 0);
	assert_int_equal(visits.nr, 100);
	/* What it is instead is. */
	assert_int_equal(live->nr_problems, 1);
	assert_int_equal(live->problem, -EOPNOTSUPP);
}

static void what_cannot_be_opened_any_more_can_be_left_untold(void **state)
{
	struct live_files *live = *state;
	struct source source = { .live = live, .end = 103, .named = true };
	struct visits visits = { 0 };
	const struct mig_file_names names = { .next = next_name,
					      .data = &source,
					      .quiet = true };

	assert_int_equal(mig_files_each(live->files, &names, 2, visit, &visits), 0);
	assert_int_equal(visits.nr, 100);
	assert_int_equal(live->nr_problems, 0);
}

static void nothing_stays_open(void **state)
{
	unsigned int before = live_files_count_descriptors();
	struct source source = { .end = 100 };
	struct visits visits = { .end_at = 50, .result = 1 };

	assert_int_equal(each(*state, &source, 4, &visits), 1);
	assert_int_equal(live_files_count_descriptors(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, live_files_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_file_is_visited_by_some_thread),
		TEST(what_was_met_before_is_not_visited),
		TEST(a_visitor_ends_it_with_its_own_value),
		TEST(names_that_end_with_an_error_end_it),
		TEST(what_cannot_be_opened_is_told_and_does_not_end_it),
		TEST(what_was_come_upon_and_is_gone_again_is_not_told),
		TEST(what_cannot_be_opened_any_more_can_be_left_untold),
		TEST(nothing_stays_open),
	};

	return cmocka_run_group_tests_name("file_crew", tests, NULL, NULL);
}
