/* Home: what is out of the manifests folder is brought back. At the agent's start, before anything
 * else; at its end; and while it runs, as long as something may still be out because bringing it
 * back failed (a disk that was read-only for a while) or a hand that had taken it out failed. */
#include "base/log.h"
#include "engine/engine.h"
#include "loop/clock.h"

static const uint64_t again_usec = 5 * USEC_PER_SEC;

static int bring(struct engine *en,
                 int (*how)(const struct root *, const struct node *, struct recovered *,
                            struct err *),
                 struct recovered *ret)
{
    struct err e = {0};
    int code = how(en->root, en->node, ret, &e);
    if (code < 0 && !en->home_failed)
        log_error("recovery: %s", e.text);
    if (ret->put_back)
        log_warning("put back %zu manifest(s) that were out", ret->put_back);
    en->home_failed = code < 0;
    return code;
}

void home_record(struct engine *en, const struct recovered *r)
{
    struct err e = {0};
    if (!r->put_back && !r->conflicts && !r->removed)
        return;
    json_t *body = json_object();
    json_put(body, "actions", json_deep_copy(r->actions));
    json_put(body, "putBack", json_integer((json_int_t)r->put_back));
    json_put(body, "conflicts", json_integer((json_int_t)r->conflicts));
    json_put(body, "removed", json_integer((json_int_t)r->removed));
    journal_add(en->journal, RECORD_RECOVER, body);
    if (journal_sync(en->journal, &e) < 0)
        log_error("what was put back can't be recorded yet: %s", e.text);
}

void home_first(struct engine *en, struct recovered *ret)
{
    (void)bring(en, recover_stage, ret);
}

void home_last(struct engine *en)
{
    OWNED(recovered_fini) struct recovered r = {0};
    (void)bring(en, recover_stage, &r);
    home_record(en, &r);
}

void home_doubt(struct engine *en)
{
    timer_set(en->home_timer, clock_boot_usec() + again_usec, again_usec / 10);
}

/* A hand at work brings back what it took out itself. */
static void on_again(void *context)
{
    struct engine *en = context;
    if (perform_changes(en)) {
        home_doubt(en);
        return;
    }
    OWNED(recovered_fini) struct recovered r = {0};
    int code = bring(en, recover_stashed, &r);
    home_record(en, &r);
    if (code < 0)
        home_doubt(en);
}

int home_start(struct engine *en, struct err *e)
{
    int code = timer_new(en->loop, on_again, en, &en->home_timer, e);
    if (code >= 0 && en->home_failed)
        home_doubt(en);
    return code;
}
