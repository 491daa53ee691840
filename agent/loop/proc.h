/* Processes through a proc folder (the host's /proc, or what the node's description names). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct process {
    pid_t pid;
    uint64_t start_ticks; /* field 22 of stat: since boot; identifies the process with its pid */
    char state;           /* R, S, D, Z, T ... */
};

/* The process with the lowest start time whose argv[0]'s last part is `name` (threads and zombies
 * left out): 1 found, 0 none, < 0 could not look. */
int process_find(const char *proc, const char *name, struct process *ret, struct err *e);
/* Is it still that process? */
bool process_is(const char *proc, const struct process *p);
