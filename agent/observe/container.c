/* Kind `container`: a static pod's container, as the runtime tells it; how it ended, and whether it
 * ends again and again.
 *
 * `crictl ps` is a process of its own for a question whose answer hardly ever changes. So once the
 * container runs and its process is known (`crictl inspect`, once a container), a look is only
 * whether that process still is, at most for trust_usec; and the kernel tells when it ends. That
 * end is reported at once, by the kernel's word; what CRI has to say of it comes with the look
 * after. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/command.h"
#include "observe/container_inside.h"
#include "observe/kinds.h"

static const uint64_t trust_usec = USEC_PER_MINUTE;
/* With less time left, another command isn't worth its start. */
static const uint64_t command_least_usec = 100 * USEC_PER_MSEC;

static const struct field fields[] = {
    {.name = "name",
     .type = FIELD_NAME,
     FIELD_AT(container_args, name),
     .required = true,
     .help = "the container's name (without crictl: its process's)"},
    {.name = "recent",
     .type = FIELD_DURATION,
     FIELD_AT(container_args, recent_usec),
     .min = (int64_t)USEC_PER_SEC,
     .max = (int64_t)USEC_PER_DAY,
     .otherwise = "10m",
     .help = "ends within this time are counted"},
    {.name = "crashAfter",
     .type = FIELD_INT,
     FIELD_AT(container_args, crash_after),
     .min = 1,
     .max = ATTEMPTS_ENDS_MAX,
     .otherwise = "2",
     .help = "so many of them are a crash loop"},
    {.name = "stableAfter",
     .type = FIELD_DURATION,
     FIELD_AT(container_args, stable_after_usec),
     .min = 0,
     .max = (int64_t)USEC_PER_DAY,
     .otherwise = "20s",
     .help = "a crash loop is over when the container has run for so long"},
    {0},
};

static struct container_watch *watch_of(struct probe *p)
{
    if (!p->state)
        p->state = mem_new(struct container_watch);
    return p->state;
}

static void look_end(struct container_watch *s)
{
    containers_fini(&s->list);
    s->newest = NULL;
}

static void conclude(struct probe *p)
{
    struct container_watch *s = p->state;
    bool loop = container_is_loop(p, clock_boot_usec());
    enum container_state state = s->state;
    look_end(s);
    if (state == CONTAINER_RUNNING && !loop)
        container_report_well(p);
    else
        container_report_bad(p, state, loop, "cri");
}

static void fail_to_look(struct probe *p, const char *why)
{
    char line[LINE_TEXT];
    look_end(p->state);
    probe_report(p, SIGNAL_UNKNOWN, REASON_TOOL_FAILED, mem_must(json_object()), "%s",
                 line_clean(why, strlen(why), line));
}

/* --- asking crictl */

static bool ask(struct probe *p, const char *const *arguments,
                void (*done)(void *context, const struct command_result *r), struct err *e)
{
    struct container_watch *s = p->state;
    uint64_t now_usec = clock_boot_usec();
    if (now_usec + command_least_usec > s->deadline_usec) {
        err_set(e, 0, "no time is left");
        return false;
    }
    OWNED(free) const char **argv = cri_argv(&p->view->node->crictl, arguments);
    struct command c = {.argv = argv,
                        .timeout_usec = s->deadline_usec - now_usec,
                        .output_limit_bytes = CRI_OUTPUT_BYTES_MAX};
    assert(!s->running);
    return command_start(p->view->loop, &c, done, p, &s->running, e) >= 0;
}

static void process_forget(struct container_watch *s)
{
    process_watch_free(TAKE(s->watch));
    free(TAKE(s->process_of));
    s->process = (struct process){0};
    s->is_gone = false;
    s->told_usec = 0;
}

static void on_gone(void *context)
{
    probe_wake(context);
}

