/* Steps on files when a system call fails: each of them in turn. Whatever fails, a manifest is one
 * of the two that it may be, whole, and the next try finishes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "act/kinds.h"
#include "act/known_good.h"
#include "act/recover.h"
#include "act_fixture.h"
#include "base/mem.h"
#include "wrapped/wrapped.h"

#define LIVE MANIFESTS "/etcd.yaml"
#define EVIDENCE "/var/lib/planeguard/evidence"
#define POD_LOGS "/var/log/pods/kube-system_etcd-master1_u1/etcd"

enum { STRIKES_MAX = 300 };

static const char *const calls[] = {"fstat",     "fstatat", "openat2",   "openat", "read",
                                    "write",     "fsync",   "renameat2", "fchmod", "fchown",
                                    "fdopendir", "readdir", "unlinkat",  "mkdirat"};
enum { CALLS = sizeof calls / sizeof *calls };

struct bench {
    struct fixture *f;
    struct pool *pool;
    void *args;
    json_t *plan;
    char *good, *bad;
    struct err e;
};

static void *decode(struct bench *b, const struct kind *k, const char *yaml)
{
    struct yaml *document = NULL;
    void *args = pool_alloc(b->pool, k->args_size);
    assert_int_equal(yaml_parse(b->pool, "test", yaml, strlen(yaml), &document, &b->e), 0);
    assert_int_equal(fields_decode(k->fields, b->pool, document, args, &b->e), 0);
    return args;
}

static enum outcome keep(struct bench *b, const char *text)
{
    char hex[DIGEST_HEX + 1];
    struct digest d = digest_of(text, strlen(text));
    return known_good_keep(&b->f->hand, "etcd", LIVE, digest_hex(&d, hex), &b->e);
}

static int setup(void **state)
{
    struct bench *b = mem_new(struct bench);
    void *fixture = NULL;
    assert_int_equal(fixture_setup(&fixture), 0);
    b->f = fixture;
    b->pool = pool_new();
    b->good = mem_strdup(manifest_text("etcd", "good"));
    b->bad = mem_strdup(manifest_text("etcd", "bad"));
    fixture_put(b->f, LIVE, b->good);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    void *fixture = b->f;
    wrapped_set(NULL, 0);
    json_decref(b->plan);
    pool_free(b->pool);
    free(b->good);
    free(b->bad);
    free(b);
    return fixture_teardown(&fixture);
}

static void strike(const char *call, int after)
{
    wrapped_set(&(struct wrapped_fault){call, after, 1, EIO, NULL, NULL}, 1);
}

/* How often the fault has struck; none is in force any more. */
static int strikes(void)
{
    int hits = wrapped_hits();
    wrapped_set(NULL, 0);
    return hits;
}

/* What a stop in the middle may have left is put away as at the agent's start. */
static void tidy(struct bench *b)
{
    OWNED(recovered_fini) struct recovered r = {0};
    assert_int_equal(recover_stage(b->f->root, &b->f->node, &r, &b->e), 0);
}

static void must_be_one_of(struct bench *b, const char *one, const char *other)
{
    const char *found = fixture_get(b->f, LIVE);
    if (strcmp(found, one) != 0 && strcmp(found, other) != 0)
        fail_msg("neither of the two: %s", found);
}

typedef enum outcome step_function(struct hand *h, const void *args, const json_t *plan,
                                   struct err *detail);

/* `act` from `before` to `after`, with each call failing once; without a failure it leads there. */
static void each_call_of(struct bench *b, step_function *act, bool is_run, const char *before,
                         const char *after)
{
    for (size_t k = 0; k < CALLS; k++)
        for (int n = 0, hits = 1; hits > 0; n++) {
            if (*before)
                fixture_put(b->f, LIVE, before);
            else
                fixture_remove(b->f, LIVE);
            struct err e = {0};
            strike(calls[k], n);
            enum outcome o = act(&b->f->hand, b->args, b->plan, &e);
            hits = strikes();
            must_be_one_of(b, before, after);
            if (o == OUTCOME_FAILED)
                assert_true(hits > 0 && *e.text);
            if (is_run && o == OUTCOME_DONE)
                assert_string_equal(fixture_get(b->f, LIVE), after);
            tidy(b);
            if (strcmp(fixture_get(b->f, LIVE), after) != 0)
                (void)act(&b->f->hand, b->args, b->plan, &e);
            assert_string_equal(fixture_get(b->f, LIVE), after);
            assert_int_equal(fixture_count(b->f, STAGE), 0);
            assert_true(n < STRIKES_MAX);
        }
}

