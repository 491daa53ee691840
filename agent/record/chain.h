/* The chain: a record's line, and the hash that ties it to the one before (see journal.h). */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/own.h"

enum { LINE_BYTES_MAX = 1024 * 1024 }; /* with its newline */

/* The previous hash of the first record: 64 zeros. */
extern const char chain_start[DIGEST_HEX + 1];

/* Hashes one record after the other without making a hasher anew each time. */
struct chain;
struct chain *chain_new(void);
void chain_free(struct chain *c);
struct line {
    const char *body; /* lent: into the line's bytes */
    size_t body_length;
    const char *hash; /* 64 hex digits, no NUL */
    uint64_t seq;
    uint64_t since; /* the first record of the batch that it was written with */
};

/* The line's hash in lower-case hex, from the one before it in hex and all of the line but its
 * hash. `ret` may be `previous`. */
void chain_hash(struct chain *c, const struct line *l, const char previous[DIGEST_HEX],
                char ret[DIGEST_HEX + 1]);

/* The most that a body may be long, so that its line fits. */
size_t line_body_max(void);
/* Takes the line's parts from its bytes (without the newline). 0, or -EINVAL when it hasn't exactly
 * the form that line_write gives; the body is not looked into. */
int line_parse(const char *bytes, size_t length, struct line *ret);
/* Adds the line with its newline. */
void line_write(const struct line *l, struct buf *out);

OWNER(struct chain, chain_free);
