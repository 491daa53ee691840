#include "decide/sieve.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct told {
    bool any;
    enum verdict verdict;
    enum reason reason;
    uint64_t met; /* thresholds */
    json_t *texts;
    unsigned fails, passes; /* looks in a row */
    uint64_t read_usec;
};

struct sieve {
    struct generation *generation;
    struct told *told;
};

struct sieve *sieve_new(struct generation *g, const struct sieve *old)
{
    struct sieve *s = mem_new(struct sieve);
    s->generation = generation_ref(g);
    s->told = mem_array(struct told, g->probe_count);
    for (size_t i = 0; old && i < g->probe_count; i++) {
        int was = generation_find_probe(old->generation, g->probes[i].meta.name);
        s->told[i].read_usec = was < 0 ? 0 : old->told[was].read_usec;
    }
    return s;
}

void sieve_free(struct sieve *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->generation->probe_count; i++)
        json_decref(s->told[i].texts);
    free(s->told);
    generation_unref(s->generation);
    free(s);
}

static json_t *text_facts(const json_t *facts)
{
    json_t *texts = json_object();
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)facts, key, value) {
        if (json_is_string(value))
            json_put(texts, key, json_incref(value));
    }
    return texts;
}

/* Not yet often enough in a row to count. */
static bool is_too_early(struct told *t, const struct probe_document *p, enum verdict v)
{
    t->fails = v == SIGNAL_FAIL ? t->fails + 1 : 0;
    t->passes = v == SIGNAL_PASS ? t->passes + 1 : 0;
    if (v == SIGNAL_FAIL && t->verdict != SIGNAL_FAIL)
        return t->fails < p->fail_after;
    if (v == SIGNAL_PASS && t->verdict != SIGNAL_PASS)
        return t->passes < p->pass_after;
    return false;
}

bool sieve_take(struct sieve *s, int probe, enum verdict v, enum reason r, const json_t *facts,
                uint64_t now_usec, uint64_t *ret_held)
{
    struct told *t = &s->told[probe];
    *ret_held = t->read_usec;
    t->read_usec = now_usec;
    if (is_too_early(t, &s->generation->probes[probe], v))
        return false;
    uint64_t met = generation_thresholds_met(s->generation, probe, facts);
    json_t *texts = text_facts(facts);
    if (t->any && t->verdict == v && t->reason == r && t->met == met &&
        json_equal(t->texts, texts)) {
        json_decref(texts);
        return false;
    }
    json_decref(t->texts);
    *t = (struct told){.any = true,
                       .verdict = v,
                       .reason = r,
                       .met = met,
                       .texts = texts,
                       .fails = t->fails,
                       .passes = t->passes,
                       .read_usec = now_usec};
    return true;
}

int sieve_stale(struct sieve *s, int *cursor, uint64_t now_usec)
{
    for (; (size_t)*cursor < s->generation->probe_count; (*cursor)++) {
        const struct probe_document *p = &s->generation->probes[*cursor];
        const struct told *t = &s->told[*cursor];
        if (p->valid_usec && p->every_usec && t->read_usec &&
            now_usec - t->read_usec > p->valid_usec && t->reason != REASON_STALE)
            return (*cursor)++;
    }
    return -1;
}
