/* static-pod.restart: ends a static pod's present container so that the kubelet starts it anew.
 *
 * - container: `crictl rm -f ID`. A new container in the same sandbox. It also ends a crash
 *   backoff, since that stands on the exited container.
 * - sandbox: `crictl stopp ID`. A new sandbox, so new limits.
 * - manifest: out of the kubelet's folder and back (static_pod_move.h).
 * - auto: the first of these for which there is something. Where there is neither container nor
 *   sandbox, moving the manifest can't leave two of them side by side.
 *
 * A playbook that says `by: manifest` must require that the API server was ready at some time since
 * the kubelet's start: a kubelet that has not reached one doesn't end pods whose manifest went
 * away. That fact is a signal's, so it can't be looked at here. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "act/effect.h"
#include "act/hand.h"
#include "act/kinds.h"
#include "act/static_pod.h"
#include "act/steps/static_pod_move.h"
#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"

enum by { BY_AUTO, BY_CONTAINER, BY_SANDBOX, BY_MANIFEST };
static const struct words by_words = WORDS("way", "auto", "container", "sandbox", "manifest");

struct args {
    const char *pod;
    int by;
    uint64_t down_within_usec, up_within_usec;
};

static const struct field fields[] = {
    {.name = "pod",
     .type = FIELD_NAME,
     FIELD_AT(args, pod),
     .required = true,
     .help = "the static pod, without the node's name: kube-apiserver"},
    {.name = "by",
     .type = FIELD_WORD,
     FIELD_AT(args, by),
     .otherwise = "auto",
     .words = &by_words,
     .help = "what is ended: its container, its sandbox, or the whole pod by its manifest; "
             "`manifest` needs a kubelet that has reached an API server since its start"},
    {.name = "downWithin",
     .type = FIELD_DURATION,
     FIELD_AT(args, down_within_usec),
     .min = 1000000,
     .max = 600000000,
     .otherwise = "60s",
     .help = "by manifest: how long the old one may take to be gone"},
    {.name = "upWithin",
     .type = FIELD_DURATION,
     FIELD_AT(args, up_within_usec),
     .min = 1000000,
     .max = 1800000000,
     .otherwise = "120s",
     .help = "how long the new container may take to run"},
    {0},
};

/* A removal stops the container first; the runtime's own grace is 30 s. */
static const uint64_t command_usec = 60 * USEC_PER_SEC;

/* --- the plan */

static int choose(const struct args *a, const struct static_pod *s, enum by *ret,
                  const char **ret_why, struct err *e)
{
    *ret = a->by != BY_AUTO ? (enum by)a->by
           : s->container   ? BY_CONTAINER
           : s->sandbox     ? BY_SANDBOX
                            : BY_MANIFEST;
    *ret_why = a->by != BY_AUTO ? "the playbook says so"
               : s->container   ? "it has a container: the quickest way, which also ends a backoff"
               : s->sandbox     ? "it has no container but a sandbox"
                                : "it has neither container nor sandbox";
    if (*ret == BY_CONTAINER && !s->container)
        return err_set(e, -ENOENT, "%s has no container that could be removed", a->pod);
    if (*ret == BY_SANDBOX && !s->sandbox)
        return err_set(e, -ENOENT, "%s has no sandbox that could be stopped", a->pod);
    return 0;
}

static json_t *container_json(const struct container *c)
{
    if (!c)
        return json_null();
    json_t *value = json_object();
    json_put(value, "id", json_string_or_null(c->id));
    json_put(value, "attempt", json_integer((json_int_t)c->attempt));
    json_put(value, "state",
             json_string_or_null(words_name(&container_state_words, (int)c->state)));
    return value;
}

static json_t *sandbox_json(const struct sandbox *b)
{
    if (!b)
        return json_null();
    json_t *value = json_object();
    json_put(value, "id", json_string_or_null(b->id));
    json_put(value, "ready", json_boolean(b->ready));
    return value;
}

/* crictl's arguments for removing or stopping `id`; the array's last is NULL. */
static void arguments_of(enum by by, const char *id, const char *ret[4])
{
    const char *const container[] = {"rm", "-f", id, NULL};
    const char *const sandbox[] = {"stopp", id, NULL, NULL};
    memcpy(ret, by == BY_CONTAINER ? container : sandbox, sizeof container);
}

static json_t *argv_json(const struct hand *h, enum by by, const char *id)
{
    const char *arguments[4];
    arguments_of(by, id, arguments);
    OWNED(free) const char **argv = cri_argv(&h->node->crictl, arguments);
    json_t *commands = json_array();
    json_push(commands, effect_argv(argv));
    return commands;
}

static json_t *summary_json(const struct args *a, enum by by, const struct static_pod *s)
{
    OWNED(free) char *text = NULL;
    if (by == BY_CONTAINER)
        text = mem_printf("removes container %.13s (%s, attempt %" PRId64
                          ") of %s, so that the kubelet starts a new one",
                          s->container->id,
                          words_name(&container_state_words, (int)s->container->state),
                          s->container->attempt, a->pod);
    else if (by == BY_SANDBOX)
        text = mem_printf("stops sandbox %.13s of %s, so that the kubelet makes a new one",
                          s->sandbox->id, a->pod);
    else
        text = mem_printf("takes the manifest of %s out until its containers are gone, and puts it "
                          "back",
                          a->pod);
    return json_string_or_null(text);
}

