/* `planeguard replay` on a recorded life: what it says to people and to programs, and its exit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "life.h"
#include "verb_case.h"

static void sync_life(struct life *l)
{
    struct err e = {0};
    assert_int_equal(journal_sync(l->recorder.journal, &e), 0);
}

static const char *said(struct life *l, const char *arguments, int expected)
{
    int status;
    sync_life(l);
    const char *out = verb_run(l->recorder.path, arguments, &status);
    if (status != expected)
        fail_msg("%s: exit %d, expected %d:\n%s", arguments, status, expected, out);
    return out;
}
#define MUST_SAY(l, status, arguments, ...)                                                        \
    verb_must_say(said(l, arguments, status), (const char *const[]){__VA_ARGS__, NULL})

/* Hung and brought back once; the record is at its end. */
static void heal_once(struct life *l)
{
    life_start(l, "r1");
    life_hang(l, "r1-1");
    life_heal(l, "r1-1");
    recorder_stop(&l->recorder);
}

static void put_policy(struct life *l, const char *spec)
{
    struct err e = {0};
    OWNED(free)
    char *text = mem_printf("apiVersion: planeguard/v1\nkind: Policy\nmetadata: {name: asked}\n"
                            "spec: {summary: asked, %s}\n",
                            spec);
    assert_int_equal(
        file_replace(l->recorder.root, "/var/asked.yaml", "/var", text, strlen(text), NULL, &e), 0);
}

/* `arguments` with the asked policy's file for %s. */
static const char *asked(struct life *l, const char *format, int expected)
{
    OWNED(free) char *file = mem_printf("%s/var/asked.yaml", l->recorder.path);
    OWNED(free) char *arguments = mem_strdup(format);
    char *at = strstr(arguments, "FILE");
    assert_non_null(at);
    OWNED(free) char *all = mem_printf("%.*s%s%s", (int)(at - arguments), arguments, file, at + 4);
    return said(l, all, expected);
}
#define ASKED_MUST_SAY(l, status, arguments, ...)                                                  \
    verb_must_say(asked(l, arguments, status), (const char *const[]){__VA_ARGS__, NULL})

/* ---- the same documents ---- */

static void arguments(void **state)
{
    struct life *l = *state;
    static const struct verb_row rows[] = {
        {"replay --frob", 64, "not understood: --frob"},
        {"replay a b", 64, "usage: planeguard replay [JOURNAL]"},
        {"replay ''", 64, "not understood: "},
        {"replay --policy", 64, "not understood: --policy"},
        {"replay --policyx", 64, "not understood: --policyx"},
        {"replay --playbooks", 64, "not understood: --playbooks"},
        {"replay /nowhere", 2, "planeguard replay: "},
        {"-o json replay /nowhere", 2, "\"verdict\":\"unreadable\""},
        {"--root /nowhere replay", 2, "planeguard replay: root /nowhere: can't be opened"},
        {"--root / replay no/such/folder", 2, "no/such/folder"},
        {"replay", 0, "the same: every decision that could be compared"},
        {"replay /var/log/planeguard/audit", 0, "the same: "},
        {"replay var/log/planeguard/audit", 0, "the same: "},
    };
    VERB_ROWS(l->recorder.path, rows);
}

static void the_same(void **state)
{
    struct life *l = *state;
    heal_once(l);
    MUST_SAY(l, 0, "replay", "the same: every decision that could be compared\n",
             "  1 run (0 not ended by a stop), ", " events, ", " and 0 states compared\n");
    MUST_SAY(l, 0, "-o json replay", "\"verdict\":\"same\"", "\"why\":null", "\"difference\":null",
             "\"notCompared\":[]", "\"notComparedEvents\":0", "\"runs\":1", "\"runsCutShort\":0");
    life_start_again(l, "r2");
    MUST_SAY(l, 0, "replay", "  2 runs (1 not ended by a stop), ", " and 1 state compared\n");
}

