/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of a made-up command. What is said to standard error is caught in a file and
 * compared, since it is what the user has to go by.
 */
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "command.h"

struct purge_args {
	struct common_args common;
	bool quick;
	const char *to;
	uint64_t size_bytes;
	uint64_t time_ns;
	unsigned int percent;
	unsigned int threads;
	struct mig_address_range range;
	unsigned int place;
	unsigned int only;
};

static const struct option_word places[] = { { "near", 1 }, { "far", 2 }, { NULL, 0 } };
static const struct option_word kinds[] = {
	{ "anon", 1 },
	{ "file", 4 },
	{ "filet", 8 },
	{ NULL, 0 },
};

static const struct option_spec options[] = {
	{ OPTION_FLAG(struct purge_args, quick), .letter = 'q', .name = "quick",
	  .exclusive = 1 },
	{ OPTION_STRING(struct purge_args, to), .letter = 't', .name = "to",
	  .metavar = "NODES" },
	{ OPTION_SIZE(struct purge_args, size_bytes), .name = "size", .metavar = "SIZE",
	  .minimum = 4096 },
	{ OPTION_DURATION(struct purge_args, time_ns), .name = "time",
	  .metavar = "DURATION", .maximum = UINT64_C(3600000000000), .exclusive = 1 },
	{ OPTION_PERCENT(struct purge_args, percent), .name = "percent",
	  .metavar = "PERCENT" },
	{ OPTION_UNSIGNED(struct purge_args, threads), .name = "threads",
	  .metavar = "NUMBER", .minimum = 1, .maximum = 64 },
	{ OPTION_RANGE(struct purge_args, range), .name = "range",
	  .metavar = "START-END" },
	{ OPTION_WORD(struct purge_args, place), .name = "place", .metavar = "PLACE",
	  .words = places },
	{ OPTION_WORDS(struct purge_args, only), .name = "only", .metavar = "KINDS",
	  .words = kinds },
};

static const struct command command = {
	.name = "purge",
	.operands = "NAME...",
	.min_operands = 1,
	.max_operands = 3,
	.description = "",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct purge_args),
};

#define MAX_WORDS 24

struct result {
	bool goes_on;
	int status;
	struct purge_args args;
	char said[512];
};

/* Words are separated by blanks; "''" is an empty one. */
static int split(char *line, char **words)
{
	int nr_words = 0;

	for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
		assert_true(nr_words < MAX_WORDS - 1);
		words[nr_words++] = strcmp(word, "''") ? word : word + 2;
	}
	words[nr_words] = NULL;
	return nr_words;
}

static void parse(const char *line, struct result *result)
{
	static char copy[256];
	char *words[MAX_WORDS];
	FILE *caught = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t length;
	int nr_words;

	assert_non_null(caught);
	assert_true(saved >= 0);
	memset(result, 0, sizeof(*result));
	result->status = -1;
	snprintf(copy, sizeof(copy), "purge %s", line);
	nr_words = split(copy, words);
	dup2(fileno(caught), STDERR_FILENO);
	result->goes_on = options_parse(&command, nr_words, words, &result->args.common,
					&result->status);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(caught);
	length = fread(result->said, 1, sizeof(result->said) - 1, caught);
	result->said[length] = '\0';
	fclose(caught);
}

static void assert_accepted(const char *line, struct result *result)
{
	parse(line, result);
	assert_string_equal(result->said, "");
	assert_true(result->goes_on);
	assert_int_equal(result->status, STATUS_OK);
	free(result->args.common.operands);
}

/* Refused as wrong usage with @said and the line that says where help is. */
static void assert_refused(const char *line, const char *said)
{
	struct result result;
	char whole[512];

	parse(line, &result);
	snprintf(whole, sizeof(whole), "migratectl: %s\nTry 'migratectl purge --help'\n",
		 said);
	assert_string_equal(result.said, whole);
	assert_false(result.goes_on);
	assert_int_equal(result.status, STATUS_USAGE);
	free(result.args.common.operands);
}

