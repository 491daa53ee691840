/* Putting back when a system call fails: each of them in turn. Whatever fails, no manifest is lost,
 * what can be put back is, and the next try finishes. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/deadman.h"
#include "act/recover.h"
#include "act/stash.h"
#include "act_fixture.h"
#include "base/mem.h"
#include "cmd/verbs.h"
#include "wrapped/wrapped.h"

#define OUT MANIFESTS "/kube-apiserver.yaml"
#define CONFLICT MANIFESTS "/etcd.yaml"

static char *stash_path(const char *target, unsigned conflict)
{
    struct digest d = digest_of("ours", 4);
    char name[STASH_NAME];
    assert_int_equal(stash_name(target, &d, conflict, name, NULL), 0);
    return mem_printf(STAGE "/%s", name);
}

static void put_stashed(struct fixture *f, const char *target, unsigned conflict)
{
    OWNED(free) char *path = stash_path(target, conflict);
    fixture_put(f, path, "ours");
}

static void begin(struct fixture *f)
{
    struct names n = {0};
    assert_int_equal(folder_list(f->root, STAGE, &n, NULL), 0);
    for (size_t i = 0; i < n.count; i++) {
        OWNED(free) char *path = mem_printf(STAGE "/%s", n.at[i]);
        fixture_remove(f, path);
    }
    names_fini(&n);
    fixture_remove(f, OUT);
    put_stashed(f, OUT, 0);
    put_stashed(f, CONFLICT, 0);
    fixture_put(f, CONFLICT, "theirs");
    fixture_put(f, STAGE "/" FILE_TEMPORARY "1", "half");
}

static void test_each_call_fails(void **state)
{
    struct fixture *f = *state;
    static const char *const calls[] = {"fstat",    "fstatat",   "openat2", "fsync",  "renameat2",
                                        "unlinkat", "fdopendir", "readdir", "openat", "read"};
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
        for (int n = 0, hits = 1; hits > 0; n++) {
            OWNED(recovered_fini) struct recovered r = {0}, again = {0};
            struct wrapped_fault fault = {calls[k], n, 1, EIO, NULL, NULL};
            begin(f);
            wrapped_set(&fault, 1);
            int code = recover_stage(f->root, &f->node, &r, &f->e);
            hits = wrapped_hits();
            wrapped_set(NULL, 0);
            assert_true(code == 0 || code == -EIO);
            if (code < 0)
                assert_non_null(strstr(f->e.text, "Input/output error"));
            assert_string_equal(fixture_get(f, CONFLICT), "theirs");
            assert_int_equal(recover_stage(f->root, &f->node, &again, &f->e), 0);
            assert_string_equal(fixture_get(f, OUT), "ours");
            assert_string_equal(fixture_get(f, CONFLICT), "theirs");
            assert_int_equal(fixture_count(f, STAGE), 1); /* what was set aside */
            assert_true(n < 100);
        }
}

/* What is left of a write: each failure is told, and the next try finishes. */
static void test_each_call_fails_on_unfinished_files(void **state)
{
    struct fixture *f = *state;
    static const char *const calls[] = {"fstatat", "openat2", "unlinkat", "fdopendir", "readdir"};
    assert_int_equal(folder_make(f->root, "/var/p/deep/deeper/deepest", 0700, &f->e), 0);
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
        for (int n = 0, hits = 1; hits > 0; n++) {
            OWNED(recovered_fini) struct recovered r = {.actions = json_array()};
            struct wrapped_fault fault = {calls[k], n, 1, EIO, NULL, NULL};
            fixture_put(f, "/var/p/" FILE_TEMPORARY "1", "half");
            fixture_put(f, "/var/p/deep/" FILE_TEMPORARY "2", "half");
            fixture_put(f, "/var/p/deep/stays", "whole");
            fixture_put(f, "/var/p/deep/deeper/deepest/" FILE_TEMPORARY "3", "too deep to be ours");
            wrapped_set(&fault, 1);
            int code = recover_unfinished(f->root, "/var/p", &r, &f->e);
            hits = wrapped_hits();
            wrapped_set(NULL, 0);
            assert_int_equal(code, hits ? -EIO : 0);
            assert_int_equal(r.removed, json_array_size(r.actions));
            assert_int_equal(recover_unfinished(f->root, "/var/p", &r, &f->e), 0);
            assert_int_equal(r.removed, 2);
            assert_int_equal(fixture_count(f, "/var/p/deep"), 2);
            assert_int_equal(fixture_count(f, "/var/p/deep/deeper/deepest"), 1);
            assert_int_equal(fixture_count(f, "/var/p"), 1);
            assert_true(n < 100);
        }
}

/* Its manifest is busy, not the agent: that is an error, and nothing is lost. */
static void test_verb_with_a_busy_manifest(void **state)
{
    struct fixture *f = *state;
    struct options o = {.root = f->path};
    begin(f);
    struct wrapped_fault fault = {"renameat2", 0, -1, EBUSY, NULL, NULL};
    wrapped_set(&fault, 1);
    assert_int_equal(cmd_recover(&o), EXIT_ERROR);
    assert_int_equal(wrapped_hits(), 2);
    wrapped_set(NULL, 0);
    assert_false(fixture_has(f, OUT));
    assert_int_equal(cmd_recover(&o), EXIT_GOOD);
    assert_string_equal(fixture_get(f, OUT), "ours");
    assert_string_equal(fixture_get(f, CONFLICT), "theirs");
}

