/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "cleanup.h"
#include "message.h"

/* Hand @value to what is open. json-c stands for null by NULL, so only the caller
 * knows whether that is a failure. */
static void put(struct json *json, const char *key, struct json_object *value)
{
	struct json_object *open = json->levels[json->depth];
	int r;

	if (json->failed) {
		json_object_put(value);
		return;
	}
	r = key ? json_object_object_add(open, key, value)
		: json_object_array_add(open, value);
	if (r < 0) {
		json_object_put(value);
		json->failed = true;
	}
}

static void put_value(struct json *json, const char *key, struct json_object *value)
{
	if (value)
		put(json, key, value);
	else
		json->failed = true;
}

static void open_level(struct json *json, const char *key, struct json_object *value)
{
	put_value(json, key, value);
	if (json->failed)
		return;
	json->levels[++json->depth] = value;
}

static void close_level(struct json *json)
{
	if (!json->failed)
		json->depth--;
}

void json_begin(struct json *json, FILE *stream)
{
	*json = (struct json){ .stream = stream };
	json->levels[0] = json_object_new_object();
	json->failed = !json->levels[0];
}

int json_end(struct json *json)
{
	const char *text = NULL;

	if (!json->failed)
		text = json_object_to_json_string_ext(
			json->levels[0], JSON_C_TO_STRING_PRETTY |
						 JSON_C_TO_STRING_SPACED |
						 JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(json->stream, "%s\n", text);
	json_object_put(json->levels[0]);
	return text ? STATUS_OK
		    : message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot write the report");
}

void json_open_object(struct json *json, const char *key)
{
	open_level(json, key, json_object_new_object());
}

void json_close_object(struct json *json)
{
	close_level(json);
}

void json_open_array(struct json *json, const char *key)
{
	open_level(json, key, json_object_new_array());
}

void json_close_array(struct json *json)
{
	close_level(json);
}

void json_put_number(struct json *json, const char *key, uint64_t number)
{
	put_value(json, key, json_object_new_uint64(number));
}

void json_put_signed(struct json *json, const char *key, int64_t number)
{
	put_value(json, key, json_object_new_int64(number));
}

void json_put_seconds(struct json *json, const char *key, uint64_t nanoseconds)
{
	uint64_t microseconds = nanoseconds / 1000;
	char digits[40];

	snprintf(digits, sizeof(digits), "%" PRIu64 ".%06" PRIu64, microseconds / 1000000,
		 microseconds % 1000000);
	put_value(json, key, json_object_new_double_s((double)nanoseconds / 1e9, digits));
}

void json_put_bool(struct json *json, const char *key, bool value)
{
	put_value(json, key, json_object_new_boolean(value));
}

void json_put_null(struct json *json, const char *key)
{
	put(json, key, NULL);
}

void json_put_nodes(struct json *json, const char *key, const struct mig_nodeset *nodes)
{
	json_open_array(json, key);
	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node))
		json_put_signed(json, NULL, node);
	json_close_array(json);
}

/* Bytes of the UTF-8 character at the front; 0: it is none (RFC 3629). */
static size_t get_utf8_length(const unsigned char *text)
{
	size_t length;

	if (text[0] < 0x80)
		return 1;
	if (text[0] >= 0xc2 && text[0] <= 0xdf)
		length = 2;
	else if ((text[0] & 0xf0) == 0xe0)
		length = 3;
	else if (text[0] >= 0xf0 && text[0] <= 0xf4)
		length = 4;
	else
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, a surrogate, or past U+10FFFF. */
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

/* json-c passes bytes through as they are; JSON is UTF-8. */
void json_put_text(struct json *json, const char *key, const char *text)
{
	static const char unknown[] = "\xef\xbf\xbd";
	CLEANUP_FREE char *clean = NULL;
	size_t end = 0;

	if (!text) {
		json_put_null(json, key);
		return;
	}
	clean = malloc((sizeof(unknown) - 1) * strlen(text) + 1);
	if (!clean) {
		json->failed = true;
		return;
	}
	while (*text) {
		size_t length = get_utf8_length((const unsigned char *)text);

		memcpy(clean + end, length ? text : unknown,
		       length ? length : sizeof(unknown) - 1);
		end += length ? length : sizeof(unknown) - 1;
		text += length ? length : 1;
	}
	clean[end] = '\0';
	put_value(json, key, json_object_new_string(clean));
}
