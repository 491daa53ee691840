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

#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"
#include "life.h"

static struct replay_result replayed(struct life *l, enum replay_verdict expected, struct err *e)
{
    struct replay_result r;
    enum replay_verdict verdict = recorder_replay(&l->recorder, &life_catalog, &r, e);
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
    life_whole(l);
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
    life_start(l, "r1");
    life_hang(l, "r1-1");
    for (int i = 0; i < 500; i++)
        buf_text(&odd, i % 3 ? "\xff" : "x");
    buf_text(&odd, " password: hunter2");
    life_answer(l, EVENT_STEP, "r1-1", "fine");
    life_feed(l, (struct event){.type = EVENT_STEP,
                                .incident = "r1-1",
                                .outcome = "failed",
                                .step = 1,
                                .detail = buf_string(&odd)});
    assert_int_equal(core_incident(l->core, "r1-1")->state, STATE_UNDOING);
    recorder_must_be_same(&l->recorder, &life_catalog);
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
    life_whole(l);
    recorder_must_be_same(&l->recorder, &life_catalog);
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
        if (replay_journal(l->recorder.root, JOURNAL_FOLDER, &life_catalog, &r, &e) !=
                REPLAY_SAME ||
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
    life_start(l, "r1");
    life_hang(l, "r1-1");
    life_heal(l, "r1-1");
    recorder_stop(&l->recorder);
    recorder_must_be_same(&l->recorder, &life_catalog);
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
            replay_journal(l->recorder.root, JOURNAL_FOLDER, &life_catalog, &r, &e);
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
        assert_int_equal(life_setup(&fresh), 0);
        struct life *one = fresh;
        one->recorder.change = change_one;
        one->recorder.number = n;
        life_start(one, "r1");
        life_hang(one, "r1-1");
        life_heal(one, "r1-1");
        recorder_stop(&one->recorder);
        life_start_again(one, "r2");
        OWNED(replay_result_fini) struct replay_result r;
        if (recorder_replay(&one->recorder, &life_catalog, &r, &e) != REPLAY_DIFFERS)
            fail_msg("change %u isn't seen: %s", n, e.text);
        assert_non_null(r.what);
        assert_true(r.line > 0 && r.seq > 0);
        assert_int_equal(life_teardown(&fresh), 0);
    }
}

static void a_decision_of_nobody_is_seen(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    life_start(l, "r1");
    life_all_pass(l);
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
    life_start(l, "r1");
    life_hang(l, "r1-1");
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
    life_start(l, "r1");
    life_hang(l, "r1-1");
    assert_int_equal(journal_sync(l->recorder.journal, &e), 0);
    OWNED(buf_fini) struct buf all = segment_bytes(l);
    char *last = strrchr(all.bytes, '{'); /* of the body; the line begins before it */
    while (last[-1] != '\n')
        last--;
    segment_put(l, all.bytes, (size_t)(last - all.bytes));
    OWNED(replay_result_fini) struct replay_result r;
    assert_int_equal(replay_journal(l->recorder.root, JOURNAL_FOLDER, &life_catalog, &r, &e),
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
    life_start(l, "r1");
    life_all_pass(l);
    l->recorder.change = leave_out_from; /* one event that never reached the disk */
    l->recorder.number = l->recorder.written;
    life_signal(l, "apiserver-livez", SIGNAL_FAIL, REASON_TIMEOUT);
    l->recorder.change = NULL;
    json_t *body = json_object();
    json_put(body, "dropped", json_integer(3));
    recorder_add(&l->recorder, RECORD_DEGRADED, body);
    life_signal(l, "apiserver-livez", SIGNAL_PASS, REASON_NONE);
    OWNED(replay_result_fini) struct replay_result r = replayed(l, REPLAY_SAME, &e);
    assert_int_equal(r.unproven_events, 1);
    assert_int_equal(r.gap_count, 1);
    assert_non_null(strstr(r.gaps[0].why, "lost"));
    uint64_t events = r.events;
    l->recorder.states = true; /* as the engine writes one behind a loss */
    life_signal(l, "apiserver-livez", SIGNAL_FAIL, REASON_REFUSED);
    life_signal(l, "apiserver-livez", SIGNAL_PASS, REASON_NONE);
    OWNED(replay_result_fini) struct replay_result on = replayed(l, REPLAY_SAME, &e);
    assert_int_equal(on.unproven_events, 2);
    assert_int_equal(on.events, events + 1);
}

static void what_is_too_long_for_a_record_is_said(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    OWNED(buf_fini) struct buf text = {0};
    life_start(l, "r1");
    for (int i = 0; i < 20000; i++)
        buf_text(&text, "0123456789 0123456789 0123456789 0123456789 0123456789 012345 ");
    life_feed(l, (struct event){.type = EVENT_JOURNAL, .ok = true, .detail = buf_string(&text)});
    life_all_pass(l);
    OWNED(replay_result_fini) struct replay_result r = replayed(l, REPLAY_SAME, &e);
    assert_true(r.unproven_events >= 10);
    assert_non_null(strstr(r.gaps[0].why, "withheld"));
}

static void without_documents_nothing_is_claimed(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    life_whole(l);
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
    assert_int_equal(r.events, 0);
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
    assert_int_equal(replay_journal(l->recorder.root, "/nowhere", &life_catalog, &r, &e),
                     REPLAY_UNREADABLE);
    assert_int_equal(
        replay_journal(l->recorder.root, JOURNAL_FOLDER "/documents", &life_catalog, &r, &e),
        REPLAY_UNREADABLE);
}

/* ---- stored documents ---- */

static void stored_documents_are_the_same_generation(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    struct generation *all[] = {l->generation, l->other};
    life_start(l, "r1");
    recorder_config(&l->recorder, l->core, l->other);
    for (size_t i = 0; i < 2; i++) {
        struct generation *again = NULL;
        struct complaints complaints = {0};
        OWNED(free) char *path = documents_path(JOURNAL_FOLDER, &all[i]->digest);
        if (generation_load_stored(l->recorder.root, path, &all[i]->digest, NULL, &life_catalog,
                                   &again, &complaints, &e) < 0)
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
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, life_setup, life_teardown)
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
