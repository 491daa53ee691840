/* watch.h: a change of a file is heard of a little later, in the agent's loop. */
#include "loop/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "post.h"
#include "sim.h"

struct watch {
    struct watch *next;
    struct post post;
    char *path;
    char *name; /* of the entry that changed last */
    void (*changed)(void *context, const char *name);
    void *context;
};

/* Of all masters; those of agents that died stay, and are never called. */
static struct watch *watches;

static const uint64_t late_usec = 2 * USEC_PER_MSEC;

static void on_heard(void *context)
{
    struct watch *w = context;
    w->changed(w->context, w->name);
}

int watch_new(struct loop *l, const struct root *r, const char *path,
              void (*changed)(void *context, const char *name), void *context, struct watch **ret,
              struct err *e)
{
    (void)r;
    (void)e;
    struct watch *w = mem_new(struct watch);
    post_init(&w->post, l, on_heard, w);
    w->path = mem_strdup(path);
    w->changed = changed;
    w->context = context;
    w->next = watches;
    watches = w;
    *ret = w;
    return 0;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    for (struct watch **at = &watches; *at; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            break;
        }
    }
    post_cancel(&w->post);
    free(w->path);
    free(w->name);
    free(w);
}

/* Is it the path itself, an entry of it, or a folder above it that came or went? */
static bool concerns(const struct watch *w, const char *folder, const char *name)
{
    size_t length = strlen(folder);
    if (!strcmp(w->path, folder))
        return true;
    if (strncmp(w->path, folder, length) != 0 || w->path[length] != '/')
        return false;
    const char *rest = w->path + length + 1;
    size_t part = strcspn(rest, "/");
    return part == strlen(name) && !strncmp(rest, name, part);
}

void watch_tell(struct master *m, const char *folder, const char *name)
{
    if (!m->loop)
        return;
    for (struct watch *w = watches; w; w = w->next) {
        if (w->post.loop != m->loop || !concerns(w, folder, name))
            continue;
        free(w->name);
        w->name = mem_strdup(name);
        post_at(&w->post, schedule_now() + late_usec);
    }
}

void watch_forget(const struct loop *l)
{
    struct watch **at = &watches;
    while (*at) {
        if ((*at)->post.loop == l)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
}
