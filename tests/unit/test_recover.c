/* act/recover.h: every way in which a crash may leave the stage and the manifests folder. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/recover.h"
#include "act/stash.h"
#include "act_fixture.h"
#include "base/mem.h"

#define LIVE MANIFESTS "/kube-apiserver.yaml"

static char *stashed(const char *target, const char *text, unsigned conflict)
{
    struct digest d = digest_of(text, strlen(text));
    char name[STASH_NAME];
    assert_int_equal(stash_name(target, &d, conflict, name, NULL), 0);
    return mem_printf(STAGE "/%s", name);
}

static void recover_again(struct fixture *f)
{
    OWNED(recovered_fini) struct recovered r = {0};
    assert_int_equal(recover_stage(f->root, &f->node, &r, &f->e), 0);
    assert_int_equal(json_array_size(r.actions), 0);
    assert_int_equal(r.put_back + r.conflicts + r.removed, 0);
}

/* Out, live there or not, temporary files or not: all of these, and each twice. */
static void test_all_combinations(void **state)
{
    struct fixture *f = *state;
    const char *ours = manifest_text("kube-apiserver", "ours");
    const char *theirs = manifest_text("kube-apiserver", "theirs");
    OWNED(free) char *out = stashed(LIVE, ours, 0);
    OWNED(free) char *conflict = stashed(LIVE, ours, 1);
    for (int i = 0; i < 8; i++) {
        bool is_out = i & 1, is_live = i & 2, has_temporary = i & 4;
        if (is_out)
            fixture_put(f, out, ours);
        if (is_live)
            fixture_put(f, LIVE, theirs);
        if (has_temporary)
            fixture_put(f, STAGE "/" FILE_TEMPORARY "0123", "half");
        OWNED(recovered_fini) struct recovered r = {0};
        assert_int_equal(recover_stage(f->root, &f->node, &r, &f->e), 0);
        assert_int_equal(r.put_back, is_out && !is_live);
        assert_int_equal(r.conflicts, is_out && is_live);
        assert_int_equal(r.removed, has_temporary);
        assert_int_equal(json_array_size(r.actions), r.put_back + r.conflicts + r.removed);
        assert_string_equal(fixture_get(f, LIVE), is_live ? theirs : is_out ? ours : "");
        assert_string_equal(fixture_get(f, conflict), is_out && is_live ? ours : "");
        assert_int_equal(fixture_count(f, STAGE), is_out && is_live);
        recover_again(f);
        fixture_remove(f, LIVE);
        fixture_remove(f, conflict);
    }
}

static void test_action(void **state)
{
    struct fixture *f = *state;
    const char *text = manifest_text("kube-apiserver", "x");
    OWNED(free) char *out = stashed(LIVE, text, 0);
    fixture_put(f, out, text);
    OWNED(recovered_fini) struct recovered r = {0};
    assert_int_equal(recover_stage(f->root, &f->node, &r, &f->e), 0);
    const json_t *a = json_array_get(r.actions, 0);
    assert_string_equal(json_get_string(a, "what", ""), "moved");
    assert_string_equal(json_get_string(a, "path", ""), out);
    assert_string_equal(json_get_string(a, "to", ""), LIVE);
    assert_string_equal(json_get_string(a, "before", ""), json_get_string(a, "after", "-"));
}

/* Conflicts never overwrite each other. */
static void test_many_conflicts(void **state)
{
    struct fixture *f = *state;
    const char *ours = manifest_text("kube-apiserver", "ours");
    OWNED(free) char *out = stashed(LIVE, ours, 0);
    fixture_put(f, LIVE, "theirs");
    for (size_t i = 1; i <= 3; i++) {
        fixture_put(f, out, ours);
        OWNED(recovered_fini) struct recovered r = {0};
        assert_int_equal(recover_stage(f->root, &f->node, &r, &f->e), 0);
        assert_int_equal(r.conflicts, 1);
        assert_int_equal(fixture_count(f, STAGE), i);
    }
    assert_string_equal(fixture_get(f, LIVE), "theirs");
}

