/* A file's bytes: what reads see, and what the changes since the last sync have overwritten. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/inside.h"

struct bytes {
    unsigned refs;
    size_t room;
    char at[];
};

static void bytes_unref(struct bytes *b)
{
    if (b && --b->refs == 0)
        free(b);
}

const char *content_at(const struct content *c)
{
    return c->bytes ? c->bytes->at : "";
}

/* Bytes of its own, with room for `length`. */
static char *content_own(struct content *c, uint64_t length)
{
    struct bytes *b = c->bytes;
    if (b && b->refs == 1 && b->room >= length)
        return b->at;
    size_t room = b ? b->room : 0;
    if (room < length)
        room = (size_t)length + (size_t)length / 2 + 64;
    if (b && b->refs == 1) {
        c->bytes = mem_resize(b, sizeof *b + room);
    } else {
        c->bytes = mem_resize(NULL, sizeof *b + room);
        c->bytes->refs = 1;
        if (b)
            memcpy(c->bytes->at, b->at, c->length);
        bytes_unref(b);
    }
    c->bytes->room = room;
    return c->bytes->at;
}

/* Without remembering it. */
static void length_put(struct content *c, uint64_t length)
{
    if (length > c->length) {
        char *at = content_own(c, length);
        memset(at + c->length, 0, length - c->length);
    }
    c->length = length;
}

static void bytes_put(struct content *c, uint64_t offset, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    if (offset > c->length)
        length_put(c, offset);
    uint64_t end = offset + length;
    memcpy(content_own(c, end > c->length ? end : c->length) + offset, bytes, length);
    if (end > c->length)
        c->length = end;
}

static void changes_fini(struct changes *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->at[i].old);
    free(all->at);
    *all = (struct changes){0};
}

static struct change *change_note(struct changes *all, const struct content *c, uint64_t offset,
                                  uint64_t old_end)
{
    struct change *note = mem_push(all->at, all->count, all->room);
    *note = (struct change){.offset = offset, .length_before = c->length};
    if (old_end > c->length)
        old_end = c->length;
    if (offset < old_end) {
        note->old_count = (size_t)(old_end - offset);
        note->old = mem_resize(NULL, note->old_count);
        memcpy(note->old, content_at(c) + offset, note->old_count);
    }
    return note;
}

/* What is written anew will be on the disk at the next sync: it is lost no longer. */
static void lost_found(struct changes *lost, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < lost->count; i++) {
        struct change *l = &lost->at[i];
        uint64_t end = l->offset + l->length;
        if (end <= from || to <= l->offset)
            continue;
        if (to < end) {
            struct change *rest = mem_push(lost->at, lost->count, lost->room);
            l = &lost->at[i];
            *rest = (struct change){.offset = to, .length = end - to, .old_count = end - to};
            rest->old = mem_resize(NULL, rest->old_count);
            memcpy(rest->old, l->old + (to - l->offset), rest->old_count);
        }
        l->length = l->old_count = l->offset < from ? from - l->offset : 0;
    }
}

void content_write(struct content *c, uint64_t offset, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    change_note(&c->pending, c, offset, offset + length)->length = length;
    lost_found(&c->lost, offset, offset + length);
    bytes_put(c, offset, bytes, length);
}

void content_set_length(struct content *c, uint64_t length)
{
    if (length == c->length)
        return;
    change_note(&c->pending, c, length, UINT64_MAX)->is_cut = true;
    lost_found(&c->lost, length, UINT64_MAX);
    length_put(c, length);
}

bool content_sync(struct content *c)
{
    bool some = c->pending.count > 0;
    for (size_t i = 0; i < c->pending.count; i++)
        free(c->pending.at[i].old);
    c->pending.count = 0;
    return some;
}

void content_sync_failed(struct content *c)
{
    for (size_t i = 0; i < c->pending.count; i++) {
        struct change *p = &c->pending.at[i];
        uint64_t end = p->offset + p->length;
        if (end > c->length)
            end = c->length;
        if (!p->is_cut && p->offset < end) {
            struct change *l = mem_push(c->lost.at, c->lost.count, c->lost.room);
            *l = (struct change){.offset = p->offset, .length = end - p->offset};
            l->old_count = (size_t)l->length;
            l->old = mem_alloc(l->old_count);
            if (p->old)
                memcpy(l->old, p->old, p->old_count < l->old_count ? p->old_count : l->old_count);
        }
        free(p->old);
    }
    c->pending.count = 0;
}

