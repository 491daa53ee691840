/* Inodes, and the room that they take. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/inside.h"

/* As ext4 does: the lowest number that is free, so numbers come again. */
static uint32_t number_free(struct files *f)
{
    for (size_t i = f->free_from; i < f->inode_count; i++)
        if (!f->inodes[i])
            return (uint32_t)(f->free_from = i);
    (void)mem_push(f->inodes, f->inode_count, f->inode_room);
    return (uint32_t)(f->free_from = f->inode_count - 1);
}

struct inode *inode_new(struct files *f, enum inode_kind kind, mode_t mode)
{
    struct inode *i = mem_new(struct inode);
    i->number = number_free(f);
    i->kind = kind;
    i->dress.mode = i->kept_dress.mode = mode;
    f->inodes[i->number] = i;
    f->free_from = i->number + 1;
    inode_touch(f, i);
    return i;
}

void inode_ref(struct inode *i)
{
    i->refs++;
}

void inode_free(struct files *f, struct inode *i)
{
    space_give(f, i->content.allocated);
    f->inodes[i->number] = NULL;
    if (f->free_from > i->number)
        f->free_from = i->number;
    content_fini(&i->content);
    table_unref(i->seen);
    table_unref(i->kept);
    name_unref(i->name);
    free(i->dress.label);
    free(i->kept_dress.label);
    free(i->target);
    free(i);
}

void inode_unref(struct files *f, struct inode *i)
{
    assert(i->refs > 0);
    if (--i->refs > 0)
        return;
    /* Names that only the disk has of what was in it. */
    for (size_t k = 0; k < table_count(i->kept); k++)
        inode_unref(f, inode_at(f, i->kept->at[k].inode));
    for (size_t k = 0; k < table_count(i->seen); k++) {
        struct inode *child = inode_at(f, i->seen->at[k].inode);
        child->parent = 0;
        inode_unref(f, child);
    }
    if (i->former)
        inode_unref(f, inode_at(f, i->former));
    inode_free(f, i);
}

struct inode *inode_child(const struct files *f, const struct inode *folder, const char *name)
{
    return inode_at(f, table_get(folder->seen, name));
}

void inode_touch(struct files *f, struct inode *i)
{
    if (task_current())
        f->wall_ahead_usec = (uint64_t)kernel_wall_usec() - schedule_now();
    i->changed_usec = schedule_now() + f->wall_ahead_usec;
}

void dress_copy(struct dress *to, const struct dress *from)
{
    free(to->label);
    *to = *from;
    if (from->label) {
        to->label = mem_resize(NULL, from->label_length);
        memcpy(to->label, from->label, from->label_length);
    }
}

bool dress_equal(const struct dress *a, const struct dress *b)
{
    return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
           a->label_length == b->label_length &&
           (a->label_length == 0 || memcmp(a->label, b->label, a->label_length) == 0);
}

bool inode_path(const struct files *f, const struct inode *i, char *text)
{
    char *at = text + PATH_TEXT - 1;
    *at = '\0';
    for (; i->number != ROOT_INODE; i = inode_at(f, i->parent)) {
        if (i->parent == 0 || (size_t)(at - text) < i->name->length + 1)
            return false;
        at -= i->name->length;
        memcpy(at, i->name->text, i->name->length);
        *--at = '/';
    }
    if (*at == '\0')
        *--at = '/';
    memmove(text, at, strlen(at) + 1);
    return true;
}

void folder_tell(struct files *f, const struct inode *folder, const char *name,
                 enum file_change what)
{
    char path[PATH_TEXT];
    if (inode_path(f, folder, path))
        kernel_changed(f, task_current(), what, path, name);
}

void inode_tell(struct files *f, const struct inode *i, enum file_change what)
{
    if (i->parent == 0)
        return;
    struct name *name = name_ref(i->name); /* whoever hears it may change files */
    folder_tell(f, inode_at(f, i->parent), name->text, what);
    name_unref(name);
}

uint64_t space_take(struct files *f, uint64_t bytes)
{
    if (f->space == UINT64_MAX)
        return bytes;
    if (bytes > f->space)
        bytes = f->space;
    f->space -= bytes;
    return bytes;
}

void space_give(struct files *f, uint64_t bytes)
{
    if (f->space != UINT64_MAX)
        f->space += bytes;
}

void space_forget(struct files *f, struct inode *i)
{
    if (i->parent == 0 && i->opened == 0)
        space_trim(f, i, 0);
}

void space_trim(struct files *f, struct inode *i, uint64_t length)
{
    if (i->content.allocated <= length)
        return;
    space_give(f, i->content.allocated - length);
    i->content.allocated = length;
}
