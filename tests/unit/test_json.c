/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"
#include "exit_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct document {
	struct json json;
	char *text;
	size_t size;
	FILE *stream;
};

static void begin(struct document *document)
{
	document->stream = open_memstream(&document->text, &document->size);
	assert_non_null(document->stream);
	json_begin(&document->json, document->stream);
}

static void end_as(struct document *document, const char *expected)
{
	assert_int_equal(json_end(&document->json), STATUS_OK);
	assert_int_equal(fclose(document->stream), 0);
	assert_string_equal(document->text, expected);
	free(document->text);
}

static void an_empty_document_is_an_empty_object(void **state)
{
	struct document document;

	(void)state;
	begin(&document);
	end_as(&document, "{\n}\n");
}

static void members_stand_on_lines_of_their_own(void **state)
{
	struct document document;

	(void)state;
	begin(&document);
	json_put_number(&document.json, "largest", UINT64_MAX);
	json_put_signed(&document.json, "smallest", INT64_MIN);
	json_put_bool(&document.json, "yes", true);
	json_put_null(&document.json, "unknown");
	end_as(&document, "{\n"
			  "  \"largest\": 18446744073709551615,\n"
			  "  \"smallest\": -9223372036854775808,\n"
			  "  \"yes\": true,\n"
			  "  \"unknown\": null\n"
			  "}\n");
}

static void objects_and_arrays_nest(void **state)
{
	struct document document;

	(void)state;
	begin(&document);
	json_open_array(&document.json, "list");
	json_open_object(&document.json, NULL);
	json_put_number(&document.json, "a", 1);
	json_close_object(&document.json);
	json_open_object(&document.json, NULL);
	json_close_object(&document.json);
	json_close_array(&document.json);
	json_open_array(&document.json, "empty");
	json_close_array(&document.json);
	end_as(&document, "{\n"
			  "  \"list\": [\n"
			  "    {\n"
			  "      \"a\": 1\n"
			  "    },\n"
			  "    {\n"
			  "    }\n"
			  "  ],\n"
			  "  \"empty\": [\n"
			  "  ]\n"
			  "}\n");
}

static void a_set_of_nodes_is_an_array_of_numbers(void **state)
{
	struct mig_nodeset nodes = { 0 };
	struct document document;

	(void)state;
	begin(&document);
	json_put_nodes(&document.json, "none", &nodes);
	mig_nodeset_add(&nodes, 1);
	mig_nodeset_add(&nodes, 1023);
	json_put_nodes(&document.json, "some", &nodes);
	end_as(&document, "{\n"
			  "  \"none\": [\n"
			  "  ],\n"
			  "  \"some\": [\n"
			  "    1,\n"
			  "    1023\n"
			  "  ]\n"
			  "}\n");
}

static void seconds_have_six_digits_of_fraction(void **state)
{
	struct document document;

	(void)state;
	begin(&document);
	json_put_seconds(&document.json, "none", 999);
	json_put_seconds(&document.json, "some", UINT64_C(12000345678));
	end_as(&document, "{\n"
			  "  \"none\": 0.000000,\n"
			  "  \"some\": 12.000345\n"
			  "}\n");
}

static void assert_text(const char *text, const char *expected)
{
	struct document document;
	char whole[128];

	begin(&document);
	json_put_text(&document.json, "t", text);
	snprintf(whole, sizeof(whole), "{\n  \"t\": %s\n}\n", expected);
	end_as(&document, whole);
}

static void what_json_forbids_in_texts_is_escaped(void **state)
{
	(void)state;
	assert_text("plain", "\"plain\"");
	assert_text("", "\"\"");
	assert_text(NULL, "null");
	assert_text("a\"b\\c", "\"a\\\"b\\\\c\"");
	assert_text("a\nb\x1b", "\"a\\nb\\u001b\"");
}

static void utf_8_passes_and_other_bytes_are_replaced(void **state)
{
	(void)state;
	assert_text("\xc3\xa9\xe6\x97\xa5\xf0\x9f\x90\xa7",
		    "\"\xc3\xa9\xe6\x97\xa5\xf0\x9f\x90\xa7\"");
	assert_text("a\xff"
		    "b",
		    "\"a\xef\xbf\xbd"
		    "b\"");
	/* Cut off by the end; longer than need be; a surrogate; past U+10FFFF. */
	assert_text("\xe6\x97", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_text("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_text("\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_text("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_text("\xf4\x90\x80\x80",
		    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_document_is_an_empty_object),
		cmocka_unit_test(members_stand_on_lines_of_their_own),
		cmocka_unit_test(objects_and_arrays_nest),
		cmocka_unit_test(a_set_of_nodes_is_an_array_of_numbers),
		cmocka_unit_test(seconds_have_six_digits_of_fraction),
		cmocka_unit_test(what_json_forbids_in_texts_is_escaped),
		cmocka_unit_test(utf_8_passes_and_other_bytes_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
