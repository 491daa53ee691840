/* The schedule, over probe kinds of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "observe/observe.h"

enum { PROBES_MAX = 4 };

/* What a fake probe does and what was done with it; its `args`. */
struct fake {
    uint64_t takes_usec; /* 0: reports within look(); USEC_NEVER: never */
    int failing_watches; /* so many watches fail before one succeeds */
    bool wakes_itself;   /* each look brings on an event */
    bool frees_room;     /* frees the room from within look(), before reporting */
    int looks, cancels, watches, unwatches;
    struct probe *probe; /* while watched */
    struct timer *timer;
};

struct bench {
    struct loop *loop;
    struct view view;
    struct generation generation;
    struct probe_document documents[PROBES_MAX];
    struct fake fakes[PROBES_MAX];
    struct observe *observe;
    int readings[PROBES_MAX];
    enum verdict verdict;
    enum reason reason;
    char detail[128];
    int ask_again; /* probe that each of its readings asks for again; -1 */
    bool free_on_reading;
};

static struct bench *bench; /* for fakes */

static void report(void *context)
{
    struct probe *p = context;
    struct fake *f = (struct fake *)(uintptr_t)p->args;
    timer_free(TAKE(f->timer));
    json_t *facts = json_object();
    json_put(facts, "looks", json_integer(f->looks));
    probe_report(p, SIGNAL_PASS, REASON_NONE, facts, "look %d", f->looks);
}

static void fake_look(struct probe *p)
{
    struct fake *f = (struct fake *)(uintptr_t)p->args;
    f->looks++;
    if (f->wakes_itself)
        probe_wake(p);
    if (f->frees_room)
        observe_free(TAKE(bench->observe));
    if (f->takes_usec == 0) {
        report(p);
        return;
    }
    struct err e;
    assert_int_equal(timer_new(p->view->loop, report, p, &f->timer, &e), 0);
    if (f->takes_usec != USEC_NEVER)
        timer_set(f->timer, clock_boot_usec() + f->takes_usec, 0);
}

static void fake_cancel(struct probe *p)
{
    struct fake *f = (struct fake *)(uintptr_t)p->args;
    f->cancels++;
    timer_free(TAKE(f->timer));
}

static int fake_watch(struct probe *p, struct err *e)
{
    struct fake *f = (struct fake *)(uintptr_t)p->args;
    f->watches++;
    if (f->failing_watches && f->failing_watches-- > 0)
        return err_set(e, -1, "not yet");
    f->probe = p;
    return 0;
}

static void fake_unwatch(struct probe *p)
{
    struct fake *f = (struct fake *)(uintptr_t)p->args;
    f->unwatches++;
    f->probe = NULL;
}

static const struct probe_kind periodic = {
    .kind = {.name = "periodic"}, .side = SIDE_LOCAL, .look = fake_look, .cancel = fake_cancel};
static const struct probe_kind watched = {.kind = {.name = "watched"},
                                          .side = SIDE_LOCAL,
                                          .look = fake_look,
                                          .cancel = fake_cancel,
                                          .watch = fake_watch,
                                          .unwatch = fake_unwatch};
static const struct probe_kind network = {
    .kind = {.name = "network"}, .side = SIDE_NETWORK, .look = fake_look, .cancel = fake_cancel};

static void on_reading(void *context, int probe, const struct reading *r)
{
    struct bench *b = context;
    b->readings[probe]++;
    b->verdict = r->verdict;
    b->reason = r->reason;
    assert_true(json_is_object(r->facts));
    (void)snprintf(b->detail, sizeof b->detail, "%s", r->detail ? r->detail : "");
    if (b->ask_again == probe && b->readings[probe] < 50)
        observe_look(b->observe, probe);
    if (b->free_on_reading)
        observe_free(TAKE(b->observe));
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct err e;
    if (!b || loop_new(&b->loop, &e) < 0)
        return -1;
    b->view.loop = b->loop;
    b->generation = (struct generation){.references = 1, .probes = b->documents};
    b->ask_again = -1;
    *state = bench = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    observe_free(b->observe);
    loop_free(b->loop);
    bool balanced = b->generation.references == 1;
    for (int i = 0; i < PROBES_MAX; i++)
        balanced &= !b->fakes[i].timer && !b->fakes[i].probe;
    free(b);
    return balanced ? 0 : -1;
}

