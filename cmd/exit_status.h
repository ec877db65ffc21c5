/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the exit status of every command means; the same list is in migratectl(8). */
#ifndef MIGRATECTL_EXIT_STATUS_H
#define MIGRATECTL_EXIT_STATUS_H

enum exit_status {
	STATUS_OK = 0,          /**< everything asked for is in place */
	STATUS_FAILED = 1,      /**< failed; the message says what */
	STATUS_USAGE = 2,       /**< wrong usage */
	STATUS_UNSUPPORTED = 3, /**< this machine cannot do it */
	STATUS_PARTLY = 64,     /**< partly done */
};

#endif
