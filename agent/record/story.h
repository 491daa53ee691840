/* The journal as a story for people: a day's heading, then a line a record: UTC time of day,
 * incident, one of five words (seen, decided, why, done, proven), and a sentence. Where a width is
 * given, a longer sentence goes on below its beginning.
 *
 * Whatever a record holds comes out harmless: printable ASCII only, all else as \u{...}, without
 * newlines, bounded. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "record/journal.h"

struct story {
    bool colour;  /* by ANSI escapes (a terminal) */
    bool one;     /* all of one incident: no column for it */
    size_t width; /* columns after which a sentence goes on in the next line; 0: never */
    char day[16]; /* of the last line; "" at first */
};

/* Adds the record's line, with the day's heading before it when the day is another. Nothing for a
 * record that only replay needs. */
void story_add(struct story *s, const struct record *r, struct buf *out);

/* One text as it may stand in such a line: at most `most` bytes of it, then "...". */
void story_text(struct buf *out, const char *text, size_t most);
/* The same without the dots: for what is known to be long. */
void story_text_cut(struct buf *out, const char *text, size_t most);
