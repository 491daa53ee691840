#include "kernel/descriptors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct slot {
    int fd;
    struct description *description;
};

/* One task's. */
struct holder {
    struct task *task;
    struct slot *slots;
    size_t count, room;
};

static struct holder *holders;
static size_t holder_count, holder_room, holder_last;
static struct description *descriptions;
static struct folder_reader *readers;
static int next_descriptor = FIRST_DESCRIPTOR;

static struct holder *holder_find(const struct task *t)
{
    if (holder_last < holder_count && holders[holder_last].task == t)
        return &holders[holder_last];
    for (size_t i = 0; i < holder_count; i++)
        if (holders[i].task == t)
            return &holders[holder_last = i];
    return NULL;
}

static struct holder *holder_need(struct task *t)
{
    assert(t);
    struct holder *h = holder_find(t);
    if (h)
        return h;
    h = mem_push(holders, holder_count, holder_room);
    h->task = t;
    return h;
}

static struct slot *slot_find(const struct holder *h, int fd)
{
    for (size_t i = h ? h->count : 0; i-- > 0;)
        if (h->slots[i].fd == fd)
            return &h->slots[i];
    return NULL;
}

static void slot_add(struct holder *h, int fd, struct description *d)
{
    *mem_push(h->slots, h->count, h->room) = (struct slot){fd, d};
    d->refs++;
}

static void description_detach(struct description *d)
{
    if (d->inode) {
        d->inode->opened--;
        space_forget(d->files, d->inode);
        inode_unref(d->files, d->inode);
    }
    d->inode = NULL;
    d->files = NULL;
    table_unref(d->listed);
    d->listed = NULL;
}

static void description_unref(struct description *d)
{
    if (--d->refs > 0)
        return;
    struct description **at = &descriptions;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    lock_give(d);
    description_detach(d);
    free(d->text);
    free(d);
}

int descriptor_open(struct files *f, struct inode *i, int flags, char *text)
{
    struct description *d = mem_new(struct description);
    *d = (struct description){
        .files = f, .inode = i, .flags = flags, .text = text, .next = descriptions};
    descriptions = d;
    inode_ref(i);
    i->opened++;
    slot_add(holder_need(task_current()), next_descriptor, d);
    return next_descriptor++;
}

struct description *descriptor_find(int fd)
{
    const struct slot *s = slot_find(holder_find(task_current()), fd);
    return s && s->description->inode ? s->description : NULL;
}

int descriptor_dup(struct description *d)
{
    slot_add(holder_need(task_current()), next_descriptor, d);
    return next_descriptor++;
}

bool descriptor_close(int fd)
{
    struct holder *h = holder_find(task_current());
    struct slot *s = slot_find(h, fd);
    if (!s)
        return false;
    struct description *d = s->description;
    *s = h->slots[--h->count];
    description_unref(d);
    return true;
}

void descriptions_drop(struct files *f)
{
    for (struct description *d = descriptions; d; d = d->next)
        if (d->files == f) {
            d->lock = 0;
            description_detach(d);
        }
}

void descriptions_uncount(const struct files *from, struct files *copy)
{
    for (const struct description *d = descriptions; d; d = d->next)
        if (d->files == from) {
            struct inode *i = inode_at(copy, d->inode->number);
            i->opened--;
            space_forget(copy, i);
            inode_unref(copy, i);
        }
}

struct description *descriptions_first(void)
{
    return descriptions;
}

void kernel_share(struct task *child, const int *fds, size_t count)
{
    struct holder *to = holder_need(child), *from = holder_find(task_current());
    for (size_t i = 0; from && i < from->count; i++) {
        struct slot s = from->slots[i];
        bool wanted = s.description->lock != 0;
        for (size_t k = 0; k < count && !wanted; k++)
            wanted = fds[k] == s.fd;
        if (wanted && !slot_find(to, s.fd))
            slot_add(to, s.fd, s.description);
    }
}

void kernel_task_ended(struct task *t)
{
    lock_task_ended(t);
    for (struct folder_reader *r = readers, *next; r; r = next) {
        next = r->next;
        if (r->task == t)
            reader_close(r);
    }
    struct holder *h = holder_find(t);
    if (!h)
        return;
    struct holder ended = *h;
    *h = holders[--holder_count];
    for (size_t i = 0; i < ended.count; i++)
        description_unref(ended.slots[i].description);
    free(ended.slots);
}

struct folder_reader *reader_open(int fd)
{
    struct folder_reader *r = mem_new(struct folder_reader);
    *r = (struct folder_reader){.fd = fd, .task = task_current(), .next = readers};
    readers = r;
    return r;
}

struct folder_reader *reader_find(DIR *d)
{
    struct folder_reader *r = readers;
    while (r && (void *)r != (void *)d)
        r = r->next;
    return r;
}

void reader_close(struct folder_reader *r)
{
    struct folder_reader **at = &readers;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    free(r);
}
