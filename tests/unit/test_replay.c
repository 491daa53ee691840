/* Replay over journals that a core wrote in this test: the same, or not, and what can't be said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/step.h"
#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"
#include "decide/sieve.h"
#include "observe/probe.h"
#include "record/segment.h"
#include "recorder.h"

static struct catalog catalog;
static const uint64_t boot_usec = 1000 * USEC_PER_HOUR;

struct life {
    struct recorder recorder;
    struct generation *generation, *other; /* enforce; dry-run */
    struct core *core;
    uint64_t now_usec;
};

/* ---- documents ---- */

static struct generation *load(const char *policy)
{
    OWNED(free) char *here = realpath(".", NULL);
    OWNED(free) char *file = mem_printf("%s/tests/decide/policy-%s.yaml", here, policy);
    OWNED(free) char *folder = mem_printf("/tmp/planeguard-documents-XXXXXX");
    assert_non_null(mkdtemp(folder));
    OWNED(free)
    char *command = mem_printf(
        "mkdir -p %s/etc/planeguard/policy.d && cp %s %s/etc/planeguard/policy.d/ && printf "
        "'apiVersion: planeguard/v1\\nkind: Configuration\\nmetadata: {name: planeguard}\\nspec: "
        "{policy: %s}\\n' > %s/etc/planeguard/planeguard.yaml",
        folder, file, folder, policy, folder);
    assert_int_equal(system(command), 0);
    struct root *root = NULL;
    struct err e = {0};
    struct complaints complaints = {0};
    struct generation *g = NULL;
    assert_int_equal(root_open(folder, &root, &e), 0);
    if (generation_load(root, here, NULL, &catalog, &g, &complaints) < 0)
        fail_msg("%s", complaints.at[0].text);
    complaints_fini(&complaints);
    assert_int_equal(folder_remove(root, "/etc", &e), 0);
    root_free(root);
    assert_int_equal(rmdir(folder), 0);
    return g;
}

static int setup(void **state)
{
    struct life *l = mem_new(struct life);
    recorder_init(&l->recorder);
    l->generation = load("enforce");
    l->other = load("dry-run");
    l->core = core_new(l->generation);
    l->now_usec = boot_usec + USEC_PER_HOUR;
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct life *l = *state;
    recorder_fini(&l->recorder);
    core_free(l->core);
    generation_unref(l->generation);
    generation_unref(l->other);
    free(l);
    return 0;
}

/* ---- a life ---- */

static void feed(struct life *l, struct event ev)
{
    OWNED(effects_fini) struct effects fx = {0};
    ev.now_usec = l->now_usec;
    recorder_feed(&l->recorder, l->core, &ev, &fx);
}

static void later(struct life *l, uint64_t seconds)
{
    l->now_usec += seconds * USEC_PER_SEC;
}

static void signal_is(struct life *l, const char *name, enum verdict v, enum reason r)
{
    json_t *facts = json_object();
    json_put(facts, "digest", json_string("d1d1d1"));
    json_put(facts, "id", json_string("c1"));
    struct event ev = {.type = EVENT_SIGNAL,
                       .probe = generation_find_probe(l->core->generation, name),
                       .verdict = v,
                       .reason = r,
                       .facts = facts,
                       .held_usec = l->now_usec - 1};
    if (ev.probe < 0)
        fail_msg("no probe %s", name);
    feed(l, ev);
    json_decref(facts);
}

static void start(struct life *l, const char *run)
{
    recorder_start(&l->recorder, l->core);
    feed(l, (struct event){.type = EVENT_START, .run = run, .boot_usec = boot_usec});
    feed(l, (struct event){.type = EVENT_KILL_SWITCH});
}

/* The agent ends, or dies, and another begins with its state. */
static void start_again(struct life *l, const char *run)
{
    struct err e = {0};
    json_t *saved = core_save(l->core);
    struct core *again = core_new(l->core->generation);
    assert_int_equal(core_load(again, saved, &e), 0);
    json_decref(saved);
    core_free(l->core);
    l->core = again;
    start(l, run);
}

