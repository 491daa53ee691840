/* Names given and taken: steps from the tables on the disk to those that are seen.
 *
 * A step depends on each earlier pending one that is about the same name in the same folder; a
 * folder's removal or replacement on those inside it (what was moved out of it isn't lost with it);
 * a folder's rename on earlier ones of folders (they could make a ring). POSIX promises less,
 * but no journaling file system does less. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/inside.h"

static bool step_is_at(const struct step *s, uint32_t folder, const char *name)
{
    return (s->from == folder && strcmp(s->from_name->text, name) == 0) ||
           (s->to == folder && strcmp(s->to_name->text, name) == 0);
}

static bool step_moves_folder(const struct files *f, const struct step *s)
{
    return s->from && s->to && inode_at(f, s->inode)->kind == INODE_FOLDER;
}

static bool step_ends_folder(const struct step *s, uint32_t folder)
{
    return s->replaced == folder || (s->to == 0 && s->inode == folder);
}

static bool step_depends(const struct files *f, const struct step *later,
                         const struct step *earlier)
{
    if (later->from && step_is_at(earlier, later->from, later->from_name->text))
        return true;
    if (later->to && step_is_at(earlier, later->to, later->to_name->text))
        return true;
    if (step_moves_folder(f, later) && step_moves_folder(f, earlier))
        return true;
    return (earlier->from && step_ends_folder(later, earlier->from)) ||
           (earlier->to && step_ends_folder(later, earlier->to));
}

void step_fini(struct files *f, struct step *s)
{
    name_unref(s->from_name);
    name_unref(s->to_name);
    uint32_t held[] = {s->inode, s->replaced, s->from, s->to};
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        if (held[i])
            inode_unref(f, inode_at(f, held[i]));
}

/* ---- what is on the disk ---- */

static void kept_put(struct files *f, struct inode *folder, struct name *name, uint32_t inode)
{
    uint32_t old = table_get(folder->kept, name->text);
    if (inode)
        inode_ref(inode_at(f, inode));
    if (inode)
        table_put(&folder->kept, name, inode);
    else
        table_remove(&folder->kept, name->text);
    if (old)
        inode_unref(f, inode_at(f, old));
}

static void step_keep(struct files *f, const struct step *s)
{
    if (s->to)
        kept_put(f, inode_at(f, s->to), s->to_name, s->inode);
    if (s->from)
        kept_put(f, inode_at(f, s->from), s->from_name, 0);
}

/* Marks the step and, before it, all that it depends on. */
static void step_want(const struct files *f, bool *wanted, size_t at)
{
    wanted[at] = true;
    for (size_t i = at; i-- > 0;)
        if (!wanted[i] && step_depends(f, &f->steps[at], &f->steps[i]))
            step_want(f, wanted, i);
}

static void steps_keep(struct files *f, const bool *wanted)
{
    size_t count = f->step_count, left = 0;
    struct step *done = mem_array(struct step, count);
    size_t done_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (wanted[i]) {
            step_keep(f, &f->steps[i]);
            done[done_count++] = f->steps[i];
        } else {
            f->steps[left++] = f->steps[i];
        }
    }
    f->step_count = left;
    for (size_t i = 0; i < done_count; i++)
        step_fini(f, &done[i]);
    free(done);
}

void steps_sync_folder(struct files *f, const struct inode *folder)
{
    if (f->step_count == 0)
        return;
    bool *wanted = mem_array(bool, f->step_count);
    for (size_t i = 0; i < f->step_count; i++)
        if (f->steps[i].from == folder->number || f->steps[i].to == folder->number)
            step_want(f, wanted, i);
    steps_keep(f, wanted);
    free(wanted);
}

