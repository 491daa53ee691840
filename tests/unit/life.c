#include "life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "act/step.h"
#include "base/duration.h"
#include "base/mem.h"
#include "engine/catalog.h"

struct catalog life_catalog;
static const uint64_t boot_usec = 1000 * USEC_PER_HOUR;

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
    if (generation_load(root, here, NULL, &life_catalog, &g, &complaints) < 0)
        fail_msg("%s", complaints.at[0].text);
    complaints_fini(&complaints);
    assert_int_equal(folder_remove(root, "/etc", &e), 0);
    root_free(root);
    assert_int_equal(rmdir(folder), 0);
    return g;
}

int life_setup(void **state)
{
    struct life *l = mem_new(struct life);
    life_catalog = catalog_of_rooms();
    recorder_init(&l->recorder);
    l->generation = load("enforce");
    l->other = load("dry-run");
    l->core = core_new(l->generation);
    l->now_usec = boot_usec + USEC_PER_HOUR;
    *state = l;
    return 0;
}

int life_teardown(void **state)
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

void life_feed(struct life *l, struct event ev)
{
    OWNED(effects_fini) struct effects fx = {0};
    ev.now_usec = l->now_usec;
    recorder_feed(&l->recorder, l->core, &ev, &fx);
}

void life_later(struct life *l, uint64_t seconds)
{
    l->now_usec += seconds * USEC_PER_SEC;
}

void life_signal(struct life *l, const char *name, enum verdict v, enum reason r)
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
    life_feed(l, ev);
    json_decref(facts);
}

void life_start(struct life *l, const char *run)
{
    recorder_start(&l->recorder, l->core);
    life_feed(l, (struct event){.type = EVENT_START, .run = run, .boot_usec = boot_usec});
    life_feed(l, (struct event){.type = EVENT_KILL_SWITCH});
}

/* The agent ends, or dies, and another begins with its state. */
void life_start_again(struct life *l, const char *run)
{
    struct err e = {0};
    json_t *saved = core_save(l->core);
    struct core *again = core_new(l->core->generation);
    assert_int_equal(core_load(again, saved, &e), 0);
    json_decref(saved);
    core_free(l->core);
    l->core = again;
    life_start(l, run);
}

void life_all_pass(struct life *l)
{
    static const char *const names[] = {
        "kubelet-healthz",     "kubelet-unit",     "containerd-unit",
        "etcd-health",         "etcd-manifest",    "apiserver-manifest",
        "apiserver-container", "apiserver-readyz", "apiserver-livez"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        life_signal(l, names[i], SIGNAL_PASS, REASON_NONE);
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

static void life_prepared(struct life *l, const char *incident)
{
    OWNED(json_decref) json_t *plan = plan_of(l, incident);
    life_feed(l, (struct event){.type = EVENT_PREPARED,
                                .incident = incident,
                                .ok = true,
                                .outcome = "done",
                                .detail = "",
                                .plan = plan,
                                .digest = "0123456789abcdef"});
}

void life_answer(struct life *l, enum event_type type, const char *incident, const char *detail)
{
    const struct incident *i = core_incident(l->core, incident);
    life_feed(l, (struct event){.type = type,
                                .incident = incident,
                                .ok = true,
                                .outcome = "done",
                                .detail = detail,
                                .step = i ? i->step : 0});
}

/* Up to the first step's beginning. */
void life_hang(struct life *l, const char *incident)
{
    life_later(l, 600);
    life_all_pass(l);
    life_later(l, 60);
    life_signal(l, "apiserver-livez", SIGNAL_FAIL, REASON_TIMEOUT);
    life_signal(l, "apiserver-readyz", SIGNAL_FAIL, REASON_TIMEOUT);
    life_later(l, 300);
    life_feed(l, (struct event){.type = EVENT_WAKE});
    life_prepared(l, incident);
    life_answer(l, EVENT_LOOKED, incident, NULL);
    assert_int_equal(core_incident(l->core, incident)->state, STATE_RUNNING);
}

void life_heal(struct life *l, const char *incident)
{
    life_later(l, 1);
    life_answer(l, EVENT_STEP, incident, "fine");
    life_later(l, 5);
    life_answer(l, EVENT_STEP, incident, "fine");
    life_signal(l, "apiserver-livez", SIGNAL_PASS, REASON_NONE);
    life_signal(l, "apiserver-readyz", SIGNAL_PASS, REASON_NONE);
    life_answer(l, EVENT_LOOKED, incident, NULL);
    life_later(l, 20);
    life_feed(l, (struct event){.type = EVENT_WAKE});
    assert_null(core_incident(l->core, incident));
}

/* All that can happen to a journal of the agent: two runs, a reload in the middle of a playbook, a
 * crash in another. */
void life_whole(struct life *l)
{
    life_start(l, "r1");
    life_hang(l, "r1-1");
    recorder_config(&l->recorder, l->core, l->other);
    life_feed(l, (struct event){.type = EVENT_CONFIG});
    recorder_config(&l->recorder, l->core, l->generation);
    life_feed(l, (struct event){.type = EVENT_CONFIG});
    life_heal(l, "r1-1");
    recorder_stop(&l->recorder);
    life_start_again(l, "r2");
    life_later(l, 3600);
    life_hang(l, "r2-2");
    life_start_again(l, "r3"); /* it died */
    life_answer(l, EVENT_RECOVERED, "r2-2", "brought home");
    recorder_stop(&l->recorder);
}