static struct fake *add(struct bench *b, const char *name, const struct probe_kind *kind,
                        uint64_t every_usec)
{
    size_t i = b->generation.probe_count++;
    b->documents[i] = (struct probe_document){.meta = {.name = name},
                                              .every_usec = every_usec,
                                              .timeout_usec = 40 * USEC_PER_MSEC,
                                              .kind = &kind->kind,
                                              .args = &b->fakes[i]};
    return &b->fakes[i];
}

static void begin(struct bench *b)
{
    struct err e;
    assert_int_equal(observe_new(&b->view, &b->generation, on_reading, b, &b->observe, &e), 0);
}

static void turn_for(struct bench *b, uint64_t usec)
{
    uint64_t until = clock_boot_usec() + usec, now;
    while ((now = clock_boot_usec()) < until)
        (void)sd_event_run(loop_sd_event(b->loop), until - now);
}

static void all_look_soon_and_then_in_their_periods(void **state)
{
    struct bench *b = *state;
    add(b, "often", &periodic, 100 * USEC_PER_MSEC);
    add(b, "slowly", &periodic, 100 * USEC_PER_MSEC)->takes_usec = 60 * USEC_PER_MSEC;
    add(b, "rarely", &periodic, USEC_PER_HOUR);
    begin(b);
    for (int i = 0; i < 3; i++)
        assert_true(observe_status(b->observe, i).looked_usec == 0);
    turn_for(b, 500 * USEC_PER_MSEC);
    for (int i = 0; i < 3; i++)
        assert_true(b->readings[i] >= 1); /* soon after the start */
    assert_int_equal(b->readings[2], 1);
    int before[2] = {b->readings[0], b->readings[1]};
    turn_for(b, USEC_PER_SEC);
    for (int i = 0; i < 2; i++) {
        int n = b->readings[i] - before[i];
        assert_true(n >= 7 && n <= 11);
    }
    assert_int_equal(b->readings[2], 1);
}

static void only_one_look_at_a_time(void **state)
{
    struct bench *b = *state;
    struct fake *f = add(b, "slow", &periodic, USEC_PER_HOUR);
    f->takes_usec = 30 * USEC_PER_MSEC;
    begin(b);
    while (!f->looks)
        turn_for(b, 2 * USEC_PER_MSEC);
    /* Asked for thrice during a look: one more after it. */
    for (int i = 0; i < 3; i++)
        observe_look(b->observe, 0);
    assert_int_equal(f->looks, 1);
    turn_for(b, 150 * USEC_PER_MSEC);
    assert_int_equal(f->looks, 2);
    assert_int_equal(b->readings[0], 2);
    uint64_t asked = clock_boot_usec();
    observe_look(b->observe, 0);
    assert_int_equal(f->looks, 2); /* never within the call */
    turn_for(b, 100 * USEC_PER_MSEC);
    assert_int_equal(b->readings[0], 3);
    struct observed o = observe_status(b->observe, 0);
    assert_true(o.looked_usec >= asked);
    assert_true(o.took_usec >= 30 * USEC_PER_MSEC && o.took_usec < USEC_PER_SEC);
    assert_false(o.by_events);
    assert_int_equal(f->cancels, 0);
}

static void silent_look_is_unknown(void **state)
{
    struct bench *b = *state;
    struct fake *f = add(b, "silent", &periodic, USEC_PER_HOUR);
    f->takes_usec = USEC_NEVER;
    begin(b);
    while (!b->readings[0])
        turn_for(b, 20 * USEC_PER_MSEC);
    assert_int_equal(f->looks, 1);
    assert_int_equal(f->cancels, 1);
    assert_int_equal(b->verdict, SIGNAL_UNKNOWN);
    assert_int_equal(b->reason, REASON_TIMEOUT);
    assert_non_null(strstr(b->detail, "no result within"));
    f->takes_usec = 0;
    observe_look(b->observe, 0);
    turn_for(b, 20 * USEC_PER_MSEC);
    assert_int_equal(b->verdict, SIGNAL_PASS);
    assert_string_equal(b->detail, "look 2");
}

