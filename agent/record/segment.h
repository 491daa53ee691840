/* Segments: the journal's files, named by the first record that they hold, so that the sorted
 * folder is the order of the journal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "loop/file.h"

enum { SEGMENT_NAME = 20 + sizeof ".jsonl" };

char *segment_name(uint64_t first_seq, char name[SEGMENT_NAME]); /* returns `name` */
bool segment_parse(const char *name, uint64_t *ret_first_seq);

/* The folder's segments in order; whatever else lies there is left out. */
int segments_list(const struct root *root, const char *folder, struct names *ret, struct err *e);

/* Torn tails. One is set aside in two steps, so that a crash between them can't lose its
 * record: `<segment>.torn.new` until the journal holds the `recover` record, `<segment>.torn`
 * (or .torn.1, .2 ... where that is taken) afterwards. */
struct tail {
    char name[SEGMENT_NAME + 16]; /* of the .torn.new file */
    uint64_t bytes;
    struct digest digest;
};

/* Saves what the segment holds from `offset` on as its .torn.new (nothing when that is no byte). */
int tail_save(const struct root *root, const char *folder, const char *segment, uint64_t offset,
              struct err *e);
/* One tail that is set aside and not recorded yet: 1, 0 when there is none, or < 0. */
int tail_find(const struct root *root, const char *folder, struct tail *ret, struct err *e);
/* It is recorded: gives it its last name. */
int tail_settle(const struct root *root, const char *folder, const struct tail *t, struct err *e);
