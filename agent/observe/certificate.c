/* Kind `certificate`: a certificate on disk, its key, and what signed it. What is served on the
 * wire is another probe's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/duration.h"
#include "base/mem.h"
#include "config/certificate.h"
#include "loop/clock.h"
#include "loop/file.h"
#include "loop/watch.h"
#include "observe/kinds.h"
#include "observe/line.h"

enum { DAY_SEC = 24 * 3600, TIME_TEXT = 32 };

struct certificate_args {
    const char *path, *kubeconfig, *key, *ca;
    uint64_t warn_before_usec, act_before_usec;
};

static const struct field fields[] = {
    {.name = "path",
     .type = FIELD_PATH,
     FIELD_AT(certificate_args, path),
     .help = "PEM file of the certificate, and of what leads up to its authority"},
    {.name = "kubeconfig",
     .type = FIELD_PATH,
     FIELD_AT(certificate_args, kubeconfig),
     .help = "in place of path: the client certificate of this kubeconfig's current user"},
    {.name = "key",
     .type = FIELD_PATH,
     FIELD_AT(certificate_args, key),
     .help = "PEM file of the private key that must belong to it (a kubeconfig's own is looked at "
             "anyway)"},
    {.name = "ca",
     .type = FIELD_PATH,
     FIELD_AT(certificate_args, ca),
     .help = "PEM file of the authorities, one of which must have signed it"},
    {.name = "warnBefore",
     .type = FIELD_DURATION,
     FIELD_AT(certificate_args, warn_before_usec),
     .otherwise = "30d",
     .help = "so long before its end the fact validity is `warn`; the signal still passes"},
    {.name = "actBefore",
     .type = FIELD_DURATION,
     FIELD_AT(certificate_args, act_before_usec),
     .otherwise = "7d",
     .help = "so long before its end the signal fails, with reason expires-soon"},
    {0},
};

static int check(const void *args, const struct yaml *at, struct err *e)
{
    const struct certificate_args *a = args;
    if (!a->path == !a->kubeconfig)
        return yaml_error(at, e, "certificate: found %s, expected one of path and kubeconfig",
                          a->path ? "both" : "neither");
    if (a->kubeconfig && a->key)
        return yaml_error(at, e, "certificate: key belongs to path; a kubeconfig names its own");
    if (a->act_before_usec > a->warn_before_usec)
        return yaml_error(at, e, "certificate: actBefore is longer than warnBefore");
    return 0;
}

/* What a look has found so far. The first trouble is the verdict, but what we know goes before what
 * we couldn't look at. */
struct found {
    struct probe *p;
    enum verdict verdict;
    enum reason reason;
    struct err detail;
    json_t *facts;
};

static void trouble(struct found *f, enum verdict v, enum reason r, const char *detail)
{
    bool known_at_last = f->verdict == SIGNAL_UNKNOWN && v == SIGNAL_FAIL;
    if (f->reason != REASON_NONE && !known_at_last)
        return;
    f->verdict = v;
    f->reason = r;
    err_set(&f->detail, 0, "%s", detail);
}

/* A regular file's bytes: true, or what it is that keeps us from them. Links are followed: the
 * kubelet's own certificate is one. */
static bool read_file(struct found *f, const char *path, enum verdict missing, struct buf *ret)
{
    const struct root *root = f->p->view->root;
    struct file_status s;
    struct err e = {""};
    int code = file_status(root, path, FILE_FOLLOW, &s, &e);
    if (code == 0 && !s.exists) {
        err_set(&e, 0, "%s: not there", path);
        trouble(f, missing, REASON_MISSING, e.text);
        return false;
    }
    if (code == 0)
        code = file_read(root, path, FILE_FOLLOW, CERTIFICATE_FILE_BYTES_MAX, ret, &e);
    if (code == 0 && !ret->length)
        err_set(&e, 0, "%s: empty", path);
    if (code == 0 && ret->length)
        return true;
    /* Not allowed to: that says something of us, nothing of the file. */
    enum verdict v = code == -EACCES || code == -EPERM ? SIGNAL_UNKNOWN : missing;
    trouble(f, v,
            code == 0        ? REASON_EMPTY
            : code == -EFBIG ? REASON_UNPARSABLE
                             : REASON_UNREADABLE,
            e.text);
    return false;
}

