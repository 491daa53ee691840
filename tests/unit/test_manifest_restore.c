/* act/steps/manifest_restore.c: the last known good manifest back, and back again. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/kinds.h"
#include "act/known_good.h"
#include "act/recover.h"
#include "act/stash.h"
#include "act_fixture.h"
#include "base/mem.h"
#include "loop/clock.h"

#define LIVE MANIFESTS "/etcd.yaml"
#define BACKUP "/var/lib/planeguard/undo/i-1-0/etcd.yaml"

/* As the kind's own, by its table. */
struct bench {
    struct fixture *f;
    struct pool *pool;
    void *args;
    json_t *plan;
    char *good, *bad;
    struct err e;
};

static void keep(struct bench *b, const char *text)
{
    char hex[DIGEST_HEX + 1];
    struct digest d = digest_of(text, strlen(text));
    fixture_put(b->f, LIVE, text);
    assert_int_equal(known_good_keep(&b->f->hand, "etcd", LIVE, digest_hex(&d, hex), &b->e),
                     OUTCOME_DONE);
}

static int setup(void **state)
{
    struct bench *b = mem_new(struct bench);
    void *fixture = NULL;
    struct yaml *document = NULL;
    static const char yaml[] = "{pod: etcd}";
    assert_int_equal(fixture_setup(&fixture), 0);
    b->f = fixture;
    b->pool = pool_new();
    b->args = pool_alloc(b->pool, manifest_restore.kind.args_size);
    assert_int_equal(yaml_parse(b->pool, "test", yaml, strlen(yaml), &document, &b->e), 0);
    assert_int_equal(fields_decode(manifest_restore.kind.fields, b->pool, document, b->args, &b->e),
                     0);
    b->good = mem_strdup(manifest_text("etcd", "good"));
    b->bad = mem_strdup(manifest_text("etcd", "bad"));
    keep(b, b->good);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    void *fixture = b->f;
    json_decref(b->plan);
    pool_free(b->pool);
    free(b->good);
    free(b->bad);
    free(b);
    return fixture_teardown(&fixture);
}

static int plan(struct bench *b)
{
    json_decref(b->plan);
    b->plan = json_object();
    return manifest_restore.plan(&b->f->hand, b->args, b->plan, &b->e);
}

static enum outcome run(struct bench *b)
{
    return manifest_restore.run(&b->f->hand, b->args, b->plan, &b->e);
}

static enum outcome undo(struct bench *b)
{
    return manifest_restore.undo(&b->f->hand, b->args, b->plan, &b->e);
}

static enum outcome recover(struct bench *b)
{
    return manifest_restore.recover(&b->f->hand, b->args, b->plan, &b->e);
}

static void check_live(struct bench *b, const char *wanted)
{
    assert_string_equal(fixture_get(b->f, LIVE), wanted);
    assert_int_equal(fixture_count(b->f, MANIFESTS), *wanted != '\0');
    assert_int_equal(fixture_count(b->f, STAGE), 0);
}

static void test_already(void **state)
{
    struct bench *b = *state;
    assert_int_equal(plan(b), 0);
    assert_true(json_get_bool(b->plan, "already", false));
    assert_int_equal(run(b), OUTCOME_ALREADY);
    check_live(b, b->good);
}

static void test_restore_and_undo(void **state)
{
    struct bench *b = *state;
    fixture_put(b->f, LIVE, b->bad);
    assert_int_equal(chmod(fixture_host(b->f, LIVE), 0604), 0);
    assert_int_equal(plan(b), 0);
    const json_t *file = json_array_get(json_object_get(b->plan, "files"), 0);
    assert_non_null(strstr(json_get_string(file, "diff", ""), "-    - --mark=bad\n"));
    assert_non_null(strstr(json_get_string(file, "diff", ""), "+    - --mark=good\n"));
    check_live(b, b->bad); /* planning changes nothing */
    assert_false(fixture_has(b->f, BACKUP));
    assert_int_equal(run(b), OUTCOME_DONE);
    check_live(b, b->good);
    assert_string_equal(fixture_get(b->f, BACKUP), b->bad);
    assert_true(fixture_effect(b->f, "replaced"));
    struct file_status st;
    assert_int_equal(file_status(b->f->root, LIVE, 0, &st, &b->e), 0);
    assert_int_equal(st.mode, 0600); /* as the good one was */
    assert_int_equal(recover(b), OUTCOME_ALREADY);
    assert_int_equal(run(b), OUTCOME_ALREADY);
    assert_int_equal(undo(b), OUTCOME_DONE);
    check_live(b, b->bad);
    assert_int_equal(file_status(b->f->root, LIVE, 0, &st, &b->e), 0);
    assert_int_equal(st.mode, 0604);
    assert_int_equal(undo(b), OUTCOME_ALREADY);
    assert_int_equal(recover(b), OUTCOME_ALREADY);
}

static void test_missing(void **state)
{
    struct bench *b = *state;
    fixture_remove(b->f, LIVE);
    assert_int_equal(plan(b), 0);
    assert_true(json_is_null(json_object_get(b->plan, "before")));
    assert_int_equal(run(b), OUTCOME_DONE);
    check_live(b, b->good);
    assert_int_equal(undo(b), OUTCOME_DONE);
    check_live(b, "");
    assert_int_equal(undo(b), OUTCOME_ALREADY);
}