static void take_process(struct probe *p, const struct container *c,
                         const struct container_detail *d)
{
    struct container_watch *s = p->state;
    const char *proc = p->view->node->proc;
    process_forget(s);
    /* One that isn't there (any more) is asked for again. */
    if (d->pid && process_look(proc, (pid_t)d->pid, &s->process, NULL) <= 0)
        return;
    s->process_of = mem_strdup(c->id);
    if (d->pid)
        (void)process_watch_new(p->view->loop, proc, &s->process, on_gone, p, &s->watch, NULL);
}

static void inspect_next(struct probe *p);

static void on_inspect(void *context, const struct command_result *r)
{
    struct probe *p = context;
    struct container_watch *s = p->state;
    const struct container *c = s->inspect[s->asked];
    OWNED(container_detail_fini) struct container_detail d = {0};
    bool told = cri_answer("crictl inspect", r, NULL) == 0 &&
                container_detail_parse(buf_string(&r->out), r->out.length, &d, NULL) == 0;
    s->inspect[s->asked] = NULL;
    if (s->asked == INSPECT_END)
        container_take_end(p, c, told ? &d : NULL);
    else if (told)
        take_process(p, c, &d);
    running_free(TAKE(s->running));
    inspect_next(p);
}

static void inspect_next(struct probe *p)
{
    struct container_watch *s = p->state;
    for (int i = 0; i < INSPECT_N_; i++) {
        const struct container *c = s->inspect[i];
        if (!c)
            continue;
        const char *const arguments[] = {"inspect", "-o", "json", c->id, NULL};
        s->asked = (enum inspect_for)i;
        if (ask(p, arguments, on_inspect, NULL))
            return;
        s->inspect[i] = NULL;
        if (i == INSPECT_END)
            container_take_end(p, c, NULL);
    }
    conclude(p);
}

/* The last one of that pod that has ended, as the runtime still has it. */
static const struct container *last_ended(const struct containers *list, const struct container *of)
{
    const struct container *last = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct container *c = &list->at[i];
        if (c->state == CONTAINER_EXITED && !strcmp(c->name, of->name) &&
            !strcmp(c->pod_uid, of->pod_uid) && (!last || container_is_newer(c, last)))
            last = c;
    }
    return last;
}

static uint64_t age_usec(const struct container *c)
{
    int64_t age = clock_wall_usec() - c->created_nsec / 1000;
    return age >= 0 && c->created_nsec ? (uint64_t)age : USEC_NEVER;
}

static void choose_inspects(struct probe *p, bool loop)
{
    struct container_watch *s = p->state;
    const struct container_end *end = &s->end;
    bool running = s->state == CONTAINER_RUNNING;
    const struct container *ended = running && !loop ? NULL : last_ended(&s->list, s->newest);
    bool end_known = ended && end->id && end->is_told && !strcmp(end->id, ended->id);
    bool process_known = s->process_of && !strcmp(s->process_of, s->newest->id);
    s->inspect[INSPECT_END] = end_known ? NULL : ended;
    s->inspect[INSPECT_PROCESS] =
        running && p->view->node->proc && !process_known ? s->newest : NULL;
}

static void judge(struct probe *p)
{
    const struct container_args *a = p->args;
    struct container_watch *s = p->state;
    s->newest = containers_newest(&s->list, a->name);
    if (!s->newest) {
        process_forget(s);
        look_end(s);
        probe_report(p, SIGNAL_FAIL, REASON_ABSENT, mem_must(json_pack("{s:s}", "by", "cri")),
                     "the runtime has no container %s of a static pod", a->name);
        return;
    }
    if (s->newest->state == CONTAINER_UNKNOWN) {
        fail_to_look(p, "the runtime doesn't know the container's state");
        return;
    }
    if (s->process_of && strcmp(s->process_of, s->newest->id) != 0)
        process_forget(s);
    /* How another spec's container ended says nothing of this one. */
    if (s->attempts.id && strcmp(s->attempts.pod_uid, s->newest->pod_uid) != 0)
        container_end_fini(&s->end);
    /* Of the two, the kernel is told first. */
    s->state = s->is_gone ? CONTAINER_EXITED : s->newest->state;
    uint64_t now_usec = clock_boot_usec();
    attempts_see(&s->attempts, s->newest, s->state, now_usec, age_usec(s->newest));
    choose_inspects(p, container_is_loop(p, now_usec));
    inspect_next(p);
}

