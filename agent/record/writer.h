/* The writer: where the journal's next line goes, and the chain's place there.
 *
 * It keeps the rule that a failed sync is never tried again on its descriptor: what such a failure
 * left in a file is *debris*, which must be gone, by another descriptor, before anything
 * else is written. */
#pragma once

#include "loop/append.h"
#include "loop/clock.h"
#include "record/chain.h"
#include "record/journal.h"
#include "record/segment.h"

struct output {
    struct append *file; /* NULL: a new segment must be begun */
    char name[SEGMENT_NAME];
};

struct writer {
    const struct root *root; /* lent */
    char *node_name;
    char boot_id[BOOT_ID_TEXT];
    struct chain *chain;
    struct output out;
    uint64_t good_bytes; /* of out: durable */
    uint64_t next_seq;   /* after the last durable record */
    char head[DIGEST_HEX + 1];
    char last[SEGMENT_NAME]; /* the segment with the last durable record */
    bool rotated;
    char debris[SEGMENT_NAME]; /* "": nothing */
    uint64_t debris_from;      /* offset in it; 0: the file itself */
};

/* (record/resume.c) Finds the end of the journal that is there, sets a torn tail aside, or begins a
 * new journal. */
int writer_open(const struct root *root, const char *node_name, struct writer *ret,
                bool *ret_is_new, struct err *e);
void writer_fini(struct writer *w);

/* One body, stamped now; free() it. Takes the reference of `fields`. */
char *writer_text(const struct writer *w, enum record_type type, json_t *fields);
/* Writes these bodies as the next records and makes them durable: all or none. `has_intent`: only
 * when room for what follows is reserved too. A new segment is begun where one is needed. */
int writer_write(struct writer *w, char *const *texts, size_t count, bool has_intent,
                 struct err *e);
/* Begins the next segment when this one is full; when that fails the old one goes on, and the
 * next call tries again. */
void writer_rotate(struct writer *w);
