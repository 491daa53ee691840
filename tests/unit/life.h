/* A life of an agent whose node a test makes up, in a journal: an API server that hangs and is
 * brought back, on the shipped documents. */
#pragma once

#include "recorder.h"

extern struct catalog life_catalog; /* the rooms' own */

struct life {
    struct recorder recorder;
    struct generation *generation, *other; /* enforce; dry-run */
    struct core *core;
    uint64_t now_usec;
};

int life_setup(void **state);
int life_teardown(void **state);
void life_feed(struct life *l, struct event ev);
void life_later(struct life *l, uint64_t seconds);
void life_signal(struct life *l, const char *name, enum verdict v, enum reason r);
void life_all_pass(struct life *l);
/* The agent starts, for the first time or with the state that it had. */
void life_start(struct life *l, const char *run);
void life_start_again(struct life *l, const char *run);
/* Ten minutes of health, then the API server hangs, up to the first step's beginning. */
void life_hang(struct life *l, const char *incident);
/* The steps, the signals and the proof. */
void life_heal(struct life *l, const char *incident);
/* A good answer. */
void life_answer(struct life *l, enum event_type type, const char *incident, const char *detail);
/* All that can happen: two runs, a reload in the middle of a playbook, a crash in another. */
void life_whole(struct life *l);
