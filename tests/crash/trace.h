/* A child whose every file-system call below one folder is a point, at the call's entry: there it
 * can be killed, be given an error instead of the call, be made to read or write less, or be looked
 * at while it stands still.
 *
 * Points are counted by the call's name, from 1, over the child's own calls: not those of what it
 * starts. What it starts is not touched. Knows the registers of x86-64 only. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct call {
    const char *name;
    unsigned number; /* of the calls of that name */
    bool may_be_short;
    char path[600]; /* what it is about, for people */
};

enum order { ORDER_GO, ORDER_KILL, ORDER_FAIL, ORDER_SHORT, ORDER_SKIP };

struct trace {
    const char *folder; /* absolute, without links */
    /* What is to become of this call; for ORDER_FAIL with an errno. ORDER_SKIP: not made, gives 0.
     */
    enum order (*at)(void *context, const struct call *c, int *ret_errnum);
    void (*work)(void *context); /* in the child */
    void *context;
};

/* Runs `work` in a child until it ends or is killed: waitpid's status, or -1 with errno when it
 * can't be traced. */
int trace_run(const struct trace *t);
/* Can it be done on this machine? NULL, or why not. */
const char *trace_is_possible(void);
