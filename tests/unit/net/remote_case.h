/* For tests of the agent's end of the observer: a root in a temporary folder, a loop, an observer
 * (real or false), and a few https probes. */
#pragma once

#include "observe/remote.h"

enum { PROBES = 4 };

struct remote_case {
    char path[64];
    struct root *root;
    struct loop *loop;
    struct remote *remote;
    struct view view;
    struct pool *pool;
    struct probe probes[PROBES];
    unsigned readings[PROBES], healths;
    struct reading last[PROBES];
    char details[PROBES][256];
};

int remote_case_setup(void **state);
int remote_case_teardown(void **state);

/* An observer of these argv, this very program as a false one, the real one (waits until it is
 * alive; skips the test where PLANEGUARD_OBSERVER doesn't name it). */
void remote_case_begin(struct remote_case *w, const char *const *argv, const char *user);
void remote_case_begin_false(struct remote_case *w, const char *kind);
void remote_case_begin_real(struct remote_case *w);

void remote_case_turn(struct remote_case *w, uint64_t usec);
void remote_case_wait_alive(struct remote_case *w, bool alive, uint64_t usec);

/* Probe `i` gets these arguments. */
void remote_case_probe(struct remote_case *w, size_t i, const char *yaml);
void remote_case_look(struct remote_case *w, size_t i);
/* As the schedule does it when its deadline is over. */
void remote_case_cancel(struct remote_case *w, size_t i);
void remote_case_wait_reading(struct remote_case *w, size_t i, unsigned count, uint64_t usec);
void remote_case_expect_reading(struct remote_case *w, size_t i, enum verdict v, enum reason r);
void remote_case_look_and_expect(struct remote_case *w, size_t i, enum verdict v, enum reason r);

/* For probes that a test makes itself. */
void remote_case_on_report(struct probe *p, const struct reading *r);
void remote_case_on_wake(struct probe *p);

/* No such process, or only what is left of it. */
bool remote_case_is_gone(pid_t pid);
