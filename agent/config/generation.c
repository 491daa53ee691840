#include "config/generation.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void complaints_fini(struct complaints *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->at[i].text);
    free(c->at);
    *c = (struct complaints){0};
}

struct generation *generation_ref(struct generation *g)
{
    assert(g->references);
    g->references++;
    return g;
}

void generation_unref(struct generation *g)
{
    if (!g || --g->references)
        return;
    json_decref(g->documents);
    pool_free(g->pool);
    free(g);
}

/* Every document begins with its metadata; they are in order of names. */
static int find(const void *documents, size_t count, size_t size, const char *name)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct metadata *meta = (const void *)((const char *)documents + middle * size);
        int order = strcmp(name, meta->name);
        if (!order)
            return (int)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

int generation_find_probe(const struct generation *g, const char *name)
{
    return find(g->probes, g->probe_count, sizeof *g->probes, name);
}

int generation_find_failure(const struct generation *g, const char *name)
{
    return find(g->failures, g->failure_count, sizeof *g->failures, name);
}

int generation_find_playbook(const struct generation *g, const char *name)
{
    return find(g->playbooks, g->playbook_count, sizeof *g->playbooks, name);
}

/* Is `name` one of the list's, which has spaces between? */
static bool list_contains(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, " ");
        if (n == length && !strncmp(at, name, n))
            return true;
        at += n;
        at += strspn(at, " ");
    }
    return false;
}

bool threshold_met(const struct threshold *t, const json_t *facts)
{
    const json_t *fact = json_object_get(facts, t->fact);
    const char *text = json_string_value(fact);
    bool number = json_is_integer(fact);
    char digits[32];
    if (number && (t->compare == COMPARE_EQUALS || t->compare == COMPARE_CONTAINS)) {
        (void)snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(fact));
        text = digits;
    }
    switch (t->compare) {
    case COMPARE_AT_LEAST:
        return number && json_integer_value(fact) >= t->number;
    case COMPARE_AT_MOST:
        return number && json_integer_value(fact) <= t->number;
    case COMPARE_EQUALS:
        return text && !strcmp(text, t->text);
    case COMPARE_CONTAINS:
        return text && list_contains(text, t->text);
    case COMPARE_NONE:
        break;
    }
    return false;
}

uint64_t generation_thresholds_met(const struct generation *g, int probe, const json_t *facts)
{
    assert(probe >= 0 && (size_t)probe < g->probe_count);
    const struct probe_use *u = &g->uses[probe];
    uint64_t met = 0;
    for (size_t i = 0; i < u->threshold_count; i++)
        met |= (uint64_t)threshold_met(&u->thresholds[i], facts) << i;
    return met;
}
