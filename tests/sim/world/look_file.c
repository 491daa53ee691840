/* The kinds `manifest` and `certificate`, as observe/manifest.c and observe/certificate.c judge. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "inside.h"

enum { LIVENESS_MARGIN_SEC = 30, TIME_TEXT = 32, DAY_SEC = 24 * 3600 };

/* The first trouble is the verdict. */
static void trouble(struct world_reading *r, enum verdict v, enum reason reason, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));
static void trouble(struct world_reading *r, enum verdict v, enum reason reason, const char *format,
                    ...)
{
    va_list args;
    if (r->reason != REASON_NONE && !(r->verdict == SIGNAL_UNKNOWN && v == SIGNAL_FAIL))
        return;
    r->verdict = v;
    r->reason = reason;
    va_start(args, format);
    (void)vsnprintf(r->detail, sizeof r->detail, format, args);
    va_end(args);
}

static void put(json_t *facts, const char *key, const char *text)
{
    json_put(facts, key, json_text(text, strlen(text)));
}

/* ---- manifest ---- */

static void put_pod(json_t *facts, const struct pod *pod)
{
    char image[LINE_TEXT];
    int64_t period = pod->liveness.period_sec, timeout = pod->liveness.timeout_sec;
    put(facts, "image", line_clean(pod->image, strlen(pod->image), image));
    if (!pod->liveness.failure_threshold)
        return;
    int64_t budget = pod->liveness.failure_threshold * (period > timeout ? period : timeout);
    json_put(facts, "livenessBudgetSec", json_integer((json_int_t)(budget + LIVENESS_MARGIN_SEC)));
}

static bool parse(struct world_reading *r, const struct text *t, const char *path, const char *pod)
{
    put(r->facts, "digest", t->digest);
    if (!t->length) {
        trouble(r, SIGNAL_FAIL, REASON_EMPTY, "%s: empty", path);
        return false;
    }
    if (t->code < 0) {
        bool invalid = t->code == -EINVAL;
        trouble(r, invalid ? SIGNAL_FAIL : SIGNAL_UNKNOWN,
                invalid ? REASON_UNPARSABLE : REASON_TOOL_FAILED, "%.120s", t->why);
        return false;
    }
    put_pod(r->facts, &t->pod);
    if (!strcmp(t->pod.name, pod))
        return true;
    trouble(r, SIGNAL_FAIL, REASON_NOT_THAT_POD, "%s: describes the pod %.40s, expected %.40s",
            path, t->pod.name, pod);
    return false;
}

struct neighbours {
    struct host *n;
    const char *own, *pod;
    struct buf strays, junk;
    size_t stray_count, junk_count;
};

static void on_neighbour(void *context, const char *name)
{
    struct neighbours *s = context;
    char path[PATH_TEXT_MAX];
    (void)snprintf(path, sizeof path, MANIFESTS "/%s", name);
    if (name[0] == '.' || !strcmp(path, s->own))
        return;
    const struct text *t = text_of_file(s->n, path);
    if (t && t->code < 0)
        line_add_word(&s->junk, &s->junk_count, name);
    else if (t && !strcmp(t->pod.name, s->pod))
        line_add_word(&s->strays, &s->stray_count, name);
}

static void judge_neighbours(struct world_reading *r, struct host *n, const char *path,
                             const char *pod)
{
    struct neighbours s = {.n = n, .own = path, .pod = pod};
    files_list(node_files(n), MANIFESTS, on_neighbour, &s);
    if (s.junk_count)
        put(r->facts, "junk", s.junk.bytes);
    if (s.stray_count) {
        put(r->facts, "stray", s.strays.bytes);
        trouble(r, SIGNAL_FAIL, REASON_STRAY, "%.80s declares the pod %.30s too", s.strays.bytes,
                pod);
    }
    buf_fini(&s.strays);
    buf_fini(&s.junk);
}