/* One that can't go home doesn't keep the others. */
static void test_goes_on_after_failure(void **state)
{
    struct fixture *f = *state;
    const char *text = manifest_text("etcd", "x");
    OWNED(free) char *lost = stashed("/no/such/folder/a.yaml", text, 0);
    OWNED(free) char *link = stashed(MANIFESTS "/link.yaml", text, 0);
    OWNED(free) char *good = stashed(MANIFESTS "/etcd.yaml", text, 0);
    fixture_put(f, lost, text);
    fixture_put(f, good, text);
    assert_int_equal(symlink("/etc/passwd", fixture_host(f, link)), 0);
    fixture_put(f, STAGE "/somebody-elses", "x");
    OWNED(recovered_fini) struct recovered r = {0};
    assert_true(recover_stage(f->root, &f->node, &r, &f->e) < 0);
    assert_int_equal(r.put_back, 1);
    assert_string_equal(fixture_get(f, MANIFESTS "/etcd.yaml"), text);
    assert_true(fixture_has(f, lost));
    assert_false(fixture_has(f, MANIFESTS "/link.yaml"));
    assert_true(fixture_has(f, STAGE "/somebody-elses"));
}

static void test_beside_an_agent_and_one_target(void **state)
{
    struct fixture *f = *state;
    const char *text = manifest_text("etcd", "x");
    OWNED(free) char *one = stashed(MANIFESTS "/etcd.yaml", text, 0);
    OWNED(free) char *other = stashed(LIVE, text, 0);
    fixture_put(f, one, text);
    fixture_put(f, other, text);
    fixture_put(f, STAGE "/" FILE_TEMPORARY "1", "in use");
    OWNED(recovered_fini) struct recovered r = {0}, all = {0};
    assert_int_equal(recover_target(f->root, &f->node, LIVE, &r, &f->e), 0);
    assert_int_equal(r.put_back, 1);
    assert_true(fixture_has(f, LIVE) && fixture_has(f, one));
    assert_int_equal(recover_stashed(f->root, &f->node, &all, &f->e), 0);
    assert_int_equal(all.put_back, 1);
    assert_int_equal(all.removed, 0);
    assert_true(fixture_has(f, STAGE "/" FILE_TEMPORARY "1"));
}

static void test_check(void **state)
{
    struct fixture *f = *state;
    const char *text = manifest_text("etcd", "x");
    assert_int_equal(recover_check(f->root, &f->node, LIVE, &f->e), 0);
    OWNED(free) char *other = stashed(MANIFESTS "/etcd.yaml", text, 0);
    OWNED(free) char *conflict = stashed(LIVE, text, 1);
    OWNED(free) char *out = stashed(LIVE, text, 0);
    fixture_put(f, other, text);
    fixture_put(f, conflict, text);
    assert_int_equal(recover_check(f->root, &f->node, LIVE, &f->e), 0);
    fixture_put(f, out, text);
    assert_int_equal(recover_check(f->root, &f->node, LIVE, &f->e), -EBUSY);
    assert_non_null(strstr(f->e.text, "has to come home first"));
}

/* What a crash left half written in our own folders goes, and nothing else does. */
static void test_unfinished(void **state)
{
    struct fixture *f = *state;
    static const char *const ours[] = {"/var/lib/planeguard/" FILE_TEMPORARY "1",
                                       "/var/lib/planeguard/undo/i-1-0/" FILE_TEMPORARY "2"};
    static const char other[] = "/var/lib/planeguard/undo/i-1-0/a.yaml";
    assert_int_equal(folder_make(f->root, "/var/lib/planeguard/undo/i-1-0", 0700, &f->e), 0);
    fixture_put(f, ours[0], "half");
    fixture_put(f, ours[1], "half");
    fixture_put(f, other, "whole");
    assert_int_equal(symlink("/etc", fixture_host(f, "/var/lib/planeguard/link")), 0);
    OWNED(recovered_fini) struct recovered r = {0};
    assert_int_equal(recover_stage(f->root, &f->node, &r, &f->e), 0);
    assert_int_equal(recover_unfinished(f->root, "/var/lib/planeguard", &r, &f->e), 0);
    assert_int_equal(r.removed, 2);
    assert_int_equal(json_array_size(r.actions), 2);
    assert_false(fixture_has(f, ours[0]) || fixture_has(f, ours[1]));
    assert_string_equal(fixture_get(f, other), "whole");
    assert_true(recover_unfinished(f->root, "/no/such/folder", &r, &f->e) < 0);
}

static void test_no_stage(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rmdir(fixture_host(f, STAGE)), 0);
    recover_again(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_combinations, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_action, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_conflicts, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_goes_on_after_failure, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_beside_an_agent_and_one_target, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_check, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_unfinished, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_no_stage, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
