/* A walk over the journal's lines, segment after segment, in bounded memory: one line at a time,
 * whatever the files hold.
 *
 * The agent may be writing meanwhile. Each file is read to the length that it had when it was
 * opened; a last line that isn't complete yet is looked at again for a few milliseconds, so
 * that a record being written isn't taken for a torn one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "loop/file.h"

struct walk;

struct walk_line {
    const char *file;    /* the segment's name; lent, like the bytes, until the next step */
    uint64_t first_seq;  /* as the file's name says */
    uint64_t number;     /* in the file, from 1 */
    uint64_t end;        /* the offset behind the line and its newline */
    const char *bytes;   /* without the newline */
    size_t length;       /* LINE_BYTES_MAX: longer than a line can be, and cut */
    bool complete;       /* ends in a newline */
    bool in_last;        /* the file is the journal's last */
    uint64_t file_bytes; /* length of the file */
};

/* All segments of the folder. -ENOENT: no folder, or no segment in it. */
int walk_open(const struct root *root, const char *folder, struct walk **ret, struct err *e);
/* Only the one named `name`, which then counts as the last and is nobody else's: no waiting.
 * Whether it can be read walk_next says. */
struct walk *walk_alone(const struct root *root, const char *folder, const char *name);
void walk_close(struct walk *w);
/* 1 and the next line, 0 at the end, < 0: couldn't read. An empty file gives one line that is
 * empty and not complete. */
int walk_next(struct walk *w, struct walk_line *ret, struct err *e);

/* Has it a NUL, which no record has: a block that never reached the disk reads as zeros. */
static inline bool walk_line_has_hole(const struct walk_line *l)
{
    return memchr(l->bytes, '\0', l->length) != NULL;
}

OWNER(struct walk, walk_close);
