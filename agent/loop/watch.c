/* One inotify instance for the whole process, as libinotifytools has it, shared by all watches.
 *
 * A watch is a chain: it has a look at each folder from the root down to the last one
 * that exists, so that a folder that comes, goes, or is put in another's place is seen wherever in
 * the path that happens. An event that changes the chain makes it be resolved anew. Folders are
 * told apart by inode and counted, as many watches go through the same ones. A folder is watched
 * before the next one down is looked for: nothing can come between unseen.
 *
 * Events are drained first and only noted at their watches, joined; then the watches are called,
 * one by one, and each call may free any watch. */
#include "loop/watch.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/path.h"
#include "loop/watch_folder.h"

enum { DEPTH_MAX = 32 };

struct watch {
    struct watch *next;
    const struct root *root;
    char *path;
    void (*changed)(void *context, const char *name);
    void *context;
    char *parts[DEPTH_MAX]; /* the path's components */
    size_t part_count;
    /* folders[i] is where parts[i] is looked for; the last one, beyond the parts, is the target
     * itself, if it is a folder. */
    struct folder *folders[DEPTH_MAX + 1];
    size_t folder_count;
    bool pending, stale;
    char name[NAME_MAX + 1]; /* "": unknown, or several */
};

/* libinotifytools keeps its state in variables of its own, so this is one, too. */
static struct set {
    struct loop *loop;
    struct io *io;
    struct timer *again;
    struct folders folders;
    struct watch *watches;
} * shared;

/* --- events, noted */

static void note(struct watch *w, const char *name, bool stale)
{
    bool other = w->pending && strcmp(w->name, name) != 0;
    (void)snprintf(w->name, sizeof w->name, "%s", other ? "" : name);
    w->pending = true;
    w->stale |= stale;
}

static void note_for(struct watch *w, const struct folder *f, uint32_t mask, const char *name)
{
    for (size_t i = 0; i < w->folder_count; i++) {
        if (w->folders[i] != f)
            continue;
        if (mask & FOLDER_SELF)
            note(w, "", true);
        else if (i == w->part_count) /* in the target folder */
            note(w, name, false);
        else if (!strcmp(name, w->parts[i]) && i + 1 == w->part_count)
            note(w, name, mask & FOLDER_CHAIN);
        else if (!strcmp(name, w->parts[i]))
            note(w, "", true);
    }
}

static void on_event(void *context, const struct folder *f, uint32_t mask, const char *name)
{
    struct set *s = context;
    for (struct watch *w = s->watches; w; w = w->next) {
        if (f)
            note_for(w, f, mask, name);
        else
            note(w, "", true);
    }
}

/* --- chains */

/* Opens the folder at the path's first `depth` parts: -ENOENT where there is none. */
static int open_folder(const struct watch *w, size_t depth)
{
    struct buf path = {0};
    for (size_t i = 0; i < depth; i++)
        buf_printf(&path, "/%s", w->parts[i]);
    int fd = path_open(w->root, depth ? path.bytes : "/", FILE_FOLLOW, O_PATH | O_DIRECTORY);
    buf_fini(&path);
    return fd;
}

/* Takes the new chain's folders before it gives back the old one's, so that what stays is
 * left alone. */
static int resolve(struct set *s, struct watch *w)
{
    struct folder *old[DEPTH_MAX + 1];
    size_t old_count = w->folder_count;
    memcpy(old, w->folders, sizeof old);
    struct folder *new[DEPTH_MAX + 1];
    size_t count = 0;
    int r = 0;
    while (count <= w->part_count) {
        OWNED(fd_close) int fd = open_folder(w, count);
        if (fd < 0)
            break; /* not there, or no folder, or not for us: its parent is watched */
        int mask = count + 1 >= w->part_count ? FOLDER_FULL : FOLDER_CHAIN;
        r = folder_ref(&s->folders, fd, mask, &new[count]);
        if (r < 0)
            break;
        count++;
    }
    w->stale = r < 0;
    memcpy(w->folders, new, count * sizeof *new);
    w->folder_count = count;
    for (size_t i = 0; i < old_count; i++)
        folder_unref(&s->folders, old[i]);
    return r < 0 ? r : count ? 0 : -ENOENT;
}

