/* Events, to their record and back: nothing is lost on the way, and what can't be an event is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "config/generation.h"
#include "decide/event.h"

static struct probe_document probes[] = {{.meta.name = "disk"}, {.meta.name = "livez"}};
static const struct generation generation = {.probes = probes, .probe_count = 2};

static json_t *must_parse(const char *text)
{
    struct err e = {0};
    json_t *value = json_parse(text, strlen(text), &e);
    if (!value)
        fail_msg("%s: %s", text, e.text);
    return value;
}

static const char *name_of(const struct event *e)
{
    return e->type == EVENT_SIGNAL ? probes[e->probe].meta.name : NULL;
}

/* The same record again, and each of the event's own fields with it. */
static void must_come_back(const struct event *e)
{
    struct err why = {0};
    struct event back;
    OWNED(json_decref) json_t *plan = NULL;
    OWNED(json_decref) json_t *body = event_encode(e, name_of(e));
    OWNED(free) char *before = json_canonical(body);
    if (event_decode(body, &generation, &back, &plan, &why) < 0)
        fail_msg("%s: %s", before, why.text);
    OWNED(json_decref) json_t *again = event_encode(&back, name_of(&back));
    OWNED(free) char *after = json_canonical(again);
    assert_string_equal(before, after);
    assert_int_equal(back.type, e->type);
    assert_int_equal(back.now_usec, e->now_usec);
    assert_int_equal(back.ok, e->ok);
    assert_int_equal(back.step, e->step);
    assert_int_equal(back.probe, e->probe);
    assert_int_equal(back.held_usec, e->held_usec);
    assert_int_equal(back.boot_usec, e->boot_usec);
    assert_string_equal(event_record(&back), event_record(e));
    assert_true(!back.plan == !e->plan && (!e->plan || json_equal(back.plan, e->plan)));
}

static void every_type_comes_back(void **state)
{
    (void)state;
    OWNED(json_decref) json_t *facts = must_parse("{\"days\":9,\"pod\":\"etcd\",\"list\":\"a b\"}");
    OWNED(json_decref)
    json_t *plan = must_parse("{\"playbook\":\"p\",\"steps\":[{\"name\":\"s\",\"changes\":true}]}");
    const struct event all[] = {
        {.type = EVENT_START, .now_usec = 7, .run = "abc123", .boot_usec = 3},
        {.type = EVENT_CONFIG, .now_usec = 8},
        {.type = EVENT_SIGNAL,
         .now_usec = (uint64_t)1 << 50,
         .probe = 1,
         .verdict = SIGNAL_FAIL,
         .reason = REASON_REFUSED,
         .facts = facts,
         .held_usec = 77,
         .detail = "no one listens"},
        {.type = EVENT_SIGNAL, .probe = 0, .verdict = SIGNAL_UNKNOWN, .reason = REASON_STALE},
        {.type = EVENT_WAKE, .now_usec = 9},
        {.type = EVENT_PREPARED,
         .incident = "r-1",
         .ok = true,
         .outcome = "done",
         .detail = "",
         .plan = plan,
         .digest = "d1"},
        {.type = EVENT_PREPARED, .incident = "r-1", .outcome = "refused", .detail = "gone"},
        {.type = EVENT_LOOKED, .incident = "r-1"},
        {.type = EVENT_STEP, .incident = "r-1", .ok = true, .outcome = "done", .step = 2},
        {.type = EVENT_STEP, .incident = "r-1", .outcome = "failed", .detail = "it \"broke\"\n"},
        {.type = EVENT_UNDONE, .incident = "r-1", .ok = true, .detail = "back"},
        {.type = EVENT_RECOVERED, .incident = "r-1", .detail = "could not"},
        {.type = EVENT_KILL_SWITCH, .ok = true},
        {.type = EVENT_JOURNAL, .detail = "no space"},
        {.type = EVENT_JOURNAL, .ok = true, .detail = "written"},
    };
    bool seen[EVENT_COUNT_] = {false};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        must_come_back(&all[i]);
        seen[all[i].type] = true;
    }
    for (int t = 0; t < EVENT_COUNT_; t++)
        if (!seen[t])
            fail_msg("event %s is not in this test", words_name(&event_words, t));
}

