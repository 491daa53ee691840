/* A detached process: this same program, executed anew in a session of its own as init's child,
 * so that nothing that ends us (kill -9, a crash, the end of our process group) ends it. It
 * is started for what must be done even if we are not there any more (act/deadman.h).
 *
 * It proves that it stands by writing DETACHED_READY to its standard output, which is a pipe
 * to us until then; no descriptor of ours but that goes with it, least of all the lock. Its other
 * streams are /dev/null, its environment is that of commands (loop/command.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/own.h"

#define DETACHED_READY "ready\n"

struct detached;

/* Starts /proc/self/exe with `argv` and waits until it is ready, at most `timeout_usec`: else it
 * is ended and this fails. */
int detached_start(const char *const *argv, uint64_t timeout_usec, struct detached **ret,
                   struct err *e);
pid_t detached_pid(const struct detached *d);
/* Has it not ended yet? */
bool detached_is_alive(const struct detached *d);
/* Ends it (SIGKILL through its pidfd, so never somebody else's process) and frees. */
void detached_end(struct detached *d);
/* Lets it live and frees. */
void detached_leave(struct detached *d);
OWNER(struct detached, detached_leave);
