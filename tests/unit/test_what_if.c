/* Other documents on a recorded life: what they would have decided, and what is made up for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "life.h"

static struct what_if_result asked(struct life *l, const char *policy, const char *playbooks,
                                   enum replay_verdict expected)
{
    const struct generation_asked a = {.policy = policy, .playbooks = playbooks};
    struct what_if_result r;
    struct err e = {0};
    assert_int_equal(journal_sync(l->recorder.journal, &e), 0);
    enum replay_verdict verdict =
        replay_what_if(l->recorder.root, JOURNAL_FOLDER, &life_catalog, &a, &r, &e);
    if (verdict != expected || r.verdict != verdict)
        fail_msg("%d: %s", (int)verdict, e.text);
    return r;
}

static void counts_must_be(const struct replay_side *s, uint64_t acted, uint64_t rehearsed,
                           uint64_t held, uint64_t escalated)
{
    const uint64_t expected[] = {acted, rehearsed, held, escalated};
    for (int i = 0; i <= CHOICE_ESCALATED; i++)
        if (s->counts[i] != expected[i])
            fail_msg("%s %d times, expected %d", words_name(&replay_choice_words, i),
                     (int)s->counts[i], (int)expected[i]);
}

static char *policy_file(struct life *l, const char *spec)
{
    struct err e = {0};
    OWNED(free)
    char *text = mem_printf("apiVersion: planeguard/v1\nkind: Policy\nmetadata: {name: asked}\n"
                            "spec: {summary: asked, %s}\n",
                            spec);
    assert_int_equal(
        file_replace(l->recorder.root, "/var/asked.yaml", "/var", text, strlen(text), NULL, &e), 0);
    return mem_printf("%s/var/asked.yaml", l->recorder.path);
}

/* Then every answer is in the journal, and nothing is made up. */
static void the_same_documents_decide_the_same(void **state)
{
    struct life *l = *state;
    life_start(l, "r1");
    life_hang(l, "r1-1");
    life_heal(l, "r1-1");
    recorder_stop(&l->recorder);
    life_start_again(l, "r2");
    life_later(l, 3600);
    life_hang(l, "r2-2");
    life_heal(l, "r2-2");
    OWNED(what_if_result_fini) struct what_if_result r = asked(l, "enforce", NULL, REPLAY_SAME);
    counts_must_be(&r.recorded, 2, 0, 0, 0);
    counts_must_be(&r.asked, 2, 0, 0, 0);
    assert_int_equal(r.asked.count, 2);
    assert_string_equal(r.asked.at[0].failure, "apiserver-hung");
    assert_string_equal(r.asked.at[0].at[0].playbook, "restart-hung-apiserver");
    assert_int_equal(r.answers_recorded, 10);
    assert_int_equal(r.answers_made_up, 0);
    assert_int_equal(strlen(r.asked.at[0].wall), strlen("2026-11-21T08:19:40Z"));
}

static void another_mode_decides_otherwise(void **state)
{
    struct life *l = *state;
    life_start(l, "r1");
    life_hang(l, "r1-1");
    life_heal(l, "r1-1");
    OWNED(free) char *dry = policy_file(l, "mode: dry-run");
    OWNED(what_if_result_fini) struct what_if_result r = asked(l, dry, NULL, REPLAY_DIFFERS);
    counts_must_be(&r.recorded, 1, 0, 0, 0);
    counts_must_be(&r.asked, 0, 1, 0, 0);
    OWNED(free) char *observe = policy_file(l, "mode: observe");
    OWNED(what_if_result_fini) struct what_if_result o = asked(l, observe, NULL, REPLAY_DIFFERS);
    counts_must_be(&o.asked, 0, 0, 1, 0);
    assert_int_equal(o.asked.guard_count, 1);
    assert_string_equal(o.asked.guards[0].guard, "mode");
    assert_string_equal(o.asked.at[0].at[0].guard, "mode");
}

/* The start-up guard lets go by the clock alone: the core's own wake-ups are its, not the
 * journal's, in which nothing happened then. */
