/* Looks: what each kind of probe would report now, by the words and facts of agent/observe. */
#include "inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "observe/health.h"

static const uint64_t quick_usec = 8 * USEC_PER_MSEC;
static const uint64_t pleg_usec = 180 * USEC_PER_SEC;

json_t *look_arguments(const struct probe_document *p)
{
    return fields_encode(p->kind->fields, p->args);
}

void look_set(struct world_reading *r, enum verdict v, enum reason reason, json_t *facts,
              const char *format, ...)
{
    va_list args;
    r->verdict = v;
    r->reason = reason;
    r->facts = facts;
    va_start(args, format);
    (void)vsnprintf(r->detail, sizeof r->detail, format, args);
    va_end(args);
}

/* ---- https ---- */

/* What an HTTP server would answer, or why there is no answer. */
struct answer {
    enum reason reason; /* none: `status` and `body` */
    int status;
    const char *body;
    uint64_t took_usec;
};

static struct answer no_answer(enum reason reason, uint64_t took_usec)
{
    return (struct answer){.reason = reason, .took_usec = took_usec};
}

static struct answer says(int status, const char *body)
{
    return (struct answer){.status = status, .body = body, .took_usec = quick_usec};
}

static const char starting_checks[] =
    "[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\n"
    "[-]poststarthook/start-apiextensions-controllers failed: reason withheld\n"
    "[-]poststarthook/crd-informer-synced failed: reason withheld\n"
    "[-]autoregister-completion failed: reason withheld\n";
static const char hung_check[] =
    "[-]poststarthook/start-apiextensions-informers failed: reason withheld\n";

static struct answer apiserver(struct host *n, const char *path)
{
    static char body[1024];
    const struct crate *c = crate_running(n, POD_APISERVER);
    bool ready = !strncmp(path, "/readyz", 7), without_etcd = strstr(path, "exclude=etcd") != NULL;
    if (!c || (!crate_listens(c)))
        return no_answer(REASON_REFUSED, USEC_PER_MSEC);
    if (c->hang == HANG_ALL || c->hang == HANG_HIDDEN)
        return no_answer(REASON_TIMEOUT, USEC_NEVER);
    if (c->phase == PHASE_FORBIDS)
        return says(403, "");
    bool etcd_fails = !n->is.etcd_ok && (ready || !without_etcd);
    (void)snprintf(
        body, sizeof body, "%s%s%s%s", etcd_fails ? "[-]etcd failed: reason withheld\n" : "",
        etcd_fails && ready ? "[-]etcd-readiness failed: reason withheld\n" : "",
        c->phase == PHASE_HOOKS ? starting_checks : "", c->hang == HANG_CHECK ? hung_check : "");
    struct answer a = body[0] ? says(500, body) : says(200, "ok");
    if (etcd_fails)
        a.took_usec = 2 * USEC_PER_SEC; /* its check of etcd */
    return a;
}

static struct answer etcd(struct host *n)
{
    const struct crate *c = crate_running(n, POD_ETCD);
    if (!c || !crate_listens(c))
        return no_answer(REASON_REFUSED, USEC_PER_MSEC);
    if (c->hang != HANG_NONE)
        return no_answer(REASON_TIMEOUT, USEC_NEVER);
    if (!n->is.etcd_ok)
        return says(503, "{\"health\":\"false\",\"reason\":\"RAFT NO LEADER\"}");
    return says(200, "{\"health\":\"true\",\"reason\":\"\"}");
}

static struct answer kubelet(struct host *n)
{
    const struct unit *runtime = &n->units[UNIT_CONTAINERD];
    if (!unit_is_active(n, UNIT_KUBELET) || (!n->kubelet.is_up && !n->kubelet.is_hung))
        return no_answer(REASON_REFUSED, USEC_PER_MSEC);
    if (n->kubelet.is_hung)
        return no_answer(REASON_TIMEOUT, USEC_NEVER);
    if (runtime->down_since_usec && schedule_now() - runtime->down_since_usec >= pleg_usec)
        return says(500, "[-]syncloop failed: reason withheld\n");
    return says(200, "ok");
}

static bool is_port(const char *url, const char *port)
{
    const char *authority = strstr(url, "://");
    const char *at = authority ? strstr(authority + 3, port) : NULL;
    return at && at[-1] == ':' && (at[strlen(port)] == '/' || !at[strlen(port)]);
}

static struct answer ask(struct host *n, const char *url)
{
    const char *authority = strstr(url, "://");
    const char *path = authority ? strchr(authority + 3, '/') : NULL;
    if (is_port(url, "6443"))
        return apiserver(n, path ? path : "/");
    if (is_port(url, "2381"))
        return etcd(n);
    if (is_port(url, "10248"))
        return kubelet(n);
    return no_answer(REASON_REFUSED, USEC_PER_MSEC);
}

static void judge(const struct answer *a, long long ok_status, struct world_reading *ret)
{
    OWNED(buf_fini) struct buf checks = {0};
    json_t *facts = json_pack("{s:i}", "status", a->status);
    enum reason reason = REASON_HTTP_ERROR;
    if (a->status == ok_status)
        reason = REASON_NONE;
    else if (a->status == 401)
        reason = REASON_UNAUTHORIZED;
    else if (a->status == 403)
        reason = REASON_FORBIDDEN;
    else if (health_failing(a->body, strlen(a->body), &checks))
        reason = REASON_CHECK_FAILED;
    if (checks.length)
        json_put(facts, "checks", json_string(buf_string(&checks)));
    look_set(ret, reason == REASON_NONE ? SIGNAL_PASS : SIGNAL_FAIL, reason, facts,
             checks.length ? "HTTP %d; failing: %s" : "HTTP %d%s", a->status, buf_string(&checks));
}