void steps_sync_name(struct files *f, const struct inode *folder, const char *name)
{
    while (true) {
        if (f->step_count > 0) {
            bool *wanted = mem_array(bool, f->step_count);
            for (size_t i = 0; i < f->step_count; i++)
                if (step_is_at(&f->steps[i], folder->number, name))
                    step_want(f, wanted, i);
            steps_keep(f, wanted);
            free(wanted);
        }
        if (folder->number == ROOT_INODE || folder->parent == 0)
            return;
        name = folder->name->text;
        folder = inode_at(f, folder->parent);
    }
}

bool steps_touch(const struct files *f, const struct inode *folder, const char *name)
{
    for (size_t i = 0; i < f->step_count; i++)
        if (step_is_at(&f->steps[i], folder->number, name))
            return true;
    return false;
}

/* Each step by chance: all, none, the first few, or each with the same chance. */
void steps_power_cut(struct files *f, struct stream_random *r)
{
    if (f->step_count == 0)
        return;
    bool *wanted = mem_array(bool, f->step_count);
    uint64_t style = random_below(r, 5);
    uint64_t first = random_between(r, 0, f->step_count);
    for (size_t i = 0; i < f->step_count; i++) {
        bool coin = random_one_in(r, 2);
        wanted[i] = style == 0 ? true : style == 1 ? false : style == 2 ? i < first : coin;
        for (size_t k = 0; wanted[i] && k < i; k++)
            if (!wanted[k] && step_depends(f, &f->steps[i], &f->steps[k]))
                wanted[i] = false;
    }
    steps_keep(f, wanted);
    free(wanted);
}

/* ---- what is seen ---- */

static void seen_remove(struct files *f, struct inode *folder, const char *name)
{
    struct inode *i = inode_child(f, folder, name);
    table_remove(&folder->seen, name);
    name_unref(i->name);
    i->name = NULL;
    i->parent = 0;
    if (i->kind == INODE_FOLDER) {
        i->former = folder->number;
        inode_ref(folder);
    }
    inode_touch(f, folder);
    inode_unref(f, i);
}

static void seen_add(struct files *f, struct inode *folder, struct name *name, struct inode *i)
{
    table_put(&folder->seen, name, i->number);
    inode_ref(i);
    i->parent = folder->number;
    i->name = name_ref(name);
    if (i->former)
        inode_unref(f, inode_at(f, i->former));
    i->former = 0;
    inode_touch(f, folder);
}

static void step_note(struct files *f, struct step s)
{
    uint32_t held[] = {s.inode, s.replaced, s.from, s.to};
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        if (held[i])
            inode_ref(inode_at(f, held[i]));
    *mem_push(f->steps, f->step_count, f->step_room) = s;
}

void step_add(struct files *f, struct inode *folder, const char *name, struct inode *i)
{
    assert(!inode_child(f, folder, name));
    struct name *n = name_new(name, strlen(name));
    step_note(f, (struct step){.to = folder->number, .to_name = n, .inode = i->number});
    seen_add(f, folder, n, i);
}

void step_remove(struct files *f, struct inode *folder, const char *name)
{
    struct inode *i = inode_child(f, folder, name);
    struct name *n = name_ref(i->name);
    step_note(f, (struct step){.from = folder->number, .from_name = n, .inode = i->number});
    seen_remove(f, folder, name);
    space_forget(f, i); /* the step holds it */
}

void step_rename(struct files *f, struct inode *from, const char *from_name, struct inode *to,
                 const char *to_name)
{
    struct inode *i = inode_child(f, from, from_name);
    struct inode *replaced = inode_child(f, to, to_name);
    struct name *n = name_new(to_name, strlen(to_name));
    step_note(f, (struct step){.from = from->number,
                               .to = to->number,
                               .from_name = name_ref(i->name),
                               .to_name = n,
                               .inode = i->number,
                               .replaced = replaced ? replaced->number : 0});
    if (replaced)
        seen_remove(f, to, to_name);
    if (replaced)
        space_forget(f, replaced); /* the step holds it */
    seen_remove(f, from, from_name);
    seen_add(f, to, n, i);
}
