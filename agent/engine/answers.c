/* What the agent answers: read from the core and its neighbours, nothing changed. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/version.h"
#include "decide/view.h"
#include "engine/control.h"
#include "loop/clock.h"

json_t *answer_error(const char *text)
{
    json_t *a = json_object();
    json_put(a, "error", json_string_or_null(text));
    return a;
}

static json_t *with_phase(const struct engine *en, json_t *incident)
{
    uint64_t began_usec = 0;
    const char *phase = perform_phase(en, json_get_string(incident, "id", ""), &began_usec);
    if (phase) {
        json_put(incident, "phase", json_string_or_null(phase));
        json_put(incident, "phaseUsec", json_integer((json_int_t)(clock_boot_usec() - began_usec)));
    }
    return incident;
}

static json_t *all_signals(const struct engine *en)
{
    json_t *all = json_array();
    uint64_t now_usec = clock_boot_usec();
    for (size_t i = 0; i < en->generation->probe_count; i++) {
        json_t *one = view_signal(en->core, (int)i);
        struct observed o = observe_status(en->observe, (int)i);
        json_put(one, "everyUsec", json_integer((json_int_t)en->generation->probes[i].every_usec));
        json_put(one, "byEvents", json_boolean(o.by_events));
        if (o.looked_usec)
            json_put(one, "lookedAgoUsec", json_integer((json_int_t)(now_usec - o.looked_usec)));
        json_push(all, one);
    }
    return all;
}

static json_t *answer_signals(struct engine *en, const json_t *question, struct client *c)
{
    (void)question, (void)c;
    json_t *a = json_object();
    json_put(a, "signals", all_signals(en));
    return a;
}

static json_t *open_incidents(const struct engine *en)
{
    json_t *all = view_incidents(en->core);
    size_t i;
    json_t *one;
    json_array_foreach (all, i, one)
        (void)with_phase(en, one);
    return all;
}

static json_t *answer_incidents(struct engine *en, const json_t *question, struct client *c)
{
    (void)question, (void)c;
    json_t *a = json_object();
    json_put(a, "incidents", open_incidents(en));
    return a;
}

static json_t *answer_status(struct engine *en, const json_t *question, struct client *c)
{
    (void)question, (void)c;
    const struct policy_document *policy = en->generation->policy;
    struct remote_health observer = remote_health(en->remote);
    json_t *a = json_object();
    json_put(a, "version", json_string(planeguard_version));
    json_put(a, "node", json_string_or_null(en->node->name));
    json_put(a, "policy", json_string(policy->meta.name));
    json_put(a, "mode", json_string(words_name(&mode_words, (int)policy->mode)));
    json_put(a, "scaled", json_boolean(policy->scaled));
    json_put(a, "killSwitch", json_boolean(en->switch_pulled || !en->switch_known));
    json_put(a, "journalWritable", json_boolean(!en->journal_broken));
    json_put(a, "journalSeq", json_integer((json_int_t)journal_seq(en->journal)));
    json_put(a, "observerAlive", json_boolean(observer.alive));
    json_put(a, "observerWhy", json_string_or_null(observer.why));
    json_put(a, "upUsec", json_integer((json_int_t)(engine_now(en) - en->core->started_usec)));
    json_put(a, "failures", json_integer((json_int_t)en->generation->failure_count));
    json_put(a, "playbooks", json_integer((json_int_t)en->generation->playbook_count));
    json_put(a, "incidents", open_incidents(en));
    json_put(a, "signals", all_signals(en));
    return a;
}

static json_t *answer_explain(struct engine *en, const json_t *question, struct client *c)
{
    (void)c;
    const char *what = json_get_string(question, "what", "");
    const struct incident *i = core_incident(en->core, what);
    int failure = generation_find_failure(en->generation, i ? i->failure : what);
    if (failure < 0)
        return answer_error("no open incident and no failure has that name; `planeguard incidents` "
                            "lists the former, `planeguard explain` without a name the latter");
    return view_failure(en->core, failure);
}

static json_t *answer_failures(struct engine *en, const json_t *question, struct client *c)
{
    (void)question, (void)c;
    json_t *all = json_array();
    for (size_t i = 0; i < en->generation->failure_count; i++) {
        const struct failure_document *f = &en->generation->failures[i];
        enum truth t = core_condition(en->core, en->generation, &f->when);
        json_t *one = json_object();
        json_put(one, "failure", json_string(f->meta.name));
        json_put(one, "summary", json_string_or_null(f->summary));
        json_put(one, "holds", json_string(words_name(&truth_words, (int)t)));
        json_put(one, "playbooks", json_integer((json_int_t)f->playbook_count));
        json_push(all, one);
    }
    json_t *a = json_object();
    json_put(a, "failures", all);
    return a;
}

/* ---- plan: read-only work of a hand, answered when it is done ---- */

struct planning {
    struct control *control;
    uint64_t client; /* its serial: it may be gone when the plan is made */
    char *failure, *playbook;
};

static void on_planned(void *context, const struct job_result *r)
{
    struct planning *p = context;
    bool planned = r->outcome == OUTCOME_DONE && r->plan;
    json_t *plan = planned ? json_deep_copy(r->plan) : json_object();
    if (!planned)
        json_put(plan, "unplannable", json_string_or_null(r->detail));
    json_put(plan, "failure", json_string(p->failure));
    json_put(plan, "playbook", json_string(p->playbook));
    json_t *plans = json_array();
    json_push(plans, plan);
    json_t *answer = json_object();
    json_put(answer, "plans", plans);
    control_answer_later(p->control, p->client, answer);
    free(p->failure);
    free(p->playbook);
    free(p);
}

static json_t *plan_of_failure(struct engine *en, const char *name, struct client *k)
{
    int failure = generation_find_failure(en->generation, name);
    if (failure < 0)
        return answer_error("no failure has that name; `planeguard explain` lists them");
    const struct failure_document *f = &en->generation->failures[failure];
    if (!f->playbook_count)
        return answer_error("no playbook treats it: a person is told");
    const struct incident none = {0};
    int playbook = core_choose(en->core, &none, f);
    if (playbook < 0)
        return answer_error("no playbook's requirements hold now; `planeguard explain` shows them");
    struct planning *p = mem_new(struct planning);
    *p = (struct planning){.control = en->control,
                           .client = control_defer(k),
                           .failure = mem_strdup(name),
                           .playbook = mem_strdup(en->generation->playbooks[playbook].meta.name)};
    perform_plan(en, playbook, on_planned, p);
    return NULL;
}

static json_t *answer_plan(struct engine *en, const json_t *question, struct client *k)
{
    const char *failure = json_get_string(question, "what", NULL);
    if (failure)
        return plan_of_failure(en, failure, k);
    json_t *plans = json_array();
    for (size_t i = 0; i < en->core->incident_count; i++)
        if (en->core->incidents[i]->plan)
            json_push(plans, view_incident(en->core, en->core->incidents[i]));
    json_t *a = json_object();
    json_put(a, "plans", plans);
    return a;
}

static const struct question {
    const char *ask;
    json_t *(*answer)(struct engine *en, const json_t *question,
                      struct client *k); /* NULL: later */
} questions[] = {
    {"status", answer_status},   {"signals", answer_signals},   {"incidents", answer_incidents},
    {"explain", answer_explain}, {"failures", answer_failures}, {"plan", answer_plan},
};

json_t *answer_question(struct engine *en, const json_t *question, struct client *k)
{
    const char *ask = json_get_string(question, "ask", "");
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        if (!strcmp(questions[i].ask, ask))
            return questions[i].answer(en, question, k);
    return answer_error("this agent doesn't know that question");
}