static void every_type_fills_its_field(void **state)
{
	struct result result;

	(void)state;
	assert_accepted("--to 0-3 --size 1.5M --time 200ms --percent 95% --threads 4 "
			"--range 10-0x20 --place far --only file,anon name",
			&result);
	assert_string_equal(result.args.to, "0-3");
	assert_int_equal(result.args.size_bytes, 1536 * 1024);
	assert_int_equal(result.args.time_ns, 200000000);
	assert_int_equal(result.args.percent, 95);
	assert_int_equal(result.args.threads, 4);
	assert_int_equal(result.args.range.start, 0x10);
	assert_int_equal(result.args.range.end, 0x20);
	assert_int_equal(result.args.place, 2);
	assert_int_equal(result.args.only, 5);
	assert_int_equal(result.args.common.nr_operands, 1);
	assert_accepted("--quick name", &result);
	assert_true(result.args.quick);
}

static void what_is_not_given_stays_as_it_was(void **state)
{
	struct result result;

	(void)state;
	assert_accepted("name", &result);
	assert_false(result.args.quick);
	assert_null(result.args.to);
	assert_int_equal(result.args.size_bytes, 0);
	assert_int_equal(result.args.only, 0);
}

static void values_may_be_attached_or_follow(void **state)
{
	struct result result;

	(void)state;
	assert_accepted("--to=1 name", &result);
	assert_string_equal(result.args.to, "1");
	assert_accepted("-t1 name", &result);
	assert_string_equal(result.args.to, "1");
	assert_accepted("-qt 1 name", &result);
	assert_string_equal(result.args.to, "1");
	assert_true(result.args.quick);
	assert_accepted("--to -q name", &result);
	assert_string_equal(result.args.to, "-q");
	assert_false(result.args.quick);
}

static void the_last_of_several_values_counts(void **state)
{
	struct result result;

	(void)state;
	assert_accepted("--threads 4 --threads 5 name", &result);
	assert_int_equal(result.args.threads, 5);
}

static void operands_keep_their_order_among_options(void **state)
{
	struct result result;

	(void)state;
	parse("one --to 1 two -q -", &result);
	assert_true(result.goes_on);
	assert_int_equal(result.args.common.nr_operands, 3);
	assert_string_equal(result.args.common.operands[0], "one");
	assert_string_equal(result.args.common.operands[1], "two");
	assert_string_equal(result.args.common.operands[2], "-");
	free(result.args.common.operands);
}

static void two_dashes_end_the_options(void **state)
{
	struct result result;

	(void)state;
	parse("-- --quick -t", &result);
	assert_true(result.goes_on);
	assert_false(result.args.quick);
	assert_int_equal(result.args.common.nr_operands, 2);
	assert_string_equal(result.args.common.operands[0], "--quick");
	assert_string_equal(result.args.common.operands[1], "-t");
	free(result.args.common.operands);
}

static void the_number_of_operands_is_checked(void **state)
{
	(void)state;
	assert_refused("", "missing operand: NAME...");
	assert_refused("-q", "missing operand: NAME...");
	assert_refused("a b c d", "unexpected operand 'd'");
}

static void unknown_options_are_refused(void **state)
{
	(void)state;
	assert_refused("--slow name", "unknown option '--slow'");
	assert_refused("--slow=1 name", "unknown option '--slow'");
	assert_refused("-x name", "unknown option '-x'");
	assert_refused("-qx name", "unknown option '-x'");
	assert_refused("-quick name", "unknown option '-u'");
	assert_refused("--quicker name", "unknown option '--quicker'");
	assert_refused("--= name", "unknown option '--'");
}

static void long_options_are_not_abbreviated(void **state)
{
	(void)state;
	assert_refused("--qui name", "unknown option '--qui'\n"
				     "hint: options are not abbreviated: '--quick'");
	assert_refused("--siz=1M name", "unknown option '--siz'\n"
					"hint: options are not abbreviated: '--size'");
	assert_refused("--hel", "unknown option '--hel'\n"
				"hint: options are not abbreviated: '--help'");
	/* --to, --time and --threads. */
	assert_refused("--t 1 name", "unknown option '--t'");
}

static void missing_and_superfluous_values_are_refused(void **state)
{
	(void)state;
	assert_refused("name --to", "option '--to' needs a value");
	assert_refused("name -t", "option '-t' needs a value");
	assert_refused("name -qt", "option '-t' needs a value");
	assert_refused("--quick=1 name", "option '--quick' takes no value");
	assert_refused("--quick= name", "option '--quick' takes no value");
	assert_refused("--help=1", "option '--help' takes no value");
	assert_refused("--to= name", "option '--to': the value is empty");
	assert_refused("--size '' name", "option '--size': the value is empty");
	assert_refused("--only= name", "option '--only': the value is empty");
}

