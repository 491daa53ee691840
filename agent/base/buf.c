#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void buf_fini(struct buf *b)
{
    if (!b)
        return;
    free(b->bytes);
    *b = (struct buf){.limit = b->limit};
}

void buf_clear(struct buf *b)
{
    b->length = 0;
    b->truncated = false;
    if (b->bytes)
        b->bytes[0] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t length)
{
    if (b->limit && length > b->limit - b->length) {
        length = b->limit - b->length;
        b->truncated = true;
    }
    if (b->length + length + 1 > b->room) {
        size_t room = b->room ? b->room : 64;
        while (room < b->length + length + 1)
            room *= 2;
        b->bytes = mem_resize(b->bytes, room);
        b->room = room;
    }
    if (length)
        memcpy(b->bytes + b->length, bytes, length);
    b->length += length;
    b->bytes[b->length] = '\0';
}

void buf_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    mem_must(length < 0 ? NULL : text);
    buf_add(b, text, (size_t)length);
    free(text);
}

const char *buf_string(const struct buf *b)
{
    return b->bytes ? b->bytes : "";
}

char *buf_take(struct buf *b)
{
    char *bytes = b->bytes ? b->bytes : mem_strdup("");
    *b = (struct buf){.limit = b->limit};
    return bytes;
}
