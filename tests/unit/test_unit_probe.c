/* Kind `unit` over a bus of the test's own making (the functions of loop/bus.h that it uses). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "loop/bus.h"
#include "observe/kinds.h"

struct unit_args { /* as in unit.c */
    const char *unit;
    uint64_t stable_after_usec;
};

/* --- the bus */

struct unit_look {
    void (*done)(void *context, const struct unit_state *s, const struct err *e);
    void *context;
};
struct unit_watch {
    void (*changed)(void *context);
    void *context;
};

static struct unit_look *looking;
static struct unit_watch *watching;
static bool is_broken;

int unit_look_start(struct bus *b, const char *unit, uint64_t timeout_usec,
                    void (*done)(void *context, const struct unit_state *s, const struct err *e),
                    void *context, struct unit_look **ret, struct err *e)
{
    assert_non_null(b);
    assert_string_equal(unit, "kubelet.service");
    assert_int_equal(timeout_usec, 1000);
    if (is_broken)
        return err_set(e, -ENOTCONN, "no connection");
    looking = mem_new(struct unit_look);
    *looking = (struct unit_look){done, context};
    *ret = looking;
    return 0;
}

void unit_look_free(struct unit_look *u)
{
    if (u)
        looking = NULL;
    free(u);
}

int unit_watch_new(struct bus *b, const char *unit, void (*changed)(void *context), void *context,
                   struct unit_watch **ret, struct err *e)
{
    (void)e;
    assert_non_null(b);
    assert_string_equal(unit, "kubelet.service");
    watching = mem_new(struct unit_watch);
    *watching = (struct unit_watch){changed, context};
    *ret = watching;
    return 0;
}

void unit_watch_free(struct unit_watch *w)
{
    if (w)
        watching = NULL;
    free(w);
}

/* --- the bench */

static int reports, wakes;
static enum verdict verdict;
static enum reason reason;
static json_t *facts;
static char detail[256];

static void on_report(struct probe *p, const struct reading *r)
{
    (void)p;
    reports++;
    verdict = r->verdict;
    reason = r->reason;
    json_decref(facts);
    facts = json_incref(r->facts);
    (void)snprintf(detail, sizeof detail, "%s", r->detail ? r->detail : "");
}

static void on_wake(struct probe *p)
{
    (void)p;
    wakes++;
}

static const struct unit_args args = {.unit = "kubelet.service"};

static struct probe make(const struct view *v)
{
    return (struct probe){.view = v,
                          .kind = &probe_unit,
                          .args = &args,
                          .timeout_usec = 1000,
                          .report = on_report,
                          .wake = on_wake};
}

static void look(struct probe *p)
{
    p->looking = true;
    probe_unit.look(p);
}

static char some_bus;
static const struct view with_bus = {.bus = (struct bus *)(void *)&some_bus};

