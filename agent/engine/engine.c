#include "engine/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "act/deadman.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "loop/bus.h"
#include "loop/clock.h"

static const char *const switch_paths[] = {"/etc/planeguard/kill-switch",
                                           "/run/planeguard/kill-switch"};
enum { SWITCHES = sizeof switch_paths / sizeof *switch_paths };

static const uint64_t journal_retry_usec = 5 * USEC_PER_SEC;
static const uint64_t lock_wait_usec = 3 * USEC_PER_SEC;
static const uint64_t stale_check_usec = USEC_PER_MINUTE;
/* A sweep over all signals, at most this often: below any signal's validity. */
static const uint64_t forget_gap_usec = USEC_PER_SEC;

uint64_t engine_now(const struct engine *en)
{
    return en->booted_usec + clock_boot_usec();
}

/* ---- one event through ---- */

static void tell_core_of_journal(struct engine *en, bool is_broken, const char *why)
{
    if (en->journal_broken == is_broken)
        return;
    en->journal_broken = is_broken;
    timer_set(en->journal_timer, is_broken ? clock_boot_usec() + journal_retry_usec : USEC_NEVER,
              USEC_PER_SEC);
    if (is_broken)
        log_error("what must be recorded can't be, so nothing is begun: %s", why);
    else
        log_notice("the journal can be written again");
    struct event ev = {.type = EVENT_JOURNAL, .ok = !is_broken, .detail = why};
    engine_feed(en, &ev);
}

static bool sync_journal(struct engine *en, struct err *e)
{
    return journal_sync(en->journal, e) >= 0;
}

/* Durable, or not: the one place where that is decided. The state too: without it a crash would
 * forget the attempt, and with it what is to be recovered. */
static bool make_durable(struct engine *en, struct err *e)
{
    struct err why = {0};
    bool recorded = sync_journal(en, e);
    if (en->state_unsaved && state_save(en, &why) >= 0)
        en->state_unsaved = false;
    if (recorded && en->state_unsaved)
        *e = why;
    return recorded && !en->state_unsaved;
}

/* Here a replay can begin. */
static void record_state(struct engine *en)
{
    char digest[DIGEST_HEX + 1];
    json_t *body = json_object();
    json_put(body, "generation", json_string(digest_hex(&en->generation->digest, digest)));
    json_put(body, "state", core_save_whole(en->core));
    journal_add(en->journal, RECORD_ROTATE, body);
}

static void forget_stale(struct engine *en);

void engine_feed(struct engine *en, struct event *ev)
{
    forget_stale(en);
    ev->now_usec = engine_now(en);
    const char *probe =
        ev->type == EVENT_SIGNAL ? en->generation->probes[ev->probe].meta.name : NULL;
    int type = words_find(&record_words, event_record(ev));
    struct event told;
    OWNED(json_decref) json_t *body = event_tell(ev, probe, &told);
    journal_add(en->journal, (enum record_type)type, json_incref(body));

    OWNED(effects_fini) struct effects fx = {0};
    core_step(en->core, &told, &fx);
    for (size_t i = 0; i < fx.count; i++) {
        const struct effect *f = &fx.at[i];
        en->state_unsaved |= f->type == EFFECT_SAVE;
        if (f->type == EFFECT_RECORD)
            journal_add(en->journal, (enum record_type)words_find(&record_words, f->record),
                        json_incref(f->body));
    }
    struct err e = {0};
    bool recorded = make_durable(en, &e);
    if (journal_rotated(en->journal))
        record_state(en);
    perform(en, &fx, recorded);
    tell_core_of_journal(en, !recorded, recorded ? "written" : e.text);
}

static void retry_journal(void *context)
{
    struct engine *en = context;
    struct err e = {0};
    if (make_durable(en, &e))
        tell_core_of_journal(en, false, "written");
    else
        timer_set(en->journal_timer, clock_boot_usec() + journal_retry_usec, USEC_PER_SEC);
}

/* ---- what enters ---- */

