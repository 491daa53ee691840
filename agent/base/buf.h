/* A growing byte buffer with a limit: what comes from outside never grows it
 * without bound. bytes[length] is always NUL, so text can be used as it is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *bytes; /* NULL while empty and never written */
    size_t length, room;
    size_t limit;   /* 0: none */
    bool truncated; /* something did not fit below `limit` */
};

void buf_fini(struct buf *b);
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *bytes, size_t length);
void buf_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes as text, "" while empty; owned by the buffer. */
const char *buf_string(const struct buf *b);
/* Hands the bytes on (never NULL, NUL-terminated, free() them) and empties the buffer. */
char *buf_take(struct buf *b);

static inline void buf_fini_owned(struct buf *b)
{
    buf_fini(b);
}