static void bring_home(void *context)
{
    struct fixture *f = context;
    fixture_put(f, OUT, "ours");
    OWNED(free) char *out = stash_path(OUT, 0);
    fixture_remove(f, out);
}

/* The dead-man or the hand that it waits for: whoever comes second finds it home. */
static void test_somebody_was_quicker(void **state)
{
    struct fixture *f = *state;
    OWNED(recovered_fini) struct recovered r = {0};
    put_stashed(f, OUT, 0);
    struct wrapped_fault fault = {"renameat2", 0, 1, 0, bring_home, f};
    wrapped_set(&fault, 1);
    assert_int_equal(recover_stage(f->root, &f->node, &r, &f->e), 0);
    assert_int_equal(wrapped_hits(), 1);
    wrapped_set(NULL, 0);
    assert_int_equal(r.put_back + r.conflicts, 0);
    assert_string_equal(fixture_get(f, OUT), "ours");
}

/* A foreign name that is longer than any of ours, so that it can't be set aside. */
static void test_name_too_long_to_be_set_aside(void **state)
{
    struct fixture *f = *state;
    char target[NAME_MAX] = MANIFESTS "/", hex[DIGEST_HEX + 1];
    struct digest d = digest_of("ours", 4);
    size_t length = NAME_MAX - strlen("out-") - DIGEST_HEX - 1;
    memset(target + strlen(target), 'a', length - strlen(target));
    fixture_put(f, target, "theirs");
    OWNED(free) char *name = mem_printf("out-%s-%s", digest_hex(&d, hex), target);
    for (char *at = name; *at; at++)
        *at = *at == '/' ? '+' : *at;
    OWNED(free) char *path = mem_printf(STAGE "/%s", name);
    fixture_put(f, path, "ours");
    OWNED(recovered_fini) struct recovered r = {0};
    assert_int_equal(recover_stage(f->root, &f->node, &r, &f->e), -ENAMETOOLONG);
    assert_string_equal(fixture_get(f, target), "theirs");
    assert_string_equal(fixture_get(f, path), "ours");
}

static void test_too_many_conflicts(void **state)
{
    struct fixture *f = *state;
    fixture_put(f, CONFLICT, "theirs");
    put_stashed(f, CONFLICT, 0);
    for (unsigned number = 1; number <= STASH_CONFLICTS_MAX; number++)
        put_stashed(f, CONFLICT, number);
    OWNED(recovered_fini) struct recovered r = {0};
    assert_int_equal(recover_stage(f->root, &f->node, &r, &f->e), -EEXIST);
    assert_non_null(strstr(f->e.text, "conflicts are set aside already"));
    assert_int_equal(r.conflicts, 0);
    assert_string_equal(fixture_get(f, CONFLICT), "theirs");
}

static void test_deadman_cannot_be_armed(void **state)
{
    struct fixture *f = *state;
    struct deadman *d = NULL;
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int code = deadman_arm(f->root, 1, &d, &f->e);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(code, -EMFILE);
    assert_null(d);
    assert_non_null(strstr(f->e.text, "the dead-man can't be armed"));
}

/* With the lock or, at the deadline, without it: it tries until it succeeds. */
static void test_deadman_tries_again(void **state)
{
    struct fixture *f = *state;
    static const int failures[] = {0, 1, 1000};
    enum { FAILURES = sizeof failures / sizeof *failures };
    fixture_remove(f, CONFLICT);
    for (size_t k = 0; k < 2 * FAILURES; k++) {
        OWNED(recovered_fini) struct recovered r = {0};
        size_t i = k % FAILURES;
        OWNED(fd_close) int lock = -1;
        if (k == FAILURES) { /* no lock to be had */
            fixture_remove(f, LOCK_PATH);
            assert_int_equal(folder_make(f->root, LOCK_PATH, 0700, &f->e), 0);
        }
        fixture_remove(f, OUT);
        put_stashed(f, OUT, 0);
        const struct wrapped_fault faults[] = {{"renameat2", 0, failures[i], EIO, NULL, NULL},
                                               {"clock_nanosleep", 0, -1, 0, NULL, NULL}};
        wrapped_set(faults, 2);
        assert_int_equal(deadman_watch(f->root, &f->node, 1, &r, &lock, &f->e), 0);
        assert_int_equal(wrapped_hits(), 2 * failures[i]);
        wrapped_set(NULL, 0);
        assert_int_equal(lock >= 0, k < FAILURES);
        assert_int_equal(r.put_back, 1);
        assert_true(fixture_has(f, OUT));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_call_fails, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_each_call_fails_on_unfinished_files, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_verb_with_a_busy_manifest, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_name_too_long_to_be_set_aside, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_too_many_conflicts, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_somebody_was_quicker, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_deadman_cannot_be_armed, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_deadman_tries_again, fixture_setup, fixture_teardown),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