/* What is broken is replaced, and never put back. */
static void test_broken(void **state)
{
    struct bench *b = *state;
    static const char *const texts[] = {"", "apiVersion: v1\nkind: Pod\n", "{{{", "null\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fixture_put(b->f, LIVE, texts[i]);
        assert_int_equal(plan(b), 0);
        assert_int_equal(run(b), OUTCOME_DONE);
        check_live(b, b->good);
        assert_int_equal(undo(b), OUTCOME_REFUSED);
        check_live(b, b->good);
    }
    /* Another pod's manifest in its place is none of it either. */
    fixture_put(b->f, LIVE, manifest_text("kube-apiserver", "x"));
    assert_int_equal(plan(b), 0);
    assert_int_equal(run(b), OUTCOME_DONE);
    assert_int_equal(undo(b), OUTCOME_REFUSED);
}

static void test_somebody_else(void **state)
{
    struct bench *b = *state;
    const char *theirs = manifest_text("etcd", "theirs");
    fixture_put(b->f, LIVE, b->bad);
    assert_int_equal(plan(b), 0);
    fixture_put(b->f, LIVE, theirs);
    assert_int_equal(run(b), OUTCOME_REFUSED);
    assert_int_equal(recover(b), OUTCOME_REFUSED);
    check_live(b, theirs);
    assert_int_equal(plan(b), 0);
    assert_int_equal(run(b), OUTCOME_DONE);
    fixture_put(b->f, LIVE, b->bad);
    assert_int_equal(undo(b), OUTCOME_REFUSED);
    check_live(b, b->bad);
    /* Planned on a missing one, and then there is one. */
    fixture_remove(b->f, LIVE);
    assert_int_equal(plan(b), 0);
    fixture_put(b->f, LIVE, theirs);
    assert_int_equal(run(b), OUTCOME_REFUSED);
    check_live(b, theirs);
}

/* One that was taken out and isn't home yet is newer than what is kept: it comes first. */
static void test_one_is_out(void **state)
{
    struct bench *b = *state;
    const char *out = manifest_text("etcd", "out");
    struct digest d = digest_of(out, strlen(out));
    char name[STASH_NAME];
    fixture_remove(b->f, LIVE);
    assert_int_equal(plan(b), 0);
    assert_int_equal(stash_name(LIVE, &d, 0, name, &b->e), 0);
    OWNED(free) char *path = mem_printf(STAGE "/%s", name);
    fixture_put(b->f, path, out);
    assert_int_equal(run(b), OUTCOME_REFUSED);
    assert_non_null(strstr(b->e.text, "has to come home first"));
    assert_false(fixture_has(b->f, LIVE));
}

static void test_unplannable(void **state)
{
    struct bench *b = *state;
    fixture_remove(b->f, LIVE);
    assert_int_equal(symlink("/etc/passwd", fixture_host(b->f, LIVE)), 0);
    assert_true(plan(b) < 0);
    fixture_remove(b->f, LIVE);
    assert_int_equal(folder_remove(b->f->root, "/var/lib/planeguard/known-good", &b->e), 0);
    assert_int_equal(plan(b), -ENOENT);
    assert_int_equal(rmdir(fixture_host(b->f, MANIFESTS)), 0);
    assert_int_equal(plan(b), -ENOTDIR);
}

/* The copy that the plan named is gone: nothing is done. The record can't be made: it failed. */
static void test_plans_basis_gone(void **state)
{
    struct bench *b = *state;
    fixture_put(b->f, LIVE, b->bad);
    assert_int_equal(plan(b), 0);
    assert_int_equal(folder_remove(b->f->root, "/var/lib/planeguard/known-good", &b->e), 0);
    assert_int_equal(run(b), OUTCOME_REFUSED);
    check_live(b, b->bad);
    keep(b, b->good);
    fixture_put(b->f, LIVE, b->bad);
    assert_int_equal(plan(b), 0);
    b->f->effect_code = -EIO;
    assert_int_equal(run(b), OUTCOME_FAILED);
    assert_int_equal(undo(b), OUTCOME_DONE);
    check_live(b, b->bad);
}

/* Killed anywhere: the old or the new one, and recovery clears the stage. */
static void test_killed(void **state)
{
    struct bench *b = *state;
    enum { KILLS = 60 };
    for (unsigned i = 0; i < KILLS; i++) {
        fixture_put(b->f, LIVE, b->bad);
        assert_int_equal(plan(b), 0);
        pid_t child = fork();
        if (child == 0) {
            (void)run(b);
            _exit(0);
        }
        clock_sleep(i * 200);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        OWNED(recovered_fini) struct recovered r = {0};
        assert_int_equal(recover_stage(b->f->root, &b->f->node, &r, &b->e), 0);
        assert_int_equal(recover(b), OUTCOME_ALREADY);
        bool is_old = strcmp(fixture_get(b->f, LIVE), b->bad) == 0;
        check_live(b, is_old ? b->bad : b->good);
        if (!is_old)
            assert_string_equal(fixture_get(b->f, BACKUP), b->bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_already, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restore_and_undo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_somebody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_is_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unplannable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plans_basis_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