/* --- calling */

static struct watch *next_pending(const struct set *s)
{
    struct watch *w = s->watches;
    while (w && !w->pending)
        w = w->next;
    return w;
}

static void tell(struct set *s)
{
    struct watch *w;
    while (shared == s && (w = next_pending(s))) {
        w->pending = false;
        /* What fails now is tried again at the next event; probes look at times anyway. */
        if (w->stale)
            (void)resolve(s, w);
        char name[NAME_MAX + 1];
        memcpy(name, w->name, sizeof name);
        w->changed(w->context, *name ? name : NULL); /* may free any watch, and the set */
    }
}

static void turn(void *context)
{
    struct set *s = context;
    if (!folders_drain(&s->folders))
        timer_set(s->again, clock_boot_usec(), 0);
    tell(s);
}

static void on_ready(void *context, uint32_t events)
{
    (void)events;
    turn(context);
}

/* For what was noted outside of a turn. */
static void tell_later(struct set *s)
{
    if (next_pending(s))
        timer_set(s->again, clock_boot_usec(), 0);
}

/* --- the set */

static void set_free(struct set *s)
{
    assert(!s->watches);
    io_free(s->io); /* before its descriptor is closed */
    timer_free(s->again);
    folders_fini(&s->folders);
    free(s);
}

static int set_new(struct loop *l, struct set **ret, struct err *e)
{
    struct set *s = mem_new(struct set);
    int r = folders_init(&s->folders, on_event, s, e);
    if (r < 0) {
        free(s);
        return r;
    }
    s->loop = l;
    if ((r = io_new(l, s->folders.fd, EPOLLIN, on_ready, s, &s->io, e)) < 0 ||
        (r = timer_new(l, turn, s, &s->again, e)) < 0) {
        set_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

static int split(struct watch *w, const char *path)
{
    w->path = mem_strdup(path);
    char *rest = w->path, *part;
    while ((part = strsep(&rest, "/"))) {
        if (!*part || !strcmp(part, "."))
            continue;
        if (!strcmp(part, "..") || w->part_count == DEPTH_MAX)
            return -EINVAL;
        w->parts[w->part_count++] = part;
    }
    return *path == '/' ? 0 : -EINVAL;
}

static void add(struct set *s, struct watch *w)
{
    w->next = s->watches;
    s->watches = w;
}

static void destroy(struct watch *w)
{
    free(w->path);
    free(w);
}

int watch_new(struct loop *l, const struct root *r, const char *path,
              void (*changed)(void *context, const char *name), void *context, struct watch **ret,
              struct err *e)
{
    if (shared && shared->loop != l)
        return err_set(e, -EBUSY, "can't watch %s: another loop of this process watches", path);
    struct watch *w = mem_new(struct watch);
    w->root = r;
    w->changed = changed;
    w->context = context;
    int code = split(w, path);
    if (code < 0)
        (void)err_set(e, code,
                      "can't watch \"%s\": expected an absolute path without \"..\", at most "
                      "%d folders deep",
                      path, DEPTH_MAX);
    else if (!shared)
        code = set_new(l, &shared, e);
    if (code < 0) {
        destroy(w);
        return code;
    }
    add(shared, w);
    code = resolve(shared, w);
    if (code < 0) {
        watch_free(w);
        return err_errno(e, -code, "can't watch %s", path);
    }
    tell_later(shared);
    *ret = w;
    return 0;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    struct set *s = shared;
    struct watch **at = &s->watches;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    for (size_t i = 0; i < w->folder_count; i++)
        folder_unref(&s->folders, w->folders[i]);
    destroy(w);
    if (s->watches)
        tell_later(s);
    else
        set_free(TAKE(shared));
}