static void a_difference(void **state)
{
    struct life *l = *state;
    life_start(l, "r1");
    json_t *body = json_object();
    json_put(body, "incident", json_string("r1-1\x1b[2J"));
    recorder_add(&l->recorder, RECORD_INTENT, body);
    MUST_SAY(l, 1, "replay", "differs: record ",
             "00000000000000000000.jsonl:", ": a record that the core doesn't decide here\n",
             "  the core:    nothing\n", "  the journal: {\"incident\":\"r1-1");
    assert_null(strchr(said(l, "replay", 1), '\x1b'));
    MUST_SAY(l, 1, "-o json replay", "\"verdict\":\"differs\"", "\"expected\":null",
             "\"what\":\"a record that the core doesn't decide here\"",
             "\"file\":\"00000000000000000000.jsonl\"");
}

static bool leave_out(struct recorder *r, const char *type, unsigned number, json_t *body)
{
    (void)number, (void)body;
    return strcmp(type, "guard") != 0 || r->number++ > 0;
}

static void a_record_that_is_missing(void **state)
{
    struct life *l = *state;
    l->recorder.change = leave_out;
    heal_once(l);
    MUST_SAY(l, 1, "replay", "differs: record ", "  the core:    {", "\"type\":\"guard\"");
}

/* Said, never taken for the same. */
static void what_can_not_be_compared(void **state)
{
    struct life *l = *state;
    life_start(l, "r1");
    life_all_pass(l);
    json_t *body = json_object();
    json_put(body, "dropped", json_integer(3));
    recorder_add(&l->recorder, RECORD_DEGRADED, body);
    life_signal(l, "apiserver-livez", SIGNAL_FAIL, REASON_TIMEOUT);
    MUST_SAY(l, 0, "replay", "  not compared: 1 event\n", "records were lost while the journal",
             " (1 time)\n");
    life_signal(l, "apiserver-livez", SIGNAL_PASS, REASON_NONE);
    json_t *again = json_object();
    json_put(again, "dropped", json_integer(2));
    recorder_add(&l->recorder, RECORD_DEGRADED, again);
    MUST_SAY(l, 0, "replay", "  not compared: 2 events\n", " (2 times)\n");
    MUST_SAY(l, 0, "-o json replay", "\"notCompared\":[{\"count\":2,\"where\":\"",
             "\"why\":\"records were lost");
    MUST_SAY(l, 0, "replay --policy enforce", "recorded:", "records were lost", " (2 times)\n");
}

static void nothing_can_be_compared(void **state)
{
    struct life *l = *state;
    struct err e = {0};
    heal_once(l);
    OWNED(free) char *path = documents_path(JOURNAL_FOLDER, &l->generation->digest);
    assert_int_equal(file_remove(l->recorder.root, path, &e), 0);
    MUST_SAY(l, 2, "replay",
             "planeguard replay: nothing in it can be compared: ", "  not compared: ");
    MUST_SAY(l, 2, "-o json replay", "\"verdict\":\"unreadable\"",
             "\"why\":\"nothing in it can be compared: ");
    MUST_SAY(l, 2, "replay --policy enforce",
             "planeguard replay: nothing in it can be decided on: ");
    MUST_SAY(l, 2, "-o json replay --policy enforce", "\"verdict\":\"unreadable\"",
             "\"why\":\"nothing in it can be decided on: ");
}

/* ---- other documents ---- */

static void other_documents_that_decide_the_same(void **state)
{
    struct life *l = *state;
    heal_once(l);
    MUST_SAY(l, 0, "replay --policy enforce",
             "recorded:        acted 1 time, in dry-run 0, held 0, called a person 0; 1 incident\n",
             "these documents: would have acted 1 time, in dry-run 0, held 0, ",
             "  apiserver-hung  the same: acted restart-hung-apiserver\n",
             "Nothing was run: what plans, looks and steps answered is the journal's 5 times and "
             "made up 0");
    MUST_SAY(l, 0, "-o json replay --policy=enforce", "\"verdict\":\"same\"", "\"same\":true",
             "{\"choice\":\"acted\",\"guard\":null,\"playbook\":\"restart-hung-apiserver\"}",
             "\"answersMadeUp\":0", "\"answersRecorded\":5", "\"gaps\":[]", "\"why\":null");
}

