#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "observe/health.h"

#define NAME_95                                                                                    \
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"                                             \
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *body, *failing;
    } cases[] = {
        {"", ""},
        {"ok", ""},
        {"[+]ping ok\n[+]etcd ok\nlivez check passed\n", ""},
        /* As an API server without etcd says it. */
        {"[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\n"
         "[-]etcd-readiness failed: reason withheld\n"
         "[+]poststarthook/start-apiextensions-controllers ok\nreadyz check failed\n",
         "etcd etcd-readiness"},
        {"[-]poststarthook/rbac/bootstrap-roles failed: reason "
         "withheld\n[-]autoregister-completion "
         "failed: reason withheld\n",
         "autoregister-completion poststarthook/rbac/bootstrap-roles"},
        {"[-]last failed", "last"},
        {"[-]b failed\r\n[-]a failed\r\n", "a b"},
        {"[-]etcd excluded: ok\n", "etcd"},
        /* What is no such line. */
        {"[-]", ""},
        {"[-] failed\n", ""},
        {"[-]name\n", ""},
        {" [-]name failed\n", ""},
        {"x[-]name failed\n", ""},
        {"[-]two\033[31m failed\n", ""},
        {"[-]quo\"te failed\n[-]\xe2\x80\xae"
         "bidi failed\n[-]good failed\n",
         "good"},
        {"[-]" NAME_95 " failed\n", NAME_95},
        {"[-]" NAME_95 "n failed\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf failing = {0};
        (void)health_failing(cases[i].body, strlen(cases[i].body), &failing);
        assert_string_equal(buf_string(&failing), cases[i].failing);
        buf_fini(&failing);
    }
}

static void test_no_more_than_counted(void **state)
{
    (void)state;
    struct buf body = {0}, failing = {0};
    for (int i = 0; i < 100; i++)
        buf_printf(&body, "[-]check-%03d failed: reason withheld\n", 99 - i);
    assert_int_equal(health_failing(buf_string(&body), body.length, &failing), HEALTH_CHECKS_MAX);
    assert_int_equal(failing.length, HEALTH_CHECKS_MAX * strlen("check-000 ") - 1);
    assert_memory_equal(buf_string(&failing), "check-068 check-069", 19);
    buf_fini(&body);
    buf_fini(&failing);
}

/* Cut anywhere, with bytes of any value: nothing is read beyond the end. */
static void test_any_cut_any_byte(void **state)
{
    (void)state;
    static const char whole[] = "[+]ping ok\n[-]etcd failed: x\n[-]b failed\n";
    for (size_t length = 0; length < sizeof whole; length++) {
        for (int byte = 0; byte < 256; byte++) {
            char *exact = malloc(length + 1); /* one byte more, of any value */
            assert_non_null(exact);
            memcpy(exact, whole, length);
            exact[length] = (char)byte;
            struct buf failing = {0};
            assert_true(health_failing(exact, length + 1, &failing) <= 2);
            buf_fini(&failing);
            free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_no_more_than_counted),
        cmocka_unit_test(test_any_cut_any_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
