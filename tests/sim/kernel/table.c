/* A folder's names. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/inside.h"

struct name *name_new(const char *text, size_t length)
{
    struct name *n = mem_resize(NULL, sizeof *n + length + 1);
    *n = (struct name){.refs = 1, .length = length};
    memcpy(n->text, text, length);
    n->text[length] = '\0';
    return n;
}

struct name *name_ref(struct name *n)
{
    if (n)
        n->refs++;
    return n;
}

void name_unref(struct name *n)
{
    if (n && --n->refs == 0)
        free(n);
}

/* Where it is, or would be. */
static size_t table_find(const struct table *t, const char *name, bool *ret_is_there)
{
    size_t low = 0, high = table_count(t);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(t->at[middle].name->text, name);
        if (order == 0) {
            *ret_is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_is_there = false;
    return low;
}

uint32_t table_get(const struct table *t, const char *name)
{
    bool is_there;
    size_t at = table_find(t, name, &is_there);
    return is_there ? t->at[at].inode : 0;
}

/* One of its own with room for one more. */
static struct table *table_own(struct table **t)
{
    struct table *old = *t;
    size_t count = table_count(old);
    if (old && old->refs == 1 && old->room > count)
        return old;
    size_t room = count + count / 2 + 4;
    struct table *own = mem_resize(NULL, sizeof *own + room * sizeof own->at[0]);
    *own = (struct table){.refs = 1, .count = count, .room = room};
    for (size_t i = 0; i < count; i++)
        own->at[i] = (struct item){name_ref(old->at[i].name), old->at[i].inode};
    table_unref(old);
    return *t = own;
}

void table_put(struct table **t, struct name *name, uint32_t inode)
{
    bool is_there;
    size_t at = table_find(*t, name->text, &is_there);
    struct table *own = table_own(t);
    if (is_there) {
        own->at[at].inode = inode;
        return;
    }
    memmove(&own->at[at + 1], &own->at[at], (own->count - at) * sizeof own->at[0]);
    own->at[at] = (struct item){name_ref(name), inode};
    own->count++;
}

void table_remove(struct table **t, const char *name)
{
    bool is_there;
    size_t at = table_find(*t, name, &is_there);
    if (!is_there)
        return;
    struct table *own = table_own(t);
    name_unref(own->at[at].name);
    own->count--;
    memmove(&own->at[at], &own->at[at + 1], (own->count - at) * sizeof own->at[0]);
}

struct table *table_ref(struct table *t)
{
    if (t)
        t->refs++;
    return t;
}

void table_unref(struct table *t)
{
    if (!t || --t->refs > 0)
        return;
    for (size_t i = 0; i < t->count; i++)
        name_unref(t->at[i].name);
    free(t);
}