static void take_reading(struct engine *en, int probe, enum verdict v, enum reason r,
                         const json_t *facts, const char *detail)
{
    uint64_t held_usec;
    if (!sieve_take(en->sieve, probe, v, r, facts, engine_now(en), &held_usec))
        return;
    struct event ev = {.type = EVENT_SIGNAL,
                       .probe = probe,
                       .verdict = v,
                       .reason = r,
                       .facts = facts,
                       .held_usec = held_usec,
                       .detail = detail};
    engine_feed(en, &ev);
}

static void on_reading(void *context, int probe, const struct reading *r)
{
    struct engine *en = context;
    take_reading(en, probe, r->verdict, r->reason, r->facts, r->detail);
    look_reading(en, probe);
}

int engine_observe(struct engine *en, struct err *e)
{
    return observe_new(&en->view, en->generation, on_reading, en, &en->observe, e);
}

static void on_wake(void *context)
{
    struct event ev = {.type = EVENT_WAKE};
    engine_feed(context, &ev);
}

bool engine_switch_is_pulled(const struct engine *en)
{
    bool pulled = false;
    for (size_t i = 0; i < SWITCHES; i++) {
        struct file_status s;
        struct err e;
        /* What can't be looked at counts as pulled. */
        pulled |= file_status(en->root, switch_paths[i], 0, &s, &e) < 0 || s.exists;
    }
    return pulled;
}

static void check_switch(struct engine *en)
{
    bool pulled = engine_switch_is_pulled(en);
    if (en->switch_known && pulled == en->switch_pulled)
        return;
    en->switch_known = true;
    en->switch_pulled = pulled;
    log_notice("the kill switch is %s", pulled ? "pulled: no new step begins" : "not pulled");
    struct event ev = {.type = EVENT_KILL_SWITCH, .ok = pulled};
    engine_feed(en, &ev);
}

/* Every look ends by itself, at the latest at its deadline; so only a node that slept, or a loop
 * that hung, leaves signals behind that nobody has looked at for too long. No event reaches the
 * core before they are unknown: else the time slept through would count as time in which they held.
 */
static void forget_stale(struct engine *en)
{
    uint64_t now_usec = engine_now(en);
    int cursor = 0, probe;
    if (!en->core || now_usec - en->forgot_usec < forget_gap_usec)
        return;
    en->forgot_usec = now_usec;
    while ((probe = sieve_stale(en->sieve, &cursor, now_usec)) >= 0)
        take_reading(en, probe, SIGNAL_UNKNOWN, REASON_STALE, NULL,
                     "nobody has looked for too long");
}

static void check_stale(void *context)
{
    struct engine *en = context;
    forget_stale(en);
    check_switch(en); /* should its watch have missed something */
    timer_set(en->stale_timer, clock_boot_usec() + stale_check_usec, stale_check_usec / 4);
}

static void on_switch(void *context, const char *name)
{
    (void)name;
    check_switch(context);
}

static void on_reload(void *context)
{
    reload_now(context);
}

static void on_stop(void *context)
{
    struct engine *en = context;
    loop_stop(en->loop, ENGINE_STOPPED);
}

/* ---- start ---- */

static int report(int code, const struct err *e)
{
    log_error("%s", e->text);
    return code;
}

static int open_root(struct engine *en, const struct engine_options *o)
{
    struct err e = {0};
    if (root_open(o->root, &en->root, &e) < 0 || node_load(en->root, &en->node, &e) < 0)
        return report(ENGINE_FAILED, &e);
    int r = folder_make(en->root, RUN_FOLDER, 0700, &e);
    /* After a crash the dead-man may hold it while it puts a manifest back. */
    if (r == 0)
        r = file_lock_wait(en->root, LOCK_PATH, clock_boot_usec() + lock_wait_usec, &en->lock, &e);
    if (r == -ETIMEDOUT) {
        log_error("another agent runs on this root (%s has the lock of a living process)",
                  LOCK_PATH);
        return ENGINE_BUSY;
    }
    if (r == 0)
        return 0;
    /* What keeps us from the lock must not keep a manifest out. */
    OWNED(recovered_fini) struct recovered recovered = {0};
    if (recover_stashed(en->root, en->node, &recovered, NULL) == 0 && recovered.put_back)
        log_warning("put back %zu manifest(s) that were out", recovered.put_back);
    return report(ENGINE_FAILED, &e);
}