static void states_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *load, *active, *sub, *result;
        enum verdict verdict;
        enum reason reason;
        const char *detail;
    } cases[] = {
        {"loaded", "active", "running", "success", SIGNAL_PASS, REASON_NONE,
         "kubelet.service is active (running)"},
        {"loaded", "activating", "auto-restart", "exit-code", SIGNAL_FAIL, REASON_STARTING,
         "kubelet.service is activating (auto-restart), result exit-code"},
        {"loaded", "reloading", "reload", "success", SIGNAL_FAIL, REASON_STARTING, NULL},
        {"loaded", "deactivating", "stop-sigterm", "success", SIGNAL_FAIL, REASON_INACTIVE, NULL},
        {"loaded", "inactive", "dead", "success", SIGNAL_FAIL, REASON_INACTIVE, NULL},
        {"masked", "inactive", "dead", "success", SIGNAL_FAIL, REASON_INACTIVE,
         "kubelet.service is masked, inactive (dead), result success"},
        {"loaded", "failed", "failed", "start-limit-hit", SIGNAL_FAIL, REASON_FAILED,
         "kubelet.service is failed (failed), result start-limit-hit"},
        {"not-found", "inactive", "dead", "success", SIGNAL_FAIL, REASON_NOT_FOUND, NULL},
        {"not-found", "active", "running", "success", SIGNAL_PASS, REASON_NONE, NULL},
        {"loaded", "dancing", "dead", "success", SIGNAL_UNKNOWN, REASON_TOOL_FAILED, NULL},
    };
    struct probe p = make(&with_bus);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct unit_state s = {.main_pid = 42,
                               .restarts = 3,
                               .active_enter_usec = 123456,
                               .invocation_id = "0123456789abcdef0123456789abcdef"};
        (void)snprintf(s.load_state, UNIT_WORD, "%s", cases[i].load);
        (void)snprintf(s.active_state, UNIT_WORD, "%s", cases[i].active);
        (void)snprintf(s.sub_state, UNIT_WORD, "%s", cases[i].sub);
        (void)snprintf(s.result, UNIT_WORD, "%s", cases[i].result);
        reports = 0;
        look(&p);
        assert_int_equal(reports, 0);
        looking->done(looking->context, &s, NULL);
        assert_int_equal(reports, 1);
        assert_null(looking);
        assert_int_equal(verdict, cases[i].verdict);
        assert_int_equal(reason, cases[i].reason);
        if (cases[i].detail)
            assert_string_equal(detail, cases[i].detail);
        assert_string_equal(json_get_string(facts, "active", ""), cases[i].active);
        assert_string_equal(json_get_string(facts, "sub", ""), cases[i].sub);
        assert_string_equal(json_get_string(facts, "result", ""), cases[i].result);
        assert_string_equal(json_get_string(facts, "invocation", ""), s.invocation_id);
        assert_int_equal(json_get_int(facts, "mainPid", 0), 42);
        assert_int_equal(json_get_int(facts, "restarts", 0), 3);
        assert_int_equal(json_get_int(facts, "activeEnterUsec", 0), 123456);
    }
    probe_unit.unwatch(&p);
    assert_null(p.state);
}

static void what_cannot_be_asked_is_unknown(void **state)
{
    (void)state;
    static const struct view without = {0};
    struct probe p = make(&without);
    struct err e;
    assert_true(probe_unit.watch(&p, &e) < 0);
    look(&p);
    assert_int_equal(verdict, SIGNAL_UNKNOWN);
    assert_int_equal(reason, REASON_NOT_NAMED);
    probe_unit.unwatch(&p);

    p = make(&with_bus);
    is_broken = true;
    look(&p);
    is_broken = false;
    assert_int_equal(verdict, SIGNAL_UNKNOWN);
    assert_int_equal(reason, REASON_TOOL_FAILED);
    assert_string_equal(detail, "no connection");

    look(&p);
    looking->done(looking->context, NULL, &(struct err){"the bus went away"});
    assert_int_equal(verdict, SIGNAL_UNKNOWN);
    assert_int_equal(reason, REASON_TOOL_FAILED);
    assert_string_equal(detail, "the bus went away");
    probe_unit.unwatch(&p);
}

static void watch_wakes_and_cancel_ends(void **state)
{
    (void)state;
    struct probe p = make(&with_bus);
    struct err e;
    reports = 0;
    assert_int_equal(probe_unit.watch(&p, &e), 0);
    watching->changed(watching->context);
    assert_int_equal(wakes, 1);
    look(&p);
    assert_non_null(looking);
    probe_unit.cancel(&p);
    assert_null(looking);
    assert_non_null(watching);
    look(&p); /* left under way */
    probe_unit.unwatch(&p);
    assert_null(looking);
    assert_null(watching);
    assert_int_equal(reports, 0);
}

static void only_full_names_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        bool good;
    } cases[] = {
        {"kubelet.service", true}, {"docker.socket", true},      {"a@b\\x2dc.service", true},
        {"kubelet", false},        {".service", false},          {"kubelet.", false},
        {"kubelet.yaml", false},   {"a b.service", false},       {"x'y.service", false},
        {"a/b.service", false},    {"kubelet.service\n", false}, {"", false}};
    static const struct yaml at = {.file = "f.yaml", .line = 3, .column = 7};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct unit_args a = {.unit = cases[i].unit};
        struct err e = {""};
        int r = probe_unit.kind.check(&a, &at, &e);
        assert_int_equal(r, cases[i].good ? 0 : -EINVAL);
        if (!cases[i].good)
            assert_non_null(strstr(e.text, "f.yaml:3:7"));
    }
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(facts);
    facts = NULL;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_judged),
        cmocka_unit_test(what_cannot_be_asked_is_unknown),
        cmocka_unit_test(watch_wakes_and_cancel_ends),
        cmocka_unit_test(only_full_names_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
