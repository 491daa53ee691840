/* unit.restart: RestartUnit of a systemd unit (a stopped one is started by it), after a
 * ResetFailedUnit where it failed: our own restarts must not run into its start limit.
 *
 * The kubelet is not restarted while its client certificate is expired: one that still runs would
 * never come back. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "act/hand.h"
#include "act/kinds.h"
#include "act/kubelet_certificate.h"
#include "base/duration.h"
#include "base/mem.h"
#include "loop/bus.h"
#include "loop/clock.h"

struct args {
    const char *unit;
    bool reset_failed;
    uint64_t within_usec;
};

static const struct field fields[] = {
    {.name = "unit",
     .type = FIELD_STRING,
     FIELD_AT(args, unit),
     .required = true,
     .help = "the unit: kubelet.service"},
    {.name = "resetFailed",
     .type = FIELD_BOOL,
     FIELD_AT(args, reset_failed),
     .otherwise = "true",
     .help = "forget a failed unit's failures first, so that its start limit doesn't hold it"},
    {.name = "within",
     .type = FIELD_DURATION,
     FIELD_AT(args, within_usec),
     .min = 1000000,
     .max = 1800000000,
     .otherwise = "90s",
     .help = "how long the job, and then the unit to be active, may take"},
    {0},
};

static const char kubelet[] = "kubelet.service";
static const uint64_t between_usec = USEC_PER_SEC / 4;

static int check(const void *args, const struct yaml *at, struct err *e)
{
    const struct args *a = args;
    size_t length = strlen(a->unit), tail = strlen(".service");
    bool good = length > tail && length < 256 && strcmp(a->unit + length - tail, ".service") == 0;
    for (const char *c = a->unit; *c != '\0'; c++)
        good &= isalnum((unsigned char)*c) || strchr(":_.\\@-", *c) != NULL;
    if (!good)
        return yaml_error(
            at, e, "unit: found \"%s\"; expected a service's name, as kubelet.service", a->unit);
    return 0;
}

static int look(struct hand *h, const char *unit, struct unit_state *ret, struct err *e)
{
    if (!h->node->bus_address)
        return err_set(e, -ENOTSUP, "this node's description names no D-Bus: %s can't be restarted",
                       unit);
    int code = unit_state_now(h->node->bus_address, unit, ret, e);
    if (code == 0 && strcmp(ret->load_state, "loaded") != 0)
        code =
            err_set(e, -ENOENT, "unit %s is %s; expected it to be loaded", unit, ret->load_state);
    if (code == 0 && strcmp(unit, kubelet) == 0)
        code = kubelet_certificate_check(h->root, e);
    return code;
}

static int plan(struct hand *h, const void *args, json_t *plan, struct err *e)
{
    const struct args *a = args;
    struct unit_state s;
    int code = look(h, a->unit, &s, e);
    if (code < 0)
        return code;
    OWNED(free)
    char *summary =
        mem_printf("restarts %s, which is %s (%s)", a->unit, s.active_state, s.sub_state);
    json_put(plan, "summary", json_string_or_null(summary));
    json_put(plan, "unit", json_string_or_null(a->unit));
    json_put(plan, "verb", json_string_or_null("RestartUnit"));
    json_put(plan, "resetFailed",
             json_boolean(a->reset_failed && strcmp(s.result, "start-limit-hit") == 0));
    json_put(plan, "activeState", json_string_or_null(s.active_state));
    json_put(plan, "result", json_string_or_null(s.result));
    json_put(plan, "mainPid", json_integer((json_int_t)s.main_pid));
    json_put(plan, "invocation", json_string_or_null(s.invocation_id));
    return 0;
}

static bool is_new(const struct unit_state *s, const json_t *plan)
{
    return strcmp(s->active_state, "active") == 0 &&
           (strcmp(s->invocation_id, json_get_string(plan, "invocation", "")) != 0 ||
            (json_int_t)s->main_pid != json_get_int(plan, "mainPid", 0));
}

static enum outcome fresh_look(struct hand *h, const char *unit, const json_t *plan,
                               struct err *detail)
{
    struct unit_state s;
    if (look(h, unit, &s, detail) < 0)
        return OUTCOME_REFUSED;
    if (strcmp(s.active_state, json_get_string(plan, "activeState", "")) == 0 &&
        strcmp(s.invocation_id, json_get_string(plan, "invocation", "")) == 0)
        return OUTCOME_DONE;
    (void)err_set(detail, -ESTALE, "%s changed since it was planned: it is %s now", unit,
                  s.active_state);
    return OUTCOME_REFUSED;
}

static enum outcome prove(struct hand *h, const struct args *a, const json_t *plan,
                          struct err *detail)
{
    uint64_t until = clock_boot_usec() + a->within_usec;
    for (;;) {
        struct unit_state s = {0};
        int code = unit_state_now(h->node->bus_address, a->unit, &s, detail);
        if (code == 0 && is_new(&s, plan)) {
            (void)err_set(detail, 0, "%s is active, process %u", a->unit, s.main_pid);
            return OUTCOME_DONE;
        }
        if (code == 0)
            (void)err_set(detail, -ETIME, "%s is %s (%s, result %s) after the restart", a->unit,
                          s.active_state, s.sub_state, s.result);
        if (clock_boot_usec() + between_usec > until || !hand_wait(h, between_usec))
            return OUTCOME_FAILED;
    }
}

static json_t *effect_unit(const char *unit, const char *verb, const char *result)
{
    json_t *effect = json_object();
    json_put(effect, "what", json_string_or_null("unit"));
    json_put(effect, "unit", json_string_or_null(unit));
    json_put(effect, "verb", json_string_or_null(verb));
    json_put(effect, "result", json_string_or_null(result));
    return effect;
}

static enum outcome run(struct hand *h, const void *args, const json_t *plan, struct err *detail)
{
    const struct args *a = args;
    enum outcome o = fresh_look(h, a->unit, plan, detail);
    if (o != OUTCOME_DONE)
        return o;
    const char *bus = h->node->bus_address;
    if (json_get_bool(plan, "resetFailed", false) &&
        (unit_reset_failed(bus, a->unit, detail) < 0 ||
         hand_effect(h, effect_unit(a->unit, "ResetFailedUnit", "done"), detail) < 0))
        return OUTCOME_FAILED;
    hand_phase(h, "job");
    struct err job = {0};
    int code = unit_job(bus, "RestartUnit", a->unit, a->within_usec, &job);
    if (hand_effect(h, effect_unit(a->unit, "RestartUnit", code < 0 ? job.text : "done"), detail) <
        0)
        return OUTCOME_FAILED;
    if (code < 0) {
        *detail = job;
        return OUTCOME_FAILED;
    }
    return prove(h, a, plan, detail);
}

/* Between the reset and the job the unit is `inactive`, as if a person had stopped it: what we
 * began is finished. */
