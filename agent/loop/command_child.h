/* Inside loop/ only: one command's child process, whoever waits for it. The two waiters in
 * command.c (the loop, or a blocking poll) call in when a pipe is readable, when the child has
 * ended, and when the deadline has come; after each call they ask whether it is finished.
 *
 *   RUNNING --deadline--> ASKED (SIGTERM sent) --deadline--> KILLED (SIGKILL sent)
 *      \____________________ ended __________________________/ --> ENDED: both pipes at end, or
 *                                                                  the deadline: finished */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "loop/command.h"

enum child_phase { CHILD_RUNNING, CHILD_ASKED, CHILD_KILLED, CHILD_ENDED };

/* The first and the last half of what is written, so that what comes from outside is bounded. */
struct capture {
    int fd;      /* our end of the pipe; stays open until child_fini, so that epoll can let go of
                    it first (a fork of ours may keep the pipe itself alive) */
    bool at_end; /* nobody writes any more */
    size_t head_limit, tail_limit;
    struct buf head;
    char *tail; /* a ring of tail_limit bytes, made when the head is full */
    uint64_t tail_total;
};

struct child {
    pid_t pid;
    enum child_phase phase;
    bool timed_out;
    int status; /* waitpid's, when ended */
    uint64_t began_usec, ended_usec, deadline_usec;
    struct capture captures[2]; /* standard output, standard error */
};

/* Starts it: 0, -EINVAL for a command that isn't one, or why it can't be executed. */
int child_start(struct child *ch, const struct command *c, struct err *e);
/* Of one that was started: closes and frees what it holds; kills nothing. */
void child_fini(struct child *ch);

void child_read(struct child *ch, size_t capture); /* takes what is there; not after its end */
/* Call before the child is reaped: its id is still its own then. */
void child_ended(struct child *ch, int status);
void child_deadline(struct child *ch, uint64_t now_usec); /* does nothing when it hasn't come */
bool child_finished(const struct child *ch, uint64_t now_usec);
void child_kill(struct child *ch); /* the whole process group, at once, if it hasn't ended */
/* What came of it; takes the captured bytes. */
struct command_result child_result(struct child *ch);