static bool is_missing(struct host *n, const struct pod_reference *r)
{
    size_t length = 0;
    if (strcmp(r->type, "File") != 0 && strcmp(r->type, "flag") != 0)
        return false;
    return !files_get(node_files(n), r->path, &length) ? !files_exists(node_files(n), r->path)
                                                       : length == 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void judge_references(struct world_reading *r, struct host *n, const struct pod *pod)
{
    const char *missing[POD_REFERENCES_MAX];
    size_t count = 0, listed = 0;
    struct buf list = {0};
    for (size_t i = 0; i < pod->reference_count; i++)
        if (is_missing(n, &pod->references[i]))
            missing[count++] = pod->references[i].path;
    if (!count)
        return;
    qsort(missing, count, sizeof *missing, compare);
    for (size_t i = 0; i < count; i++)
        if (!i || strcmp(missing[i], missing[i - 1]) != 0)
            line_add_word(&list, &listed, missing[i]);
    put(r->facts, "missing", list.bytes);
    trouble(r, SIGNAL_FAIL, REASON_REFERENCE_MISSING, "names what is missing or empty: %.80s",
            list.bytes);
    buf_fini(&list);
}

void look_manifest(struct host *n, const struct probe_document *p, struct world_reading *ret)
{
    OWNED(json_decref) json_t *args = look_arguments(p);
    const char *pod = json_get_string(args, "pod", ""), *path = json_get_string(args, "path", NULL);
    char own[PATH_TEXT_MAX];
    (void)snprintf(own, sizeof own, MANIFESTS "/%.90s.yaml", pod);
    path = path ? path : own;
    const struct text *t = text_of_file(n, path);
    ret->verdict = SIGNAL_PASS;
    ret->facts = json_object();
    put(ret->facts, "path", path);
    bool good = false;
    if (t)
        good = parse(ret, t, path, pod);
    else
        trouble(ret, SIGNAL_FAIL, REASON_MISSING, "%s: not there", path);
    judge_neighbours(ret, n, path, pod);
    if (good)
        judge_references(ret, n, &t->pod);
}

/* ---- certificate ---- */

static char *time_text(int64_t sec, char text[TIME_TEXT])
{
    struct tm tm;
    time_t t = sec;
    if (!gmtime_r(&t, &tm) || !strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return strcpy(text, "unknown");
    return text;
}

struct asked {
    const char *path, *key;
    uint64_t warn_usec, act_usec;
};

static void judge_leaf(struct world_reading *r, const struct certificate *c, const struct asked *a,
                       int64_t now_sec)
{
    char text[TIME_TEXT];
    int64_t left = c->not_after_sec - now_sec;
    int64_t act = (int64_t)(a->act_usec / USEC_PER_SEC);
    int64_t warn = (int64_t)(a->warn_usec / USEC_PER_SEC);
    put(r->facts, "serial", c->serial);
    put(r->facts, "subject", c->subject);
    put(r->facts, "issuer", c->issuer);
    put(r->facts, "notAfter", time_text(c->not_after_sec, text));
    json_put(r->facts, "daysLeft",
             json_integer((json_int_t)(left / DAY_SEC - (left % DAY_SEC < 0))));
    put(r->facts, "validity",
        left < 0                      ? "expired"
        : now_sec < c->not_before_sec ? "not-yet"
        : left <= act                 ? "soon"
        : left <= warn                ? "warn"
                                      : "good");
    if (left < 0)
        trouble(r, SIGNAL_FAIL, REASON_EXPIRED, "expired at %s", text);
    else if (now_sec < c->not_before_sec)
        trouble(r, SIGNAL_FAIL, REASON_NOT_YET_VALID, "valid only from later on");
}

/* OpenSSL takes long, and the same bytes come again and again. */
static const struct read_certificate *read_certificate(struct host *n, const char *bytes,
                                                       size_t length, const char *key,
                                                       size_t key_length)
{
    OWNED(certificates_free) struct certificates *all = NULL;
    struct read_certificate *c = &n->certificate;
    uint64_t hash = text_hash(bytes, length) ^ (key ? text_hash(key, key_length) * 3 : 0);
    struct err e = {""};
    if (c->hash == hash)
        return c;
    *c = (struct read_certificate){.hash = hash};
    c->code = certificates_parse(bytes, length, &all, &e);
    if (c->code == 0)
        c->code = certificate_at(all, 0, &c->leaf, &e);
    if (c->code == 0 && key)
        c->key_matches = certificate_key_matches(all, key, key_length, &e);
    (void)snprintf(c->why, sizeof c->why, "%.120s", e.text);
    return c;
}

static void judge_key(struct world_reading *r, int same)
{
    put(r->facts, "keyMatches", same == 1 ? "yes" : same == 0 ? "no" : "unknown");
    if (same < 0)
        trouble(r, SIGNAL_FAIL, REASON_UNPARSABLE, "no key that can be read");
    else if (!same)
        trouble(r, SIGNAL_FAIL, REASON_PAIR_MISMATCH,
                "the private key belongs to another certificate");
}

static void judge_certificate(struct world_reading *r, struct host *n, const struct asked *a,
                              const char *bytes, size_t length)
{
    size_t key_length = 0;
    const char *key = a->key ? files_get(node_files(n), a->key, &key_length) : NULL;
    const struct read_certificate *c = read_certificate(n, bytes, length, key, key_length);
    if (c->code < 0) {
        trouble(r, SIGNAL_FAIL, REASON_UNPARSABLE, "%s", c->why);
        return;
    }
    int64_t now_sec = node_wall_usec(n) / (int64_t)USEC_PER_SEC;
    judge_leaf(r, &c->leaf, a, now_sec);
    if (key)
        judge_key(r, c->key_matches);
    if (c->leaf.not_after_sec - now_sec <= (int64_t)(a->act_usec / USEC_PER_SEC))
        trouble(r, SIGNAL_FAIL, REASON_EXPIRES_SOON, "expires soon");
}

void look_certificate(struct host *n, const struct probe_document *p, struct world_reading *ret)
{
    OWNED(json_decref) json_t *args = look_arguments(p);
    struct asked a = {.path = json_get_string(args, "path", ""),
                      .key = json_get_string(args, "key", NULL)};
    size_t length = 0;
    (void)duration_parse(json_get_string(args, "warnBefore", "30d"), &a.warn_usec);
    (void)duration_parse(json_get_string(args, "actBefore", "7d"), &a.act_usec);
    const char *bytes = files_get(node_files(n), a.path, &length);
    ret->verdict = SIGNAL_PASS;
    ret->facts = json_object();
    if (!bytes)
        trouble(ret, SIGNAL_FAIL, REASON_MISSING, "%s: not there", a.path);
    else if (!length)
        trouble(ret, SIGNAL_FAIL, REASON_EMPTY, "%s: empty", a.path);
    else
        judge_certificate(ret, n, &a, bytes, length);
}