static void the_clock_is_the_cores_own(void **state)
{
    struct life *l = *state;
    life_start(l, "r1");
    life_hang(l, "r1-1");
    life_later(l, 6 * 3600);
    life_feed(l, (struct event){.type = EVENT_JOURNAL, .ok = true, .detail = "later"});
    OWNED(free) char *slow = policy_file(l, "mode: enforce, guards: {start-up: {own: 2h}}");
    OWNED(what_if_result_fini) struct what_if_result r = asked(l, slow, NULL, REPLAY_DIFFERS);
    assert_string_equal(r.asked.at[0].at[0].guard, "start-up");
    assert_int_equal(r.asked.at[0].at[1].type, CHOICE_ACTED);
    assert_true(r.answers_made_up > 0);
}

/* What was only watched: a remedy that the signals don't prove is taken back, and a person called.
 */
static void what_was_not_done_is_made_up(void **state)
{
    struct life *l = *state;
    l->core->generation->policy->mode = MODE_OBSERVE; /* as if the recorded policy had said so */
    life_start(l, "r1");
    life_later(l, 1200);
    life_all_pass(l);
    life_signal(l, "apiserver-livez", SIGNAL_FAIL, REASON_TIMEOUT);
    life_signal(l, "apiserver-readyz", SIGNAL_FAIL, REASON_TIMEOUT);
    life_later(l, 300);
    life_feed(l, (struct event){.type = EVENT_WAKE});
    life_later(l, 6 * 3600);
    life_feed(l, (struct event){.type = EVENT_JOURNAL, .ok = true, .detail = "later"});
    l->core->generation->policy->mode = MODE_ENFORCE;
    OWNED(what_if_result_fini) struct what_if_result r = asked(l, "enforce", NULL, REPLAY_DIFFERS);
    assert_int_equal(r.recorded.counts[CHOICE_ACTED], 0);
    assert_true(r.asked.counts[CHOICE_ACTED] >= 1);
    assert_int_equal(r.asked.counts[CHOICE_ESCALATED], 1);
    assert_int_equal(r.answers_recorded, 0);
    assert_true(r.answers_made_up >= 5);
}

static void other_playbooks_go_on_top(void **state)
{
    struct life *l = *state;
    life_start(l, "r1");
    life_hang(l, "r1-1");
    life_heal(l, "r1-1");
    OWNED(free)
    char *command =
        mem_printf("sed 's/for: 5m/for: 1h/' playbooks/kube-apiserver/apiserver-hung.yaml > "
                   "%s/var/hung.yaml && "
                   "! cmp -s playbooks/kube-apiserver/apiserver-hung.yaml %s/var/hung.yaml",
                   l->recorder.path, l->recorder.path);
    assert_int_equal(system(command), 0);
    OWNED(free) char *file = mem_printf("%s/var/hung.yaml", l->recorder.path);
    OWNED(what_if_result_fini) struct what_if_result r = asked(l, NULL, file, REPLAY_DIFFERS);
    counts_must_be(&r.recorded, 1, 0, 0, 0);
    counts_must_be(&r.asked, 0, 0, 0, 0);
    assert_int_equal(r.asked.opened, 1);
}

static void what_does_not_load_is_said(void **state)
{
    struct life *l = *state;
    life_start(l, "r1");
    life_all_pass(l);
    OWNED(what_if_result_fini)
    struct what_if_result r = asked(l, "no-such-policy", NULL, REPLAY_UNREADABLE);
    assert_non_null(strstr(r.gaps.gaps[0].why, "no-such-policy"));
    OWNED(what_if_result_fini)
    struct what_if_result f = asked(l, NULL, "/no/such/folder", REPLAY_UNREADABLE);
    assert_int_equal(f.events, 0);
}

int main(void)
{
    json_setup();
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, life_setup, life_teardown)
    const struct CMUnitTest tests[] = {
        A_TEST(the_same_documents_decide_the_same), A_TEST(another_mode_decides_otherwise),
        A_TEST(the_clock_is_the_cores_own),         A_TEST(what_was_not_done_is_made_up),
        A_TEST(other_playbooks_go_on_top),          A_TEST(what_does_not_load_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