void look_https(struct host *n, const struct probe_document *p, struct world_reading *ret,
                uint64_t *ret_took_usec)
{
    OWNED(json_decref) json_t *args = look_arguments(p);
    const char *ca = json_get_string(args, "ca", NULL);
    if (n->now.observer_down) {
        *ret_took_usec = USEC_PER_MSEC;
        look_set(ret, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN, NULL,
                 "the observer was ended by SIGKILL");
        return;
    }
    if (ca && !files_exists(node_files(n), ca)) {
        look_set(ret, SIGNAL_UNKNOWN, REASON_UNREADABLE, NULL, "%s: No such file or directory", ca);
        return;
    }
    struct answer a = ask(n, json_get_string(args, "url", ""));
    a.took_usec = a.took_usec == USEC_NEVER ? USEC_NEVER : a.took_usec + n->now.net_slow_usec;
    if (n->now.net_times_out && a.reason == REASON_NONE)
        a.took_usec = USEC_NEVER;
    if (a.took_usec >= p->timeout_usec)
        a = no_answer(REASON_TIMEOUT, p->timeout_usec);
    *ret_took_usec = a.took_usec;
    if (a.reason == REASON_NONE)
        judge(&a, json_get_int(args, "okStatus", 200), ret);
    else
        look_set(ret, SIGNAL_FAIL, a.reason, json_object(), "%s",
                 a.reason == REASON_TIMEOUT ? "Timeout was reached" : "Connection refused");
}

/* ---- unit ---- */

static void put(json_t *facts, const char *key, const char *text)
{
    json_put(facts, key, json_text(text, strlen(text)));
}

static json_t *unit_facts(const struct unit_state *s)
{
    json_t *f = json_object();
    put(f, "active", s->active_state);
    put(f, "sub", s->sub_state);
    put(f, "result", s->result);
    json_put(f, "mainPid", json_integer(s->main_pid));
    json_put(f, "restarts", json_integer(s->restarts));
    json_put(f, "activeEnterUsec", json_integer((json_int_t)s->active_enter_usec));
    put(f, "invocation", s->invocation_id);
    return f;
}

static enum reason unit_reason(const struct unit_state *s)
{
    if (!strcmp(s->load_state, "not-found"))
        return REASON_NOT_FOUND;
    if (!strcmp(s->active_state, "active"))
        return REASON_NONE;
    if (!strcmp(s->active_state, "activating"))
        return REASON_STARTING;
    return !strcmp(s->active_state, "failed") ? REASON_FAILED : REASON_INACTIVE;
}

void look_unit(struct host *n, const struct probe_document *p, struct world_reading *ret)
{
    OWNED(json_decref) json_t *args = look_arguments(p);
    const char *unit = json_get_string(args, "unit", "");
    struct unit_state s;
    struct err e = {""};
    uint64_t stable = 0;
    (void)duration_parse(json_get_string(args, "stableAfter", "15s"), &stable);
    if (world_unit_state(n->world, n->index, unit, &s, &e) < 0) {
        look_set(ret, SIGNAL_UNKNOWN, REASON_TOOL_FAILED, NULL, "%.120s", e.text);
        return;
    }
    enum reason r = unit_reason(&s);
    uint64_t active = node_boot_usec(n) - s.active_enter_usec;
    if (r == REASON_NONE && s.restarts && active < stable) {
        r = REASON_STARTING;
        alarm_set_earlier(&n->recheck, stable - active);
    }
    look_set(ret, r == REASON_NONE ? SIGNAL_PASS : SIGNAL_FAIL, r, unit_facts(&s), "%s is %s (%s)",
             unit, s.active_state, s.sub_state);
}

/* ---- observer ---- */

static void look_observer(struct host *n, struct world_reading *ret)
{
    json_t *facts = json_pack("{s:i, s:i}", "starts", (int)n->observer_starts, "nonsense", 0);
    if (n->now.observer_down)
        look_set(ret, SIGNAL_FAIL, REASON_NOT_RUNNING, facts, "the observer was ended by SIGKILL");
    else
        look_set(ret, SIGNAL_PASS, REASON_NONE, facts, "%s", "");
}

/* ---- all ---- */

void world_look(struct world *w, unsigned master, const struct probe_document *p,
                struct world_reading *ret, uint64_t *ret_took_usec)
{
    struct host *n = &w->nodes[master];
    const char *kind = p->kind->name;
    *ret = (struct world_reading){.verdict = SIGNAL_UNKNOWN};
    *ret_took_usec = 2 * USEC_PER_MSEC;
    if (!strcmp(kind, "https"))
        look_https(n, p, ret, ret_took_usec);
    else if (!strcmp(kind, "manifest"))
        look_manifest(n, p, ret);
    else if (!strcmp(kind, "container"))
        look_container(n, p, ret, ret_took_usec);
    else if (!strcmp(kind, "unit"))
        look_unit(n, p, ret);
    else if (!strcmp(kind, "certificate"))
        look_certificate(n, p, ret);
    else if (!strcmp(kind, "observer"))
        look_observer(n, ret);
    else
        look_set(ret, SIGNAL_UNKNOWN, REASON_TOOL_FAILED, NULL, "the world has no kind %s", kind);
}