static void change_take_back(struct content *c)
{
    struct change *last = &c->pending.at[--c->pending.count];
    uint64_t length = last->length_before;
    bytes_put(c, last->offset, last->old, last->old_count);
    length_put(c, length);
    free(last->old);
}

enum { SECTOR_BYTES = 512 };

enum torn { TORN_NOTHING, TORN_PREFIX, TORN_ZEROS, TORN_SECTORS, TORN_COUNT };

/* What came of a write of `length` bytes when the power went, the ones before it being there. */
static void write_tear(struct content *c, uint64_t offset, const char *bytes, size_t length,
                       uint64_t longest, struct stream_random *r)
{
    uint64_t end = offset + length;
    switch ((enum torn)random_below(r, TORN_COUNT)) {
    case TORN_PREFIX:
        bytes_put(c, offset, bytes, (size_t)random_between(r, 0, length));
        break;
    case TORN_ZEROS:
        if (longest > c->length)
            length_put(c, random_between(r, c->length, longest));
        break;
    case TORN_SECTORS:
        if (end > c->length)
            length_put(c, end);
        for (uint64_t at = offset; at < end;) {
            uint64_t next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
            if (next > end)
                next = end;
            if (random_one_in(r, 2))
                bytes_put(c, at, bytes + (at - offset), (size_t)(next - at));
            at = next;
        }
        break;
    case TORN_NOTHING:
    case TORN_COUNT:
        break;
    }
}

/* How many of the pending changes are on the disk: all, none, or any number. */
static size_t pending_drawn(const struct content *c, struct stream_random *r)
{
    switch (random_below(r, 4)) {
    case 0:
        return c->pending.count;
    case 1:
        return 0;
    default:
        return (size_t)random_between(r, 0, c->pending.count);
    }
}

static void pending_cut(struct content *c, struct stream_random *r)
{
    size_t whole = pending_drawn(c, r);
    uint64_t longest = c->length;
    while (c->pending.count > whole + 1) {
        change_take_back(c);
        longest = c->length > longest ? c->length : longest;
    }
    if (c->pending.count > whole) {
        struct change torn = c->pending.at[whole];
        char *bytes = mem_resize(NULL, (size_t)torn.length);
        if (!torn.is_cut)
            memcpy(bytes, content_at(c) + torn.offset, (size_t)torn.length);
        change_take_back(c);
        if (!torn.is_cut)
            write_tear(c, torn.offset, bytes, (size_t)torn.length, longest, r);
        free(bytes);
    }
    (void)content_sync(c);
}

void content_power_cut(struct content *c, struct stream_random *r)
{
    if (c->pending.count > 0)
        pending_cut(c, r);
    for (size_t i = c->lost.count; i-- > 0;) {
        const struct change *l = &c->lost.at[i];
        uint64_t end = l->offset + l->length < c->length ? l->offset + l->length : c->length;
        if (l->offset < end && random_one_in(r, 2))
            bytes_put(c, l->offset, l->old, (size_t)(end - l->offset));
    }
    changes_fini(&c->pending);
    changes_fini(&c->lost);
}

uint64_t content_sure(const struct content *c)
{
    uint64_t sure = c->length;
    for (size_t i = 0; i < c->pending.count; i++) {
        const struct change *p = &c->pending.at[i];
        uint64_t same = p->offset < p->length_before ? p->offset : p->length_before;
        sure = same < sure ? same : sure;
    }
    for (size_t i = 0; i < c->lost.count; i++)
        if (c->lost.at[i].length > 0 && c->lost.at[i].offset < sure)
            sure = c->lost.at[i].offset;
    return sure;
}

static struct changes changes_copy(const struct changes *all)
{
    struct changes copy = {.count = all->count, .room = all->count};
    if (all->count == 0)
        return copy;
    copy.at = mem_array(struct change, all->count);
    for (size_t i = 0; i < all->count; i++) {
        copy.at[i] = all->at[i];
        if (all->at[i].old) {
            copy.at[i].old = mem_resize(NULL, all->at[i].old_count);
            memcpy(copy.at[i].old, all->at[i].old, all->at[i].old_count);
        }
    }
    return copy;
}

struct content content_copy(const struct content *c)
{
    struct content copy = *c;
    if (copy.bytes)
        copy.bytes->refs++;
    copy.pending = changes_copy(&c->pending);
    copy.lost = changes_copy(&c->lost);
    return copy;
}

void content_fini(struct content *c)
{
    bytes_unref(c->bytes);
    changes_fini(&c->pending);
    changes_fini(&c->lost);
    *c = (struct content){0};
}
