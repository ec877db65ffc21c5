/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libmigrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "fake_cgroup.h"
#include "handles.h"
#include "rooted.h"

static struct mig_cgroup *open_cgroup(const struct rooted *f, const char *name)
{
	struct mig_cgroup *cgroup = NULL;

	assert_int_equal(mig_cgroup_open(f->context, name, &cgroup), 0);
	return cgroup;
}

static void v2_tells_what_is_charged_and_what_is_swapped(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(charges) struct mig_charges *charges = NULL;
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "");
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "memory.numa_stat",
			       "anon N0=4096 N1=8192\nfile N0=12288 N1=0\n"
			       "shmem N0=4096 N1=0\n");
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "memory.swap.current", "16384\n");
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "memory.zswap.current", "5000\n");
	cgroup = open_cgroup(f, "a");
	assert_int_equal(mig_charges_read(cgroup, &charges), 0);
	assert_int_equal(mig_charges_get_bytes(charges, 1, MIG_CHARGE_ANON), 8192);
	assert_int_equal(mig_charges_get_bytes(charges, 0, MIG_CHARGE_FILE), 8192);
	assert_int_equal(mig_charges_get_bytes(charges, 2, MIG_CHARGE_ANON), 0);
	assert_true(mig_charges_get_bytes(charges, 0, MIG_CHARGE_KERNEL) ==
		    MIG_UNKNOWN_BYTES);
	assert_int_equal(mig_charges_get_swapped_bytes(charges), 16384);
	assert_int_equal(mig_charges_get_zswapped_bytes(charges), 5000);
}

static void v1_tells_pages_and_has_swap_in_its_statistics(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(charges) struct mig_charges *charges = NULL;
	CLEANUP_MIG(charges) struct mig_charges *without = NULL;
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;
	uint64_t page_size = mig_context_get_page_size(f->context);

	fake_cgroups_mount(f->root, FAKE_CGROUPS_HYBRID);
	fake_cgroup_write(f->root, FAKE_MEMORY, "/a", "");
	fake_cgroup_write_file(f->root, FAKE_MEMORY, "/a", "memory.numa_stat",
			       "anon=1 N0=1 N1=0\nhierarchical_anon=7 N0=3 N1=4\n");
	fake_cgroup_write_file(f->root, FAKE_MEMORY, "/a", "memory.stat",
			       "cache 4096\nswap 4096\ntotal_swapcached 1\n"
			       "total_swap 12288\n");
	cgroup = open_cgroup(f, "a");
	assert_int_equal(mig_charges_read(cgroup, &charges), 0);
	assert_int_equal(mig_charges_get_bytes(charges, 1, MIG_CHARGE_ANON),
			 4 * page_size);
	assert_int_equal(mig_charges_get_swapped_bytes(charges), 12288);
	assert_true(mig_charges_get_zswapped_bytes(charges) == MIG_UNKNOWN_BYTES);
	/* Swap is counted only where the kernel was told to. */
	fake_cgroup_write_file(f->root, FAKE_MEMORY, "/a", "memory.stat", "cache 1\n");
	assert_int_equal(mig_charges_read(cgroup, &without), 0);
	assert_true(mig_charges_get_swapped_bytes(without) == MIG_UNKNOWN_BYTES);
}

static void without_the_controller_there_is_no_account(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;
	struct mig_charges *charges = NULL;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "");
	cgroup = open_cgroup(f, "a");
	assert_int_equal(mig_charges_read(cgroup, &charges), -ENODATA);
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "memory.numa_stat", "anon N0=1\n");
	assert_int_equal(mig_charges_read(cgroup, &charges), 0);
	assert_true(mig_charges_get_swapped_bytes(charges) == MIG_UNKNOWN_BYTES);
	mig_charges_free(charges);
}

static void a_removed_cgroup_is_told_from_one_without_an_account(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;
	struct mig_charges *charges = NULL;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "");
	cgroup = open_cgroup(f, "a");
	fake_cgroup_remove(f->root, FAKE_V2, "/a");
	fake_cgroup_write(f->root, FAKE_V2, "/a", "");
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "memory.numa_stat", "anon N0=1\n");
	assert_int_equal(mig_charges_read(cgroup, &charges), -ENODEV);
	assert_null(charges);
}

static void rubbish_is_refused_and_named(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *log;
	} cases[] = {
		{ "memory.numa_stat", "anon N0=x\n",
		  "'memory.numa_stat' of a cgroup does not parse" },
		{ "memory.swap.current", "max\n",
		  "'memory.swap.current' of a cgroup does not parse" },
		{ "memory.zswap.current", "",
		  "'memory.zswap.current' of a cgroup does not parse" },
	};
	struct rooted *f = *state;
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;
	struct mig_charges *charges = NULL;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "");
	cgroup = open_cgroup(f, "a");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fake_cgroup_write_file(f->root, FAKE_V2, "/a", "memory.numa_stat",
				       "anon N0=1\n");
		fake_cgroup_write_file(f->root, FAKE_V2, "/a", "memory.swap.current",
				       "0\n");
		fake_cgroup_write_file(f->root, FAKE_V2, "/a", cases[i].name,
				       cases[i].text);
		assert_int_equal(mig_charges_read(cgroup, &charges), -EBADMSG);
		assert_null(charges);
		assert_string_equal(f->root->log, cases[i].log);
	}
}

static void more_text_than_a_buffer_is_read(void **state)
{
	enum { NODES = 1024 };
	struct rooted *f = *state;
	CLEANUP_MIG(charges) struct mig_charges *charges = NULL;
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;
	char text[NODES * 32] = "anon";
	size_t length = 4;

	for (int node = 0; node < NODES; node++)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   " N%d=%d", node, 1000000 + node);
	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "");
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "memory.numa_stat", text);
	cgroup = open_cgroup(f, "a");
	assert_int_equal(mig_charges_read(cgroup, &charges), 0);
	assert_int_equal(mig_charges_get_bytes(charges, 1023, MIG_CHARGE_ANON), 1001023);
}

static void what_does_not_exist_is_not_known(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(charges) struct mig_charges *charges = NULL;
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write_file(f->root, FAKE_V2, "", "memory.numa_stat", "anon N0=1\n");
	cgroup = open_cgroup(f, "/");
	assert_int_equal(mig_charges_read(cgroup, &charges), 0);
	assert_true(mig_charges_get_bytes(charges, -1, MIG_CHARGE_ANON) ==
		    MIG_UNKNOWN_BYTES);
	assert_true(mig_charges_get_bytes(charges, MIG_MAX_NODES, MIG_CHARGE_ANON) ==
		    MIG_UNKNOWN_BYTES);
	assert_true(mig_charges_get_bytes(charges, 0, MIG_NR_CHARGES) ==
		    MIG_UNKNOWN_BYTES);
	assert_true(mig_charges_get_bytes(NULL, 0, MIG_CHARGE_ANON) == MIG_UNKNOWN_BYTES);
	assert_int_equal(mig_charges_read(NULL, &charges), -EINVAL);
	assert_int_equal(mig_charges_read(cgroup, NULL), -EINVAL);
	mig_charges_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rooted_set_up, rooted_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(v2_tells_what_is_charged_and_what_is_swapped),
		TEST(v1_tells_pages_and_has_swap_in_its_statistics),
		TEST(without_the_controller_there_is_no_account),
		TEST(a_removed_cgroup_is_told_from_one_without_an_account),
		TEST(rubbish_is_refused_and_named),
		TEST(more_text_than_a_buffer_is_read),
		TEST(what_does_not_exist_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
