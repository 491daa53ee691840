/* decide/condition.h: the three truths, over every pair of them, and what one signal says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"
#include "config/generation.h"
#include "decide/condition.h"

enum { SIGNALS = 3 };

/* By the truth of "it is fail". */
static const struct signal signals[SIGNALS] = {
    [TRUTH_UNKNOWN] = {.verdict = SIGNAL_UNKNOWN},
    [TRUTH_FALSE] = {.verdict = SIGNAL_PASS},
    [TRUTH_TRUE] = {.verdict = SIGNAL_FAIL},
};

static const struct signal *signal_at(const void *context, int probe)
{
    return (const struct signal *)context + probe;
}

static struct condition is(int probe, enum verdict verdict)
{
    return (struct condition){.type = CONDITION_SIGNAL,
                              .signal = probe,
                              .is = verdict,
                              .passed_since = -1,
                              .threshold = -1};
}

static void test_pairs(void **state)
{
    (void)state;
    static const char name[] = "UFT"; /* unknown, false, true: as the enum has them */
    static const char *const all[SIGNALS] = {"UFU", "FFF", "UFT"};
    static const char *const any[SIGNALS] = {"UUT", "UFT", "TTT"};
    static const char negation[] = "UTF";
    for (int a = 0; a < SIGNALS; a++) {
        struct condition one = is(a, SIGNAL_FAIL);
        struct condition negated = {.type = CONDITION_NOT, .at = &one, .count = 1};
        assert_int_equal(name[condition_truth(&negated, signal_at, signals)], negation[a]);
        for (int b = 0; b < SIGNALS; b++) {
            struct condition both[] = {is(a, SIGNAL_FAIL), is(b, SIGNAL_FAIL)};
            struct condition w = {.type = CONDITION_ALL, .at = both, .count = 2};
            assert_int_equal(name[condition_truth(&w, signal_at, signals)], all[a][b]);
            w.type = CONDITION_ANY;
            assert_int_equal(name[condition_truth(&w, signal_at, signals)], any[a][b]);
        }
    }
}

static void test_one_signal(void **state)
{
    (void)state;
    OWNED(json_decref) json_t *facts = json_object();
    json_put(facts, "days", json_integer(7));
    json_put(facts, "mode", json_string("slow"));
    const struct signal s = {.verdict = SIGNAL_FAIL, .reason = REASON_EXPIRED, .facts = facts};
    struct condition w = is(0, SIGNAL_UNKNOWN);
    assert_int_equal(condition_signal(&w, &s), TRUTH_FALSE);
    assert_int_equal(condition_signal(&w, &signals[TRUTH_UNKNOWN]), TRUTH_TRUE);
    w = is(0, SIGNAL_FAIL);
    w.reasons = UINT64_C(1) << REASON_EXPIRED;
    assert_int_equal(condition_signal(&w, &s), TRUTH_TRUE);
    w.fact = "days";
    w.compare = COMPARE_AT_MOST;
    w.number = 7;
    assert_int_equal(condition_signal(&w, &s), TRUTH_TRUE);
    w.number = 6;
    assert_int_equal(condition_signal(&w, &s), TRUTH_FALSE);
    w.reasons = UINT64_C(1) << REASON_REFUSED;
    assert_int_equal(condition_signal(&w, &s), TRUTH_FALSE);
}

/* It passes, or has at some time since the other, which passes, last changed. */
static void test_passed_since(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        uint64_t passed_usec;
        enum verdict since;
        enum truth truth;
    } rows[] = {
        {SIGNAL_PASS, 0, SIGNAL_UNKNOWN, TRUTH_UNKNOWN},
        {SIGNAL_PASS, 0, SIGNAL_FAIL, TRUTH_FALSE},
        {SIGNAL_PASS, 0, SIGNAL_PASS, TRUTH_TRUE},
        {SIGNAL_FAIL, 11, SIGNAL_PASS, TRUTH_TRUE},
        {SIGNAL_FAIL, 10, SIGNAL_PASS, TRUTH_FALSE},
        {SIGNAL_UNKNOWN, 9, SIGNAL_PASS, TRUTH_FALSE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct signal both[] = {
            {.verdict = rows[i].verdict, .passed_usec = rows[i].passed_usec},
            {.verdict = rows[i].since, .changed_usec = 10},
        };
        struct condition w = is(0, SIGNAL_PASS);
        w.passed_since = 1;
        assert_int_equal(condition_truth(&w, signal_at, both), rows[i].truth);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_one_signal),
        cmocka_unit_test(test_passed_since),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
