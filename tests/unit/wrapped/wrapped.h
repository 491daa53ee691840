/* System calls that fail when a test says so: linked by --wrap into the programs named
 * test_wrapped_*. The calls are those in the Makefile's WRAPPED; the C library's own calls of them
 * aren't seen. */
#pragma once

#include <stddef.h>

struct wrapped_fault {
    const char *call; /* "fstat" */
    int after;        /* this many of them go through first */
    int count;        /* and so many fail then; -1: all */
    int errnum;       /* with this; 0: does nothing and returns 0 */
    /* Instead of failing: called before each of those, which then goes through. */
    void (*before)(void *context);
    void *context;
};

/* Faults in force until the next call of this; `count` 0: none. At most 4. */
void wrapped_set(const struct wrapped_fault *faults, size_t count);
/* How often one of them has struck since. */
int wrapped_hits(void);
