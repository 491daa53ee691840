/* The runtime's sandboxes and containers, and what the processes in them do: an API server takes a
 * while to listen, and some more to be ready; one whose manifest is wrong says why and ends. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"

static const uint64_t etcd_wait_usec = 20 * USEC_PER_SEC, grace_usec = 30 * USEC_PER_SEC;
static const uint64_t forbids_usec = 200 * USEC_PER_MSEC, hooks_usec = USEC_PER_SEC;

static uint64_t some_msec(struct host *n, uint64_t least, uint64_t most)
{
    return random_between(&n->r, least, most) * USEC_PER_MSEC;
}

/* ---- logs ---- */

void crate_log(struct crate *c, const char *text)
{
    struct files *f = node_files(c->node);
    size_t length = 0;
    const char *old = files_get(f, c->log, &length);
    char stamp[40];
    time_t sec = node_wall_usec(c->node) / 1000000;
    struct tm tm;
    (void)gmtime_r(&sec, &tm);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
    OWNED(free)
    char *all = mem_printf("%.*s%s stderr F %s\n", (int)length, old ? old : "", stamp, text);
    files_put(f, c->log, all, strlen(all));
}

/* ---- sandboxes ---- */

struct box *box_new(struct host *n, const struct spec *s)
{
    struct box *b = mem_new(struct box);
    node_id(n, b->id);
    (void)snprintf(b->uid, sizeof b->uid, "%s", s->uid);
    (void)snprintf(b->name, sizeof b->name, "%s", s->name);
    for (const struct box *other = n->boxes; other; other = other->next)
        if (!strcmp(other->uid, s->uid) && other->attempt >= b->attempt)
            b->attempt = other->attempt + 1;
    b->created_nsec = node_wall_usec(n) * 1000;
    b->ready = true;
    b->next = n->boxes;
    n->boxes = b;
    return b;
}

void box_stop(struct host *n, struct box *b)
{
    for (struct crate *c = n->crates; c; c = c->next)
        if (!strcmp(c->box, b->id) && c->state == RUN_RUNNING)
            crate_exit(c, 137, "Error");
    b->ready = false;
}

void box_remove(struct host *n, struct box *b)
{
    box_stop(n, b);
    for (struct crate *c = n->crates, *next; c; c = next) {
        next = c->next;
        if (!strcmp(c->box, b->id))
            crate_remove(n, c);
    }
    for (struct box **at = &n->boxes; *at; at = &(*at)->next) {
        if (*at == b) {
            *at = b->next;
            free(b);
            return;
        }
    }
}

/* ---- how it will end by itself ---- */

