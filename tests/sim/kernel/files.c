/* A master's file system, as the world and the invariants use it: whole, at once, durable. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "kernel/descriptors.h"
#include "kernel/inside.h"

enum { FOLDER_MODE = 0755, FILE_MODE = 0600, LINK_MODE = 0777 };

struct files *files_new(void)
{
    struct files *f = mem_new(struct files);
    f->space = UINT64_MAX;
    (void)mem_push(f->inodes, f->inode_count, f->inode_room); /* 0 is none */
    f->free_from = ROOT_INODE;
    struct inode *root = inode_new(f, INODE_FOLDER, FOLDER_MODE);
    assert(root->number == ROOT_INODE);
    inode_ref(root);
    return f;
}

void files_free(struct files *f)
{
    if (!f)
        return;
    descriptions_drop(f);
    for (size_t i = 0; i < f->step_count; i++) {
        name_unref(f->steps[i].from_name);
        name_unref(f->steps[i].to_name);
    }
    for (size_t i = 0; i < f->inode_count; i++)
        if (f->inodes[i])
            inode_free(f, f->inodes[i]);
    free(f->steps);
    free(f->inodes);
    free(f);
}

static struct inode *inode_copy(const struct inode *from)
{
    struct inode *i = mem_new(struct inode);
    *i = *from;
    i->dress.label = i->kept_dress.label = NULL;
    dress_copy(&i->dress, &from->dress);
    dress_copy(&i->kept_dress, &from->kept_dress);
    (void)name_ref(i->name);
    (void)table_ref(i->seen);
    (void)table_ref(i->kept);
    i->content = content_copy(&from->content);
    if (from->target)
        i->target = mem_strdup(from->target);
    return i;
}

struct files *files_copy(const struct files *f)
{
    struct files *copy = mem_new(struct files);
    *copy = *f;
    copy->inode_room = f->inode_count;
    copy->inodes = mem_array(struct inode *, f->inode_count);
    for (size_t i = 0; i < f->inode_count; i++)
        copy->inodes[i] = f->inodes[i] ? inode_copy(f->inodes[i]) : NULL;
    copy->step_room = f->step_count;
    copy->steps = NULL;
    if (f->step_count > 0)
        copy->steps = mem_array(struct step, f->step_count);
    for (size_t i = 0; i < f->step_count; i++) {
        copy->steps[i] = f->steps[i];
        (void)name_ref(copy->steps[i].from_name);
        (void)name_ref(copy->steps[i].to_name);
    }
    descriptions_uncount(f, copy);
    return copy;
}

/* ---- power cut ---- */

/* After it, what is on the disk is what is seen, and nothing else is there. */
static void reachable_settle(struct files *f, struct inode *i, bool *reached)
{
    reached[i->number] = true;
    table_unref(i->seen);
    i->seen = table_ref(i->kept);
    for (size_t k = 0; k < table_count(i->seen); k++) {
        struct inode *child = inode_at(f, i->seen->at[k].inode);
        assert(!reached[child->number]);
        name_unref(child->name);
        child->name = name_ref(i->seen->at[k].name);
        child->parent = i->number;
        child->former = 0;
        child->refs = 2; /* seen and on the disk */
        reachable_settle(f, child, reached);
    }
}

static void inode_power_cut(struct files *f, struct inode *i, struct stream_random *r)
{
    if (!dress_equal(&i->dress, &i->kept_dress)) {
        if (random_one_in(r, 2))
            dress_copy(&i->kept_dress, &i->dress);
        else
            dress_copy(&i->dress, &i->kept_dress);
    }
    content_power_cut(&i->content, r);
    space_trim(f, i, i->content.length);
    /* One that came back takes its room again, as far as there is some. */
    if (i->content.allocated < i->content.length)
        i->content.allocated += space_take(f, i->content.length - i->content.allocated);
}

void files_power_cut(struct files *f, struct stream_random *r)
{
    descriptions_drop(f);
    steps_power_cut(f, r);
    for (size_t i = 0; i < f->step_count; i++)
        step_fini(f, &f->steps[i]);
    f->step_count = 0;
    bool *reached = mem_array(bool, f->inode_count);
    reachable_settle(f, inode_at(f, ROOT_INODE), reached);
    for (size_t i = 0; i < f->inode_count; i++) {
        if (f->inodes[i] && reached[i])
            inode_power_cut(f, f->inodes[i], r);
        else if (f->inodes[i])
            inode_free(f, f->inodes[i]);
    }
    free(reached);
}

