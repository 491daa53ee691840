/* act/stash.h: names that carry all that putting back needs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "act/stash.h"

static struct digest some(void)
{
    return digest_of("bytes", 5);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const char *const targets[] = {
        "/etc/kubernetes/manifests/kube-apiserver.yaml",
        "/a",
        "/etc/kubernetes/manifests/a+b%c.yaml",
        "/x/%2b+%25",
        "/x/.hidden",
        "/x/a..b",
        "/x/\xc3\xa4.yaml",
    };
    struct digest d = some();
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        for (unsigned conflict = 0; conflict < 2; conflict++) {
            char name[STASH_NAME];
            struct stash s;
            assert_int_equal(stash_name(targets[i], &d, conflict, name, NULL), 0);
            assert_null(strchr(name, '/'));
            assert_int_equal(stash_parse(name, &s), 0);
            assert_string_equal(s.target, targets[i]);
            assert_true(digest_equal(&s.digest, &d));
            assert_int_equal(s.state, conflict ? STASH_CONFLICT : STASH_OUT);
        }
}

static void test_refused_targets(void **state)
{
    (void)state;
    static const char *const targets[] = {"",      "a",       "/",      "/a/",   "//a",
                                          "/a//b", "/a/../b", "/..",    "/.",    "/a/.",
                                          "/a\nb", "/a\x7f",  "/a/./b", "a/../b"};
    struct digest d = some();
    char name[STASH_NAME] = "untouched";
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_int_equal(stash_name(targets[i], &d, 0, name, NULL), -EINVAL);
    assert_string_equal(name, "untouched");
}

static void test_name_max(void **state)
{
    (void)state;
    struct digest d = some();
    size_t longest = 0;
    for (size_t length = 2; length < 400; length++) {
        char target[512], name[STASH_NAME];
        memset(target, 'a', length);
        target[0] = '/';
        target[length] = '\0';
        int code = stash_name(target, &d, 0, name, NULL);
        assert_true(code == 0 || code == -ENAMETOOLONG);
        if (code < 0)
            continue;
        longest = length;
        assert_true(strlen(name) <= NAME_MAX);
        /* What goes out can always be set aside. */
        assert_int_equal(stash_name(target, &d, 1, name, NULL), 0);
        assert_int_equal(stash_name(target, &d, STASH_CONFLICTS_MAX, name, NULL), 0);
        assert_true(strlen(name) <= NAME_MAX);
    }
    assert_true(longest > 150);
    /* A foreign one may be longer: set aside once it just fits, a second time it doesn't. */
    char target[NAME_MAX] = "/", name[STASH_NAME];
    memset(target + 1, 'a', NAME_MAX - strlen("conflict-") - DIGEST_HEX - 2);
    assert_int_equal(stash_name(target, &d, 1, name, NULL), 0);
    assert_int_equal(strlen(name), NAME_MAX);
    assert_int_equal(stash_name(target, &d, 2, name, NULL), -ENAMETOOLONG);
}

static void test_foreign_names(void **state)
{
    (void)state;
    struct digest d = some();
    char good[STASH_NAME], hex[DIGEST_HEX + 1], name[4 * STASH_NAME];
    assert_int_equal(stash_name("/a/b", &d, 0, good, NULL), 0);
    digest_hex(&d, hex);
    struct stash s;
    /* Each cut of a good name but those within the target's plain text. */
    for (size_t length = 0; length < strlen("out-") + DIGEST_HEX + 2; length++) {
        (void)snprintf(name, sizeof name, "%.*s", (int)length, good);
        assert_int_equal(stash_parse(name, &s), -EINVAL);
    }
    static const char *const tails[] = {"a",     "+a+..+b", "+..", "+a%",  "+a%2",
                                        "+a%2f", "+a%00",   "++",  "+a/b", "/a"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        (void)snprintf(name, sizeof name, "out-%s-%s", hex, tails[i]);
        assert_int_equal(stash_parse(name, &s), -EINVAL);
    }
    static const char *const others[] = {"", ".new-0123", "kube-apiserver.yaml", "out-",
                                         "conflict-"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(stash_parse(others[i], &s), -EINVAL);
    (void)snprintf(name, sizeof name, "out-%s++a", hex); /* no dash behind the digest */
    assert_int_equal(stash_parse(name, &s), -EINVAL);
    (void)snprintf(name, sizeof name, "out-%s-+%0300d", hex, 0); /* longer than any name */
    assert_int_equal(stash_parse(name, &s), -EINVAL);
    hex[3] = 'X';
    (void)snprintf(name, sizeof name, "out-%s-+a", hex);
    assert_int_equal(stash_parse(name, &s), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused_targets),
        cmocka_unit_test(test_name_max),
        cmocka_unit_test(test_foreign_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
