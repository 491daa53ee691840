/* crictl: JSON, exit codes and words as the real one's, for what planeguard asks of it. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "inside.h"

static const uint64_t patience_usec = 10 * USEC_PER_SEC; /* its own --timeout */
static const uint64_t quick_usec = 40 * USEC_PER_MSEC;
static const uint64_t for_ever_usec = USEC_PER_HOUR;

static char *wall_text(int64_t nsec, char text[40])
{
    time_t sec = nsec / 1000000000;
    struct tm tm;
    if (!nsec)
        return strcpy(text, "0001-01-01T00:00:00Z");
    (void)gmtime_r(&sec, &tm);
    size_t length = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + length, 40 - length, ".%09lldZ", (long long)(nsec % 1000000000));
    return text;
}

static json_t *labels(const char *name, const char *uid, const char *container)
{
    json_t *all =
        json_pack("{s:s, s:s, s:s}", "io.kubernetes.pod.name", name, "io.kubernetes.pod.namespace",
                  "kube-system", "io.kubernetes.pod.uid", uid);
    if (container)
        json_put(all, "io.kubernetes.container.name", json_string(container));
    return mem_must(all);
}

static json_t *nsec_text(int64_t nsec)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)nsec);
    return json_string(text);
}

static const char *state_word(const struct crate *c)
{
    return c->state == RUN_RUNNING ? "CONTAINER_RUNNING" : "CONTAINER_EXITED";
}

static json_t *crate_json(const struct crate *c)
{
    const char *name = c->spec.text->pod.container;
    json_t *metadata = json_pack("{s:s, s:I}", "name", name, "attempt", (json_int_t)c->attempt);
    return mem_must(json_pack("{s:s, s:s, s:o, s:{s:s}, s:s, s:s, s:o, s:o, s:{s:s}}", "id", c->id,
                              "podSandboxId", c->box, "metadata", metadata, "image", "image",
                              c->image, "imageRef", c->image, "state", state_word(c), "createdAt",
                              nsec_text(c->created_nsec), "labels",
                              labels(c->spec.name, c->spec.uid, name), "annotations",
                              "io.kubernetes.pod.terminationGracePeriod", "30"));
}

static json_t *box_json(const struct box *b)
{
    json_t *metadata = json_pack("{s:s, s:s, s:s, s:I}", "name", b->name, "namespace",
                                 "kube-system", "uid", b->uid, "attempt", (json_int_t)b->attempt);
    return mem_must(json_pack("{s:s, s:o, s:s, s:o, s:o, s:s}", "id", b->id, "metadata", metadata,
                              "state", b->ready ? "SANDBOX_READY" : "SANDBOX_NOTREADY", "createdAt",
                              nsec_text(b->created_nsec), "labels", labels(b->name, b->uid, NULL),
                              "runtimeHandler", ""));
}

static json_t *detail_json(const struct crate *c)
{
    char created[40], started[40], finished[40];
    json_t *status = crate_json(c);
    json_put(status, "createdAt", json_string(wall_text(c->created_nsec, created)));
    json_put(status, "startedAt", json_string(wall_text(c->started_nsec, started)));
    json_put(status, "finishedAt",
             json_string(wall_text(c->state == RUN_EXITED ? c->finished_nsec : 0, finished)));
    json_put(status, "exitCode", json_integer(c->state == RUN_EXITED ? c->exit_code : 0));
    json_put(status, "reason", json_string(c->state == RUN_EXITED ? c->reason : ""));
    json_put(status, "message", json_string(c->message));
    json_put(status, "logPath", json_string(c->log));
    json_t *info =
        json_pack("{s:s, s:I, s:b}", "sandboxID", c->box, "pid", (json_int_t)c->pid, "removing", 0);
    return mem_must(json_pack("{s:o, s:o}", "status", status, "info", info));
}

static void show(struct command_result *r, json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2));
    buf_text(&r->out, text);
    buf_text(&r->out, "\n");
    free(text);
    json_decref(value);
}

static void fatal(struct command_result *r, const char *text)
{
    buf_printf(&r->err, "FATA[0000] %s\n", text);
    r->exit_code = 1;
}

static void list_crates(struct host *n, struct command_result *r, bool all)
{
    json_t *list = json_array();
    for (const struct crate *c = n->crates; c; c = c->next)
        if (all || c->state == RUN_RUNNING)
            json_push(list, crate_json(c));
    show(r, json_pack("{s:o}", "containers", list));
}

static void list_boxes(struct host *n, struct command_result *r)
{
    json_t *list = json_array();
    for (const struct box *b = n->boxes; b; b = b->next)
        json_push(list, box_json(b));
    show(r, json_pack("{s:o}", "items", list));
}

static void not_found(struct command_result *r, const char *what, const char *id)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "rpc error: code = NotFound desc = an error occurred when try to find %s "
                   "\"%.80s\": not found",
                   what, id);
    fatal(r, text);
}

/* ---- what changes something ---- */

static void act(struct host *n, const char *what, const char *pod, bool runs)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%s of %s", what, runs ? pod : "what has ended");
    world_acted(n->index, text);
    troubles_tempt(n);
}

static void remove_crate(struct host *n, struct command_result *r, const char *id, bool force)
{
    struct crate *c = crate_find(n, id);
    if (!c) {
        not_found(r, "container", id);
        return;
    }
    if (c->state == RUN_RUNNING && !force) {
        fatal(r, "container is running, please stop it first");
        return;
    }
    act(n, "crictl rm -f", c->spec.text->pod.container, c->state == RUN_RUNNING);
    buf_printf(&r->out, "%s\n", c->id);
    struct spec spec = c->spec;
    crate_remove(n, c);
    kubelet_crate_gone(n, &spec);
}

