/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "option_value.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "duration.h"
#include "message.h"
#include "number.h"
#include "size.h"

/* Room for a bound of any type in words. */
#define BOUND_SIZE 24

/* A type of values in words. */
static const struct {
	const char *is_not;
	const char *hint;
} type_words[] = {
	[OPTION_TYPE_SIZE] = { "a size", "write sizes as 4096, 512M, 1.5G or 100MB" },
	[OPTION_TYPE_DURATION] = { "a duration", "write durations as 5s, 200ms or 2h" },
	[OPTION_TYPE_PERCENT] = { "a percentage", "write percentages as 95 or 95%" },
	[OPTION_TYPE_UNSIGNED] = { "a whole number", NULL },
	[OPTION_TYPE_RANGE] = { "a range of addresses",
				"write ranges as 7f0000000000-7f0000200000" },
};

static int refuse(const struct command *command, const struct option_spec *spec,
		  const char *value, const char *why, const char *hint)
{
	message_error("option '--%s': '%s' %s", spec->name, value, why);
	if (hint)
		message_hint("%s", hint);
	return message_try(command->name);
}

static void format_bound(const struct option_spec *spec, uint64_t bound,
			 char buffer[static BOUND_SIZE])
{
	if (spec->type == OPTION_TYPE_SIZE)
		size_format(bound, buffer);
	else if (spec->type == OPTION_TYPE_DURATION)
		duration_format(bound, buffer);
	else
		snprintf(buffer, BOUND_SIZE, "%" PRIu64, bound);
}

static int refuse_bounds(const struct command *command, const struct option_spec *spec,
			 const char *value)
{
	char minimum[BOUND_SIZE], maximum[BOUND_SIZE], why[80];

	format_bound(spec, spec->minimum, minimum);
	format_bound(spec, spec->maximum, maximum);
	if (spec->maximum)
		snprintf(why, sizeof(why), "is out of range: %s to %s", minimum, maximum);
	else
		snprintf(why, sizeof(why), "is too small: at least %s", minimum);
	return refuse(command, spec, value, why, NULL);
}

static int parse_number(const struct option_spec *spec, const char *value,
			uint64_t *ret_number)
{
	unsigned int percent;
	int r;

	switch (spec->type) {
	case OPTION_TYPE_SIZE:
		return size_parse(value, strlen(value), ret_number);
	case OPTION_TYPE_DURATION:
		return duration_parse(value, strlen(value), ret_number);
	case OPTION_TYPE_PERCENT:
		r = number_parse_percent(value, strlen(value), &percent);
		if (!r)
			*ret_number = percent;
		return r;
	default:
		r = number_parse(value, strlen(value), ret_number);
		return !r && *ret_number > UINT_MAX ? -ERANGE : r;
	}
}

static int set_number(const struct command *command, const struct option_spec *spec,
		      const char *value, void *field)
{
	uint64_t number;
	int r;

	r = parse_number(spec, value, &number);
	if (r == -ERANGE)
		return spec->maximum ? refuse_bounds(command, spec, value)
				     : refuse(command, spec, value, "is too large", NULL);
	if (r < 0) {
		char why[48];

		snprintf(why, sizeof(why), "is not %s", type_words[spec->type].is_not);
		return refuse(command, spec, value, why, type_words[spec->type].hint);
	}
	if (number < spec->minimum || (spec->maximum && number > spec->maximum))
		return refuse_bounds(command, spec, value);
	if (spec->type == OPTION_TYPE_SIZE || spec->type == OPTION_TYPE_DURATION)
		*(uint64_t *)field = number;
	else
		*(unsigned int *)field = (unsigned int)number;
	return STATUS_OK;
}

static int set_range(const struct command *command, const struct option_spec *spec,
		     const char *value, void *field)
{
	int r = number_parse_range(value, strlen(value), field);

	if (r == -ERANGE)
		return refuse(command, spec, value, "is too large", NULL);
	if (r == -EDOM)
		return refuse(command, spec, value, "ends before it begins", NULL);
	if (r < 0)
		return refuse(command, spec, value, "is not a range of addresses",
			      type_words[spec->type].hint);
	return STATUS_OK;
}

static const struct option_word *find_word(const struct option_word *words,
					   const char *text, size_t length)
{
	for (; words->word; words++)
		if (strlen(words->word) == length && !memcmp(words->word, text, length))
			return words;
	return NULL;
}

static int refuse_word(const struct command *command, const struct option_spec *spec,
		       const char *text, size_t length)
{
	char known[256] = "";
	size_t used = 0;

	for (const struct option_word *at = spec->words; at->word; at++) {
		int written = snprintf(known + used, sizeof(known) - used, "%s%s",
				       used ? ", " : "", at->word);

		if (written < 0 || (size_t)written >= sizeof(known) - used)
			break;
		used += (size_t)written;
	}
	message_error("option '--%s': '%.*s' is not one of %s", spec->name, (int)length,
		      text, known);
	return message_try(command->name);
}

static int set_words(const struct command *command, const struct option_spec *spec,
		     const char *value, unsigned int *field)
{
	bool several = spec->type == OPTION_TYPE_WORDS;
	unsigned int values = 0;

	for (;;) {
		size_t length = several ? strcspn(value, ",") : strlen(value);
		const struct option_word *word = find_word(spec->words, value, length);

		if (!word)
			return refuse_word(command, spec, value, length);
		values |= word->value;
		if (!value[length])
			break;
		value += length + 1;
	}
	*field = values;
	return STATUS_OK;
}

int option_value_set(const struct command *command, const struct option_spec *spec,
		     const char *value, struct common_args *args)
{
	void *field = (char *)args + spec->offset;

	if (spec->type == OPTION_TYPE_FLAG) {
		*(bool *)field = true;
		return STATUS_OK;
	}
	if (!*value) {
		message_error("option '--%s': the value is empty", spec->name);
		return message_try(command->name);
	}
	switch (spec->type) {
	case OPTION_TYPE_STRING:
		*(const char **)field = value;
		return STATUS_OK;
	case OPTION_TYPE_RANGE:
		return set_range(command, spec, value, field);
	case OPTION_TYPE_WORD:
	case OPTION_TYPE_WORDS:
		return set_words(command, spec, value, field);
	default:
		return set_number(command, spec, value, field);
	}
}