static void another_mode(void **state)
{
    struct life *l = *state;
    heal_once(l);
    put_policy(l, "mode: observe");
    ASKED_MUST_SAY(
        l, 1, "replay --policy FILE", ", held 1 (mode 1), called a person 0; 1 incident\n",
        "  apiserver-hung  differs\n      recorded:        acted restart-hung-apiserver\n"
        "      these documents: held restart-hung-apiserver by mode\n");
    ASKED_MUST_SAY(
        l, 1, "-o json replay --policy=FILE", "\"verdict\":\"differs\"", "\"same\":false",
        "\"heldBy\":{\"mode\":1}",
        "{\"choice\":\"held\",\"guard\":\"mode\",\"playbook\":\"restart-hung-apiserver\"}");
    put_policy(l, "mode: dry-run");
    ASKED_MUST_SAY(l, 1, "replay --policy FILE", "in dry-run 1, ",
                   "      these documents: in dry-run restart-hung-apiserver\n");
}

static void two_incidents_by_another_mode(void **state)
{
    struct life *l = *state;
    heal_once(l);
    life_start_again(l, "r2");
    life_later(l, 3600);
    life_hang(l, "r2-2");
    life_heal(l, "r2-2");
    put_policy(l, "mode: observe");
    ASKED_MUST_SAY(l, 1, "replay --policy FILE",
                   ", held 2 (mode 2), called a person 0; 2 incidents\n");
}

static bool of_no_probe(struct recorder *r, const char *type, unsigned number, json_t *body)
{
    (void)number;
    if (!strcmp(type, "signal") && r->number++ < 2)
        json_put(body, "signal", json_string("moon"));
    return true;
}

static void signals_that_nobody_knows(void **state)
{
    struct life *l = *state;
    l->recorder.change = of_no_probe;
    life_start(l, "r1");
    life_all_pass(l);
    MUST_SAY(l, 0, "replay --policy enforce",
             "2 signals are of probes that these documents don't have.\n");
}

/* First one guard, then none any more: two choices of one incident, and the rest made up. */
static void several_choices(void **state)
{
    struct life *l = *state;
    life_start(l, "r1");
    life_hang(l, "r1-1");
    life_later(l, 6 * 3600);
    life_feed(l, (struct event){.type = EVENT_JOURNAL, .ok = true, .detail = "later"});
    put_policy(l, "mode: enforce, guards: {start-up: {own: 2h}}");
    ASKED_MUST_SAY(l, 1, "replay --policy FILE",
                   "these documents: held restart-hung-apiserver by start-up; acted restart");
}

static void a_failure_that_waits_longer(void **state)
{
    struct life *l = *state;
    heal_once(l);
    OWNED(free)
    char *command =
        mem_printf("sed 's/for: 5m/for: 1h/' playbooks/kube-apiserver/apiserver-hung.yaml > "
                   "%s/var/asked.yaml && "
                   "! cmp -s playbooks/kube-apiserver/apiserver-hung.yaml %s/var/asked.yaml",
                   l->recorder.path, l->recorder.path);
    assert_int_equal(system(command), 0);
    ASKED_MUST_SAY(l, 1, "replay --playbooks FILE",
                   "      recorded:        acted restart-hung-apiserver\n"
                   "      these documents: nothing\n");
    ASKED_MUST_SAY(l, 1, "-o json replay --playbooks=FILE", "\"verdict\":\"differs\"");
}

/* A failure that the recorded documents don't have, of the same signals. */
static void put_stuck(struct life *l, const char *how_long)
{
    OWNED(free)
    char *command = mem_printf("sed 's/apiserver-hung/apiserver-stuck/; s/-hung-/-stuck-/; "
                               "s/for: 5m/for: %s/' playbooks/kube-apiserver/apiserver-hung.yaml "
                               "> %s/var/asked.yaml",
                               how_long, l->recorder.path);
    assert_int_equal(system(command), 0);
}

