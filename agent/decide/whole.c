/* The state with all that a run knows: core_save's, and under "running" what a start forgets. With
 * it, and the documents, a replay goes on in the middle of a run. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decide/core.h"

static json_t *usec_json(uint64_t usec)
{
    return json_integer((json_int_t)usec);
}

static uint64_t usec_of(const json_t *obj, const char *key)
{
    return (uint64_t)json_get_int(obj, key, 0);
}

/* ---- out ---- */

static json_t *incident_running(const struct incident *i)
{
    char hex[DIGEST_HEX + 1];
    json_t *one = json_object(), *met = json_array();
    if (i->generation)
        json_put(one, "generation", json_string(digest_hex(&i->generation->digest, hex)));
    json_put(one, "void", json_boolean(i->is_void));
    json_put(one, "verify", usec_json(i->verify_usec));
    for (size_t k = 0; i->met_usec && k < incident_playbook(i)->verify_count; k++)
        json_push(met, usec_json(i->met_usec[k]));
    json_put(one, "met", met);
    return one;
}

json_t *core_save_whole(const struct core *c)
{
    json_t *running = json_object(), *good = json_object(), *incidents = json_array();
    for (size_t i = 0; i < c->generation->probe_count; i++)
        if (c->signals[i].good_since_usec)
            json_put(good, c->generation->probes[i].meta.name,
                     usec_json(c->signals[i].good_since_usec));
    for (size_t i = 0; i < c->incident_count; i++)
        json_push(incidents, incident_running(c->incidents[i]));
    json_put(running, "begun", json_boolean(c->started));
    json_put(running, "killSwitchKnown", json_boolean(c->kill_switch_known));
    json_put(running, "killSwitch", json_boolean(c->kill_switch));
    json_put(running, "journalBroken", json_boolean(c->journal_broken));
    json_put(running, "wake", json_integer((json_int_t)c->wake_usec)); /* -1: never */
    json_put(running, "good", good);
    json_put(running, "incidents", incidents);
    json_t *saved = core_save(c);
    json_put(saved, "running", running);
    return saved;
}

/* ---- in ---- */

/* The plan stands on the documents that it was made from, and those may be in force no more. */
static int load_plan(struct incident **at, const json_t *saved, const json_t *running,
                     struct generation *(*find)(void *context, const char *digest), void *context,
                     struct err *e)
{
    const char *digest = json_get_string(running, "generation", NULL);
    if (!digest)
        return 0;
    struct generation *g = find(context, digest);
    if (!g)
        return err_set(e, -ENOENT, "the documents that incident %s was planned on aren't stored",
                       (*at)->id);
    struct incident *again = incident_load(saved, g);
    assert(again); /* core_load has just read it */
    if (!again->generation) {
        incident_free(again);
        return err_set(e, -EINVAL, "incident %s has no plan of its documents", (*at)->id);
    }
    incident_free(*at);
    *at = again;
    return 0;
}

static int load_running(struct incident *i, const json_t *running, struct err *e)
{
    const json_t *met = json_object_get(running, "met");
    i->is_void = json_get_bool(running, "void", false);
    i->verify_usec = usec_of(running, "verify");
    if (state_is_at_work(i->state) && (!i->generation || (!i->plan && i->state != STATE_PREPARING)))
        return err_set(e, -EINVAL, "incident %s is %s without a plan", i->id,
                       words_name(&state_words, (int)i->state));
    if ((i->state == STATE_HELD || i->state == STATE_REHEARSED) && (!i->generation || !i->plan))
        return err_set(e, -EINVAL, "incident %s waits without a plan", i->id);
    if (!json_array_size(met))
        return 0;
    if (!i->generation || json_array_size(met) != incident_playbook(i)->verify_count)
        return err_set(e, -EINVAL, "incident %s is verified by another playbook", i->id);
    i->met_usec = mem_array(uint64_t, json_array_size(met));
    for (size_t k = 0; k < json_array_size(met); k++)
        i->met_usec[k] = (uint64_t)json_integer_value(json_array_get(met, k));
    return 0;
}

int core_load_whole(struct core *c, const json_t *saved,
                    struct generation *(*find)(void *context, const char *digest), void *context,
                    struct err *e)
{
    const json_t *running = json_object_get(saved, "running");
    const json_t *of = json_object_get(running, "incidents");
    if (!json_is_object(running))
        return err_set(e, -EINVAL, "a state from which no run can go on");
    int r = core_load(c, saved, e);
    if (r < 0)
        return r;
    if (json_array_size(of) != c->incident_count)
        return err_set(e, -EINVAL, "a state whose incidents don't agree");
    for (size_t i = 0; i < c->incident_count && r >= 0; i++) {
        const json_t *one = json_array_get(json_object_get(saved, "incidents"), i);
        r = load_plan(&c->incidents[i], one, json_array_get(of, i), find, context, e);
        if (r >= 0)
            r = load_running(c->incidents[i], json_array_get(of, i), e);
    }
    const json_t *good = json_object_get(running, "good");
    for (size_t i = 0; i < c->generation->probe_count; i++)
        c->signals[i].good_since_usec = usec_of(good, c->generation->probes[i].meta.name);
    c->wake_usec = (uint64_t)json_get_int(running, "wake", -1);
    c->started = json_get_bool(running, "begun", false);
    c->kill_switch_known = json_get_bool(running, "killSwitchKnown", false);
    c->kill_switch = json_get_bool(running, "killSwitch", false);
    c->journal_broken = json_get_bool(running, "journalBroken", false);
    return r;
}