static void all_pass(struct life *l)
{
    static const char *const names[] = {
        "kubelet-healthz",     "kubelet-unit",     "containerd-unit",
        "etcd-health",         "etcd-manifest",    "apiserver-manifest",
        "apiserver-container", "apiserver-readyz", "apiserver-livez"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        signal_is(l, names[i], SIGNAL_PASS, REASON_NONE);
}

static json_t *plan_of(const struct life *l, const char *incident)
{
    const struct playbook_document *p = incident_playbook(core_incident(l->core, incident));
    json_t *steps = json_array(), *plan = json_object();
    for (size_t i = 0; i < p->step_count; i++) {
        json_t *one = json_object();
        json_put(one, "name", json_string(p->steps[i].name));
        json_put(one, "kind", json_string(p->steps[i].kind->name));
        json_put(one, "changes", json_boolean(step_kind_of(p->steps[i].kind)->changes));
        json_put(one, "summary", json_string("does it with token: abcdefgh"));
        json_push(steps, one);
    }
    json_put(plan, "playbook", json_string(p->meta.name));
    json_put(plan, "steps", steps);
    return plan;
}

static void prepared(struct life *l, const char *incident)
{
    OWNED(json_decref) json_t *plan = plan_of(l, incident);
    feed(l, (struct event){.type = EVENT_PREPARED,
                           .incident = incident,
                           .ok = true,
                           .outcome = "done",
                           .detail = "",
                           .plan = plan,
                           .digest = "0123456789abcdef"});
}

static void answer(struct life *l, enum event_type type, const char *incident, const char *detail)
{
    const struct incident *i = core_incident(l->core, incident);
    feed(l, (struct event){.type = type,
                           .incident = incident,
                           .ok = true,
                           .outcome = "done",
                           .detail = detail,
                           .step = i ? i->step : 0});
}

/* Up to the first step's beginning. */
static void hang(struct life *l, const char *incident)
{
    later(l, 600);
    all_pass(l);
    later(l, 60);
    signal_is(l, "apiserver-livez", SIGNAL_FAIL, REASON_TIMEOUT);
    signal_is(l, "apiserver-readyz", SIGNAL_FAIL, REASON_TIMEOUT);
    later(l, 300);
    feed(l, (struct event){.type = EVENT_WAKE});
    prepared(l, incident);
    answer(l, EVENT_LOOKED, incident, NULL);
    assert_int_equal(core_incident(l->core, incident)->state, STATE_RUNNING);
}

static void heal(struct life *l, const char *incident)
{
    later(l, 1);
    answer(l, EVENT_STEP, incident, "fine");
    later(l, 5);
    answer(l, EVENT_STEP, incident, "fine");
    signal_is(l, "apiserver-livez", SIGNAL_PASS, REASON_NONE);
    signal_is(l, "apiserver-readyz", SIGNAL_PASS, REASON_NONE);
    answer(l, EVENT_LOOKED, incident, NULL);
    later(l, 20);
    feed(l, (struct event){.type = EVENT_WAKE});
    assert_null(core_incident(l->core, incident));
}

/* All that can happen to a journal of the agent: two runs, a reload in the middle of a playbook, a
 * crash in another. */
static void whole_life(struct life *l)
{
    start(l, "r1");
    hang(l, "r1-1");
    recorder_config(&l->recorder, l->core, l->other);
    feed(l, (struct event){.type = EVENT_CONFIG});
    recorder_config(&l->recorder, l->core, l->generation);
    feed(l, (struct event){.type = EVENT_CONFIG});
    heal(l, "r1-1");
    recorder_stop(&l->recorder);
    start_again(l, "r2");
    later(l, 3600);
    hang(l, "r2-2");
    start_again(l, "r3"); /* it died */
    answer(l, EVENT_RECOVERED, "r2-2", "brought home");
    recorder_stop(&l->recorder);
}

static struct replay_result replayed(struct life *l, enum replay_verdict expected, struct err *e)
{
    struct replay_result r;
    enum replay_verdict verdict = recorder_replay(&l->recorder, &catalog, &r, e);
    if (verdict != expected)
        fail_msg("%d: %s %s %s %s", (int)verdict, e->text, r.what ? r.what : "",
                 r.expected ? r.expected : "", r.found ? r.found : "");
    return r;
}

/* ---- the same ---- */

static void a_life_is_decided_again(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    whole_life(l);
    OWNED(replay_result_fini) struct replay_result r = replayed(l, REPLAY_SAME, &e);
    assert_int_equal(r.runs, 3);
    assert_int_equal(r.runs_cut_short, 1);
    assert_int_equal(r.states, 1); /* r2 begins with what r1 ended with */
    assert_int_equal(r.unproven_events, 0);
    assert_int_equal(r.gap_count, 0);
    assert_true(r.events > 40 && r.decisions > 20);
    assert_true(r.boot_usec > 3600 * USEC_PER_SEC);
}

static void an_empty_journal_has_no_difference(void **state)
{
    struct err e = {0};
    OWNED(replay_result_fini) struct replay_result r = replayed(*state, REPLAY_SAME, &e);
    assert_int_equal(r.records, 1);
    assert_int_equal(r.events, 0);
}

/* Long and foreign bytes in what a step says: the core cuts them, and must cut the same. */
static void what_a_record_cannot_hold_does_not_decide(void **state)
{
    struct life *l = *state;
    OWNED(buf_fini) struct buf odd = {0};
    start(l, "r1");
    hang(l, "r1-1");
    for (int i = 0; i < 500; i++)
        buf_text(&odd, i % 3 ? "\xff" : "x");
    buf_text(&odd, " password: hunter2");
    answer(l, EVENT_STEP, "r1-1", "fine");
    feed(l, (struct event){.type = EVENT_STEP,
                           .incident = "r1-1",
                           .outcome = "failed",
                           .step = 1,
                           .detail = buf_string(&odd)});
    assert_int_equal(core_incident(l->core, "r1-1")->state, STATE_UNDOING);
    recorder_must_be_same(&l->recorder, &catalog);
}

static struct buf segment_bytes(struct life *l)
{
    struct buf b = {0};
    struct err e = {0};
    if (file_read(l->recorder.root, JOURNAL_FOLDER "/00000000000000000000.jsonl", 0, 1 << 28, &b,
                  &e) < 0)
        fail_msg("%s", e.text);
    return b;
}

static void segment_put(struct life *l, const char *bytes, size_t length)
{
    struct err e = {0};
    assert_int_equal(file_replace(l->recorder.root, JOURNAL_FOLDER "/00000000000000000000.jsonl",
                                  JOURNAL_FOLDER, bytes, length, NULL, &e),
                     0);
}

/* Where the first segments are gone: from each state on, whatever the run was in the middle of. */
static void it_begins_at_any_state(void **state)
{
    struct life *l = *state;
    l->recorder.states = true;
    whole_life(l);
    recorder_must_be_same(&l->recorder, &catalog);
    OWNED(buf_fini) struct buf all = segment_bytes(l);
    size_t states = 0;
    uint64_t events = UINT64_MAX;
    for (char *at = all.bytes; (at = strstr(at, "\"type\":\"rotate\"")); at++) {
        struct err e = {0};
        char *line = at;
        while (line[-1] != '\n')
            line--;
        if (states++ % 4)
            continue; /* for time's sake */
        segment_put(l, line, all.length - (size_t)(line - all.bytes));
        OWNED(replay_result_fini) struct replay_result r;
        if (replay_journal(l->recorder.root, JOURNAL_FOLDER, &catalog, &r, &e) != REPLAY_SAME ||
            r.gap_count)
            fail_msg("state %zu: %s %s %s %s", states, e.text, r.what ? r.what : "", r.expected,
                     r.found);
        assert_true(r.events < events);
        events = r.events;
    }
    assert_true(states > 30);
}

/* ---- it differs ---- */

/* Every record of a decision is needed, wherever it stands. */
static void each_decision_is_missed(void **state)
{
    static const char *const of_the_core[] = {"incident", "guard", "intent", "undo", "escalate"};
    struct life *l = *state;
    start(l, "r1");
    hang(l, "r1-1");
    heal(l, "r1-1");
    recorder_stop(&l->recorder);
    recorder_must_be_same(&l->recorder, &catalog);
    OWNED(buf_fini) struct buf all = segment_bytes(l);
    size_t tried = 0;
    for (char *line = all.bytes, *end; (end = strchr(line, '\n')); line = end + 1) {
        bool is_one = false;
        for (size_t i = 0; i < sizeof of_the_core / sizeof *of_the_core; i++) {
            OWNED(free) char *key = mem_printf("\"type\":\"%s\"", of_the_core[i]);
            *end = '\0';
            is_one |= strstr(line, key) != NULL;
            *end = '\n';
        }
        if (!is_one)
            continue;
        OWNED(buf_fini) struct buf cut = {0};
        buf_add(&cut, all.bytes, (size_t)(line - all.bytes));
        buf_text(&cut, end + 1);
        segment_put(l, cut.bytes, cut.length);
        struct err e = {0};
        OWNED(replay_result_fini) struct replay_result r;
        enum replay_verdict verdict =
            replay_journal(l->recorder.root, JOURNAL_FOLDER, &catalog, &r, &e);
        if (verdict != REPLAY_DIFFERS || !r.line || !r.expected)
            fail_msg("%d without %.*s", (int)verdict, (int)(end - line), line);
        tried++;
    }
    assert_true(tried >= 10);
}

static bool change_one(struct recorder *r, const char *type, unsigned number, json_t *body)
{
    (void)number;
    if (!strcmp(type, "guard") && r->number == 0)
        json_put(body, "verdict", json_string("dry"));
    if (!strcmp(type, "incident") && r->number == 1)
        json_put(body, "why", json_string("because"));
    if (!strcmp(type, "signal") && r->number == 2 &&
        !strcmp(json_get_string(body, "verdict", ""), "fail"))
        json_put(body, "reason", json_string("refused"));
    if (!strcmp(type, "event") && r->number == 3 && json_object_get(body, "atUsec"))
        json_put(body, "atUsec", json_integer(json_get_int(body, "atUsec", 0) - 1));
    if (!strcmp(type, "incident") && r->number == 4)
        json_put(body, "more", json_true());
    if (!strcmp(type, "start") && r->number == 5)
        json_put(json_object_get(body, "state"), "nextIncident", json_integer(9));
    if (!strcmp(type, "signal") && r->number == 6)
        json_put(body, "signal", json_string("moon"));
    if (!strcmp(type, "signal") && r->number == 7)
        json_put(body, "event", json_string("wake"));
    return true;
}
enum { CHANGES = 8 };

static void each_change_is_seen(void **state)
{
    (void)state;
    struct err e = {0};
    for (unsigned n = 0; n < CHANGES; n++) {
        void *fresh = NULL;
        assert_int_equal(setup(&fresh), 0);
        struct life *one = fresh;
        one->recorder.change = change_one;
        one->recorder.number = n;
        start(one, "r1");
        hang(one, "r1-1");
        heal(one, "r1-1");
        recorder_stop(&one->recorder);
        start_again(one, "r2");
        OWNED(replay_result_fini) struct replay_result r;
        if (recorder_replay(&one->recorder, &catalog, &r, &e) != REPLAY_DIFFERS)
            fail_msg("change %u isn't seen: %s", n, e.text);
        assert_non_null(r.what);
        assert_true(r.line > 0 && r.seq > 0);
        assert_int_equal(teardown(&fresh), 0);
    }
}

static void a_decision_of_nobody_is_seen(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    start(l, "r1");
    all_pass(l);
    json_t *body = json_object();
    json_put(body, "incident", json_string("r1-1"));
    recorder_add(&l->recorder, RECORD_INTENT, body);
    OWNED(replay_result_fini) struct replay_result r = replayed(l, REPLAY_DIFFERS, &e);
    assert_null(r.expected);
    assert_non_null(strstr(r.found, "\"type\":\"intent\""));
    assert_non_null(strstr(r.what, "doesn't decide here"));
}

static void another_state_in_the_middle_is_seen(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    start(l, "r1");
    hang(l, "r1-1");
    json_t *body = json_object(), *whole = core_save_whole(l->core);
    json_put(json_object_get(whole, "running"), "killSwitch", json_true());
    json_put(body, "state", whole);
    recorder_add(&l->recorder, RECORD_ROTATE, body);
    OWNED(replay_result_fini) struct replay_result r = replayed(l, REPLAY_DIFFERS, &e);
    assert_non_null(strstr(r.what, "state here is another"));
}

/* ---- what can't be said ---- */

/* A crash in the middle of writing: what was decided on the last event isn't all there. */
static void a_crash_cuts_a_run_short(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    start(l, "r1");
    hang(l, "r1-1");
    assert_int_equal(journal_sync(l->recorder.journal, &e), 0);
    OWNED(buf_fini) struct buf all = segment_bytes(l);
    char *last = strrchr(all.bytes, '{'); /* of the body; the line begins before it */
    while (last[-1] != '\n')
        last--;
    segment_put(l, all.bytes, (size_t)(last - all.bytes));
    OWNED(replay_result_fini) struct replay_result r;
    assert_int_equal(replay_journal(l->recorder.root, JOURNAL_FOLDER, &catalog, &r, &e),
                     REPLAY_SAME);
    assert_int_equal(r.runs_cut_short, 1);
}

static bool leave_out_from(struct recorder *r, const char *type, unsigned number, json_t *body)
{
    (void)type, (void)body;
    return number < r->number;
}

static void records_that_were_lost_are_said(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    start(l, "r1");
    all_pass(l);
    l->recorder.change = leave_out_from; /* one event that never reached the disk */
    l->recorder.number = l->recorder.written;
    signal_is(l, "apiserver-livez", SIGNAL_FAIL, REASON_TIMEOUT);
    l->recorder.change = NULL;
    json_t *body = json_object();
    json_put(body, "dropped", json_integer(3));
    recorder_add(&l->recorder, RECORD_DEGRADED, body);
    signal_is(l, "apiserver-livez", SIGNAL_PASS, REASON_NONE);
    OWNED(replay_result_fini) struct replay_result r = replayed(l, REPLAY_SAME, &e);
    assert_int_equal(r.unproven_events, 1);
    assert_int_equal(r.gap_count, 1);
    assert_non_null(strstr(r.gaps[0].why, "lost"));
    uint64_t events = r.events;
    l->recorder.states = true; /* as the engine writes one behind a loss */
    signal_is(l, "apiserver-livez", SIGNAL_FAIL, REASON_REFUSED);
    signal_is(l, "apiserver-livez", SIGNAL_PASS, REASON_NONE);
    OWNED(replay_result_fini) struct replay_result on = replayed(l, REPLAY_SAME, &e);
    assert_int_equal(on.unproven_events, 2);
    assert_int_equal(on.events, events + 1);
}

static void what_is_too_long_for_a_record_is_said(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    OWNED(buf_fini) struct buf text = {0};
    start(l, "r1");
    for (int i = 0; i < 20000; i++)
        buf_text(&text, "0123456789 0123456789 0123456789 0123456789 0123456789 012345 ");
    feed(l, (struct event){.type = EVENT_JOURNAL, .ok = true, .detail = buf_string(&text)});
    all_pass(l);
    OWNED(replay_result_fini) struct replay_result r = replayed(l, REPLAY_SAME, &e);
    assert_true(r.unproven_events >= 10);
    assert_non_null(strstr(r.gaps[0].why, "withheld"));
}

static void without_documents_nothing_is_claimed(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    whole_life(l);
    OWNED(free) char *path = documents_path(JOURNAL_FOLDER, &l->generation->digest);
    OWNED(buf_fini) struct buf text = {0};
    assert_int_equal(file_read(l->recorder.root, path, 0, 1 << 24, &text, &e), 0);
    /* Another mode in the same documents: not those of that digest. */
    char *mode = strstr(text.bytes, "mode: enforce");
    assert_non_null(mode);
    memcpy(mode, "mode: observe", 13);
    assert_int_equal(
        file_replace(l->recorder.root, path, JOURNAL_FOLDER, text.bytes, text.length, NULL, &e), 0);
    OWNED(replay_result_fini) struct replay_result r = replayed(l, REPLAY_UNREADABLE, &e);
    assert_non_null(strstr(e.text, "another digest"));
    assert_int_equal(file_remove(l->recorder.root, path, &e), 0);
    OWNED(replay_result_fini) struct replay_result none = replayed(l, REPLAY_UNREADABLE, &e);
    assert_int_equal(none.decisions, 0);
}

static void no_journal_is_unreadable(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    OWNED(replay_result_fini) struct replay_result r;
    assert_int_equal(replay_journal(l->recorder.root, "/nowhere", &catalog, &r, &e),
                     REPLAY_UNREADABLE);
    assert_int_equal(
        replay_journal(l->recorder.root, JOURNAL_FOLDER "/documents", &catalog, &r, &e),
        REPLAY_UNREADABLE);
}

/* ---- stored documents ---- */

static void stored_documents_are_the_same_generation(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    struct generation *all[] = {l->generation, l->other};
    start(l, "r1");
    recorder_config(&l->recorder, l->core, l->other);
    for (size_t i = 0; i < 2; i++) {
        struct generation *again = NULL;
        struct complaints complaints = {0};
        OWNED(free) char *path = documents_path(JOURNAL_FOLDER, &all[i]->digest);
        if (generation_load_stored(l->recorder.root, path, &all[i]->digest, NULL, &catalog, &again,
                                   &complaints, &e) < 0)
            fail_msg("%s", e.text);
        assert_true(digest_equal(&again->digest, &all[i]->digest));
        assert_string_equal(again->policy->meta.name, all[i]->policy->meta.name);
        assert_int_equal(again->policy->mode, all[i]->policy->mode);
        assert_int_equal(again->playbook_count, all[i]->playbook_count);
        assert_int_equal(again->failure_count, all[i]->failure_count);
        assert_int_equal(again->probe_count, all[i]->probe_count);
        assert_null(generation_documents(again)); /* forgotten: they are on the disk */
        generation_unref(again);
        complaints_fini(&complaints);
    }
}

int main(void)
{
    json_setup();
    catalog = (struct catalog){probe_kinds,     probe_kind_count, step_kinds,
                               step_kind_count, guard_kinds,      guard_kind_count};
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        A_TEST(a_life_is_decided_again),
        A_TEST(an_empty_journal_has_no_difference),
        A_TEST(what_a_record_cannot_hold_does_not_decide),
        A_TEST(it_begins_at_any_state),
        A_TEST(each_decision_is_missed),
        A_TEST(each_change_is_seen),
        A_TEST(a_decision_of_nobody_is_seen),
        A_TEST(another_state_in_the_middle_is_seen),
        A_TEST(a_crash_cuts_a_run_short),
        A_TEST(records_that_were_lost_are_said),
        A_TEST(what_is_too_long_for_a_record_is_said),
        A_TEST(without_documents_nothing_is_claimed),
        A_TEST(no_journal_is_unreadable),
        A_TEST(stored_documents_are_the_same_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
