/* From a path to what it names, as path_resolution(7) and openat2(2) say. */
#include <errno.h>
#include <string.h>

#include "kernel/inside.h"

enum { LINKS_MAX = 40 };

struct walker {
    const struct files *f;
    struct inode *at, *root;
    unsigned flags;
    int links;
    char rest[PATH_TEXT];
};

/* Puts a link's text before what is left to go. `behind` points into `rest`. */
static int walker_follow(struct walker *w, const struct inode *link, const char *behind)
{
    if ((w->flags & WALK_NO_LINKS) || ++w->links > LINKS_MAX)
        return ELOOP;
    size_t length = strlen(link->target), more = strlen(behind);
    if (length + more >= sizeof w->rest)
        return ENAMETOOLONG;
    memmove(w->rest + length, behind, more + 1);
    memcpy(w->rest, link->target, length);
    if (link->target[0] == '/')
        w->at = w->root;
    return 0;
}

static struct inode *walker_up(const struct walker *w)
{
    if (w->at == w->root || w->at->number == ROOT_INODE)
        return w->at;
    return inode_at(w->f, w->at->former ? w->at->former : w->at->parent);
}

/* "." or ".."; 0, or an errno. */
static int walker_dots(struct walker *w, bool is_up, bool is_last, struct place *ret)
{
    struct inode *to = is_up ? walker_up(w) : w->at;
    if (!to)
        return ENOENT;
    w->at = to;
    if (is_last)
        *ret = (struct place){.inode = to, .last = is_up ? LAST_DOTDOT : LAST_DOT};
    return 0;
}

enum { GO_ON = -1 };

/* One name: GO_ON, 0 when it was the last, or an errno. */
static int walker_name(struct walker *w, const char *behind, bool is_last, struct place *ret)
{
    struct inode *found = inode_child(w->f, w->at, ret->name);
    if (is_last && (w->flags & WALK_PARENT)) {
        ret->folder = w->at;
        ret->inode = found;
        return 0;
    }
    if (!found) {
        ret->folder = is_last ? w->at : NULL;
        return ENOENT;
    }
    if (found->kind == INODE_LINK && (!is_last || ret->has_slash || (w->flags & WALK_FOLLOW))) {
        int code = walker_follow(w, found, behind);
        return code ? code : GO_ON;
    }
    if (found->kind != INODE_FOLDER && (!is_last || ret->has_slash))
        return ENOTDIR;
    if (is_last) {
        ret->folder = w->at;
        ret->inode = found;
        return 0;
    }
    w->at = found;
    memmove(w->rest, behind, strlen(behind) + 1);
    return GO_ON;
}

static int walker_step(struct walker *w, struct place *ret)
{
    const char *from = w->rest + strspn(w->rest, "/");
    size_t length = strcspn(from, "/");
    const char *behind = from + length;
    bool is_last = behind[strspn(behind, "/")] == '\0';
    if (w->at->kind != INODE_FOLDER)
        return ENOTDIR;
    if (length == 0) {
        *ret = (struct place){.inode = w->at, .last = LAST_ROOT};
        return 0;
    }
    if (from[0] == '.' && (length == 1 || (length == 2 && from[1] == '.'))) {
        int code = walker_dots(w, length == 2, is_last, ret);
        if (code != 0 || is_last)
            return code;
        memmove(w->rest, behind, strlen(behind) + 1);
        return GO_ON;
    }
    *ret = (struct place){.has_slash = is_last && behind[0] == '/'};
    if (length > NAME_LENGTH_MAX && w->at->parent == 0 && w->at->number != ROOT_INODE)
        return ENOENT; /* a removed folder has no names at all */
    if (length > NAME_LENGTH_MAX) {
        /* Told when it is looked up, which is later than much else. */
        ret->is_long = is_last && (w->flags & WALK_PARENT);
        ret->folder = ret->is_long ? w->at : NULL;
        return ret->is_long ? 0 : ENAMETOOLONG;
    }
    memcpy(ret->name, from, length);
    return walker_name(w, behind, is_last, ret);
}

int walk(const struct files *f, struct inode *start, const char *path, unsigned flags,
         struct place *ret)
{
    struct walker w = {.f = f, .flags = flags};
    *ret = (struct place){0};
    size_t length = strlen(path);
    if (length == 0)
        return ENOENT;
    if (length >= sizeof w.rest)
        return ENAMETOOLONG;
    memcpy(w.rest, path, length + 1);
    w.root = flags & WALK_IN_ROOT ? start : inode_at(f, ROOT_INODE);
    w.at = path[0] == '/' ? w.root : start;
    int code;
    do
        code = walker_step(&w, ret);
    while (code == GO_ON);
    return code;
}
