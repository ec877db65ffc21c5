/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "output.h"

#define LINE_WIDTH 80

/* A left column wider than this has its text on the next line. */
#define MAX_LEFT 28

/* Words of @text, wrapped; the first line begins at column @at, others are indented. */
static void print_wrapped(const char *text, size_t at, size_t indent)
{
	bool line_is_empty = true;

	while (*text) {
		size_t length = strcspn(text, " \n");

		if (!line_is_empty && at + 1 + length > LINE_WIDTH) {
			printf("\n%*s", (int)indent, "");
			at = indent;
			line_is_empty = true;
		}
		printf("%s%.*s", line_is_empty ? "" : " ", (int)length, text);
		at += length + !line_is_empty;
		line_is_empty = false;
		text += length;
		if (*text == '\n') {
			printf("\n%s%*s", indent ? "" : "\n", (int)indent, "");
			at = indent;
			line_is_empty = true;
		}
		text += *text != '\0';
	}
	putchar('\n');
}

static void print_entry(const char *left, size_t width, const char *text)
{
	size_t at = strlen(left);

	fputs(left, stdout);
	if (at + 2 > width) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", (int)(width - at), "");
	print_wrapped(text, width, width);
}

static void format_option(const struct option_spec *spec, char *buffer, size_t size)
{
	char letter[8] = "    ";

	if (spec->letter)
		snprintf(letter, sizeof(letter), "-%c, ", spec->letter);
	snprintf(buffer, size, "  %s--%s%s%s", letter, spec->name,
		 spec->metavar ? " " : "", spec->metavar ? spec->metavar : "");
}

/* Where the right column begins, so that what is not very wide stands beside it. */
static size_t get_option_width(const struct command *command)
{
	size_t width = strlen("      --help  ");

	for (size_t i = 0; i < command->nr_options; i++) {
		char left[80];

		format_option(&command->options[i], left, sizeof(left));
		if (strlen(left) + 2 > width && strlen(left) + 2 <= MAX_LEFT)
			width = strlen(left) + 2;
	}
	return width;
}

static void print_options(const struct command *command)
{
	size_t width = get_option_width(command);

	printf("\nOptions:\n");
	for (size_t i = 0; i < command->nr_options; i++) {
		char left[80];

		format_option(&command->options[i], left, sizeof(left));
		print_entry(left, width, command->options[i].help);
	}
	print_entry("      --help", width, "print this help");
}

static void print_columns(const struct column_set *set)
{
	size_t width = 0;

	for (size_t i = 0; i < set->nr_columns; i++)
		if (strlen(set->columns[i].name) > width)
			width = strlen(set->columns[i].name);
	printf("\n%s (* by default):\n", set->title);
	for (size_t i = 0; i < set->nr_columns; i++) {
		const struct column *column = &set->columns[i];
		char left[80];

		snprintf(left, sizeof(left), "%c %s",
			 column->flags & COLUMN_DEFAULT ? '*' : ' ', column->name);
		print_entry(left, width + 4, column->help);
	}
}

void help_print_command(const struct command *command)
{
	printf("Usage: migratectl %s [OPTION]...%s%s\n\n", command->name,
	       command->operands ? " " : "", command->operands ? command->operands : "");
	print_wrapped(command->description, 0, 0);
	print_options(command);
	for (size_t i = 0; i < command->nr_column_sets; i++)
		print_columns(command->column_sets[i]);
	if (command->notes) {
		putchar('\n');
		print_wrapped(command->notes, 0, 0);
	}
}

void help_print_tool(const struct command *const *commands, size_t nr_commands,
		     const struct global_option *options, size_t nr_options)
{
	size_t width = strlen("  --list-options  ");
	char left[80];

	printf("Usage: migratectl COMMAND [OPTION]... [OPERAND]...\n\n"
	       "See where memory lies on a NUMA machine, move it, and learn why part of "
	       "it\ndid not go.\n\nCommands:\n");
	for (size_t i = 0; i < nr_commands; i++) {
		snprintf(left, sizeof(left), "  %s", commands[i]->name);
		print_entry(left, width, commands[i]->summary);
	}
	printf("\nOptions:\n");
	for (size_t i = 0; i < nr_options; i++) {
		snprintf(left, sizeof(left), "  --%s", options[i].name);
		print_entry(left, width, options[i].help);
	}
	printf("\n'migratectl COMMAND --help' describes a command.\n");
}

static void list_option(const char *command, char letter, const char *name,
			const char *metavar)
{
	printf("%s\t%c\t%s\t%s\n", command, letter ? letter : '-', name,
	       metavar ? metavar : "-");
}

void help_list_options(const struct command *const *commands, size_t nr_commands,
		       const struct global_option *options, size_t nr_options)
{
	for (size_t i = 0; i < nr_options; i++)
		list_option("-", 0, options[i].name, NULL);
	for (size_t i = 0; i < nr_commands; i++) {
		const struct command *command = commands[i];

		for (size_t j = 0; j < command->nr_options; j++) {
			const struct option_spec *spec = &command->options[j];

			list_option(command->name, spec->letter, spec->name,
				    spec->metavar);
		}
		list_option(command->name, 0, "help", NULL);
	}
}