static void on_list(void *context, const struct command_result *r)
{
    struct probe *p = context;
    struct container_watch *s = p->state;
    struct err e = {""};
    int code = cri_answer("crictl ps", r, &e);
    if (code == 0)
        code = containers_parse(buf_string(&r->out), r->out.length, &s->list, &e);
    running_free(TAKE(s->running));
    if (code < 0)
        fail_to_look(p, e.text);
    else
        judge(p);
}

/* --- looking without it */

static void look_at_processes(struct probe *p)
{
    const struct container_args *a = p->args;
    const char *proc = p->view->node->proc;
    struct process process;
    struct err e = {""};
    int found = proc ? process_find(proc, a->name, &process, &e) : -1;
    if (!proc)
        probe_report(p, SIGNAL_UNKNOWN, REASON_NOT_NAMED, mem_must(json_object()),
                     "this node's description names neither crictl nor a process source");
    else if (found < 0)
        fail_to_look(p, e.text);
    else if (found)
        probe_report(p, SIGNAL_PASS, REASON_NONE, mem_must(json_pack("{s:s}", "by", "proc")), "%s",
                     "");
    else
        probe_report(p, SIGNAL_FAIL, REASON_ABSENT, mem_must(json_pack("{s:s}", "by", "proc")),
                     "there is no process %s", a->name);
}

/* True when the known process is answer enough. */
static bool look_at_known(struct probe *p)
{
    struct container_watch *s = p->state;
    uint64_t now_usec = clock_boot_usec();
    if (!s->process.pid || s->is_gone)
        return false;
    struct process now;
    int found = process_look(p->view->node->proc, s->process.pid, &now, NULL);
    if (found < 0)
        return false;
    if (found && now.start_ticks == s->process.start_ticks) {
        bool trusted = s->told_usec && now_usec - s->told_usec < trust_usec;
        if (trusted)
            probe_report(p, SIGNAL_PASS, REASON_NONE, mem_must(json_copy(s->well)), "%s", "");
        return trusted;
    }
    s->is_gone = true;
    attempts_ended(&s->attempts, now_usec);
    /* Before the report: what is woken while looking looks again. */
    probe_wake(p);
    container_report_bad(p, CONTAINER_EXITED, container_is_loop(p, now_usec), "proc");
    return true;
}

static void look(struct probe *p)
{
    static const char *const arguments[] = {"ps", "-a", "-o", "json", NULL};
    struct container_watch *s = watch_of(p);
    struct err e = {""};
    if (!p->view->node->crictl.count) {
        look_at_processes(p);
        return;
    }
    if (look_at_known(p))
        return;
    s->deadline_usec = clock_boot_usec() + p->timeout_usec;
    if (!ask(p, arguments, on_list, &e))
        fail_to_look(p, e.text);
}

static void cancel(struct probe *p)
{
    struct container_watch *s = p->state;
    if (!s)
        return;
    running_free(TAKE(s->running));
    look_end(s);
}

static void unwatch(struct probe *p)
{
    struct container_watch *s = p->state;
    if (!s)
        return;
    cancel(p);
    process_forget(s);
    attempts_fini(&s->attempts);
    container_end_fini(&s->end);
    json_decref(s->well);
    free(s);
    p->state = NULL;
}

const struct probe_kind probe_container = {
    .kind = {.name = "container",
             .summary = "a static pod's container: does it run, how did it end, does it loop",
             .fields = fields,
             .args_size = sizeof(struct container_args)},
    .side = SIDE_LOCAL,
    .look = look,
    .cancel = cancel,
    .unwatch = unwatch,
};
