/* Commands: argv arrays with an absolute path, a clean environment (PATH, LANG=C.UTF-8,
 * HOME=/), no shell, standard input from /dev/null, no descriptors but 0-2, a timeout
 * (then SIGTERM, 2 s later SIGKILL to the whole process group), captured and bounded
 * output. The child dies with us (PR_SET_PDEATHSIG). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

struct command {
    const char *const *argv; /* argv[0] absolute; NULL-terminated */
    uint64_t timeout_usec;
    size_t output_limit_bytes; /* of each of out and err; 0: 64 KiB */
};

struct command_result {
    bool started, timed_out;
    int exit_code; /* -1 when ended by a signal or not started */
    int signal;
    struct buf out, err;
    uint64_t took_usec;
};

void command_result_fini(struct command_result *r);

/* In the loop: calls `done` exactly once, later, unless freed before (which kills). The
 * result is lent for the call. */
struct running;
int command_start(struct loop *l, const struct command *c,
                  void (*done)(void *context, const struct command_result *r), void *context,
                  struct running **ret, struct err *e);
void running_free(struct running *r);

/* Blocking, for hands (act/hand.h) and verbs only. 0 whenever the command ran, whatever
 * it returned. */
int command_run(const struct command *c, struct command_result *ret, struct err *e);

static inline void command_result_fini_owned(struct command_result *r)
{
    command_result_fini(r);
}
OWNER(struct running, running_free);