/* A record has more than its event: what every record says of itself is no part of a plan. */
static void a_plan_comes_out_of_its_envelope(void **state)
{
    (void)state;
    OWNED(json_decref)
    json_t *body = must_parse(
        "{\"v\":1,\"type\":\"plan\",\"wall\":\"w\",\"usec\":1,\"boot\":\"b\",\"node\":\"n\","
        "\"build\":\"0\",\"event\":\"prepared\",\"ok\":true,\"incident\":\"r-1\",\"digest\":\"d\","
        "\"atUsec\":5,\"playbook\":\"p\",\"steps\":[]}");
    struct event back;
    struct err e = {0};
    OWNED(json_decref) json_t *plan = NULL;
    assert_int_equal(event_decode(body, &generation, &back, &plan, &e), 0);
    OWNED(free) char *text = json_canonical(back.plan);
    assert_string_equal(text, "{\"playbook\":\"p\",\"steps\":[]}");
    assert_int_equal(json_object_size(body), 14);
}

static void what_is_no_event_is_refused(void **state)
{
    static const struct {
        const char *body;
        int code;
        const char *why;
    } rows[] = {
        {"{}", -EINVAL, "\"\" is no event"},
        {"{\"event\":\"flood\"}", -EINVAL, "\"flood\" is no event"},
        {"{\"event\":\"wake\",\"withheld\":{}}", -ENODATA, "too long"},
        {"{\"event\":\"start\"}", -EINVAL, "no run"},
        {"{\"event\":\"signal\",\"signal\":\"moon\"}", -EINVAL, "\"moon\" is of no probe"},
        {"{\"event\":\"signal\",\"signal\":\"livez\",\"verdict\":\"good\"}", -EINVAL,
         "isn't known"},
        {"{\"event\":\"signal\",\"signal\":\"livez\",\"verdict\":\"pass\",\"reason\":\"luck\"}",
         -EINVAL, "isn't known"},
        {"{\"event\":\"signal\",\"signal\":\"livez\",\"verdict\":\"pass\",\"reason\":\"none\","
         "\"facts\":[]}",
         -EINVAL, "no object"},
        {"{\"event\":\"prepared\",\"ok\":true,\"incident\":\"i\",\"digest\":\"d\"}", -EINVAL,
         "no steps"},
        {"{\"event\":\"prepared\",\"ok\":true,\"incident\":\"i\",\"steps\":[]}", -EINVAL,
         "no digest"},
        {"{\"event\":\"prepared\",\"ok\":false}", -EINVAL, "no incident"},
        {"{\"event\":\"step\",\"incident\":\"i\"}", -EINVAL, "no outcome"},
        {"{\"event\":\"looked\"}", -EINVAL, "no incident"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        OWNED(json_decref) json_t *body = must_parse(rows[i].body);
        OWNED(json_decref) json_t *plan = NULL;
        struct event untouched = {.step = 42};
        struct err e = {0};
        int code = event_decode(body, &generation, &untouched, &plan, &e);
        if (code != rows[i].code || !strstr(e.text, rows[i].why) || untouched.step != 42 || plan)
            fail_msg("%s: %d: %s", rows[i].body, code, e.text);
    }
}

/* The core must see no other bytes than the journal has. */
static void the_core_is_told_what_is_recorded(void **state)
{
    (void)state;
    OWNED(json_decref) json_t *facts = must_parse("{\"text\":\"password: hunter2\"}");
    const struct event raw = {.type = EVENT_SIGNAL,
                              .verdict = SIGNAL_FAIL,
                              .facts = facts,
                              .detail = "a\xff\x7f token: abcdef"};
    struct event told, back;
    struct err e = {0};
    OWNED(json_decref) json_t *body = event_tell(&raw, "disk", &told);
    OWNED(json_decref) json_t *plan = NULL;
    assert_int_equal(event_decode(body, &generation, &back, &plan, &e), 0);
    assert_string_equal(told.detail, back.detail);
    assert_true(json_equal(told.facts, back.facts));
    assert_null(strstr(told.detail, "abcdef"));
    assert_non_null(strstr(told.detail, "a\xef\xbf\xbd\xef\xbf\xbd"));
    assert_string_equal(json_get_string(facts, "text", ""), "password: hunter2");
    assert_null(strstr(json_get_string(told.facts, "text", ""), "hunter2"));
}

int main(void)
{
    json_setup();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back),
        cmocka_unit_test(a_plan_comes_out_of_its_envelope),
        cmocka_unit_test(what_is_no_event_is_refused),
        cmocka_unit_test(the_core_is_told_what_is_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