static bool doom(struct crate *c, int code, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool doom(struct crate *c, int code, const char *reason, const char *format, ...)
{
    va_list args;
    c->doom_code = code;
    c->doom_reason = reason;
    va_start(args, format);
    (void)vsnprintf(c->doom_words, sizeof c->doom_words, format, args);
    va_end(args);
    return true;
}

static bool doomed_by_flags(struct crate *c)
{
    const struct strings *command = &c->spec.text->pod.command;
    for (size_t i = 1; i < command->count; i++) {
        const char *flag = command->at[i];
        if (!strncmp(flag, "--no-such", 9))
            return doom(c, 1, "Error", "Error: unknown flag: %.*s", (int)strcspn(flag, "="), flag);
        if (!strcmp(flag, "--secure-port=notaport"))
            return doom(c, 1, "Error",
                        "Error: invalid argument \"notaport\" for \"--secure-port\" flag: "
                        "strconv.ParseInt: parsing \"notaport\": invalid syntax");
    }
    return false;
}

static bool doomed_by_files(struct crate *c)
{
    const struct pod *pod = &c->spec.text->pod;
    for (size_t i = 0; i < pod->reference_count; i++) {
        const struct pod_reference *r = &pod->references[i];
        size_t length = 0;
        if (strcmp(r->type, "flag") != 0)
            continue;
        const char *bytes = files_get(node_files(c->node), r->path, &length);
        if (!bytes)
            return doom(
                c, 1, "Error",
                "E0101 00:00:00.000000       1 run.go:72] \"command failed\" err=\"open %s: "
                "no such file or directory\"",
                r->path);
        if (!length)
            return doom(
                c, 1, "Error",
                "E0101 00:00:00.000000       1 run.go:72] \"command failed\" err=\"failed to "
                "load %s\"",
                r->path);
    }
    return false;
}

static bool doomed_by_port(struct crate *c)
{
    for (const struct crate *o = c->node->crates; o; o = o->next)
        if (o != c && o->spec.kind == c->spec.kind && crate_listens(o))
            return doom(
                c, 1, "Error",
                "E0101 00:00:00.000000       1 run.go:72] \"command failed\" err=\"failed to "
                "create listener: failed to listen on 0.0.0.0:6443: listen tcp "
                "0.0.0.0:6443: bind: address already in use\"");
    return false;
}

static bool has_flag(const struct crate *c, const char *part)
{
    const struct strings *command = &c->spec.text->pod.command;
    for (size_t i = 0; i < command->count; i++)
        if (strstr(command->at[i], part))
            return true;
    return false;
}

/* ---- a process's way ---- */

bool crate_listens(const struct crate *c)
{
    return c->state == RUN_RUNNING && c->phase >= PHASE_FORBIDS && c->phase <= PHASE_SERVES;
}

static void doom_in(struct crate *c, uint64_t in_usec)
{
    alarm_set(&c->grow, in_usec);
}

static void end_as_doomed(struct crate *c)
{
    if (c->doom_words[0])
        crate_log(c, c->doom_words);
    crate_exit(c, c->doom_code, c->doom_reason);
}

static void apiserver_awaits_etcd(struct crate *c)
{
    bool elsewhere = has_flag(c, ":2399");
    if (c->node->is.etcd_ok && !elsewhere) {
        alarm_set(&c->grow, some_msec(c->node, 1000, 2000));
        return;
    }
    c->awaits_etcd = !elsewhere;
    crate_log(c,
              elsewhere
                  ? "W0101 00:00:00.000000       1 logging.go:55] [core] [Channel #1 SubChannel "
                    "#3]grpc: addrConn.createTransport failed to connect to {Addr: "
                    "\"127.0.0.1:2399\", }. Err: connection error: desc = \"transport: Error while "
                    "dialing: dial tcp 127.0.0.1:2399: connect: connection refused\""
                  : "W0101 00:00:00.000000       1 logging.go:55] [core] [Channel #1 SubChannel "
                    "#3]grpc: addrConn.createTransport failed to connect to {Addr: "
                    "\"127.0.0.1:2379\", }. Err: connection error: desc = \"transport: Error while "
                    "dialing: dial tcp 127.0.0.1:2379: connect: connection refused\"");
    (void)doom(c, 1, "Error",
               "E0101 00:00:00.000000       1 run.go:72] \"command failed\" err=\"context deadline "
               "exceeded\"");
    doom_in(c, etcd_wait_usec);
}

static void apiserver_begin(struct crate *c)
{
    struct host *n = c->node;
    c->phase = PHASE_BEGINS;
    if (n->now.crashes)
        (void)doom(c, 2, "Error", "%s", n->now.crash_words);
    if (n->now.crashes || doomed_by_flags(c) || doomed_by_files(c) || doomed_by_port(c)) {
        doom_in(c, some_msec(n, 100, n->now.crashes ? 4000 : 600));
        return;
    }
    if (n->now.slow_start)
        alarm_set(&c->grow, some_msec(n, 10000, 150000));
    else
        apiserver_awaits_etcd(c);
}

static void etcd_begin(struct crate *c)
{
    c->phase = PHASE_BEGINS;
    if (c->node->now.etcd_broken) {
        (void)doom(
            c, 1, "Error",
            "{\"level\":\"fatal\",\"msg\":\"discovery failed\",\"error\":\"wal: input/output "
            "error\"}");
        doom_in(c, some_msec(c->node, 200, 1500));
    } else {
        alarm_set(&c->grow, some_msec(c->node, 600, 2500));
    }
}

/* The next phase, or the end. */
static void on_grow(void *context)
{
    struct crate *c = context;
    bool apiserver = c->spec.kind == POD_APISERVER;
    if (c->doom_reason) {
        end_as_doomed(c);
        return;
    }
    switch (c->phase) {
    case PHASE_BEGINS:
        /* A second one can have taken the port meanwhile; a slow one hasn't asked etcd yet. */
        if (apiserver && doomed_by_port(c)) {
            end_as_doomed(c);
            return;
        }
        if (apiserver && !c->node->is.etcd_ok) {
            apiserver_awaits_etcd(c);
            break;
        }
        c->phase = apiserver ? PHASE_FORBIDS : PHASE_SERVES;
        if (apiserver)
            alarm_set(&c->grow, forbids_usec);
        break;
    case PHASE_FORBIDS:
        c->phase = PHASE_HOOKS;
        alarm_set(&c->grow, hooks_usec);
        break;
    case PHASE_HOOKS:
        c->phase = PHASE_SERVES;
        break;
    case PHASE_SERVES:
        break;
    case PHASE_STOPPING:
        crate_exit(c, 0, "Completed");
        return;
    }
    node_touch(c->node);
}

void crate_etcd_changed(struct host *n, bool etcd_ok)
{
    for (struct crate *c = n->crates; etcd_ok && c; c = c->next) {
        if (c->state != RUN_RUNNING || !c->awaits_etcd || c->phase != PHASE_BEGINS)
            continue;
        c->awaits_etcd = false;
        c->doom_reason = NULL;
        c->doom_words[0] = '\0';
        alarm_set(&c->grow, some_msec(n, 800, 2500));
    }
}

static void on_grace(void *context)
{
    crate_exit(context, 137, "Error");
}

void crate_terminate(struct crate *c)
{
    if (c->state != RUN_RUNNING || c->grace.is_set)
        return;
    probe_end(c);
    alarm_set(&c->grace, grace_usec);
    /* A hung one doesn't even hear it. The API server drains for longer than its grace. */
    if (c->hang == HANG_ALL)
        return;
    alarm_cancel(&c->grow);
    c->doom_reason = NULL;
    bool drains = c->spec.kind == POD_APISERVER && c->phase != PHASE_BEGINS;
    c->phase = PHASE_STOPPING;
    if (!drains)
        alarm_set(&c->grow, some_msec(c->node, 100, 800));
    node_touch(c->node);
}

void crate_exit(struct crate *c, int code, const char *reason)
{
    struct host *n = c->node;
    if (c->state != RUN_RUNNING)
        return;
    alarm_cancel(&c->grow);
    alarm_cancel(&c->grace);
    probe_end(c);
    c->state = RUN_EXITED;
    c->exit_code = code;
    c->pid = 0;
    c->hang = HANG_NONE;
    (void)snprintf(c->reason, sizeof c->reason, "%s", reason);
    c->finished_usec = schedule_now();
    c->finished_nsec = node_wall_usec(n) * 1000;
    world_say(n->index, "%s (attempt %" PRId64 ") ended: %d %s", c->spec.name, c->attempt, code,
              c->doom_words);
    kubelet_crate_ended(c);
    node_touch(n);
}

/* What containerd finds of it after the next boot. */
void crate_lose_power(struct crate *c)
{
    c->is_probed = false;
    c->state = RUN_EXITED;
    c->pid = 0;
    c->hang = HANG_NONE;
    c->exit_code = 255;
    (void)snprintf(c->reason, sizeof c->reason, "Unknown");
    c->finished_usec = schedule_now();
    c->finished_nsec = node_wall_usec(c->node) * 1000;
}

/* ---- containers ---- */

static int64_t attempt_of(const struct host *n, const struct spec *s)
{
    int64_t attempt = 0;
    for (const struct crate *c = n->crates; c; c = c->next)
        if (!strcmp(c->spec.uid, s->uid) && c->attempt >= attempt)
            attempt = c->attempt + 1;
    if (attempt)
        return attempt;
    /* Where none is left, the newest log tells. */
    for (; attempt < 100000; attempt++) {
        char path[PATH_TEXT_MAX];
        (void)snprintf(path, sizeof path, POD_LOGS "/kube-system_%s_%s/%s/%" PRId64 ".log", s->name,
                       s->uid, s->text->pod.container, attempt);
        if (!files_exists(node_files(n), path))
            break;
    }
    return attempt;
}

static void begin(struct crate *c)
{
    const struct pod *pod = &c->spec.text->pod;
    if (c->spec.kind == POD_APISERVER &&
        (!pod->command.count || strcmp(pod->command.at[0], "kube-apiserver") != 0)) {
        (void)snprintf(
            c->message, sizeof c->message,
            "failed to create containerd task: failed to create shim task: OCI runtime "
            "create failed: runc create failed: unable to start container process: exec: "
            "\"%.60s\": executable file not found in $PATH",
            pod->command.count ? pod->command.at[0] : "");
        crate_exit(c, 128, "StartError");
        return;
    }
    crate_log(c, "I0101 00:00:00.000000       1 server.go:165] Version: v1.36.0");
    if (c->spec.kind == POD_APISERVER)
        apiserver_begin(c);
    else if (c->spec.kind == POD_ETCD)
        etcd_begin(c);
    else
        c->phase = PHASE_SERVES;
    probe_begin(c);
    node_touch(c->node);
}

struct crate *crate_start(struct host *n, const struct spec *s, const struct box *b)
{
    struct crate *c = mem_new(struct crate);
    c->node = n;
    c->spec = *s;
    c->attempt = attempt_of(n, s);
    node_id(n, c->id);
    (void)snprintf(c->box, sizeof c->box, "%s", b->id);
    (void)snprintf(c->image, sizeof c->image, "%s", s->text->pod.image);
    (void)snprintf(c->log, sizeof c->log, POD_LOGS "/kube-system_%s_%s/%s/%" PRId64 ".log", s->name,
                   s->uid, s->text->pod.container, c->attempt);
    alarm_init(&c->grow, n, on_grow, c);
    alarm_init(&c->grace, n, on_grace, c);
    c->state = RUN_RUNNING;
    if (s->kind == POD_APISERVER && !strcmp(n->now.sick_box, b->id))
        c->hang = HANG_HIDDEN;
    c->pid = (int64_t)(2000 + n->serial % 60000);
    c->started_usec = schedule_now();
    c->created_nsec = c->started_nsec = node_wall_usec(n) * 1000;
    c->next = n->crates;
    n->crates = c;
    files_put(node_files(n), c->log, "", 0);
    world_say(n->index, "%s (attempt %" PRId64 ") starts", s->name, c->attempt);
    begin(c);
    return c;
}

void crate_remove(struct host *n, struct crate *c)
{
    crate_exit(c, 137, "Error");
    for (struct crate **at = &n->crates; *at; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            break;
        }
    }
    alarm_cancel(&c->probe);
    free(c);
    node_touch(n);
}

struct crate *crate_find(struct host *n, const char *id_prefix)
{
    for (struct crate *c = n->crates; c; c = c->next)
        if (*id_prefix && !strncmp(c->id, id_prefix, strlen(id_prefix)))
            return c;
    return NULL;
}

struct box *box_find(struct host *n, const char *id_prefix)
{
    for (struct box *b = n->boxes; b; b = b->next)
        if (*id_prefix && !strncmp(b->id, id_prefix, strlen(id_prefix)))
            return b;
    return NULL;
}

struct crate *crate_running(struct host *n, enum pod_kind kind)
{
    struct crate *found = NULL;
    for (struct crate *c = n->crates; c; c = c->next) {
        if (c->spec.kind != kind || c->state != RUN_RUNNING)
            continue;
        if (crate_listens(c))
            return c;
        if (!found)
            found = c;
    }
    return found;
}
