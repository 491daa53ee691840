#include <stdio.h>
#include <string.h>

#include "inside.h"

uint64_t text_hash(const char *bytes, size_t length)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return h ^ length;
}

static struct text *text_new(const char *file, const char *bytes, size_t length, uint64_t hash)
{
    struct text *t = mem_new(struct text);
    struct err e = {""};
    t->hash = hash;
    t->length = length;
    t->pool = pool_new();
    char *copy = pool_strndup(t->pool, length ? bytes : "", length);
    struct digest d = digest_of(bytes, length);
    (void)digest_hex(&d, t->digest);
    t->code = pod_parse(t->pool, file, copy, length, &t->pod, &e);
    (void)snprintf(t->why, sizeof t->why, "%.255s", e.text);
    return t;
}

const struct text *text_of(struct world *w, const char *file, const char *bytes, size_t length)
{
    uint64_t hash = text_hash(bytes, length) ^ text_hash(file, strlen(file));
    for (struct text *t = w->texts; t; t = t->next)
        if (t->hash == hash && t->length == length)
            return t;
    struct text *t = text_new(file, length ? bytes : "", length, hash);
    t->next = w->texts;
    w->texts = t;
    return t;
}

const struct text *text_of_file(struct host *n, const char *path)
{
    size_t length = 0;
    const char *bytes = files_get(node_files(n), path, &length);
    return bytes ? text_of(n->world, path, bytes, length) : NULL;
}
