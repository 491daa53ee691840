/* Between replay.c, which compares, and replay_what_if.c, which asks other documents. */
#pragma once

#include "config/generation.h"
#include "decide/core.h"
#include "engine/replay.h"
#include "record/journal.h"

/* The documents beside a journal, as generations. The last one is kept: most runs are on the same
 * documents as the one before. */
struct archive {
    const struct root *root;
    const char *folder;
    const struct catalog *catalog;
    const struct generation_asked *asked; /* NULL: as they were */
    char digest[DIGEST_HEX + 1];          /* of the last one asked for, found or not */
    struct generation *generation;        /* NULL: why says why not */
    struct err why;
};

/* Lent until the next call; NULL with `why` set. */
struct generation *archive_find(struct archive *a, const char *digest);
void archive_fini(struct archive *a);

/* What a record means to a replay. */
enum replay_part {
    PART_OTHER,    /* nothing */
    PART_START,    /* a run begins, with a state */
    PART_STOP,     /* ... ends well */
    PART_CONFIG,   /* other documents come into force */
    PART_STATE,    /* the whole state, in the middle of a run */
    PART_EVENT,    /* enters the core */
    PART_DECISION, /* left the core */
    PART_LOST,     /* records before this one were lost */
    PART_ASIDE,    /* the state was set aside as unreadable: the core began anew */
};
enum replay_part replay_part(const json_t *body);

/* Counts one more thing that can't be compared for this reason; `where`: the record. */
void replay_gap(struct replay_result *ret, const struct record *r, const char *why);

/* ---- replay_side.c ---- */

/* Takes what a record of the core says; `wall` is the time for people. */
void side_take(struct replay_side *s, const char *type, const json_t *body, uint64_t at_usec,
               const char *wall);
void side_fini(struct replay_side *s);
/* Pairs the incidents (the same failure, opened at about the same time): are the choices the same?
 */
bool sides_match(struct replay_side *a, struct replay_side *b);