static void events_wake_at_once_but_not_without_end(void **state)
{
    struct bench *b = *state;
    struct fake *f = add(b, "file", &watched, 0);
    begin(b);
    while (!b->readings[0])
        turn_for(b, 10 * USEC_PER_MSEC);
    turn_for(b, 300 * USEC_PER_MSEC);
    assert_int_equal(f->looks, 1); /* no period */
    assert_true(observe_status(b->observe, 0).by_events);
    probe_wake(f->probe);
    assert_int_equal(f->looks, 1);
    turn_for(b, 20 * USEC_PER_MSEC);
    assert_int_equal(f->looks, 2);
    f->wakes_itself = true; /* a flood */
    for (int i = 0; i < 100; i++)
        probe_wake(f->probe);
    turn_for(b, USEC_PER_SEC);
    assert_true(f->looks >= 5 && f->looks <= 9);
    int looks = f->looks;
    observe_look(b->observe, 0); /* a request waits for nothing */
    turn_for(b, 10 * USEC_PER_MSEC);
    assert_true(f->looks >= looks + 1);
    assert_int_equal(f->watches, 1);
}

static void failed_watch_is_tried_again(void **state)
{
    struct bench *b = *state;
    struct fake *f = add(b, "file", &watched, 50 * USEC_PER_MSEC);
    f->failing_watches = 2;
    begin(b);
    while (b->readings[0] < 5)
        turn_for(b, 10 * USEC_PER_MSEC);
    assert_int_equal(f->watches, 3);
    assert_true(observe_status(b->observe, 0).by_events);
    observe_free(TAKE(b->observe));
    assert_int_equal(f->unwatches, 1);
}

static void reading_may_ask_for_the_next(void **state)
{
    struct bench *b = *state;
    add(b, "a", &periodic, USEC_PER_HOUR);
    b->ask_again = 0;
    begin(b);
    turn_for(b, 600 * USEC_PER_MSEC);
    assert_int_equal(b->readings[0], 50);
}

static void network_needs_an_observer(void **state)
{
    struct bench *b = *state;
    struct fake *f = add(b, "livez", &network, USEC_PER_HOUR);
    begin(b);
    turn_for(b, 400 * USEC_PER_MSEC);
    assert_int_equal(b->readings[0], 1);
    assert_int_equal(f->looks, 0);
    assert_int_equal(b->verdict, SIGNAL_UNKNOWN);
    assert_int_equal(b->reason, REASON_OBSERVER_DOWN);
}

static void freeing_cancels(void **state)
{
    struct bench *b = *state;
    struct fake *slow = add(b, "slow", &watched, USEC_PER_HOUR);
    struct fake *other = add(b, "other", &watched, USEC_PER_HOUR);
    slow->takes_usec = USEC_NEVER;
    b->documents[0].timeout_usec = USEC_PER_MINUTE;
    begin(b);
    turn_for(b, 400 * USEC_PER_MSEC);
    observe_free(TAKE(b->observe));
    assert_int_equal(slow->cancels, 1);
    assert_int_equal(other->cancels, 0);
    assert_int_equal(slow->unwatches, 1);
    assert_int_equal(other->unwatches, 1);
    turn_for(b, 50 * USEC_PER_MSEC);
    assert_int_equal(b->readings[0], 0);
}

/* Freed from a reading, from a kind's own callback, or from within a look. */
static void freeing_in_the_middle_is_safe(void **state)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        struct bench *b = *state;
        struct fake *f = add(b, "a", &watched, 10 * USEC_PER_MSEC);
        b->free_on_reading = i < 2;
        f->takes_usec = i == 1 ? USEC_PER_MSEC : 0;
        f->frees_room = i == 2;
        begin(b);
        turn_for(b, 400 * USEC_PER_MSEC);
        assert_null(b->observe);
        assert_int_equal(f->looks, 1);
        assert_int_equal(b->readings[0], i < 2 ? 1 : 0);
        assert_int_equal(f->unwatches, 1);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_look_soon_and_then_in_their_periods),
        CASE(only_one_look_at_a_time),
        CASE(silent_look_is_unknown),
        CASE(events_wake_at_once_but_not_without_end),
        CASE(failed_watch_is_tried_again),
        CASE(reading_may_ask_for_the_next),
        CASE(network_needs_an_observer),
        CASE(freeing_cancels),
        CASE(freeing_in_the_middle_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
