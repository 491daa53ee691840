/* decide/sieve.c: which readings are news. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "decide/sieve.h"

static struct probe_document probes[] = {
    {.meta = {.name = "livez"},
     .fail_after = 3,
     .pass_after = 2,
     .every_usec = 10,
     .valid_usec = 25},
    {.meta = {.name = "pod"}, .fail_after = 1, .pass_after = 1, .every_usec = 10, .valid_usec = 25},
};
static struct threshold thresholds[] = {
    {.fact = "attempts", .compare = COMPARE_AT_LEAST, .number = 3}};
static struct probe_use uses[] = {{0}, {.thresholds = thresholds, .threshold_count = 1}};
static struct generation generation = {
    .references = 1, .probes = probes, .uses = uses, .probe_count = 2};

static bool take(struct sieve *s, int probe, enum verdict v, const char *facts, uint64_t now_usec)
{
    OWNED(json_decref) json_t *f = facts ? json_parse(facts, strlen(facts), NULL) : NULL;
    uint64_t held_usec;
    return sieve_take(s, probe, v, REASON_NONE, f, now_usec, &held_usec);
}

static void test_in_a_row(void **state)
{
    (void)state;
    OWNED(sieve_free) struct sieve *s = sieve_new(&generation, NULL);
    assert_false(take(s, 0, SIGNAL_PASS, NULL, 1));
    assert_true(take(s, 0, SIGNAL_PASS, NULL, 2));
    assert_false(take(s, 0, SIGNAL_PASS, NULL, 3));
    assert_false(take(s, 0, SIGNAL_FAIL, NULL, 4));
    assert_false(take(s, 0, SIGNAL_FAIL, NULL, 5));
    assert_false(take(s, 0, SIGNAL_PASS, NULL, 6)); /* the row is broken */
    assert_false(take(s, 0, SIGNAL_FAIL, NULL, 7));
    assert_false(take(s, 0, SIGNAL_FAIL, NULL, 8));
    assert_true(take(s, 0, SIGNAL_FAIL, NULL, 9));
    /* Unknown counts at once: it lets nothing act. */
    assert_true(take(s, 0, SIGNAL_UNKNOWN, NULL, 10));
}

static void test_facts(void **state)
{
    (void)state;
    OWNED(sieve_free) struct sieve *s = sieve_new(&generation, NULL);
    assert_true(take(s, 1, SIGNAL_PASS, "{\"id\":\"a\",\"attempts\":1,\"age\":1}", 1));
    assert_false(take(s, 1, SIGNAL_PASS, "{\"id\":\"a\",\"attempts\":2,\"age\":9}", 2));
    assert_true(take(s, 1, SIGNAL_PASS, "{\"id\":\"a\",\"attempts\":3,\"age\":9}", 3));
    assert_false(take(s, 1, SIGNAL_PASS, "{\"id\":\"a\",\"attempts\":4}", 4));
    assert_true(take(s, 1, SIGNAL_PASS, "{\"id\":\"b\",\"attempts\":4}", 5));
    assert_true(take(s, 1, SIGNAL_PASS, "{\"attempts\":4}", 6));
}

static void test_stale(void **state)
{
    (void)state;
    OWNED(sieve_free) struct sieve *s = sieve_new(&generation, NULL);
    int cursor = 0;
    assert_int_equal(sieve_stale(s, &cursor, 100), -1); /* never read: not stale, not yet known */
    assert_true(take(s, 1, SIGNAL_PASS, NULL, 100));
    cursor = 0;
    assert_int_equal(sieve_stale(s, &cursor, 125), -1);
    cursor = 0;
    assert_int_equal(sieve_stale(s, &cursor, 126), 1);
    assert_int_equal(sieve_stale(s, &cursor, 126), -1);
}

/* A reload forgets what was said, not when: "has it passed since" must survive it. */
static void test_carried_over(void **state)
{
    (void)state;
    OWNED(sieve_free) struct sieve *old = sieve_new(&generation, NULL);
    assert_true(take(old, 1, SIGNAL_PASS, NULL, 7));
    OWNED(sieve_free) struct sieve *s = sieve_new(&generation, old);
    uint64_t held_usec = 0;
    assert_true(sieve_take(s, 1, SIGNAL_FAIL, REASON_REFUSED, NULL, 9, &held_usec));
    assert_int_equal(held_usec, 7);
}

int main(void)
{
    json_setup();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_a_row),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_carried_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