/* ---- looking ---- */

static struct inode *look(const struct files *f, const char *path, unsigned flags)
{
    struct place p;
    return walk(f, inode_at(f, ROOT_INODE), path, flags, &p) == 0 ? p.inode : NULL;
}

bool files_exists(const struct files *f, const char *path)
{
    return look(f, path, WALK_FOLLOW) != NULL;
}

const char *files_get(const struct files *f, const char *path, size_t *ret_length)
{
    const struct inode *i = look(f, path, WALK_FOLLOW);
    if (!i || i->kind != INODE_FILE)
        return NULL;
    *ret_length = (size_t)i->content.length;
    return content_at(&i->content);
}

/* Links aren't followed. */
const char *files_get_durable(const struct files *f, const char *path, size_t *ret_length)
{
    const struct inode *at = inode_at(f, ROOT_INODE);
    while (*(path += strspn(path, "/")) != '\0') {
        char name[NAME_LENGTH_MAX + 1];
        size_t length = strcspn(path, "/");
        if (length > NAME_LENGTH_MAX)
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        path += length;
        uint32_t next = at->kind == INODE_FOLDER ? table_get(at->kept, name) : 0;
        if (next == 0 || steps_touch(f, at, name))
            return NULL;
        at = inode_at(f, next);
    }
    if (at->kind != INODE_FILE)
        return NULL;
    *ret_length = (size_t)content_sure(&at->content);
    return content_at(&at->content);
}

void files_list(const struct files *f, const char *path,
                void (*each)(void *context, const char *name), void *context)
{
    const struct inode *i = look(f, path, WALK_FOLLOW);
    if (!i || i->kind != INODE_FOLDER)
        return;
    struct table *names = table_ref(i->seen); /* `each` may change it */
    for (size_t k = 0; k < table_count(names); k++)
        each(context, names->at[k].name->text);
    table_unref(names);
}

static uint64_t hash_add(uint64_t hash, const void *bytes, size_t length)
{
    const char *at = bytes;
    for (; length > 0;) {
        uint64_t word = 0;
        size_t part = length < sizeof word ? length : sizeof word;
        memcpy(&word, at, part);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
        at += part;
        length -= part;
    }
    return hash;
}

static uint64_t inode_hash(const struct files *f, const struct inode *i, uint64_t hash)
{
    uint64_t looks[] = {i->kind,      i->dress.mode,     i->dress.uid,
                        i->dress.gid, i->content.length, table_count(i->seen)};
    hash = hash_add(hash, looks, sizeof looks);
    hash = hash_add(hash, content_at(&i->content), (size_t)i->content.length);
    if (i->target)
        hash = hash_add(hash, i->target, strlen(i->target) + 1);
    for (size_t k = 0; k < table_count(i->seen); k++) {
        const struct item *item = &i->seen->at[k];
        hash = hash_add(hash, item->name->text, item->name->length + 1);
        hash = inode_hash(f, inode_at(f, item->inode), hash);
    }
    return hash;
}

uint64_t files_hash(const struct files *f, const char *path)
{
    const struct inode *i = look(f, path, WALK_FOLLOW);
    return i ? inode_hash(f, i, 1) : 0;
}

void files_set_room(struct files *f, uint64_t bytes)
{
    f->space = bytes;
}

void files_set_read_only(struct files *f, bool read_only)
{
    f->read_only = read_only;
}

/* ---- changing ---- */

static void inode_settle(struct inode *i)
{
    (void)content_sync(&i->content);
    dress_copy(&i->kept_dress, &i->dress);
}

static struct inode *give(struct files *f, struct inode *folder, const char *name,
                          enum inode_kind kind, mode_t mode)
{
    struct inode *i = inode_new(f, kind, mode);
    step_add(f, folder, name, i);
    steps_sync_name(f, folder, name);
    return i;
}

