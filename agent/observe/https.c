/* The kind `https`: one GET, judged by its code and by the failing checks of a verbose body. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/descriptor.h"
#include "net/net.h"
#include "observe/health.h"
#include "observe/kinds.h"

struct https_args {
    const char *url, *ca, *server_name;
    int64_t ok_status;
    uint64_t connection_age_usec, body_limit_bytes;
};

enum { CA_BYTES_MAX = 256 * 1024 };

static const struct field fields[] = {
    {.name = "url",
     .type = FIELD_URL,
     FIELD_AT(https_args, url),
     .required = true,
     .help = "what to get; no redirect is followed"},
    {.name = "ca",
     .type = FIELD_PATH,
     FIELD_AT(https_args, ca),
     .help = "PEM file of the authorities that may vouch for the server; required for https"},
    {.name = "serverName",
     .type = FIELD_STRING,
     FIELD_AT(https_args, server_name),
     .help = "the name that the certificate has to have; else the URL's host"},
    {.name = "okStatus",
     .type = FIELD_INT,
     FIELD_AT(https_args, ok_status),
     .min = 100,
     .max = 599,
     .otherwise = "200",
     .help = "the status that passes"},
    {.name = "connectionAge",
     .type = FIELD_DURATION,
     FIELD_AT(https_args, connection_age_usec),
     .min = 0,
     .max = (int64_t)USEC_PER_HOUR,
     .otherwise = "1m",
     .help = "how long a connection is used again; a new one sees a changed certificate"},
    {.name = "bodyLimit",
     .type = FIELD_SIZE,
     FIELD_AT(https_args, body_limit_bytes),
     .min = 1024,
     .max = 4 << 20,
     .otherwise = "64Ki",
     .help = "a longer body is no answer"},
    {0},
};

static int check(const void *args, const struct yaml *at, struct err *e)
{
    const struct https_args *a = args;
    if (!strncmp(a->url, "https://", 8) && !a->ca)
        return yaml_error(at, e,
                          "https without `ca`, expected the file of the authorities that may vouch "
                          "for the server; a connection that isn't verified proves nothing");
    return 0;
}

static size_t files(const void *args, const char *ret[4])
{
    const struct https_args *a = args;
    ret[0] = a->ca;
    return a->ca ? 1 : 0;
}

/* ---- judgement ---- */

static enum reason judge_status(const struct https_args *a, const struct http_response *r,
                                struct buf *checks)
{
    if (r->status == a->ok_status)
        return REASON_NONE;
    if (r->status == 401)
        return REASON_UNAUTHORIZED;
    if (r->status == 403)
        return REASON_FORBIDDEN;
    if (r->status == 429)
        return REASON_THROTTLED;
    if (r->status >= 300 && r->status < 400)
        return REASON_PROTOCOL;
    if (health_failing(buf_string(&r->body), r->body.length, checks))
        return REASON_CHECK_FAILED;
    return REASON_HTTP_ERROR;
}

static void report(struct probe *p, const struct http_response *r)
{
    const struct https_args *a = p->args;
    OWNED(buf_fini) struct buf checks = {0};
    json_t *facts = json_object();
    enum reason reason = r->reason;
    if (reason == REASON_NONE) {
        reason = judge_status(a, r, &checks);
        json_put(facts, "status", json_integer(r->status));
    }
    if (checks.length)
        json_put(facts, "checks", json_string(buf_string(&checks)));
    enum verdict v = reason == REASON_NONE ? SIGNAL_PASS : SIGNAL_FAIL;
    /* Nobody answered because we could not ask: no verdict on the server. */
    if (reason == REASON_UNREADABLE || reason == REASON_TOOL_FAILED)
        v = SIGNAL_UNKNOWN;
    if (checks.length)
        probe_report(p, v, reason, facts, "HTTP %d; failing: %s", r->status, buf_string(&checks));
    else if (r->reason == REASON_NONE)
        probe_report(p, v, reason, facts, "HTTP %d", r->status);
    else
        probe_report(p, v, reason, facts, "%s", r->detail);
}

/* ---- the look, in the observer ---- */

struct asking {
    void *started;
    struct buf ca;
};

static void asking_free(struct probe *p)
{
    struct asking *asking = p->state;
    if (!asking)
        return;
    buf_fini(&asking->ca);
    free(asking);
    p->state = NULL;
}

static void on_response(void *context, const struct http_response *r)
{
    struct probe *p = context;
    asking_free(p);
    report(p, r);
}

static int read_authorities(const struct probe *p, struct buf *ret, struct err *e)
{
    if (!p->file_count)
        return err_set(e, -EBADF, "it was not handed over");
    int r = descriptor_read(p->files[0], CA_BYTES_MAX, ret, e);
    /* With nobody to vouch for it every server would seem to be untrusted. */
    if (r == 0 && !ret->length)
        return err_set(e, -ENODATA, "it is empty");
    return r;
}

static void look(struct probe *p)
{
    const struct https_args *a = p->args;
    if (!p->view->net) {
        probe_report(p, SIGNAL_UNKNOWN, REASON_OBSERVER_DOWN, NULL,
                     "only the observer looks over the network");
        return;
    }
    struct asking *asking = mem_new(struct asking);
    struct err e = {0};
    p->state = asking;
    if (a->ca && read_authorities(p, &asking->ca, &e) < 0) {
        asking_free(p);
        probe_report(p, SIGNAL_UNKNOWN, REASON_UNREADABLE, NULL, "%s: %s", a->ca, e.text);
        return;
    }
    const struct http_request request = {
        .url = a->url,
        .ca_pem = a->ca ? buf_string(&asking->ca) : NULL,
        .ca_length = asking->ca.length,
        .server_name = a->server_name,
        .timeout_usec = p->timeout_usec,
        .connection_age_max_usec = a->connection_age_usec,
        .body_limit_bytes = a->body_limit_bytes,
    };
    asking->started = p->view->net->http_start(p->view->net->context, &request, on_response, p);
}

static void cancel(struct probe *p)
{
    struct asking *asking = p->state;
    if (asking && asking->started)
        p->view->net->http_cancel(p->view->net->context, asking->started);
    asking_free(p);
}

const struct probe_kind probe_https = {
    .kind = {.name = "https",
             .summary =
                 "a GET over HTTPS or HTTP: refused, timed out, its certificate, its code, its "
                 "failing health checks",
             .fields = fields,
             .args_size = sizeof(struct https_args),
             .check = check},
    .side = SIDE_NETWORK,
    .look = look,
    .cancel = cancel,
    .files = files,
};
