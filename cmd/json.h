/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON by json-c, built as it comes: open, put members, close. Keys are NULL inside
 * an array. Running out of memory is remembered and told at the end.
 */
#ifndef MIGRATECTL_JSON_H
#define MIGRATECTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <libmigrate.h>

struct json_object;

/** How deep documents nest. */
#define JSON_MOST_LEVELS 16

struct json {
	FILE *stream;
	struct json_object
		*levels[JSON_MOST_LEVELS]; /**< open; the first owns the rest */
	unsigned int depth;
	bool failed; /**< memory ran out */
};

/** json_begin - open the outermost object. */
void json_begin(struct json *json, FILE *stream);

/** json_end - close it and write it all, with a newline. Return: exit status. */
int json_end(struct json *json);

void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);

void json_put_number(struct json *json, const char *key, uint64_t number);
/** json_put_signed - for what may be below zero. */
void json_put_signed(struct json *json, const char *key, int64_t number);
/** json_put_seconds - nanoseconds, as seconds with a fraction. */
void json_put_seconds(struct json *json, const char *key, uint64_t nanoseconds);
void json_put_bool(struct json *json, const char *key, bool value);
/** json_put_text - any bytes; those that are no UTF-8 become U+FFFD. NULL: null. */
void json_put_text(struct json *json, const char *key, const char *text);
void json_put_null(struct json *json, const char *key);
/** json_put_nodes - an array of numbers. */
void json_put_nodes(struct json *json, const char *key, const struct mig_nodeset *nodes);

#endif