/* The folder that `path` lies in, made with its parents, and its last name. */
static struct inode *parent_make(struct files *f, const char *path, struct place *ret)
{
    char part[PATH_TEXT];
    size_t length = strlen(path);
    assert(path[0] == '/' && length < sizeof part);
    for (size_t at = 1; at < length; at++) {
        if (path[at] != '/' || path[at - 1] == '/')
            continue;
        memcpy(part, path, at);
        part[at] = '\0';
        struct place p;
        int code = walk(f, inode_at(f, ROOT_INODE), part, WALK_FOLLOW, &p);
        if (code == 0)
            continue;
        assert(p.folder);
        struct inode *folder = p.folder;
        (void)give(f, folder, p.name, INODE_FOLDER, FOLDER_MODE);
        folder_tell(f, folder, p.name, CHANGED_CREATED);
    }
    int code = walk(f, inode_at(f, ROOT_INODE), path, WALK_PARENT, ret);
    assert(code == 0);
    return ret->folder;
}

void files_put(struct files *f, const char *path, const void *bytes, size_t length)
{
    struct place p;
    struct inode *folder = parent_make(f, path, &p);
    assert(folder);
    if (p.inode && p.inode->kind == INODE_LINK &&
        walk(f, inode_at(f, ROOT_INODE), path, WALK_FOLLOW, &p) == 0)
        folder = p.folder;
    bool is_new = !p.inode;
    struct inode *i = is_new ? give(f, folder, p.name, INODE_FILE, FILE_MODE) : p.inode;
    assert(i->kind == INODE_FILE);
    if (!is_new)
        steps_sync_name(f, folder, p.name);
    content_set_length(&i->content, 0);
    content_write(&i->content, 0, bytes, length);
    space_trim(f, i, length);
    i->content.allocated += space_take(f, length - i->content.allocated);
    inode_settle(i);
    inode_touch(f, i);
    folder_tell(f, folder, p.name, is_new ? CHANGED_CREATED : CHANGED_WRITTEN);
    folder_tell(f, folder, p.name, CHANGED_SYNCED);
}

/* Depth first, so that each is told. */
static void take(struct files *f, struct inode *folder, const char *name)
{
    struct inode *i = inode_child(f, folder, name);
    while (table_count(i->seen) > 0) {
        struct name *inner = name_ref(i->seen->at[0].name);
        take(f, i, inner->text);
        name_unref(inner);
    }
    step_remove(f, folder, name);
    steps_sync_name(f, folder, name);
    folder_tell(f, folder, name, CHANGED_REMOVED);
}

void files_remove(struct files *f, const char *path)
{
    struct place p;
    if (walk(f, inode_at(f, ROOT_INODE), path, WALK_PARENT, &p) == 0 && p.inode && p.folder)
        take(f, p.folder, p.name);
}

bool files_move(struct files *f, const char *from, const char *to)
{
    struct place a, b;
    if (walk(f, inode_at(f, ROOT_INODE), from, WALK_PARENT, &a) != 0 || !a.inode || !a.folder)
        return false;
    (void)parent_make(f, to, &b);
    if (a.inode == b.inode)
        return true;
    bool is_over = b.inode && b.inode->kind != INODE_FOLDER;
    if (b.inode && !is_over)
        take(f, b.folder, b.name);
    step_rename(f, a.folder, a.name, b.folder, b.name);
    steps_sync_name(f, b.folder, b.name);
    inode_settle(a.inode);
    folder_tell(f, a.folder, a.name, CHANGED_REMOVED);
    folder_tell(f, b.folder, b.name, is_over ? CHANGED_REPLACED : CHANGED_CREATED);
    return true;
}

void files_make_folder(struct files *f, const char *path)
{
    struct place p;
    (void)parent_make(f, path, &p);
    if (p.inode || !p.folder)
        return;
    (void)give(f, p.folder, p.name, INODE_FOLDER, FOLDER_MODE);
    folder_tell(f, p.folder, p.name, CHANGED_CREATED);
}

void files_link(struct files *f, const char *path, const char *target)
{
    struct place p;
    (void)parent_make(f, path, &p);
    assert(p.folder);
    if (p.inode)
        take(f, p.folder, p.name);
    give(f, p.folder, p.name, INODE_LINK, LINK_MODE)->target = mem_strdup(target);
    folder_tell(f, p.folder, p.name, CHANGED_CREATED);
}