static void stop_box(struct host *n, struct command_result *r, const char *id)
{
    struct box *b = box_find(n, id);
    bool runs = false;
    if (!b) {
        not_found(r, "sandbox", id);
        return;
    }
    for (const struct crate *c = n->crates; c; c = c->next)
        runs |= !strcmp(c->box, b->id) && c->state == RUN_RUNNING;
    act(n, "crictl stopp", b->name, runs);
    struct spec spec = {.kind = POD_OTHER};
    (void)snprintf(spec.uid, sizeof spec.uid, "%s", b->uid);
    buf_printf(&r->out, "Stopped sandbox %s\n", b->id);
    box_stop(n, b);
    kubelet_crate_gone(n, &spec);
    node_touch(n);
}

/* ---- the call ---- */

static const char *state_of_runtime(struct host *n)
{
    if (!unit_is_active(n, UNIT_CONTAINERD))
        return "validate service connection: validate CRI v1 runtime API for endpoint "
               "\"unix:///run/containerd/containerd.sock\": rpc error: code = Unavailable desc = "
               "connection error: desc = \"transport: Error while dialing: dial unix "
               "/run/containerd/containerd.sock: connect: connection refused\"";
    if (n->now.cri == CRI_ERRS)
        return "rpc error: code = Unknown desc = failed to list containers: database not open";
    return NULL;
}

int crictl_answers(struct host *n, char why[128], uint64_t *ret_took_usec)
{
    const char *broken = state_of_runtime(n);
    *ret_took_usec = quick_usec;
    why[0] = '\0';
    if (broken)
        (void)snprintf(why, 128, "crictl ps ended with 1: FATA[0000] %.80s", broken);
    else if (n->now.cri == CRI_HANGS)
        (void)snprintf(why, 128, "crictl ps did not end in time");
    else if (n->now.cri == CRI_GARBAGE)
        (void)snprintf(why, 128, "'[' or '{' expected near 'panic'");
    if (n->now.cri == CRI_HANGS && !broken)
        *ret_took_usec = for_ever_usec;
    if (n->now.cri == CRI_SLOW)
        *ret_took_usec = 3 * USEC_PER_SEC;
    return why[0] ? -1 : 0;
}

static bool do_verb(struct host *n, const char *const *a, struct command_result *r)
{
    bool force = a[1] && (!strcmp(a[1], "-f") || !strcmp(a[1], "--force"));
    if (!strcmp(a[0], "ps")) {
        list_crates(n, r, a[1] && !strcmp(a[1], "-a"));
    } else if (!strcmp(a[0], "pods")) {
        list_boxes(n, r);
    } else if (!strcmp(a[0], "inspect")) {
        const char *id = "";
        for (size_t i = 1; a[i]; i++)
            id = a[i];
        const struct crate *c = crate_find(n, id);
        if (c)
            show(r, detail_json(c));
        else
            not_found(r, "container", id);
    } else if (!strcmp(a[0], "rm")) {
        remove_crate(n, r, force ? (a[2] ? a[2] : "") : a[1] ? a[1] : "", force);
    } else if (!strcmp(a[0], "stopp")) {
        stop_box(n, r, a[1] ? a[1] : "");
    } else {
        return false;
    }
    return true;
}

/* It doesn't come to it, or nobody hears the answer: of one that hangs either. */
static bool spoil(struct host *n, const char *const *a, struct command_result *r,
                  uint64_t *ret_took_usec)
{
    const char *broken = state_of_runtime(n);
    if (broken) {
        fatal(r, broken);
        return true;
    }
    if (n->now.cri == CRI_GARBAGE) {
        buf_text(&r->out, "panic: runtime error\n\x1b[31m{\"containers\": [{\"id\": 7");
        return true;
    }
    if (n->now.cri == CRI_HANGS) {
        *ret_took_usec = random_one_in(&n->r, 2) ? for_ever_usec : patience_usec;
        struct command_result unheard = {0};
        if (random_one_in(&n->r, 2))
            (void)do_verb(n, a, &unheard);
        command_result_fini(&unheard);
        fatal(r, "rpc error: code = DeadlineExceeded desc = context deadline exceeded");
        return true;
    }
    return false;
}

bool world_command(struct world *w, unsigned master, const char *const *argv,
                   struct command_result *ret, uint64_t *ret_took_usec)
{
    struct host *n = &w->nodes[master];
    const char *const *a = argv + 1;
    if (strcmp(argv[0], "/usr/bin/crictl") != 0)
        return false;
    while (a[0] && a[0][0] == '-')
        a += strchr(a[0], '=') || !a[1] ? 1 : 2;
    ret->started = true;
    ret->exit_code = 0;
    *ret_took_usec = n->now.cri == CRI_SLOW ? random_between(&n->r, 1000, 14000) * USEC_PER_MSEC
                                            : random_between(&n->r, 25, 120) * USEC_PER_MSEC;
    if (!a[0]) {
        fatal(ret, "no verb");
    } else if (!spoil(n, a, ret, ret_took_usec) && !do_verb(n, a, ret)) {
        buf_printf(&ret->err, "No help topic for '%s'\n", a[0]);
        ret->exit_code = 3;
    }
    return true;
}
