#include "base/pool.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CHUNK_BYTES = 16 * 1024 };

struct chunk {
    struct chunk *next;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

struct pool {
    struct chunk *chunks;
    size_t total;
};

struct pool *pool_new(void)
{
    return mem_new(struct pool);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    for (struct chunk *c = p->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(p);
}

static struct chunk *chunk_add(struct pool *p, size_t size)
{
    struct chunk *c = mem_alloc(sizeof *c + size);
    c->size = size;
    c->next = p->chunks;
    p->chunks = c;
    return c;
}

void *pool_alloc(struct pool *p, size_t size)
{
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct chunk *c = p->chunks;
    if (!c || c->size - c->used < size)
        c = chunk_add(p, size > CHUNK_BYTES ? size : CHUNK_BYTES);
    void *piece = c->bytes + c->used;
    c->used += size;
    p->total += size;
    return piece;
}

char *pool_strndup(struct pool *p, const char *text, size_t length)
{
    char *copy = pool_alloc(p, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *pool_strdup(struct pool *p, const char *text)
{
    return pool_strndup(p, text, strlen(text));
}

size_t pool_size_bytes(const struct pool *p)
{
    return p->total;
}