static enum outcome recover(struct hand *h, const void *args, const json_t *plan,
                            struct err *detail)
{
    const struct args *a = args;
    struct unit_state s = {0};
    if (!json_get_bool(plan, "resetFailed", false) || look(h, a->unit, &s, detail) < 0 ||
        strcmp(s.active_state, "inactive") != 0) {
        (void)err_set(detail, 0, "%s needs nothing", a->unit);
        return OUTCOME_ALREADY;
    }
    struct err job = {0};
    int code = unit_job(h->node->bus_address, "StartUnit", a->unit, a->within_usec, &job);
    int recorded =
        hand_effect(h, effect_unit(a->unit, "StartUnit", code < 0 ? job.text : "done"), detail);
    if (code < 0)
        *detail = job;
    else if (recorded == 0)
        (void)err_set(detail, 0, "%s was reset and not started yet: started", a->unit);
    return code < 0 || recorded < 0 ? OUTCOME_FAILED : OUTCOME_DONE;
}

const struct step_kind unit_restart = {
    .kind = {.name = "unit.restart",
             .summary = "restarts a systemd unit and waits until it is active anew",
             .fields = fields,
             .args_size = sizeof(struct args),
             .check = check},
    .risk = RISK_MEDIUM,
    .reversal = REVERSAL_FORWARD,
    .changes = true,
    .plan = plan,
    .run = run,
    .recover = recover,
};
