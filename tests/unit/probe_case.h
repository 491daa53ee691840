/* For tests of local probe kinds: a root in a temporary folder, a loop, and one probe at a time in
 * it, its arguments decoded from YAML as the loader does. */
#pragma once

#include "config/node.h"
#include "observe/probe.h"

struct probe_case {
    char path[64]; /* the root's folder, on the host */
    struct root *root;
    struct loop *loop;
    struct node node;
    struct view view;
    struct pool *pool;
    struct probe probe;
    bool watching;
    /* The last reading. */
    enum verdict verdict;
    enum reason reason;
    json_t *facts;
    char detail[1024];
    unsigned readings, wakes;
};

/* cmocka's setup and teardown: *state is the case. */
int probe_case_setup(void **state);
int probe_case_teardown(void **state);

/* Makes the file and its folders below the root. */
void probe_case_put(struct probe_case *c, const char *path, const void *bytes, size_t length);
void probe_case_put_text(struct probe_case *c, const char *path, const char *text);
void probe_case_remove(struct probe_case *c, const char *path);
/* The host's path of one below the root; lent till the third call after. */
const char *probe_case_host(struct probe_case *c, const char *path);

/* Ends the probe that was there and begins one of this kind; 0, or what decoding said. */
int probe_case_start(struct probe_case *c, const struct probe_kind *kind, const char *yaml,
                     struct err *e);
void probe_case_stop(struct probe_case *c);
/* Looks once and waits (10 s at most) for the reading. */
void probe_case_look(struct probe_case *c);
/* Turns the loop until it was woken or `usec` have passed. */
void probe_case_wait_wake(struct probe_case *c, uint64_t usec);

/* Looks and compares; `reason` is its word. */
void probe_case_expect(struct probe_case *c, enum verdict v, const char *reason);
const char *probe_case_fact(struct probe_case *c, const char *key); /* "" when there is none */
