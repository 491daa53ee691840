/* The kind `container`, as observe/container.c looks: with the same memory of ends, by the same
 * pure functions. */
#include <stdio.h>
#include <string.h>

#include "inside.h"
#include "observe/container_inside.h"

static const uint64_t trust_usec = USEC_PER_MINUTE;

static const struct words state_words =
    WORDS("container's state", "unknown", "created", "running", "exited");

static struct container_memory *memory_of(struct host *n, const char *name)
{
    for (size_t i = 0; i < MEMORIES_MAX; i++) {
        struct container_memory *m = &n->memories[i];
        if (!m->name[0])
            (void)snprintf(m->name, sizeof m->name, "%s", name);
        if (!strcmp(m->name, name))
            return m;
    }
    return &n->memories[0];
}

void look_forget(struct host *n)
{
    for (size_t i = 0; i < MEMORIES_MAX; i++) {
        attempts_fini(&n->memories[i].attempts);
        json_decref(n->memories[i].well);
        n->memories[i] = (struct container_memory){0};
    }
    n->observer_starts = 1;
}

/* One look. */
struct looking {
    struct host *n;
    const struct container_args *args;
    struct container_memory *m;
    struct world_reading *ret;
    uint64_t now_usec;
};

static bool is_loop(const struct looking *l)
{
    const struct container_args *a = l->args;
    return attempts_is_loop(&l->m->attempts, l->now_usec, a->recent_usec, (uint64_t)a->crash_after,
                            a->stable_after_usec);
}

static json_t *facts_of(const struct looking *l, enum container_state state, const char *by)
{
    return mem_must(json_pack("{s:s, s:s, s:I, s:s}", "by", by, "id", l->m->attempts.id, "attempt",
                              (json_int_t)l->m->attempts.attempt, "state",
                              words_name(&state_words, (int)state)));
}

/* A loop is over by time alone. */
static void recheck_loop(const struct looking *l)
{
    const struct attempts *a = &l->m->attempts;
    uint64_t now = l->now_usec;
    if (a->running_since_usec && a->running_since_usec + l->args->stable_after_usec > now)
        alarm_set_earlier(&l->n->recheck, a->running_since_usec + l->args->stable_after_usec - now);
    for (size_t i = 0; i < a->end_count; i++)
        if (now - a->ends_usec[i] < l->args->recent_usec)
            alarm_set_earlier(&l->n->recheck, a->ends_usec[i] + l->args->recent_usec - now);
}

static void report_bad(struct looking *l, enum container_state state, const char *by)
{
    const struct container_memory *m = l->m;
    bool loop = is_loop(l);
    json_t *facts = facts_of(l, state, by);
    bool has_end = m->end_id[0] && (loop || !strcmp(m->end_id, m->attempts.id));
    if (has_end && m->end_told) {
        json_put(facts, "exitCode", json_integer((json_int_t)m->exit_code));
        json_put(facts, "exitReason", json_string(m->exit_reason));
    }
    if (has_end)
        json_put(facts, "lastWords", json_string(words_name(&last_word_words, (int)m->word)));
    enum reason r = state == CONTAINER_EXITED ? REASON_EXITED : REASON_STARTING;
    if (loop) {
        r = has_end && last_word_blames_manifest(m->word) ? REASON_BAD_MANIFEST : REASON_CRASH_LOOP;
        recheck_loop(l);
    }
    look_set(l->ret, SIGNAL_FAIL, r, facts, "%s, attempt %lld, is %s%s%s", l->args->name,
             (long long)m->attempts.attempt, words_name(&state_words, (int)state),
             has_end && m->line[0] ? "; last words: " : "", has_end ? m->line : "");
}

static void report_well(struct looking *l)
{
    json_decref(l->m->well);
    l->m->well = facts_of(l, CONTAINER_RUNNING, "cri");
    l->m->told_usec = l->now_usec;
    look_set(l->ret, SIGNAL_PASS, REASON_NONE, mem_must(json_copy(l->m->well)), "%s", "");
}

static void process_forget(struct container_memory *m)
{
    m->process_of[0] = '\0';
    m->is_gone = false;
    m->told_usec = 0;
}

/* True when the known process is answer enough. */
static bool look_at_known(struct looking *l)
{
    struct container_memory *m = l->m;
    const struct crate *c = m->process_of[0] ? crate_find(l->n, m->process_of) : NULL;
    if (!m->process_of[0] || m->is_gone)
        return false;
    if (c && c->state == RUN_RUNNING) {
        bool trusted = m->told_usec && l->now_usec - m->told_usec < trust_usec;
        char why[128];
        uint64_t took;
        if (!trusted)
            return false;
        if (crictl_answers(l->n, why, &took) < 0)
            alarm_set_earlier(&l->n->recheck, m->told_usec + trust_usec - l->now_usec);
        look_set(l->ret, SIGNAL_PASS, REASON_NONE, mem_must(json_copy(m->well)), "%s", "");
        return true;
    }
    m->is_gone = true;
    attempts_ended(&m->attempts, l->now_usec);
    alarm_set_earlier(&l->n->recheck, USEC_PER_MSEC); /* it looks again at once */
    report_bad(l, CONTAINER_EXITED, "proc");
    return true;
}