/* The certificate's bytes and those of its key (empty: none is asked for). */
static bool read_bytes(struct found *f, struct buf *certificate, struct buf *key)
{
    const struct certificate_args *a = f->p->args;
    OWNED(key_bytes_fini) struct buf text = {0};
    OWNED(kubeconfig_fini) struct kubeconfig k = {0};
    struct err e = {""};
    if (!a->kubeconfig)
        return read_file(f, a->path, SIGNAL_FAIL, certificate) &&
               (!a->key || read_file(f, a->key, SIGNAL_FAIL, key));
    if (!read_file(f, a->kubeconfig, SIGNAL_FAIL, &text))
        return false;
    if (kubeconfig_parse(a->kubeconfig, text.bytes, text.length, &k, &e) < 0) {
        trouble(f, SIGNAL_FAIL, REASON_UNPARSABLE, e.text);
        return false;
    }
    if (!k.certificate.path && !k.certificate.pem.length) {
        err_set(&e, 0, "%s: its user has no client certificate", a->kubeconfig);
        trouble(f, SIGNAL_FAIL, REASON_MISSING, e.text);
        return false;
    }
    if (k.certificate.path && !read_file(f, k.certificate.path, SIGNAL_FAIL, certificate))
        return false;
    if (k.key.path && !read_file(f, k.key.path, SIGNAL_FAIL, key))
        return false;
    if (!k.certificate.path) {
        *certificate = k.certificate.pem;
        k.certificate.pem = (struct buf){0};
    }
    if (!k.key.path) {
        *key = k.key.pem;
        k.key.pem = (struct buf){0};
    }
    return true;
}

