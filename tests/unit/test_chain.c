/* One line of the journal: its parts, and everything that is nearly a line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "record/chain.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHORT_HASH "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int parse(const char *text, struct line *ret)
{
    return line_parse(text, strlen(text), ret);
}

static void test_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *body;
        uint64_t seq;
    } rows[] = {
        {"{\"body\":{},\"hash\":\"" HASH "\",\"seq\":0,\"since\":0}", "{}", 0},
        {"{\"body\":,\"hash\":\"" HASH "\",\"seq\":10,\"since\":10}", "", 10},
        {"{\"body\":{\"a\":1},\"hash\":\"" HASH
         "\",\"seq\":18446744073709551615,\"since\":18446744073709551615}",
         "{\"a\":1}", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line l;
        assert_int_equal(parse(rows[i].text, &l), 0);
        assert_int_equal(l.seq, rows[i].seq);
        assert_int_equal(l.since, rows[i].seq);
        assert_int_equal(l.body_length, strlen(rows[i].body));
        assert_memory_equal(l.body, rows[i].body, l.body_length);
        assert_memory_equal(l.hash, HASH, DIGEST_HEX);
        struct buf out = {0};
        line_write(&l, &out);
        assert_memory_equal(buf_string(&out), rows[i].text, strlen(rows[i].text));
        assert_string_equal(buf_string(&out) + strlen(rows[i].text), "\n");
        buf_fini(&out);
    }
}

static void test_no_line(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "}",
        "1}",
        "12345}",
        ":1}",
        ",\"seq\":1,\"since\":1}",
        "\",\"seq\":1,\"since\":1}",
        SHORT_HASH "\",\"seq\":1,\"since\":1}",
        HASH "\",\"seq\":1,\"since\":1}",
        "\"" HASH "\",\"seq\":1,\"since\":1}",
        ",\"hash\":\"" HASH "\",\"seq\":1,\"since\":1}",
        "body\":,\"hash\":\"" HASH "\",\"seq\":1,\"since\":1}",
        "xbody\":{}x,\"hash\":\"" HASH "\",\"seq\":1,\"since\":1}",
        "{\"body\":{},\"hash\":\"" SHORT_HASH "\",\"seq\":1,\"since\":1}",
        "{\"body\":{},\"hash\":\"A" SHORT_HASH "\",\"seq\":1,\"since\":1}",
        "{\"body\":{},\"hash\":\"" HASH "\",\"seq\":,\"since\":1}",
        "{\"body\":{},\"hash\":\"" HASH "\",\"seq\":1}",
        "{\"body\":{},\"hash\":\"" HASH "\",\"seq\":1,\"since\":}",
        "{\"body\":{},\"hash\":\"" HASH "\",\"seq\":1,\"since\":01}",
        "{\"body\":{},\"hash\":\"" HASH "\",\"since\":1,\"seq\":1}",
        "{\"body\":{},\"hash\":\"" HASH "\",\"seq\":-1,\"since\":1}",
        "{\"body\":{},\"hash\":\"" HASH "\",\"seq\":007,\"since\":007}",
        "{\"body\":{},\"hash\":\"" HASH "\",\"seq\":00,\"since\":00}",
        "{\"body\":{},\"hash\":\"" HASH
        "\",\"seq\":18446744073709551616,\"since\":18446744073709551616}",
        "{\"body\":{},\"hash\":\"" HASH
        "\",\"seq\":99999999999999999999,\"since\":99999999999999999999}",
        "{\"body\":{},\"hash\":\"" HASH
        "\",\"seq\":1234567890123456789012345,\"since\":1234567890123456789012345}",
        "{\"body\":{},\"hash\":\"" HASH "\",\"seq\":1,\"since\":1} ",
        "{\"body\":{},\"hash\":\"" HASH "\",\"seq\":1,\"since\":1}\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line l;
        if (parse(rows[i], &l) != -EINVAL)
            fail_msg("taken: %s", rows[i]);
    }
}

static void test_longest(void **state)
{
    (void)state;
    struct buf out = {0};
    char *body = mem_alloc(LINE_BYTES_MAX);
    memset(body, 'x', LINE_BYTES_MAX);
    struct line found, l = {body, line_body_max(), HASH, UINT64_MAX, UINT64_MAX};
    line_write(&l, &out);
    assert_true(out.length <= LINE_BYTES_MAX);
    assert_int_equal(line_parse(out.bytes, out.length - 1, &found), 0);
    assert_int_equal(line_parse(out.bytes, LINE_BYTES_MAX, &found), -EINVAL);
    buf_fini(&out);
    free(body);
    chain_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_no_line),
        cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
