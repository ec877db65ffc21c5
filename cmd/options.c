/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "command.h"
#include "help.h"
#include "message.h"
#include "option_value.h"

/* getopt_long(3) returns these for the option at an index of the table. */
#define VALUE_BASE 256
#define VALUE_HELP (VALUE_BASE - 1)

struct parser {
	const struct command *command;
	struct option *longs; /* getopt's table: ours, --help and an empty end */
	char *letters;
	bool *given; /* for each option of ours */
	bool helped;
};

static void parser_done(struct parser *parser)
{
	free(parser->longs);
	free(parser->letters);
	free(parser->given);
}

/* Tables for getopt_long(3). "-": operands are handed out in their order, which
 * leaves optind at the word that comes next; ":": it says nothing itself. */
static int parser_init(struct parser *parser, const struct command *command)
{
	char *letter;

	parser->command = command;
	parser->longs = calloc(command->nr_options + 2, sizeof(*parser->longs));
	parser->letters = calloc(1, 2 * command->nr_options + 3);
	parser->given = calloc(command->nr_options + 1, sizeof(*parser->given));
	if (!parser->longs || !parser->letters || !parser->given)
		return -ENOMEM;
	letter = parser->letters;
	*letter++ = '-';
	*letter++ = ':';
	for (size_t i = 0; i < command->nr_options; i++) {
		const struct option_spec *spec = &command->options[i];
		bool has_value = spec->type != OPTION_TYPE_FLAG;

		parser->longs[i] = (struct option){
			.name = spec->name,
			.has_arg = has_value ? required_argument : no_argument,
			.val = VALUE_BASE + (int)i,
		};
		if (!spec->letter)
			continue;
		*letter++ = spec->letter;
		if (has_value)
			*letter++ = ':';
	}
	parser->longs[command->nr_options] =
		(struct option){ .name = "help", .val = VALUE_HELP };
	return 0;
}

static const struct option_spec *find_letter(const struct command *command, int letter)
{
	for (size_t i = 0; i < command->nr_options; i++)
		if (letter && command->options[i].letter == letter)
			return &command->options[i];
	return NULL;
}

/* getopt_long(3) takes "--jso" for "--json", and a new option would break the script
 * that says so. Only whole names pass. Return: whether @word is known. */
static bool check_long_name(const struct parser *parser, const char *word)
{
	const struct option *meant = NULL;
	size_t length = strcspn(word, "=");
	size_t nr_meant = 0;

	for (const struct option *at = parser->longs; at->name; at++) {
		if (strncmp(at->name, word, length))
			continue;
		if (!at->name[length])
			return true;
		meant = at;
		nr_meant++;
	}
	message_error("unknown option '--%.*s'", (int)length, word);
	if (nr_meant == 1)
		message_hint("options are not abbreviated: '--%s'", meant->name);
	message_try(parser->command->name);
	return false;
}

static int refuse_word(const struct parser *parser, const char *word)
{
	const struct option_spec *spec;

	/* "--json=yes": the name was checked before, so it is the value. */
	if (!strncmp(word, "--", 2))
		return message_usage(parser->command->name,
				     "option '%.*s' takes no value",
				     (int)strcspn(word, "="), word);
	spec = find_letter(parser->command, optopt);
	if (spec)
		return message_usage(parser->command->name, "option '-%c' takes no value",
				     optopt);
	return message_usage(parser->command->name, "unknown option '-%c'", optopt);
}

/* Two given options that share a bit; the later one is @spec. */
static int check_exclusive(const struct parser *parser, const struct option_spec *spec)
{
	const struct command *command = parser->command;

	for (size_t i = 0; i < command->nr_options; i++) {
		const struct option_spec *other = &command->options[i];

		if (other != spec && parser->given[i] &&
		    (other->exclusive & spec->exclusive))
			return message_usage(
				command->name,
				"options '--%s' and '--%s' exclude each other",
				other->name, spec->name);
	}
	return STATUS_OK;
}

static int take_option(struct parser *parser, const struct option_spec *spec,
		       struct common_args *args)
{
	int status;

	parser->given[spec - parser->command->options] = true;
	status = check_exclusive(parser, spec);
	if (status)
		return status;
	return option_value_set(parser->command, spec, optarg, args);
}

static int refuse_missing(const struct parser *parser, const char *word)
{
	if (!strncmp(word, "--", 2))
		return message_usage(parser->command->name, "option '%s' needs a value",
				     word);
	return message_usage(parser->command->name, "option '-%c' needs a value", optopt);
}

static int check_operands(const struct command *command, const struct common_args *args)
{
	if (args->nr_operands < command->min_operands)
		return message_usage(command->name, "missing operand: %s",
				     command->operands);
	if (args->nr_operands > command->max_operands)
		return message_usage(command->name, "unexpected operand '%s'",
				     args->operands[command->max_operands]);
	return STATUS_OK;
}

/* One word of the command line, or one letter of a cluster.
 * Return: whether to go on; *ret_status says how it ended otherwise. */
static bool take_next(struct parser *parser, int argc, char **argv,
		      struct common_args *args, const char **operands, int *ret_status)
{
	const struct command *command = parser->command;
	int next = optind ? optind : 1;
	const char *word = next < argc ? argv[next] : NULL;
	const struct option_spec *spec;
	int value;

	*ret_status = STATUS_USAGE;
	if (word && !strncmp(word, "--", 2) && word[2] &&
	    !check_long_name(parser, word + 2))
		return false;
	value = getopt_long(argc, argv, parser->letters, parser->longs, NULL);
	switch (value) {
	case -1:
		*ret_status = STATUS_OK;
		return false;
	case 1:
		operands[args->nr_operands++] = optarg;
		return true;
	case ':':
		refuse_missing(parser, word);
		return false;
	case '?':
		refuse_word(parser, word);
		return false;
	case VALUE_HELP:
		help_print_command(command);
		*ret_status = STATUS_OK;
		parser->helped = true;
		return false;
	default:
		spec = value >= VALUE_BASE ? &command->options[value - VALUE_BASE]
					   : find_letter(command, value);
		*ret_status = take_option(parser, spec, args);
		return *ret_status == STATUS_OK;
	}
}

bool options_parse(const struct command *command, int argc, char **argv,
		   struct common_args *args, int *ret_status)
{
	CLEANUP(parser_done) struct parser parser = { 0 };
	const char **operands = calloc((size_t)argc, sizeof(*operands));

	args->operands = operands;
	args->nr_operands = 0;
	if (!operands || parser_init(&parser, command) < 0) {
		*ret_status = message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot start");
		return false;
	}
	/* 0: from the beginning, whatever was parsed before. */
	optind = 0;
	opterr = 0;
	while (take_next(&parser, argc, argv, args, operands, ret_status))
		;
	if (*ret_status || parser.helped)
		return false;
	while (optind < argc)
		operands[args->nr_operands++] = argv[optind++];
	*ret_status = check_operands(command, args);
	return *ret_status == STATUS_OK;
}
