/* The journal as the engine uses it, and what must be found in it afterwards. */
#include <string.h>

#include "world.h"

int world_record(struct world *w, struct journal *j, enum record_type type, struct err *e)
{
    json_t *fields = json_object();
    json_put(fields, "n", json_integer((json_int_t)w->shared->begun++));
    journal_add(j, type, fields);
    int code = journal_sync(j, e);
    if (code == 0)
        w->shared->durable = w->shared->begun;
    return code;
}

static void claim_effect(struct world *w, const json_t *effect)
{
    const char *what = json_get_string(effect, "what", "");
    if (!strcmp(what, "replaced") || !strcmp(what, "created") || !strcmp(what, "removed"))
        world_claim(w, json_get_string(effect, "path", ""), json_get_string(effect, "after", ""));
}

int world_effect(struct hand *h, const json_t *effect)
{
    struct world *w = h->context;
    struct err e;
    w->shared->effects++;
    claim_effect(w, effect);
    json_t *fields = json_object();
    json_put(fields, "effect", json_deep_copy(effect));
    journal_add(w->journal, RECORD_EFFECT, fields);
    return journal_sync(w->journal, &e);
}

struct found {
    struct world *w;
    unsigned next;
    bool has_intent;
};

static int take(void *context, const struct record *r)
{
    struct found *f = context;
    const char *type = json_get_string(r->body, "type", "");
    long long number = json_get_int(r->body, "n", -1);
    f->has_intent |= strcmp(type, "intent") == 0;
    if (strcmp(type, "effect") == 0 && !f->has_intent)
        world_violation(f->w, "record %llu: an effect before any intent",
                        (unsigned long long)r->seq);
    if (number >= 0 && number != (long long)f->next++)
        world_violation(f->w, "record %llu has number %lld; expected %u",
                        (unsigned long long)r->seq, number, f->next - 1);
    return 0;
}

void journal_must_hold(struct world *w)
{
    struct journal_check check;
    struct found f = {.w = w};
    struct err e;
    journal_verify(w->root, JOURNAL_FOLDER, &check);
    if (check.verdict != JOURNAL_WHOLE)
        world_violation(w, "the journal doesn't verify: %s", check.why);
    else if (journal_read(w->root, JOURNAL_FOLDER, take, &f, &e) < 0)
        world_violation(w, "the journal can't be read: %s", e.text);
    else if (f.next < w->shared->durable)
        world_violation(w, "%u records were said to be durable, %u are there", w->shared->durable,
                        f.next);
}