static void numbers_with_something_behind_them_are_refused(void **state)
{
	(void)state;
	assert_refused("--size 12x name",
		       "option '--size': '12x' is not a size\n"
		       "hint: write sizes as 4096, 512M, 1.5G or 100MB");
	assert_refused("--time 5x name", "option '--time': '5x' is not a duration\n"
					 "hint: write durations as 5s, 200ms or 2h");
	assert_refused("--percent 5x name",
		       "option '--percent': '5x' is not a percentage\n"
		       "hint: write percentages as 95 or 95%");
	assert_refused("--threads 4.5 name",
		       "option '--threads': '4.5' is not a whole number");
	assert_refused("--threads -1 name",
		       "option '--threads': '-1' is not a whole number");
}

static void numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	assert_refused("--size 99999999999T name",
		       "option '--size': '99999999999T' is too large");
	assert_refused("--size 4095 name",
		       "option '--size': '4095' is too small: at least 4K");
	assert_refused("--time 61m name",
		       "option '--time': '61m' is out of range: 0s to 1h00m");
	assert_refused("--percent 101 name", "option '--percent': '101' is too large");
	assert_refused("--threads 0 name",
		       "option '--threads': '0' is out of range: 1 to 64");
	assert_refused("--threads 65 name",
		       "option '--threads': '65' is out of range: 1 to 64");
	assert_refused("--threads 18446744073709551617 name",
		       "option '--threads': '18446744073709551617' is out of range: 1 to "
		       "64");
}

static void bad_ranges_of_addresses_are_refused(void **state)
{
	(void)state;
	assert_refused("--range 10 name",
		       "option '--range': '10' is not a range of addresses\n"
		       "hint: write ranges as 7f0000000000-7f0000200000");
	assert_refused("--range 20-10 name",
		       "option '--range': '20-10' ends before it begins");
	assert_refused("--range 0-10000000000000000 name",
		       "option '--range': '0-10000000000000000' is too large");
}

static void unknown_words_are_refused_with_the_known_ones(void **state)
{
	(void)state;
	assert_refused("--place here name",
		       "option '--place': 'here' is not one of near, far");
	assert_refused("--place near,far name",
		       "option '--place': 'near,far' is not one of near, far");
	assert_refused("--only anon,fil name",
		       "option '--only': 'fil' is not one of anon, file, filet");
	assert_refused("--only anon, name",
		       "option '--only': '' is not one of anon, file, filet");
	assert_refused("--only ,anon name",
		       "option '--only': '' is not one of anon, file, filet");
}

static void options_of_one_group_exclude_each_other(void **state)
{
	struct result result;

	(void)state;
	assert_refused("--quick --time 5 name",
		       "options '--quick' and '--time' exclude each other");
	assert_refused("--time 5 -q name",
		       "options '--time' and '--quick' exclude each other");
	assert_accepted("-q -q name", &result);
}

static void control_characters_of_the_user_are_not_repeated(void **state)
{
	(void)state;
	assert_refused("--place \x1b[2J name",
		       "option '--place': '\\x1b[2J' is not one of near, far");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_fills_its_field),
		cmocka_unit_test(what_is_not_given_stays_as_it_was),
		cmocka_unit_test(values_may_be_attached_or_follow),
		cmocka_unit_test(the_last_of_several_values_counts),
		cmocka_unit_test(operands_keep_their_order_among_options),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(the_number_of_operands_is_checked),
		cmocka_unit_test(unknown_options_are_refused),
		cmocka_unit_test(long_options_are_not_abbreviated),
		cmocka_unit_test(missing_and_superfluous_values_are_refused),
		cmocka_unit_test(numbers_with_something_behind_them_are_refused),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(bad_ranges_of_addresses_are_refused),
		cmocka_unit_test(unknown_words_are_refused_with_the_known_ones),
		cmocka_unit_test(options_of_one_group_exclude_each_other),
		cmocka_unit_test(control_characters_of_the_user_are_not_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