static void an_incident_of_one_side(void **state)
{
    struct life *l = *state;
    heal_once(l);
    put_stuck(l, "1m");
    ASKED_MUST_SAY(l, 1, "replay --playbooks FILE", "  apiserver-stuck  differs\n",
                   "      recorded:        nothing\n");
    ASKED_MUST_SAY(l, 1, "-o json replay --playbooks=FILE", "\"failure\":\"apiserver-stuck\"",
                   "\"recorded\":null,\"same\":false");
}

/* Another incident opens before the first one comes to its choice. */
static void two_incidents_at_once(void **state)
{
    struct life *l = *state;
    heal_once(l);
    put_stuck(l, "9m");
    ASKED_MUST_SAY(l, 0, "replay --playbooks FILE", "called a person 0; 2 incidents\n",
                   "  apiserver-hung  the same: acted restart-hung-apiserver\n");
}

/* Still open without a choice at the journal's end: no difference. */
static void an_incident_without_a_choice(void **state)
{
    struct life *l = *state;
    life_start(l, "r1");
    life_later(l, 600);
    life_all_pass(l);
    life_later(l, 60);
    life_signal(l, "apiserver-livez", SIGNAL_FAIL, REASON_TIMEOUT);
    life_signal(l, "apiserver-readyz", SIGNAL_FAIL, REASON_TIMEOUT);
    MUST_SAY(l, 0, "replay --policy enforce", "called a person 0; 1 incident\n",
             "  apiserver-hung  the same: nothing\n");
    OWNED(free)
    char *command = mem_printf("sed 's/livez, is: fail, reason: .*$/livez, is: fail, reason: "
                               "[refused]}/' playbooks/kube-apiserver/apiserver-hung.yaml "
                               "> %s/var/asked.yaml",
                               l->recorder.path);
    assert_int_equal(system(command), 0);
    ASKED_MUST_SAY(l, 0, "-o json replay --playbooks FILE", "\"asked\":null,",
                   "\"verdict\":\"same\"");
}

static void only_the_asked_documents_act(void **state)
{
    struct life *l = *state;
    struct generation *slow = l->generation;
    /* As if the recorded documents had waited for longer. */
    int failure = generation_find_failure(slow, "apiserver-hung");
    assert_true(failure >= 0);
    slow->failures[failure].for_usec *= 12;
    life_start(l, "r1");
    life_later(l, 600);
    life_all_pass(l);
    life_later(l, 60);
    life_signal(l, "apiserver-livez", SIGNAL_FAIL, REASON_TIMEOUT);
    life_signal(l, "apiserver-readyz", SIGNAL_FAIL, REASON_TIMEOUT);
    life_later(l, 900);
    life_feed(l, (struct event){.type = EVENT_JOURNAL, .ok = true, .detail = "later"});
    life_signal(l, "apiserver-livez", SIGNAL_PASS, REASON_NONE);
    life_signal(l, "apiserver-readyz", SIGNAL_PASS, REASON_NONE);
    MUST_SAY(l, 1, "replay --policy enforce", "these documents: would have acted 2 times",
             "these documents: acted restart-hung-apiserver");
    MUST_SAY(l, 1, "-o json replay --policy enforce", "\"verdict\":\"differs\"",
             "\"choice\":\"acted\"");
}

int main(void)
{
    json_setup();
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, life_setup, life_teardown)
    const struct CMUnitTest tests[] = {
        A_TEST(arguments),
        A_TEST(the_same),
        A_TEST(a_difference),
        A_TEST(a_record_that_is_missing),
        A_TEST(what_can_not_be_compared),
        A_TEST(nothing_can_be_compared),
        A_TEST(other_documents_that_decide_the_same),
        A_TEST(another_mode),
        A_TEST(two_incidents_by_another_mode),
        A_TEST(signals_that_nobody_knows),
        A_TEST(several_choices),
        A_TEST(a_failure_that_waits_longer),
        A_TEST(an_incident_of_one_side),
        A_TEST(two_incidents_at_once),
        A_TEST(an_incident_without_a_choice),
        A_TEST(only_the_asked_documents_act),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
