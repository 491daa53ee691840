/* A program of ours that runs beside us and is spoken with over one socket: the observer. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

enum { PROGRAM_SOCKET = 3 };

/* Starts `argv` (argv[0] absolute) with `socket` (lent) as its descriptor 3, our standard error, a
 * clean environment and every signal as at a process's start. It dies when we do
 * (PR_SET_PDEATHSIG). */
int program_start(const char *const *argv, int socket, pid_t *ret, struct err *e);
/* SIGKILL; whoever watches for its end (loop.h: reaper) reaps it. */
void program_kill(pid_t pid);
