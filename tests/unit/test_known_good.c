/* act/known_good.h: the newest and the one before, verified. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/known_good.h"
#include "act_fixture.h"

#define LIVE MANIFESTS "/etcd.yaml"
#define KEPT "/var/lib/planeguard/known-good/etcd"

static enum outcome keep(struct fixture *f, const char *text)
{
    char hex[DIGEST_HEX + 1];
    struct digest d = digest_of(text, strlen(text));
    fixture_put(f, LIVE, text);
    return known_good_keep(&f->hand, "etcd", LIVE, digest_hex(&d, hex), &f->e);
}

static void check_newest(struct fixture *f, const struct digest *except, const char *wanted)
{
    OWNED(known_good_fini) struct known_good k = {0};
    assert_int_equal(known_good_find(f->root, "etcd", except, &k, &f->e), 0);
    assert_string_equal(buf_string(&k.bytes), wanted);
}

static size_t copies(struct fixture *f)
{
    return fixture_count(f, KEPT) / 2; /* each with its story */
}

static void test_keep_and_find(void **state)
{
    struct fixture *f = *state;
    OWNED(known_good_fini) struct known_good k = {0};
    const char *a = manifest_text("etcd", "a"), *b = manifest_text("etcd", "b"),
               *c = manifest_text("etcd", "c");
    assert_int_equal(known_good_find(f->root, "etcd", NULL, &k, &f->e), -ENOENT);
    assert_int_equal(keep(f, a), OUTCOME_DONE);
    assert_int_equal(keep(f, a), OUTCOME_ALREADY);
    assert_int_equal(copies(f), 1);
    check_newest(f, NULL, a);
    struct digest da = digest_of(a, strlen(a)), db = digest_of(b, strlen(b));
    assert_int_equal(known_good_find(f->root, "etcd", &da, &k, &f->e), -ENOENT);
    assert_int_equal(keep(f, b), OUTCOME_DONE);
    check_newest(f, NULL, b);
    check_newest(f, &db, a);
    assert_int_equal(keep(f, c), OUTCOME_DONE);
    assert_int_equal(copies(f), 2);
    assert_int_equal(known_good_get(f->root, "etcd", &da, &k, &f->e), -ENOENT);
    assert_int_equal(known_good_get(f->root, "etcd", &db, &k, &f->e), 0);
    /* Back to an earlier one: newest, and not kept twice. */
    assert_int_equal(keep(f, b), OUTCOME_DONE);
    assert_int_equal(copies(f), 2);
    check_newest(f, NULL, b);
    check_newest(f, &db, c);
}

static void test_owner(void **state)
{
    struct fixture *f = *state;
    const char *a = manifest_text("etcd", "a");
    char hex[DIGEST_HEX + 1];
    struct digest d = digest_of(a, strlen(a));
    fixture_put(f, LIVE, a);
    assert_int_equal(chmod(fixture_host(f, LIVE), 0640), 0);
    uid_t uid = geteuid() == 0 ? 7 : geteuid();
    assert_int_equal(chown(fixture_host(f, LIVE), uid, (gid_t)-1), 0);
    assert_int_equal(known_good_keep(&f->hand, "etcd", LIVE, digest_hex(&d, hex), &f->e),
                     OUTCOME_DONE);
    OWNED(known_good_fini) struct known_good k = {0};
    assert_int_equal(known_good_find(f->root, "etcd", NULL, &k, &f->e), 0);
    assert_int_equal(k.owner.mode, 0640);
    assert_int_equal(k.owner.uid, uid);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    const char *a = manifest_text("etcd", "a"), *other = manifest_text("kube-apiserver", "a");
    char hex[DIGEST_HEX + 1];
    struct digest d = digest_of("other", 5);
    fixture_put(f, LIVE, a);
    assert_int_equal(known_good_keep(&f->hand, "etcd", LIVE, digest_hex(&d, hex), &f->e),
                     OUTCOME_REFUSED);
    assert_int_equal(keep(f, other), OUTCOME_REFUSED);
    assert_int_equal(keep(f, "apiVersion: v1\n"), OUTCOME_REFUSED);
    assert_int_equal(keep(f, ""), OUTCOME_REFUSED);
    fixture_remove(f, LIVE);
    assert_int_equal(known_good_keep(&f->hand, "etcd", LIVE, digest_hex(&d, hex), &f->e),
                     OUTCOME_REFUSED);
    assert_int_equal(known_good_keep(&f->hand, "etcd", LIVE, "no digest", &f->e), OUTCOME_FAILED);
    assert_int_equal(copies(f), 0);
}

/* Damaged copies and foreign names are passed over; the one before is found. */
static void test_damaged(void **state)
{
    struct fixture *f = *state;
    const char *a = manifest_text("etcd", "a"), *b = manifest_text("etcd", "b");
    assert_int_equal(keep(f, a), OUTCOME_DONE);
    assert_int_equal(keep(f, b), OUTCOME_DONE);
    OWNED(names_fini) struct names n = {0};
    assert_int_equal(folder_list(f->root, KEPT, &n, &f->e), 0);
    char path[512];
    (void)snprintf(path, sizeof path, KEPT "/%s", n.at[n.count - 1]);
    assert_non_null(strstr(path, ".yaml"));
    fixture_put(f, path, "damaged");
    fixture_put(f, KEPT "/9999999999-x.yaml", "x");
    fixture_put(f, KEPT "/" FILE_TEMPORARY "1", "x");
    check_newest(f, NULL, a);
    assert_int_equal(keep(f, b), OUTCOME_DONE); /* kept anew: the damaged one doesn't count */
    check_newest(f, NULL, b);
    assert_false(fixture_has(f, KEPT "/" FILE_TEMPORARY "1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keep_and_find, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_owner, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_damaged, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
