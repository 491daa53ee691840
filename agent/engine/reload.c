/* Reload: on SIGHUP and when the documents' folders change, all or nothing. A configuration with an
 * error leaves the old one in force, and says so in the log and in the journal. A running plan
 * keeps the generation that it was planned on. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/engine.h"
#include "loop/clock.h"

/* Several files are often written one after another: wait until it is quiet. */
static const uint64_t quiet_usec = 500 * USEC_PER_MSEC;

static const char *const document_folders[] = {"/etc/planeguard", "/etc/planeguard/playbooks.d",
                                               "/etc/planeguard/policy.d"};
enum { FOLDERS = sizeof document_folders / sizeof *document_folders };

static json_t *complaints_encode(const struct complaints *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_push(list, json_string_or_null(c->at[i].text));
    return list;
}

void reload_refuse(struct engine *en, const struct complaints *c)
{
    for (size_t i = 0; i < c->count; i++)
        log_error("%s", c->at[i].text);
    log_error("the configuration has %zu error(s)%s", c->count,
              en->generation ? "; the old one stays in force" : "");
    json_t *body = json_object();
    json_put(body, "refused", json_true());
    json_put(body, "complaints", complaints_encode(c));
    journal_add(en->journal, RECORD_CONFIG, body);
    struct err e = {0};
    if (journal_sync(en->journal, &e) < 0)
        log_error("%s", e.text);
}

static void record_generation(struct engine *en)
{
    char digest[DIGEST_HEX + 1];
    const struct policy_document *policy = en->generation->policy;
    json_t *body = json_object();
    json_put(body, "generation", json_string(digest_hex(&en->generation->digest, digest)));
    json_put(body, "policy", json_string(policy->meta.name));
    json_put(body, "mode", json_string(words_name(&mode_words, (int)policy->mode)));
    documents_store(en, body);
    journal_add(en->journal, RECORD_CONFIG, body);
    log_notice("the changed configuration is in force: policy %s, mode %s", policy->meta.name,
               words_name(&mode_words, (int)policy->mode));
}

/* Everything that stands on the generation is built anew; the core carries its signals over. */
static void come_into_force(struct engine *en, struct generation *g)
{
    struct err e = {0};
    observe_free(en->observe);
    en->observe = NULL;
    look_free_all(en);
    core_set_generation(en->core, g);
    struct sieve *old = en->sieve;
    en->sieve = sieve_new(g, old);
    sieve_free(old);
    generation_unref(en->generation);
    en->generation = g;
    record_generation(en);
    if (engine_observe(en, &e) < 0) {
        log_error("%s", e.text);
        loop_stop(en->loop, ENGINE_FAILED);
        return;
    }
    struct event ev = {.type = EVENT_CONFIG};
    engine_feed(en, &ev);
}

void reload_now(struct engine *en)
{
    struct complaints complaints = {0};
    struct generation *g = NULL;
    if (generation_load(en->root, en->shipped, NULL, en->generation->catalog, &g, &complaints) < 0)
        reload_refuse(en, &complaints);
    else if (digest_equal(&g->digest, &en->generation->digest))
        generation_unref(g);
    else
        come_into_force(en, g);
    complaints_fini(&complaints);
}

static void on_quiet(void *context)
{
    reload_now(context);
}

static void on_change(void *context, const char *name)
{
    struct engine *en = context;
    (void)name;
    timer_set(en->reload_timer, clock_boot_usec() + quiet_usec, 0);
}

int reload_watch(struct engine *en, struct err *e)
{
    int r = timer_new(en->loop, on_quiet, en, &en->reload_timer, e);
    for (size_t i = 0; r >= 0 && i < FOLDERS; i++)
        r = watch_new(en->loop, en->root, document_folders[i], on_change, en,
                      &en->document_watches[i], e);
    return r;
}

void reload_free(struct engine *en)
{
    timer_free(en->reload_timer);
    for (size_t i = 0; i < FOLDERS; i++)
        watch_free(en->document_watches[i]);
}
