/* base/utf8.h, and what it makes of errors' texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/utf8.h"

static void test_calm(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x92\xa9",
         "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x92\xa9"},
        {"a\nb\tc\x1b[31m\x7f", "a?b?c?[31m?"},
        {"\xc2\x9b"
         "31m \xc2\xa0",
         "?31m \xc2\xa0"},
        {"\xe2\x80\xae \xe2\x80\x8f \xe2\x81\xa6 \xd8\x9c \xe2\x80\xa8", "? ? ? ? ?"},
        {"\x9b \xc3 \xe2\x82 \xc0\xaf \xed\xa0\x80", "? ? ?? ?? ???"},
        {"cut \xe2\x82", "cut ??"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        strcpy(text, cases[i].in);
        assert_string_equal(utf8_calm(text), cases[i].out);
    }
}

static void test_cut(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"abcd", "abcd"},
        {"abcde", "abcd"},
        {"abc\xc3\xa4", "abc"},
        {"ab\xc3\xa4", "ab\xc3\xa4"},
        {"ab\xe2\x82\xac", "ab"},
        {"a\xf0\x9f\x92\xa9", "a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[5];
        assert_string_equal(utf8_cut(text, sizeof text, cases[i].in), cases[i].out);
    }
}

static void test_errors_are_calm(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(err_set(&e, -5, "\"%s\"", "a\x1b[2J\n"), -5);
    assert_string_equal(e.text, "\"a?[2J?\"");
    assert_int_equal(err_wrap(&e, -5, "%s", "\xc2\x9b"), -5);
    assert_string_equal(e.text, "?: \"a?[2J?\"");
    assert_int_equal(err_errno(&e, 2, "%s", "x\ny"), -2);
    assert_string_equal(e.text, "x?y: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calm),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_errors_are_calm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
