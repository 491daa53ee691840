/* Each guard that looks at little, by itself: what it sees, its verdict, its words, at the bounds.
 * (The stories in tests/decide have them all in a row.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "decide/core.h"
#include "decide/guards/rows.h"

enum { SIGNALS = 2 };

/* A core with one playbook and one incident on it. */
struct desk {
    struct catalog catalog;
    struct policy_document policy;
    struct probe_document probes[SIGNALS];
    struct playbook_document playbook;
    struct expectation required;
    struct generation generation;
    struct signal signals[SIGNALS];
    struct incident incident;
    char id[8];
    struct core core;
};

static struct desk *desk_new(void)
{
    struct desk *n = mem_new(struct desk);
    n->policy.mode = MODE_ENFORCE;
    n->playbook = (struct playbook_document){.mode = MODE_ENFORCE,
                                             .limits.cooldown_usec = 5 * USEC_PER_MINUTE,
                                             .requires = &n->required,
                                             .requires_count = 1};
    n->playbook.meta.name = "restart";
    n->probes[0].meta.name = "unit";
    n->probes[1].meta.name = "manifest";
    n->generation = (struct generation){.catalog = &n->catalog,
                                        .policy = &n->policy,
                                        .probes = n->probes,
                                        .probe_count = SIGNALS,
                                        .playbooks = &n->playbook,
                                        .playbook_count = 1};
    n->incident.generation = &n->generation;
    n->incident.id = n->id;
    strcpy(n->id, "m-2");
    n->core = (struct core){.generation = &n->generation, .signals = n->signals};
    return n;
}

static void desk_free(struct desk *n)
{
    history_fini(&n->core.history);
    free(n);
}

static void expect(const struct desk *n, const struct guard_kind *k, const void *args,
                   uint64_t now_usec, enum guard_verdict verdict, const char *saw,
                   const char *wants, uint64_t until_usec)
{
    struct guard_view v = {&n->core, &n->incident, &n->playbook, now_usec};
    struct judgement j = {.verdict = GUARD_DENY};
    k->judge(&v, args, &j);
    assert_string_equal(j.saw, saw);
    assert_string_equal(j.wants, wants);
    assert_int_equal(j.verdict, verdict);
    assert_int_equal(j.until_usec, until_usec);
}

static void test_kill_switch(void **state)
{
    (void)state;
    struct desk *n = desk_new();
    expect(n, &guard_kill_switch, NULL, 0, GUARD_DENY, "not known whether it is pulled",
           "to be told where the kill switch stands", 0);
    n->core.kill_switch_known = true;
    expect(n, &guard_kill_switch, NULL, 0, GUARD_ALLOW, "not pulled", "", 0);
    n->core.kill_switch = true;
    expect(n, &guard_kill_switch, NULL, 0, GUARD_DENY, "pulled", "the file to be removed", 0);
    desk_free(n);
}

/* Each pair of modes: the stricter counts, and is named. */
static void test_mode(void **state)
{
    (void)state;
    static const struct {
        enum mode playbook, policy;
        enum guard_verdict verdict;
        const char *saw, *wants;
    } rows[] = {
        {MODE_ENFORCE, MODE_ENFORCE, GUARD_ALLOW, "enforce", ""},
        {MODE_DRY_RUN, MODE_ENFORCE, GUARD_DRY, "dry-run (the playbook's mode)", "mode enforce"},
        {MODE_ENFORCE, MODE_DRY_RUN, GUARD_DRY, "dry-run (the policy's mode)", "mode enforce"},
        {MODE_OBSERVE, MODE_DRY_RUN, GUARD_DENY, "observe (the playbook's mode)",
         "mode dry-run or enforce"},
        {MODE_DRY_RUN, MODE_OBSERVE, GUARD_DENY, "observe (the policy's mode)",
         "mode dry-run or enforce"},
    };
    struct desk *n = desk_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        n->playbook.mode = rows[i].playbook;
        n->policy.mode = rows[i].policy;
        expect(n, &guard_mode, NULL, 0, rows[i].verdict, rows[i].saw, rows[i].wants, 0);
    }
    desk_free(n);
}

static void test_cooldown(void **state)
{
    (void)state;
    struct desk *n = desk_new();
    uint64_t now = 100 * USEC_PER_MINUTE;
    expect(n, &guard_cooldown, NULL, now, GUARD_ALLOW, "over (5m)", "", 0);
    history_begin(&n->core.history, "restart", "m-1", now);
    expect(n, &guard_cooldown, NULL, now, GUARD_ALLOW, "over (5m)", "", 0); /* none ended yet */
    history_end(&n->core.history, "restart", now);
    uint64_t until = now + 5 * USEC_PER_MINUTE;
    expect(n, &guard_cooldown, NULL, until - USEC_PER_MINUTE, GUARD_DENY, "1m of 5m left",
           "the cooldown to be over", until);
    expect(n, &guard_cooldown, NULL, until, GUARD_ALLOW, "over (5m)", "", 0);
    desk_free(n);
}

