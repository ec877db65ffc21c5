// SPDX-License-Identifier: GPL-2.0-or-later
/* Mistakes on the command line: one clear line, the right status, nothing moved. */
#include "lab.h"

#include <string.h>

static void mistakes_move_nothing(void **state)
{
	static const struct {
		const char *arguments;
		int status;
	} mistakes[] = {
		{ "--to 1000000", EXIT_MISUSED },
		{ "--to 1024", EXIT_MISUSED },
		{ "--to 9", EXIT_FAILED },
		{ "--to 1x", EXIT_MISUSED },
		{ "--to 3-1", EXIT_MISUSED },
		{ "--to ''", EXIT_MISUSED },
		{ "--to", EXIT_MISUSED },
		{ "", EXIT_MISUSED },
		{ "--from 1 --to 1", EXIT_MISUSED },
		{ "--to 1 --map 0:2", EXIT_MISUSED },
		{ "--map 0:1,0:2", EXIT_MISUSED },
		{ "--map 0", EXIT_MISUSED },
		{ "--to 1 --weights 1:2", EXIT_MISUSED },
		{ "--to 1-2 --place spread --weights 1:0", EXIT_MISUSED },
		{ "--to 1 --rate 0", EXIT_MISUSED },
		{ "--to 1 --rate 99999999999999999999", EXIT_MISUSED },
		{ "--to 1 --timeout 5parsecs", EXIT_MISUSED },
		{ "--to 1 --require 101", EXIT_MISUSED },
		{ "--to 1 --only cake", EXIT_MISUSED },
		{ "--to 1 --range 5-1", EXIT_MISUSED },
		{ "--to 1 --threads -1", EXIT_MISUSED },
		{ "--to 1 --thread 1", EXIT_MISUSED },
		{ "--to 1 --nonsense", EXIT_MISUSED },
		{ "--to 1 12x", EXIT_MISUSED },
		{ "--to 1 99999999999", EXIT_MISUSED },
	};
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 1M --node 0");
	struct oracle_view *before = lab_look(lab, victim);

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct run *run = lab_migratectl(lab, "move-pid %d %s", victim->pid,
						 mistakes[i].arguments);

		lab_assert_status(run, mistakes[i].status);
		assert_int_equal(strncmp(run->err, "migratectl: ", 12), 0);
		assert_string_equal(run->out, "");
		lab_assert_nothing_moved(lab, victim, before);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(mistakes_move_nothing),
	};

	return lab_main(tests, 4);
}
