/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <inttypes.h>
#include <string.h>

static bool is_flat(const struct json *json)
{
	return json->flat_depth && json->depth >= json->flat_depth;
}

/* Comma, line, indent and key of what comes next. */
static void put_start(struct json *json, const char *key)
{
	if (json->follows)
		fputs(is_flat(json) ? ", " : ",", json->stream);
	json->follows = true;
	if (!is_flat(json))
		fprintf(json->stream, "\n%*s", (int)(3 * json->depth), "");
	if (key)
		fprintf(json->stream, "\"%s\": ", key);
}

static void put_open(struct json *json, char bracket)
{
	putc(bracket, json->stream);
	json->depth++;
	json->follows = false;
}

/* Whatever was closed stands in its parent, so something follows there. */
static void put_close(struct json *json, char bracket)
{
	bool flat = is_flat(json);

	json->depth--;
	if (json->follows && !flat)
		fprintf(json->stream, "\n%*s", (int)(3 * json->depth), "");
	putc(bracket, json->stream);
	json->follows = true;
	if (json->depth < json->flat_depth)
		json->flat_depth = 0;
}

/* From here on, until what was just opened is closed. */
static void make_flat(struct json *json)
{
	if (!json->flat_depth)
		json->flat_depth = json->depth;
}

void json_begin(struct json *json, FILE *stream)
{
	*json = (struct json){ .stream = stream };
	put_open(json, '{');
}

void json_end(struct json *json)
{
	put_close(json, '}');
	putc('\n', json->stream);
}

void json_open_object(struct json *json, const char *key)
{
	put_start(json, key);
	put_open(json, '{');
}

void json_close_object(struct json *json)
{
	put_close(json, '}');
}

void json_open_array(struct json *json, const char *key)
{
	put_start(json, key);
	put_open(json, '[');
}

void json_open_flat_object(struct json *json, const char *key)
{
	json_open_object(json, key);
	make_flat(json);
}

void json_open_flat_array(struct json *json, const char *key)
{
	json_open_array(json, key);
	make_flat(json);
}

void json_close_array(struct json *json)
{
	put_close(json, ']');
}

void json_put_number(struct json *json, const char *key, uint64_t number)
{
	put_start(json, key);
	fprintf(json->stream, "%" PRIu64, number);
}

void json_put_signed(struct json *json, const char *key, int64_t number)
{
	put_start(json, key);
	fprintf(json->stream, "%" PRId64, number);
}

void json_put_seconds(struct json *json, const char *key, uint64_t nanoseconds)
{
	uint64_t microseconds = nanoseconds / 1000;

	put_start(json, key);
	fprintf(json->stream, "%" PRIu64 ".%06" PRIu64, microseconds / 1000000,
		microseconds % 1000000);
}

void json_put_bool(struct json *json, const char *key, bool value)
{
	put_start(json, key);
	fputs(value ? "true" : "false", json->stream);
}

void json_put_null(struct json *json, const char *key)
{
	put_start(json, key);
	fputs("null", json->stream);
}

void json_put_nodes(struct json *json, const char *key, const struct mig_nodeset *nodes)
{
	json_open_flat_array(json, key);
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

void json_put_text(struct json *json, const char *key, const char *text)
{
	if (!text) {
		json_put_null(json, key);
		return;
	}
	put_start(json, key);
	putc('"', json->stream);
	while (*text) {
		size_t length = get_utf8_length((const unsigned char *)text);

		if (!length) {
			fputs("\xef\xbf\xbd", json->stream);
			length = 1;
		} else if (*text == '"' || *text == '\\') {
			fprintf(json->stream, "\\%c", *text);
		} else if ((unsigned char)*text < 0x20 || *text == 0x7f) {
			fprintf(json->stream, "\\u%04x", *text);
		} else {
			fwrite(text, 1, length, json->stream);
		}
		text += length;
	}
	putc('"', json->stream);
}
