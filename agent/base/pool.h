/* A pool: memory that is given out piece by piece and freed all at once. One
 * pool holds one configuration generation. */
#pragma once

#include <stddef.h>

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *p);

/* Zeroed, aligned for any type, owned by the pool. Never NULL (base/mem.h). */
void *pool_alloc(struct pool *p, size_t size) __attribute__((returns_nonnull));
char *pool_strdup(struct pool *p, const char *text) __attribute__((returns_nonnull));
char *pool_strndup(struct pool *p, const char *text, size_t length)
    __attribute__((returns_nonnull));

/* Bytes given out so far. */
size_t pool_size_bytes(const struct pool *p);

#define pool_new_of(p, type) ((type *)pool_alloc((p), sizeof(type)))
#define pool_array(p, type, count) ((type *)pool_alloc((p), sizeof(type) * (count)))