static void test_requires(void **state)
{
    (void)state;
    struct desk *n = desk_new();
    struct condition *w = &n->required.condition;
    *w = (struct condition){.type = CONDITION_SIGNAL,
                            .signal = 0,
                            .is = SIGNAL_PASS,
                            .passed_since = -1,
                            .threshold = -1};
    n->signals[0] = (struct signal){.verdict = SIGNAL_FAIL, .reason = REASON_REFUSED};
    expect(n, &guard_requires, NULL, 10, GUARD_DENY, "unit is fail (refused)", "unit to be pass",
           0);
    n->signals[0] = (struct signal){.verdict = SIGNAL_PASS};
    expect(n, &guard_requires, NULL, 10, GUARD_ALLOW, "all 1 hold", "", 0);
    w->passed_since = 1;
    n->signals[0].verdict = SIGNAL_FAIL;
    n->signals[1] = (struct signal){.verdict = SIGNAL_PASS, .changed_usec = 5};
    expect(n, &guard_requires, NULL, 10, GUARD_DENY, "unit is fail (none)",
           "unit to have passed since manifest last changed", 0);
    desk_free(n);
}

static void test_settle(void **state)
{
    (void)state;
    struct desk *n = desk_new();
    struct history *h = &n->core.history;
    uint64_t args[] = {5 * USEC_PER_MINUTE}; /* as the guard's fields have it */
    assert_int_equal(guard_settle.kind.args_size, sizeof args);
    uint64_t began = 10 * USEC_PER_MINUTE, ended = 12 * USEC_PER_MINUTE, over = ended + args[0];
    expect(n, &guard_settle, args, began, GUARD_ALLOW, "no action yet", "", 0);
    (void)snprintf(h->action_incident, sizeof h->action_incident, "m-1");
    h->action_began_usec = began;
    n->incident.opened_usec = began;
    uint64_t now = began + USEC_PER_MINUTE; /* under way: it goes on */
    expect(n, &guard_settle, args, now, GUARD_DENY, "opened during or after an action (0s ago)",
           "the node to settle", now + args[0]);
    h->action_ended_usec = ended;
    expect(n, &guard_settle, args, ended + USEC_PER_MINUTE, GUARD_DENY,
           "opened during or after an action (1m ago)", "the node to settle", over);
    expect(n, &guard_settle, args, over, GUARD_ALLOW, "over", "", 0);
    n->incident.opened_usec = began - 1;
    expect(n, &guard_settle, args, ended, GUARD_ALLOW, "opened before the last action", "", 0);
    strcpy(n->id, "m-1");
    expect(n, &guard_settle, args, ended, GUARD_ALLOW, "the last action was this incident's", "",
           0);
    desk_free(n);
}

static void test_start_up(void **state)
{
    (void)state;
    struct desk *n = desk_new();
    struct history *h = &n->core.history;
    struct {
        uint64_t own, boot, within;
        int64_t restarts;
    } args = {5 * USEC_PER_MINUTE, 10 * USEC_PER_MINUTE, 10 * USEC_PER_MINUTE, 3};
    assert_int_equal(guard_start_up.kind.args_size, sizeof args);
    n->core.started_usec = n->core.booted_usec = 100 * USEC_PER_MINUTE;
    expect(n, &guard_start_up, &args, 109 * USEC_PER_MINUTE, GUARD_DENY,
           "the node booted just now: 1m left", "the grace to be over", 110 * USEC_PER_MINUTE);
    expect(n, &guard_start_up, &args, 110 * USEC_PER_MINUTE, GUARD_ALLOW, "over", "", 0);
    n->core.started_usec = 109 * USEC_PER_MINUTE;
    expect(n, &guard_start_up, &args, 113 * USEC_PER_MINUTE, GUARD_DENY,
           "the agent started just now: 1m left", "the grace to be over", 114 * USEC_PER_MINUTE);
    /* Three starts within ten minutes, and then three that lie as far apart as the bound. */
    h->start_count = 4;
    memcpy(h->starts,
           (uint64_t[]){0, 106 * USEC_PER_MINUTE, 108 * USEC_PER_MINUTE, 109 * USEC_PER_MINUTE},
           4 * sizeof *h->starts);
    expect(n, &guard_start_up, &args, 115 * USEC_PER_MINUTE, GUARD_DENY,
           "the agent restarted too often: 1m left", "the grace to be over", 116 * USEC_PER_MINUTE);
    h->starts[1] = 99 * USEC_PER_MINUTE;
    expect(n, &guard_start_up, &args, 114 * USEC_PER_MINUTE, GUARD_ALLOW, "over", "", 0);
    desk_free(n);
}

/* A catalog without guards allows nothing. */
static void test_no_guards(void **state)
{
    (void)state;
    struct desk *n = desk_new();
    struct guard_view v = {&n->core, &n->incident, &n->playbook, 0};
    struct folded f;
    guards_fold(&v, &f);
    assert_int_equal(f.verdict, GUARD_DENY);
    assert_string_equal(f.why, "there are no guards: nothing is allowed");
    assert_int_equal(json_array_size(f.guards), 0);
    json_decref(f.guards);
    desk_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_switch), cmocka_unit_test(test_mode),
        cmocka_unit_test(test_cooldown),    cmocka_unit_test(test_requires),
        cmocka_unit_test(test_settle),      cmocka_unit_test(test_start_up),
        cmocka_unit_test(test_no_guards),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
