/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGINT, SIGTERM and SIGHUP end a run between two system calls; a second one kills. */
#ifndef MIGRATECTL_STOP_SIGNAL_H
#define MIGRATECTL_STOP_SIGNAL_H

/** stop_signal_watch - from now on they are only noted. */
void stop_signal_watch(void);

/** stop_signal_get - the one that came, 0: none. */
int stop_signal_get(void);

#endif
