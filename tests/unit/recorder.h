/* A journal as the engine writes it, by a core in a test: each event and what the core decided on
 * it. A test may change or leave out records on their way. */
#pragma once

#include "decide/core.h"
#include "engine/replay.h"
#include "record/journal.h"

struct recorder {
    char path[64];
    struct root *root;
    struct journal *journal;
    unsigned written; /* records handed to `change` */
    /* Each record on its way, from 0 on: may change the body; false leaves it out. May be NULL. */
    bool (*change)(struct recorder *r, const char *type, unsigned number, json_t *body);
    unsigned number; /* `change`'s own */
    bool states;     /* the whole state behind each event */
};

void recorder_init(struct recorder *r);
void recorder_fini(struct recorder *r);
void recorder_add(struct recorder *r, enum record_type type, json_t *body);
/* Keeps the documents and writes START. */
void recorder_start(struct recorder *r, const struct core *c);
/* Other documents come into force, with their EVENT_CONFIG still to be fed. */
void recorder_config(struct recorder *r, struct core *c, struct generation *g);
/* As the engine: the record, the core's step, its records. `fx` gets the effects. */
void recorder_feed(struct recorder *r, struct core *c, const struct event *ev, struct effects *fx);
void recorder_stop(struct recorder *r);
enum replay_verdict recorder_replay(struct recorder *r, const struct catalog *catalog,
                                    struct replay_result *ret, struct err *e);
/* Fails the test unless all of it is the same. */
void recorder_must_be_same(struct recorder *r, const struct catalog *catalog);
