/* A worker: a forked child that goes on with our memory (not executed anew), as hands do. It
 * leads a session and process group of its own, dies when we do (PR_SET_PDEATHSIG), has every
 * signal as at the start of a process, and no descriptor but 0-2 and those that it is told to keep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct root;

struct worker_keeps {
    const int *fds;
    size_t count;
    /* This file, too, whichever descriptor it is open at (the agent's lock); may be NULL. */
    const struct root *root;
    const char *path;
};

/* 0 with the child's id in ours; in the child `work` is called and never comes back (when it
 * returns, its value is the exit code). */
int worker_fork(const struct worker_keeps *keeps, int (*work)(void *context), void *context,
                pid_t *ret, struct err *e);

/* Kills the worker's whole group at once; it is still to be reaped. */
void worker_kill(pid_t pid);
/* The same, and reaps it. */
void worker_end(pid_t pid);

/* How it ended, from waitpid's status, for people: "died of signal 9 (Killed)", "ended with 3". */
enum { WORKER_TEXT = 64 };
char *worker_end_text(int status, char text[WORKER_TEXT]);

/* In the worker, for fault points of test builds: kills our parent and us, as a kill -9 of the
 * whole service would. */
void worker_crash(void);

/* In the worker: waits until the socket can be read (or written): false when `until_usec` (boot
 * clock) came first, or it broke. */
bool worker_wait(int socket, bool write, uint64_t until_usec);
