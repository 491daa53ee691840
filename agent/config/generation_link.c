/* Names to indices. Documents are ordered by name, so an index depends on neither files nor
 * folders, and looking a name up is a search in a sorted array. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "config/loading.h"

enum { THRESHOLDS_MAX = 64 };

/* The entries in force of one kind of document, by name. */
struct shelf {
    struct entry **at; /* points into the sorted entries */
    size_t count;
};

struct linking {
    struct loading *l;
    struct generation *g;
    struct shelf shelves[DOCUMENT_NAMED_];
    struct probe_gathering {
        struct threshold *thresholds;
        size_t threshold_count, threshold_room;
        int *failures;
        size_t failure_count, failure_room;
    } * probes;
};

/* ---- which documents are in force -------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct entry *left = *(struct entry *const *)a, *right = *(struct entry *const *)b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    int order = strcmp(left->meta.name, right->meta.name);
    if (order)
        return order;
    if (left->origin != right->origin)
        return left->origin < right->origin ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

static bool is_same(const struct entry *a, const struct entry *b)
{
    return a->kind == b->kind && !strcmp(a->meta.name, b->meta.name);
}

static void complain_twice(struct loading *l, const struct entry *first, const struct entry *again)
{
    struct err e;
    (void)yaml_error(&again->at, &e, "a second %s \"%s\", the first is in %s:%u",
                     words_name(&document_kind_words, (int)again->kind), again->meta.name,
                     first->meta.file, first->at.line);
    complain(l, e.text);
}

/* Sorts the entries and leaves, of each kind and name, only the one in force: the operator's
 * where there is one. */
static void settle(struct loading *l)
{
    struct entries *all = &l->entries;
    size_t kept = 0;
    if (all->count)
        qsort(all->at, all->count, sizeof *all->at, by_name);
    for (size_t i = 0; i < all->count; i++) {
        struct entry *e = all->at[i];
        if (!kept || !is_same(all->at[kept - 1], e))
            all->at[kept++] = e;
        else if (all->at[kept - 1]->origin != e->origin)
            all->at[kept - 1] = e;
        else
            complain_twice(l, all->at[kept - 1], e);
    }
    all->count = kept;
}

static void shelve(struct linking *k)
{
    struct entries *all = &k->l->entries;
    for (size_t i = 0; i < all->count; i++) {
        struct shelf *s = &k->shelves[all->at[i]->kind];
        if (!s->count)
            s->at = &all->at[i];
        all->at[i]->index = (int)s->count++;
    }
}

/* ---- names ------------------------------------------------------------------------------- */

static int against_entry(const void *name, const void *entry)
{
    return strcmp(name, (*(struct entry *const *)entry)->meta.name);
}

static struct entry *shelf_find(const struct shelf *s, const char *name)
{
    struct entry **found =
        s->count ? bsearch(name, s->at, s->count, sizeof *s->at, against_entry) : NULL;
    return found ? *found : NULL;
}

static void complain_dangling(struct linking *k, enum document_kind to, const char *name,
                              const struct yaml *at)
{
    static const char *const words[] = {"probe", "failure", "playbook", "policy"};
    if (k->l->incomplete)
        return;
    const struct shelf *s = &k->shelves[to];
    OWNED(free) const char **names = mem_array(const char *, s->count);
    for (size_t i = 0; i < s->count; i++)
        names[i] = s->at[i]->meta.name;
    const char *near = text_nearest(name, names, s->count);
    struct err e;
    if (near)
        (void)yaml_error(at, &e, "no %s is named \"%s\": did you mean \"%s\"?", words[to], name,
                         near);
    else
        (void)yaml_error(at, &e, "no %s is named \"%s\", %s", words[to], name,
                         s->count ? "nor anything like it" : "and there are no others either");
    complain(k->l, e.text);
}

static bool threshold_is(const struct threshold *t, const struct condition *c)
{
    if (t->compare != c->compare || strcmp(t->fact, c->fact) != 0)
        return false;
    return c->text ? !strcmp(t->text, c->text) : t->number == c->number;
}

static void threshold_link(struct linking *k, const struct reference *r)
{
    struct condition *c = r->condition;
    struct probe_gathering *p = &k->probes[c->signal];
    if (!c->fact || c->compare == COMPARE_NONE)
        return;
    for (size_t i = 0; i < p->threshold_count; i++) {
        if (!threshold_is(&p->thresholds[i], c))
            continue;
        c->threshold = (int)i;
        return;
    }
    if (p->threshold_count == THRESHOLDS_MAX) {
        struct err e;
        (void)yaml_error(&r->at, &e,
                         "more than %d different comparisons with facts of probe \"%s\": use "
                         "fewer",
                         THRESHOLDS_MAX, r->name);
        complain(k->l, e.text);
        return;
    }
    c->threshold = (int)p->threshold_count;
    *mem_push(p->thresholds, p->threshold_count, p->threshold_room) = (struct threshold){
        .fact = c->fact, .compare = c->compare, .number = c->number, .text = c->text};
}

