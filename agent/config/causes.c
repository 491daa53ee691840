/* causedBy must not go in circles: of two failures that explain each other, neither
 * would ever be treated. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/own.h"
#include "config/loading.h"

enum colour { NEW, OPEN, DONE }; /* OPEN: on the path that is being walked */

struct walk {
    struct loading *l;
    struct entry *const *entries;
    enum colour *colour;
    int *path;
    struct reference **next; /* by depth: the cause to follow next */
    size_t depth;
};

static void push(struct walk *w, int failure)
{
    w->colour[failure] = OPEN;
    w->next[w->depth] = w->entries[failure]->first;
    w->path[w->depth++] = failure;
}

/* "a is caused by b, b by a", at the name that closes the circle. */
static void complain_cycle(struct walk *w, const struct reference *closing)
{
    OWNED(buf_fini) struct buf text = {.limit = 480};
    size_t from = w->depth - 1;
    while (w->path[from] != *closing->target)
        from--;
    buf_printf(&text, "causedBy goes in a circle: ");
    for (size_t i = from; i < w->depth; i++)
        buf_printf(&text, "%s is caused by ", w->entries[w->path[i]]->meta.name);
    buf_text(&text, closing->name);
    struct err e;
    (void)yaml_error(&closing->at, &e, "%s", buf_string(&text));
    complain(w->l, e.text);
}

/* One step: down to the next cause, or back up. */
static void step(struct walk *w)
{
    int here = w->path[w->depth - 1];
    struct reference *r = w->next[w->depth - 1];
    if (!r) {
        w->colour[here] = DONE;
        w->depth--;
        return;
    }
    w->next[w->depth - 1] = r->next;
    if (r->to != DOCUMENT_FAILURE || *r->target < 0)
        return;
    if (w->colour[*r->target] == OPEN)
        complain_cycle(w, r);
    else if (w->colour[*r->target] == NEW)
        push(w, *r->target);
}

void causes_check(struct loading *l, struct entry *const *entries, size_t count)
{
    OWNED(free) enum colour *colour = mem_array(enum colour, count);
    OWNED(free) int *path = mem_array(int, count);
    OWNED(free) struct reference **next = mem_array(struct reference *, count);
    struct walk w = {.l = l, .entries = entries, .colour = colour, .path = path, .next = next};
    for (size_t i = 0; i < count; i++) {
        if (colour[i] != NEW)
            continue;
        push(&w, (int)i);
        while (w.depth)
            step(&w);
    }
}
