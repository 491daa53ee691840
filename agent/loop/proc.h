/* Processes through a proc folder (the host's /proc, or what the node's description names). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/own.h"
#include "loop/loop.h"

struct process {
    pid_t pid;
    uint64_t start_ticks; /* field 22 of stat: since boot; identifies the process with its pid */
    char state;           /* R, S, D, Z, T ... */
};

/* The process with the lowest start time whose argv[0]'s last part is `name` (threads and zombies
 * left out): 1 found, 0 none, < 0 could not look. */
int process_find(const char *proc, const char *name, struct process *ret, struct err *e);
/* The process `pid`, zombies left out: 1 found, 0 none, < 0 could not look. */
int process_look(const char *proc, pid_t pid, struct process *ret, struct err *e);
/* Is it still that process, and no zombie? */
bool process_is(const char *proc, const struct process *p);

/* Calls `gone` once when that process ends, by pidfd_open(2): the kernel tells, nothing polls.
 * -ENOTSUP when what `proc` has of it is not the kernel's own (its pid then says nothing to
 * the kernel), -ESRCH when it is gone already. */
struct process_watch;
int process_watch_new(struct loop *l, const char *proc, const struct process *p,
                      void (*gone)(void *context), void *context, struct process_watch **ret,
                      struct err *e);
void process_watch_free(struct process_watch *w);
OWNER(struct process_watch, process_watch_free);