/* A failure's condition mentions this probe. */
static void use_link(struct linking *k, const struct entry *failure, int probe)
{
    struct probe_gathering *p = &k->probes[probe];
    if (!p->failure_count || p->failures[p->failure_count - 1] != failure->index)
        *mem_push(p->failures, p->failure_count, p->failure_room) = failure->index;
}

static void references_link(struct linking *k, const struct entry *entry)
{
    for (const struct reference *r = entry->first; r; r = r->next) {
        const struct entry *to = shelf_find(&k->shelves[r->to], r->name);
        *r->target = to ? to->index : -1;
        if (!to) {
            complain_dangling(k, r->to, r->name, &r->at);
            continue;
        }
        if (r->condition)
            threshold_link(k, r);
        if (r->to == DOCUMENT_PROBE && entry->kind == DOCUMENT_FAILURE)
            use_link(k, entry, to->index);
    }
}

/* ---- the generation ---------------------------------------------------------------------- */

/* The documents of one kind, as an array of structs of `size`, with their metadata in front. */
static void *gather(struct linking *k, enum document_kind kind, size_t size)
{
    const struct shelf *s = &k->shelves[kind];
    char *all = pool_alloc(k->g->pool, s->count * size);
    for (size_t i = 0; i < s->count; i++) {
        memcpy(all + i * size, s->at[i]->document, size);
        memcpy(all + i * size, &s->at[i]->meta, sizeof s->at[i]->meta);
    }
    return all;
}

static void uses_build(struct linking *k)
{
    struct generation *g = k->g;
    g->uses = pool_array(g->pool, struct probe_use, g->probe_count);
    for (size_t i = 0; i < g->probe_count; i++) {
        const struct probe_gathering *p = &k->probes[i];
        struct probe_use *u = &g->uses[i];
        u->threshold_count = p->threshold_count;
        u->thresholds = pool_array(g->pool, struct threshold, p->threshold_count);
        if (p->threshold_count)
            memcpy(u->thresholds, p->thresholds, p->threshold_count * sizeof *p->thresholds);
        u->failure_count = p->failure_count;
        u->failures = pool_array(g->pool, int, p->failure_count);
        if (p->failure_count)
            memcpy(u->failures, p->failures, p->failure_count * sizeof *p->failures);
    }
}

static int by_order(const void *a, const void *b, void *context)
{
    const struct generation *g = context;
    int left = *(const int *)a, right = *(const int *)b;
    int difference = g->playbooks[left].order - g->playbooks[right].order;
    return difference ? difference : left - right; /* indices are in order of names */
}

static void treatments_build(struct generation *g)
{
    for (size_t i = 0; i < g->playbook_count; i++)
        g->failures[g->playbooks[i].treats].playbook_count++;
    for (size_t i = 0; i < g->failure_count; i++) {
        struct failure_document *f = &g->failures[i];
        f->playbooks = pool_array(g->pool, int, f->playbook_count);
        f->playbook_count = 0;
    }
    for (size_t i = 0; i < g->playbook_count; i++) {
        struct failure_document *f = &g->failures[g->playbooks[i].treats];
        f->playbooks[f->playbook_count++] = (int)i;
    }
    for (size_t i = 0; i < g->failure_count; i++)
        qsort_r(g->failures[i].playbooks, g->failures[i].playbook_count, sizeof(int), by_order, g);
}

static void build(struct linking *k, struct entry *policy)
{
    struct generation *g = k->g;
    g->probe_count = k->shelves[DOCUMENT_PROBE].count;
    g->probes = gather(k, DOCUMENT_PROBE, sizeof *g->probes);
    g->failure_count = k->shelves[DOCUMENT_FAILURE].count;
    g->failures = gather(k, DOCUMENT_FAILURE, sizeof *g->failures);
    g->playbook_count = k->shelves[DOCUMENT_PLAYBOOK].count;
    g->playbooks = gather(k, DOCUMENT_PLAYBOOK, sizeof *g->playbooks);
    g->policy = policy->document;
    g->policy->meta = policy->meta;
    uses_build(k);
    treatments_build(g);
}

static void gatherings_free(struct linking *k)
{
    for (size_t i = 0; i < k->shelves[DOCUMENT_PROBE].count; i++) {
        free(k->probes[i].thresholds);
        free(k->probes[i].failures);
    }
    free(k->probes);
}

void generation_link(struct loading *l, struct generation *g)
{
    struct linking k = {.l = l, .g = g};
    settle(l);
    shelve(&k);
    k.probes = mem_array(struct probe_gathering, k.shelves[DOCUMENT_PROBE].count);
    for (size_t i = 0; i < l->entries.count; i++)
        references_link(&k, l->entries.at[i]);
    causes_check(l, k.shelves[DOCUMENT_FAILURE].at, k.shelves[DOCUMENT_FAILURE].count);
    struct entry *policy = shelf_find(&k.shelves[DOCUMENT_POLICY], l->policy);
    if (!policy)
        complain_dangling(&k, DOCUMENT_POLICY, l->policy, &l->policy_at);
    if (policy && !l->complained)
        build(&k, policy);
    gatherings_free(&k);
}