/* Our own folders, without the files that a crash left half written. */
static int make_folders(struct engine *en, struct recovered *recovered)
{
    struct err e = {0};
    if (folder_make(en->root, STATE_FOLDER, 0700, &e) < 0 ||
        folder_make(en->root, JOURNAL_FOLDER, 0700, &e) < 0)
        return report(ENGINE_FAILED, &e);
    if (recover_unfinished(en->root, STATE_FOLDER, recovered, &e) < 0 ||
        recover_unfinished(en->root, JOURNAL_FOLDER, recovered, &e) < 0)
        log_error("recovery: %s", e.text);
    return 0;
}

static int load_documents(struct engine *en, const struct engine_options *o)
{
    struct complaints complaints = {0};
    int r = generation_load(en->root, o->shipped, NULL, o->catalog, &en->generation, &complaints);
    if (r < 0) {
        reload_refuse(en, &complaints);
        log_error("the agent does not start with such a configuration");
    }
    complaints_fini(&complaints);
    return r < 0 ? ENGINE_CONFIGURATION : 0;
}

static int open_journal(struct engine *en)
{
    struct err e = {0};
    struct journal_opened opened;
    int r = journal_open(en->root, en->node->name, &en->journal, &opened, &e);
    if (r == -EBADMSG)
        return report(ENGINE_JOURNAL, &e);
    if (r < 0)
        return report(ENGINE_FAILED, &e);
    if (opened.torn_bytes)
        log_warning("the journal's torn end (%zu bytes) was set aside", opened.torn_bytes);
    return 0;
}

/* The loop, with the timers and the signals that the engine itself has in it. */
static int open_loop(struct engine *en, struct err *e)
{
    const struct {
        void (*fire)(void *context);
        struct timer **at;
    } timers[] = {
        {on_wake, &en->wake}, {retry_journal, &en->journal_timer}, {check_stale, &en->stale_timer}};
    static const struct {
        int signo;
        void (*come)(void *context);
    } signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
    int r = loop_new(&en->loop, e);
    for (size_t i = 0; r >= 0 && i < sizeof timers / sizeof *timers; i++)
        r = timer_new(en->loop, timers[i].fire, en, timers[i].at, e);
    for (size_t i = 0; r >= 0 && i < sizeof signals / sizeof *signals; i++)
        r = loop_on_signal(en->loop, signals[i].signo, signals[i].come, en, e);
    return r < 0 ? r : home_start(en, e);
}

static int open_world(struct engine *en, const struct engine_options *o)
{
    struct err e = {0};
    if (open_loop(en, &e) < 0)
        return report(ENGINE_FAILED, &e);
    if (en->node->bus_address && bus_new(en->loop, en->node->bus_address, &en->bus, &e) < 0)
        log_warning("no D-Bus: %s", e.text);
    const char *beside[] = {o->observer, NULL};
    const char *const *argv = en->node->observer.count ? en->node->observer.at : beside;
    if (remote_new(en->loop, en->root, argv, en->node->observer_user, &en->remote, &e) < 0)
        return report(ENGINE_FAILED, &e);
    en->view = (struct view){
        .loop = en->loop, .root = en->root, .node = en->node, .bus = en->bus, .remote = en->remote};
    for (size_t i = 0; i < SWITCHES; i++)
        if (watch_new(en->loop, en->root, switch_paths[i], on_switch, en, &en->switch_watches[i],
                      &e) < 0)
            log_warning("the kill switch %s can't be watched: %s", switch_paths[i], e.text);
    return 0;
}