static bool is_named(const struct crate *c, const char *name)
{
    size_t length = strlen(name);
    return !strcmp(c->spec.text->pod.container, name) && !strncmp(c->spec.name, name, length) &&
           c->spec.name[length] == '-';
}

/* As far as the question which is newer goes. */
static struct container as_container(const struct crate *c)
{
    return (struct container){.pod_uid = (char *)(uintptr_t)c->spec.uid,
                              .attempt = c->attempt,
                              .state = (enum container_state)c->state,
                              .created_nsec = c->created_nsec};
}

static bool is_newer(const struct crate *c, const struct crate *than)
{
    if (!than)
        return true;
    const struct container a = as_container(c), b = as_container(than);
    return container_is_newer(&a, &b);
}

static const struct crate *newest_named(struct host *n, const char *name)
{
    const struct crate *newest = NULL;
    for (const struct crate *c = n->crates; c; c = c->next)
        if (is_named(c, name) && is_newer(c, newest))
            newest = c;
    return newest;
}

static const struct crate *last_ended(const struct looking *l, const struct crate *of)
{
    const struct crate *last = NULL;
    for (const struct crate *c = l->n->crates; c; c = c->next)
        if (c->state == RUN_EXITED && is_named(c, l->args->name) &&
            !strcmp(c->spec.uid, of->spec.uid) && is_newer(c, last))
            last = c;
    return last;
}

static void take_end(struct looking *l, const struct crate *c)
{
    struct container_memory *m = l->m;
    size_t length = 0;
    const char *log = files_get(node_files(l->n), c->log, &length);
    struct last_words w = last_words_of(log ? log : "", length);
    (void)snprintf(m->end_id, sizeof m->end_id, "%s", c->id);
    m->end_told = true;
    m->exit_code = c->exit_code;
    (void)snprintf(m->exit_reason, sizeof m->exit_reason, "%s", c->reason);
    m->word = w.word;
    (void)line_clean(w.line ? w.line : "", w.length, m->line);
    if (w.word == LAST_WORD_NONE && last_words_bad_command(c->reason, c->message)) {
        m->word = LAST_WORD_BAD_COMMAND;
        (void)line_clean(c->message, strlen(c->message), m->line);
    }
}

static uint64_t age_usec(const struct host *n, const struct crate *c)
{
    int64_t age = node_wall_usec(n) - c->created_nsec / 1000;
    return age >= 0 && c->created_nsec ? (uint64_t)age : USEC_NEVER;
}

static void see(struct looking *l, const struct crate *newest, enum container_state state)
{
    struct crate *c = crate_find(l->n, newest->id);
    struct container as = {.id = c->id,
                           .sandbox_id = c->box,
                           .pod = c->spec.name,
                           .pod_uid = c->spec.uid,
                           .state = state,
                           .attempt = c->attempt,
                           .created_nsec = c->created_nsec};
    attempts_see(&l->m->attempts, &as, state, l->now_usec, age_usec(l->n, c));
}

static void look_at_list(struct looking *l)
{
    struct container_memory *m = l->m;
    const struct crate *newest = newest_named(l->n, l->args->name);
    if (!newest) {
        process_forget(m);
        look_set(l->ret, SIGNAL_FAIL, REASON_ABSENT, json_pack("{s:s}", "by", "cri"),
                 "the runtime has no container %s of a static pod", l->args->name);
        return;
    }
    if (m->process_of[0] && strcmp(m->process_of, newest->id) != 0)
        process_forget(m);
    if (m->attempts.id && strcmp(m->attempts.pod_uid, newest->spec.uid) != 0)
        m->end_id[0] = '\0';
    enum container_state state =
        m->is_gone ? CONTAINER_EXITED : (enum container_state)newest->state;
    see(l, newest, state);
    bool running = state == CONTAINER_RUNNING;
    const struct crate *ended = running && !is_loop(l) ? NULL : last_ended(l, newest);
    if (ended && (!m->end_told || strcmp(m->end_id, ended->id) != 0))
        take_end(l, ended);
    if (running)
        (void)snprintf(m->process_of, sizeof m->process_of, "%s", newest->id);
    if (running && !is_loop(l))
        report_well(l);
    else
        report_bad(l, state, "cri");
}

void look_container(struct host *n, const struct probe_document *p, struct world_reading *ret,
                    uint64_t *ret_took_usec)
{
    const struct container_args *a = p->args;
    struct looking l = {
        .n = n, .args = a, .m = memory_of(n, a->name), .ret = ret, .now_usec = node_boot_usec(n)};
    char why[128];
    if (look_at_known(&l))
        return;
    if (crictl_answers(n, why, ret_took_usec) < 0) {
        if (*ret_took_usec > p->timeout_usec)
            *ret_took_usec = p->timeout_usec;
        look_set(ret, SIGNAL_UNKNOWN, REASON_TOOL_FAILED, json_object(), "%s", why);
        return;
    }
    look_at_list(&l);
}