static char *time_text(int64_t sec, char text[TIME_TEXT])
{
    struct tm tm;
    time_t t = sec;
    if (!gmtime_r(&t, &tm) || !strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return strcpy(text, "unknown");
    return text;
}

static void put_text(json_t *facts, const char *key, const char *text)
{
    json_put(facts, key, json_text(text, strlen(text)));
}

static void judge_pair(struct found *f, const struct certificates *c, const struct buf *key)
{
    struct err e = {""};
    if (!key->length)
        return;
    int same = certificate_key_matches(c, key->bytes, key->length, &e);
    put_text(f->facts, "keyMatches", same == 1 ? "yes" : same == 0 ? "no" : "unknown");
    if (same < 0)
        trouble(f, SIGNAL_FAIL, REASON_UNPARSABLE, e.text);
    else if (!same)
        trouble(f, SIGNAL_FAIL, REASON_PAIR_MISMATCH,
                "the private key belongs to another certificate");
}

/* Where the authority can't be read, we don't know; its own probe says what is the matter with it.
 */
static void judge_chain(struct found *f, const struct certificates *c)
{
    const struct certificate_args *a = f->p->args;
    OWNED(certificates_free) struct certificates *anchors = NULL;
    OWNED(buf_fini) struct buf bytes = {0};
    char why[128];
    struct err e = {""};
    if (!a->ca)
        return;
    if (!read_file(f, a->ca, SIGNAL_UNKNOWN, &bytes)) {
        put_text(f->facts, "chainMatches", "unknown");
        return;
    }
    if (certificates_parse(bytes.bytes, bytes.length, &anchors, &e) < 0) {
        put_text(f->facts, "chainMatches", "unknown");
        err_wrap(&e, 0, "%s", a->ca);
        trouble(f, SIGNAL_UNKNOWN, REASON_UNPARSABLE, e.text);
        return;
    }
    bool holds = certificate_chain_holds(c, anchors, why, sizeof why);
    put_text(f->facts, "chainMatches", holds ? "yes" : "no");
    if (!holds) {
        err_set(&e, 0, "not signed by %s: %s", a->ca, why);
        trouble(f, SIGNAL_FAIL, REASON_CHAIN_MISMATCH, e.text);
    }
}

/* The dates that make it useless now. The wall clock is the one that certificates are judged by. */
static void judge_dates(struct found *f, const struct certificate *c, int64_t now_sec)
{
    char text[TIME_TEXT];
    struct err e = {""};
    if (now_sec > c->not_after_sec) {
        err_set(&e, 0, "expired at %s", time_text(c->not_after_sec, text));
        trouble(f, SIGNAL_FAIL, REASON_EXPIRED, e.text);
    } else if (now_sec < c->not_before_sec) {
        err_set(&e, 0, "valid only from %s on: is the clock right?",
                time_text(c->not_before_sec, text));
        trouble(f, SIGNAL_FAIL, REASON_NOT_YET_VALID, e.text);
    }
}

/* What is only going to be wrong comes after all that is wrong now. */
static void judge_end(struct found *f, const struct certificate *c, int64_t now_sec)
{
    const struct certificate_args *a = f->p->args;
    int64_t left_sec = c->not_after_sec - now_sec;
    int64_t act_sec = (int64_t)(a->act_before_usec / USEC_PER_SEC);
    int64_t warn_sec = (int64_t)(a->warn_before_usec / USEC_PER_SEC);
    char text[TIME_TEXT];
    struct err e = {""};
    put_text(f->facts, "validity",
             left_sec < 0                  ? "expired"
             : now_sec < c->not_before_sec ? "not-yet"
             : left_sec <= act_sec         ? "soon"
             : left_sec <= warn_sec        ? "warn"
                                           : "good");
    if (left_sec > act_sec)
        return;
    err_set(&e, 0, "expires at %s", time_text(c->not_after_sec, text));
    trouble(f, SIGNAL_FAIL, REASON_EXPIRES_SOON, e.text);
}

static void put_facts(json_t *facts, const struct certificate *c, int64_t now_sec)
{
    char text[TIME_TEXT];
    int64_t left_sec = c->not_after_sec - now_sec;
    int64_t days = left_sec / DAY_SEC - (left_sec % DAY_SEC < 0);
    put_text(facts, "serial", c->serial);
    put_text(facts, "subject", c->subject);
    put_text(facts, "issuer", c->issuer);
    put_text(facts, "notAfter", time_text(c->not_after_sec, text));
    json_put(facts, "daysLeft", mem_must(json_integer(days)));
}

static void judge(struct found *f, const struct buf *bytes, const struct buf *key)
{
    OWNED(certificates_free) struct certificates *c = NULL;
    struct certificate leaf;
    struct err e = {""};
    int code = certificates_parse(buf_string(bytes), bytes->length, &c, &e);
    if (code == 0)
        code = certificate_at(c, 0, &leaf, &e);
    if (code < 0) {
        trouble(f, SIGNAL_FAIL, REASON_UNPARSABLE, e.text);
        return;
    }
    int64_t now_sec = clock_wall_usec() / (int64_t)USEC_PER_SEC;
    put_facts(f->facts, &leaf, now_sec);
    judge_dates(f, &leaf, now_sec);
    judge_pair(f, c, key);
    judge_chain(f, c);
    judge_end(f, &leaf, now_sec);
}

static void look(struct probe *p)
{
    OWNED(key_bytes_fini) struct buf bytes = {0};
    OWNED(key_bytes_fini) struct buf key = {0};
    struct found f = {.p = p, .verdict = SIGNAL_PASS, .facts = mem_must(json_object())};
    bool have = read_bytes(&f, &bytes, &key);
    /* A key that can't be read leaves the certificate's own dates to be told. */
    if (have || bytes.length)
        judge(&f, &bytes, &key);
    char detail[LINE_TEXT];
    line_clean(f.detail.text, strlen(f.detail.text), detail);
    if (f.reason == REASON_NONE)
        probe_report(p, f.verdict, f.reason, f.facts, "%s", "");
    else
        probe_report(p, f.verdict, f.reason, f.facts, "%s", detail);
}

/* Looks end where they begin. */
static void cancel(struct probe *p)
{
    (void)p;
}

struct watches {
    struct watch *at[2];
};

static void changed(void *context, const char *name)
{
    (void)name;
    probe_wake(context);
}

static void unwatch(struct probe *p)
{
    struct watches *w = p->state;
    if (!w)
        return;
    for (size_t i = 0; i < 2; i++)
        watch_free(w->at[i]);
    free(w);
    p->state = NULL;
}

static int watch(struct probe *p, struct err *e)
{
    const struct certificate_args *a = p->args;
    const char *const paths[] = {a->path ? a->path : a->kubeconfig, a->key};
    struct watches *w = mem_new(struct watches);
    p->state = w;
    for (size_t i = 0; i < 2; i++) {
        if (!paths[i] || (i && !strcmp(paths[0], paths[1])))
            continue;
        int code = watch_new(p->view->loop, p->view->root, paths[i], changed, p, &w->at[i], e);
        if (code < 0) {
            unwatch(p);
            return code;
        }
    }
    return 0;
}

const struct probe_kind probe_certificate = {
    .kind = {.name = "certificate",
             .summary = "a certificate on disk: its dates, its key, its authority",
             .fields = fields,
             .args_size = sizeof(struct certificate_args),
             .check = check},
    .side = SIDE_LOCAL,
    .look = look,
    .cancel = cancel,
    .watch = watch,
    .unwatch = unwatch,
};
