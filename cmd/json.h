/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON written as it comes, so that a report takes no memory: open, put members,
 * close. Keys are NULL inside an array. Write errors are those of the stream.
 */
#ifndef MIGRATECTL_JSON_H
#define MIGRATECTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <libmigrate.h>

struct json {
	FILE *stream;
	unsigned int depth;
	bool follows; /**< something stands before, in the same object or array */
	unsigned int flat_depth; /**< what is deeper stands on one line; 0: nothing */
};

/** json_begin - open the outermost object. */
void json_begin(struct json *json, FILE *stream);

/** json_end - close it, and the line. */
void json_end(struct json *json);

void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);

/** json_open_flat_* - all on one line; closed as any other. */
void json_open_flat_object(struct json *json, const char *key);
void json_open_flat_array(struct json *json, const char *key);

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