static int plan(struct hand *h, const void *args, json_t *plan, struct err *e)
{
    const struct args *a = args;
    OWNED(static_pod_fini) struct static_pod s = {0};
    enum by by = BY_AUTO;
    const char *why = "";
    int code = static_pod_look(h, a->pod, &s, e);
    if (code == 0)
        code = choose(a, &s, &by, &why, e);
    if (code == 0 && by == BY_MANIFEST)
        code = static_pod_move_plan(h, a->pod, plan, e);
    if (code < 0)
        return code;
    OWNED(free) char *full_name = static_pod_full_name(h, a->pod, &s);
    json_put(plan, "pod", json_string_or_null(a->pod));
    json_put(plan, "podName", json_string_or_null(full_name));
    json_put(plan, "by", json_string_or_null(words_name(&by_words, (int)by)));
    json_put(plan, "why", json_string_or_null(why));
    json_put(plan, "container", container_json(s.container));
    json_put(plan, "sandbox", sandbox_json(s.sandbox));
    json_put(plan, "summary", summary_json(a, by, &s));
    if (by == BY_CONTAINER)
        json_put(plan, "argv", argv_json(h, by, s.container->id));
    else if (by == BY_SANDBOX)
        json_put(plan, "argv", argv_json(h, by, s.sandbox->id));
    return 0;
}

/* --- run */

/* Whatever the runtime shows must be what the plan saw: the kubelet or a person may have been
 * quicker. */
static enum outcome fresh_look(struct hand *h, const struct args *a, const json_t *plan,
                               struct err *detail)
{
    OWNED(static_pod_fini) struct static_pod s = {0};
    if (static_pod_look(h, a->pod, &s, detail) < 0)
        return OUTCOME_FAILED;
    OWNED(json_decref) json_t *container = container_json(s.container);
    OWNED(json_decref) json_t *sandbox = sandbox_json(s.sandbox);
    if (json_equal(container, json_object_get(plan, "container")) &&
        json_equal(sandbox, json_object_get(plan, "sandbox")))
        return OUTCOME_DONE;
    OWNED(free) char *found = json_canonical(container);
    (void)err_set(detail, -ESTALE, "%s changed since it was planned: container now %.200s", a->pod,
                  found);
    return OUTCOME_REFUSED;
}

static enum outcome end_by_cri(struct hand *h, enum by by, const char *id, struct err *detail)
{
    const char *arguments[4];
    arguments_of(by, id, arguments);
    OWNED(command_result_fini) struct command_result r = {0};
    hand_phase(h, "arm");
    if (cri_run(&h->node->crictl, arguments, command_usec, &r, detail) < 0)
        return OUTCOME_FAILED;
    hand_phase(h, "out");
    OWNED(free) const char **argv = cri_argv(&h->node->crictl, arguments);
    int recorded = hand_effect(h, effect_ran(argv, &r), detail);
    if (recorded < 0 || cri_answer(arguments[0], &r, detail) < 0)
        return OUTCOME_FAILED;
    return OUTCOME_DONE;
}

static enum outcome end_old(struct hand *h, const struct args *a, enum by by, const json_t *plan,
                            struct err *detail)
{
    if (by == BY_MANIFEST)
        return static_pod_move(h, a->pod, plan, a->down_within_usec, detail);
    const json_t *what = json_object_get(plan, by == BY_CONTAINER ? "container" : "sandbox");
    const char *id = json_get_string(what, "id", NULL);
    if (!id) {
        (void)err_set(detail, -EINVAL, "the plan names nothing to end");
        return OUTCOME_FAILED;
    }
    return end_by_cri(h, by, id, detail);
}

static enum outcome run(struct hand *h, const void *args, const json_t *plan, struct err *detail)
{
    const struct args *a = args;
    int by = words_find(&by_words, json_get_string(plan, "by", ""));
    if (by <= BY_AUTO) {
        (void)err_set(detail, -EINVAL, "the plan names no way to restart %s", a->pod);
        return OUTCOME_FAILED;
    }
    enum outcome o = fresh_look(h, a, plan, detail);
    if (o != OUTCOME_DONE)
        return o;
    o = end_old(h, a, (enum by)by, plan, detail);
    if (o != OUTCOME_DONE)
        return o;
    const json_t *container = json_object_get(plan, "container");
    uint64_t began = clock_boot_usec();
    if (!static_pod_wait_new(h, a->pod, json_get_string(container, "id", NULL),
                             began + a->up_within_usec, detail)) {
        struct err seen = *detail;
        (void)err_set(detail, -ETIME, "no new container in time: %.500s", seen.text);
        return OUTCOME_FAILED;
    }
    hand_phase(h, "new");
    char took[DURATION_TEXT];
    struct err seen = *detail;
    (void)err_set(detail, 0, "%.500s, after %s", seen.text,
                  duration_about(clock_boot_usec() - began, took));
    return OUTCOME_DONE;
}

/* A removed container is not brought back: the kubelet makes another. Only a manifest can be
 * out. */
static enum outcome undo(struct hand *h, const void *args, const json_t *plan, struct err *detail)
{
    (void)args;
    if (words_find(&by_words, json_get_string(plan, "by", "")) != BY_MANIFEST) {
        (void)err_set(detail, 0, "nothing to take back");
        return OUTCOME_ALREADY;
    }
    return static_pod_move_back(h, plan, detail);
}

const struct step_kind static_pod_restart = {
    .kind = {.name = "static-pod.restart",
             .summary = "restarts a static pod by its container, sandbox or manifest",
             .fields = fields,
             .args_size = sizeof(struct args)},
    .risk = RISK_MEDIUM,
    .reversal = REVERSAL_UNDO,
    .changes = true,
    .plan = plan,
    .run = run,
    .undo = undo,
    .recover = undo,
};