static void restore(struct bench *b, const char *before)
{
    b->args = decode(b, &manifest_restore.kind, "{pod: etcd}");
    assert_int_equal(keep(b, b->good), OUTCOME_DONE);
    for (size_t k = 0; k < CALLS; k++)
        for (int n = 0, hits = 1; hits > 0; n++) {
            if (*before)
                fixture_put(b->f, LIVE, before);
            else
                fixture_remove(b->f, LIVE);
            json_decref(b->plan);
            b->plan = json_object();
            strike(calls[k], n);
            int code = manifest_restore.plan(&b->f->hand, b->args, b->plan, &b->e);
            hits = strikes();
            assert_true(code == 0 || hits > 0);
            assert_true(n < STRIKES_MAX);
        }
    each_call_of(b, manifest_restore.run, true, before, b->good);
    each_call_of(b, manifest_restore.undo, false, b->good, before);
}

static void test_restore_a_bad_manifest(void **state)
{
    struct bench *b = *state;
    restore(b, b->bad);
}

static void test_restore_a_missing_manifest(void **state)
{
    struct bench *b = *state;
    restore(b, "");
}

/* What can be found is always one of those that were kept, whole; and the next try keeps it. */
static void test_keep(void **state)
{
    struct bench *b = *state;
    assert_int_equal(keep(b, b->good), OUTCOME_DONE);
    for (size_t k = 0; k < CALLS; k++)
        for (int n = 0, hits = 1; hits > 0; n++) {
            OWNED(free) char *text = mem_printf("%s# %zu %d\n", b->bad, k, n);
            fixture_put(b->f, LIVE, text);
            strike(calls[k], n);
            enum outcome o = keep(b, text);
            hits = strikes();
            assert_true(o == OUTCOME_DONE || hits > 0);
            OWNED(known_good_fini) struct known_good found = {0}, again = {0};
            assert_int_equal(known_good_find(b->f->root, "etcd", NULL, &found, &b->e), 0);
            if (o == OUTCOME_DONE)
                assert_string_equal(buf_string(&found.bytes), text);
            else
                assert_int_not_equal(o, OUTCOME_ALREADY);
            o = keep(b, text);
            assert_true(o == OUTCOME_DONE || o == OUTCOME_ALREADY);
            strike(calls[k], n);
            int code = known_good_find(b->f->root, "etcd", NULL, &again, &b->e);
            (void)strikes();
            assert_true(code == 0 || code == -EIO || code == -ENOENT);
            assert_true(n < STRIKES_MAX);
        }
}

/* Evidence is kept as far as it can be: no failure of one piece is one of all the others. */
static void test_evidence(void **state)
{
    struct bench *b = *state;
    assert_int_equal(folder_make(b->f->root, POD_LOGS, 0755, &b->e), 0);
    fixture_put(b->f, POD_LOGS "/0.log", "t stderr F last words\n");
    fixture_put(b->f, POD_LOGS "/notes", "no log\n");
    b->args = decode(b, &evidence_collect.kind, "{components: [etcd]}");
    for (size_t k = 0; k < CALLS; k++)
        for (int n = 0, hits = 1; hits > 0; n++) {
            OWNED(json_decref) json_t *plan = json_object();
            struct err e = {0};
            if (fixture_has(b->f, EVIDENCE))
                assert_int_equal(folder_remove(b->f->root, EVIDENCE, &b->e), 0);
            assert_int_equal(evidence_collect.plan(&b->f->hand, b->args, plan, &e), 0);
            strike(calls[k], n);
            enum outcome o = evidence_collect.run(&b->f->hand, b->args, plan, &e);
            hits = strikes();
            assert_true(o == OUTCOME_DONE || (o == OUTCOME_FAILED && hits > 0));
            assert_true(n < STRIKES_MAX);
        }
}

int main(void)
{
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        A_TEST(test_restore_a_bad_manifest),
        A_TEST(test_restore_a_missing_manifest),
        A_TEST(test_keep),
        A_TEST(test_evidence),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