static void begin(struct engine *en)
{
    const struct policy_document *policy = en->generation->policy;
    char run[17];
    clock_random_text(run, 6);
    char digest[DIGEST_HEX + 1];
    json_t *body = json_object();
    json_put(body, "version", json_string(planeguard_version));
    json_put(body, "mode", json_string(words_name(&mode_words, (int)policy->mode)));
    json_put(body, "policy", json_string(policy->meta.name));
    json_put(body, "scaled", json_boolean(policy->scaled));
    json_put(body, "generation", json_string(digest_hex(&en->generation->digest, digest)));
    json_put(body, "state", core_save(en->core));
    documents_store(en, body);
    journal_add(en->journal, RECORD_START, body);
    log_notice("started: policy %s, mode %s%s, %zu probes, %zu failures, %zu playbooks",
               policy->meta.name, words_name(&mode_words, (int)policy->mode),
               policy->scaled ? " (times are scaled: for demos and tests only)" : "",
               en->generation->probe_count, en->generation->failure_count,
               en->generation->playbook_count);
    struct event ev = {.type = EVENT_START, .run = run, .boot_usec = en->booted_usec};
    engine_feed(en, &ev);
    check_switch(en);
    check_stale(en);
}

static int start(struct engine *en, const struct engine_options *o)
{
    int code = open_root(en, o);
    if (code)
        return code;
    struct recovered recovered = {0};
    home_first(en, &recovered); /* before /var, which may be full, read-only or not there */
    if (!(code = make_folders(en, &recovered)) && !(code = open_journal(en)))
        home_record(en, &recovered);
    if (!code && !(code = load_documents(en, o)) && !(code = open_world(en, o))) {
        struct err e = {0};
        en->core = core_new(en->generation);
        en->sieve = sieve_new(en->generation, NULL);
        (void)clock_boot_id(en->boot_id);
        if (state_load(en, &e) < 0 || control_start(en, &e) < 0)
            code = report(ENGINE_FAILED, &e);
    }
    recovered_fini(&recovered);
    return code;
}

static int run(struct engine *en)
{
    struct err e = {0};
    /* Before the core starts: what it was in the middle of may ask for a fresh look at once. */
    if (engine_observe(en, &e) < 0 || reload_watch(en, &e) < 0)
        return report(ENGINE_FAILED, &e);
    begin(en);
    if (loop_serve_manager(en->loop, &e) < 0)
        return report(ENGINE_FAILED, &e);
    int code = loop_run(en->loop, &e);
    if (code < 0)
        return report(ENGINE_FAILED, &e);
    /* A hand that is ended here may have left a manifest out: home it goes before we do. */
    perform_free(en);
    home_last(en);
    json_t *body = json_object();
    json_put(body, "why",
             json_string(code == ENGINE_STOPPED ? "told to stop" : "it could not go on"));
    if (state_save(en, &e) < 0) {
        log_error("%s", e.text);
        json_put(body, "unsaved", json_string_or_null(e.text));
    }
    journal_add(en->journal, RECORD_STOP, body);
    if (!sync_journal(en, &e))
        log_error("the journal's end can't be written: %s", e.text);
    return code;
}

static void stop(struct engine *en)
{
    control_free(en->control);
    perform_free(en);
    look_free_all(en);
    reload_free(en);
    for (size_t i = 0; i < SWITCHES; i++)
        watch_free(en->switch_watches[i]);
    observe_free(en->observe);
    remote_free(en->remote);
    bus_free(en->bus);
    timer_free(en->wake);
    timer_free(en->journal_timer);
    timer_free(en->stale_timer);
    timer_free(en->home_timer);
    loop_free(en->loop);
    sieve_free(en->sieve);
    core_free(en->core);
    journal_close(en->journal);
    generation_unref(en->generation);
    /* Where it didn't come to its regular end. */
    struct recovered recovered = {0};
    if (en->lock >= 0)
        home_first(en, &recovered);
    recovered_fini(&recovered);
    fd_close_owned(&en->lock);
    node_free(en->node);
    root_free(en->root);
}

int engine_run(const struct engine_options *o)
{
    struct engine en = {.shipped = o->shipped, .lock = -1};
    int code = start(&en, o);
    if (!code)
        code = run(&en);
    stop(&en);
    return code;
}
