/* A file that only grows, durably: the journal's segments.
 *
 * Bytes are written at the end that we know of, never at the one that the kernel says, so what
 * a failed write left there is written over or cut off and never kept. Space is
 * reserved ahead of the end with fallocate(2) (FALLOC_FL_KEEP_SIZE: the file's length stays
 * what was written), so that a disk that fills meanwhile doesn't stop what has been begun.
 *
 * After a failed fdatasync(2) the kernel may have dropped the pages and called them clean: a
 * second one on the same descriptor would lie. So such a file is *lost*: it refuses everything
 * but append_close. What was written since the last good sync must be written elsewhere. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "loop/file.h"

struct append;

/* A new file, mode 0600, its folder fsynced; -EEXIST when something is there. */
int append_create(const struct root *r, const char *path, struct append **ret, struct err *e);
/* A regular file that is there, to be appended to at its end. */
int append_open(const struct root *r, const char *path, struct append **ret, struct err *e);
/* Leaves the file as it is; gives back no reserved space. */
void append_close(struct append *a);

uint64_t append_length(const struct append *a); /* what was written, durable or not */
bool append_is_lost(const struct append *a);

/* Reserves space beyond the end: `ahead` bytes, or where there is no room for so much, at least
 * `least`; -ENOSPC when not even that. Does nothing while `least` is reserved already. 0
 * also where the file system can't reserve. */
int append_reserve(struct append *a, uint64_t least, uint64_t ahead, struct err *e);
/* All or nothing: on failure the file is cut back to the length before (if even that fails it
 * is lost). -ENOSPC: disk, quota or the file size's limit is full. */
int append_write(struct append *a, const void *bytes, size_t length, struct err *e);
/* Makes what was written durable. On failure the file is lost. */
int append_sync(struct append *a, struct err *e);
/* Writes what is there from `from` to the end once more, and makes it durable: after a failed fsync
 * of a process that is gone, reading shows bytes that the disk may not have, and only writing them
 * again makes the kernel try again. */
int append_again(struct append *a, uint64_t from, struct err *e);
/* Cuts the file to `length`, durably. */
int append_cut(struct append *a, uint64_t length, struct err *e);
/* Gives the space reserved beyond the end back (the file is complete). */
void append_trim(struct append *a);

OWNER(struct append, append_close);
