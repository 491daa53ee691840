/* record/canonical.h: what json_canonical writes passes, and every other way to write it doesn't.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "record/canonical.h"

static bool check(const char *text)
{
    /* A copy of exactly that length: reading beyond it is the sanitizer's to see. */
    size_t length = strlen(text);
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    bool good = canonical_check(exact, length, NULL);
    free(exact);
    return good;
}

static void test_good(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}",
        "{\"a\":{}}",
        "{\"a\":[]}",
        "{\"a\":[[],{},\"\",0,true,false,null]}",
        "{\"\":1,\"a\":2}",
        "{\"A\":1,\"a\":2,\"aa\":3,\"ab\":4,\"b\":5}",
        "{\"n\":9007199254740991}",
        "{\"n\":-9007199254740991}",
        "{\"n\":[0,1,-1,10,-10]}",
        "{\"s\":\"\\\"\\\\\\b\\t\\n\\f\\r\"}",
        "{\"s\":\"/ ~!\"}",
        "{\"s\":\"\\u0001\\u001B\\u007F\\u0080\\u202E\\uFFFF\"}",
        "{\"s\":\"\\uD83D\\uDE00\"}",
        "{\"s\":\"\\uD800\\uDC00\\uDBFF\\uDFFF\"}",
        "{\"a\\\"\":1,\"a\\\\\":2}",
        "{\"a~\":1,\"a\\u007F\":2,\"a\\u00E9\":3,\"a\\uFFFF\":4,\"a\\uD800\\uDC00\":5}",
        "{\"a\\n\":1,\"a!\":2}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!check(good[i]))
            fail_msg("refused: %s", good[i]);
}

static const char *const bad[] = {
    /* not one object */
    "",
    "[]",
    "1",
    "\"a\"",
    "null",
    "{",
    "}",
    "{}}",
    "{}{}",
    "{} ",
    " {}",
    "{}\n",
    /* white space */
    "{ }",
    "{\"a\": 1}",
    "{\"a\" :1}",
    "{\"a\":1 }",
    "{\"a\":1, \"b\":2}",
    "{\"a\":[1, 2]}",
    "{\"a\":\t1}",
    /* form */
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,\"a\":1}",
    "{\"a\":1\"b\":2}",
    "{\"a\":[1,]}",
    "{\"a\":[,1]}",
    "{\"a\":[1 2]}",
    "{\"a\":[1}",
    "{\"a\":{]}",
    "{\"a\":[}]",
    "{a:1}",
    "{1:1}",
    "{'a':1}",
    "{\"a\":1}}",
    "{\"a\":[1]]}",
    "{\"a",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":\"b",
    "{\"a\":[",
    "{\"a\":1,",
    /* keys: order and doubles */
    "{\"ab\":1,\"aa\":2}",
    "{\"b\":1,\"a\":2}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\":2}",
    "{\"aa\":1,\"a\":2}",
    "{\"a\":1,\"A\":2}",
    "{\"a\":1,\"b\":2,\"b\":3}",
    "{\"x\":{\"b\":1,\"a\":2}}",
    "{\"x\":[{\"a\":1,\"a\":2}]}",
    "{\"a\\u00E9\":1,\"a~\":2}",
    "{\"\\uFFFF\":1,\"\\u0080\":2}",
    "{\"\\uD800\\uDC00\":1,\"\\uFFFF\":2}",
    "{\"\\u00E9\":1,\"\\u00E9\":2}",
    "{\"a!\":1,\"a\\n\":2}",
    /* strings */
    "{\"a\":\"\x7f\"}",
    "{\"a\":\"\x1f\"}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"\xc3\xa9\"}",
    "{\"\xc3\xa9\":1}",
    "{\"a\":\"\x80\"}",
    "{\"a\":\"\\/\"}",
    "{\"a\":\"\\a\"}",
    "{\"a\":\"\\u0041\"}",
    "{\"a\":\"\\u0022\"}",
    "{\"a\":\"\\u005C\"}",
    "{\"a\":\"\\u000A\"}",
    "{\"a\":\"\\u0008\"}",
    "{\"a\":\"\\u0000\"}",
    "{\"a\":\"\\u00e9\"}",
    "{\"a\":\"\\u00E\"}",
    "{\"a\":\"\\u00EG\"}",
    "{\"a\":\"\\U00E9\"}",
    "{\"a\":\"\\uD83D\"}",
    "{\"a\":\"\\uDE00\"}",
    "{\"a\":\"\\uD83D\\uD83D\"}",
    "{\"a\":\"\\uD83Dx\"}",
    "{\"a\":\"\\uD83D\\n\"}",
    "{\"a\":\"\\uDE00\\uD83D\"}",
    "{\"a\":\"\\",
    "{\"a\":\"\\u",
    "{\"a\":\"\\u00",
    "{\"a\":\"\\uD83D\\uDE0",
    "{\"a\":\"b\"c\"}",
    /* numbers */
    "{\"a\":01}",
    "{\"a\":-0}",
    "{\"a\":00}",
    "{\"a\":-01}",
    "{\"a\":+1}",
    "{\"a\":-}",
    "{\"a\":1.0}",
    "{\"a\":1e3}",
    "{\"a\":.5}",
    "{\"a\":9007199254740992}",
    "{\"a\":-9007199254740992}",
    "{\"a\":10000000000000000}",
    "{\"a\":99999999999999999999999}",
    "{\"a\":0x1}",
    "{\"a\":NaN}",
    /* words */
    "{\"a\":True}",
    "{\"a\":tru}",
    "{\"a\":nul}",
    "{\"a\":truefalse}",
    "{\"a\":nulll}",
    "{\"a\":t",
    "{\"a\":fals",
    /* half an escape, and two units that are no pair */
    "{\"a\":\"\\",
    "{\"a\":\"\\uDC00\\uDC00\"}",
    "{\"a\":\"\\uD800\\uE000\"}",
    "{\"a\":\"\\uD800\\u0041\"}",
    "{\"a\":\"\\uD800xu0041\"}",
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (check(bad[i]))
            fail_msg("taken: %s", bad[i]);
    assert_false(canonical_check("{\"a\":\"\\\0\"}", 10, NULL)); /* a NUL is no letter */
}

static void test_odd_byte_at_every_offset(void **state)
{
    (void)state;
    char text[64];
    for (int byte = 1; byte < 256; byte++)
        for (size_t at = 0; at < 24; at++) {
            memcpy(text, "{\"a\":\"012345678901234567890123\"}", 33);
            text[6 + at] = (char)byte;
            bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
            assert_int_equal(check(text), plain);
        }
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = CANONICAL_DEPTH - 1; depth <= CANONICAL_DEPTH + 1; depth++) {
        struct buf b = {0};
        buf_text(&b, "{\"a\":");
        for (int i = 1; i < depth; i++)
            buf_text(&b, "[");
        for (int i = 1; i < depth; i++)
            buf_text(&b, "]");
        buf_text(&b, "}");
        assert_int_equal(check(buf_string(&b)), depth <= CANONICAL_DEPTH);
        buf_fini(&b);
    }
}

static void test_version(void **state)
{
    (void)state;
    static const struct {
        const char *text, *version;
    } cases[] = {
        {"{\"a\":1}", NULL},
        {"{\"v\":1}", "1"},
        {"{\"a\":{\"v\":2},\"v\":1,\"x\":{\"v\":3}}", "1"},
        {"{\"a\":{\"v\":2}}", NULL},
        {"{\"v\":\"x\"}", "\"x\""},
        {"{\"vv\":1}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct canonical_seen seen;
        assert_true(canonical_check(cases[i].text, strlen(cases[i].text), &seen));
        assert_int_equal(seen.version != NULL, cases[i].version != NULL);
        if (seen.version) {
            assert_int_equal(seen.version_length, strlen(cases[i].version));
            assert_memory_equal(seen.version, cases[i].version, seen.version_length);
        }
    }
}

/* ---- what we write is what we take, and nothing near it is unless it is its own canonical form */

static uint64_t seed = 1;

static uint64_t dice(uint64_t sides)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % sides;
}

static json_t *random_text(void)
{
    static const char *const pieces[] = {"a",
                                         "Z",
                                         "~",
                                         "\x7f",
                                         "\n",
                                         "\"",
                                         "\\",
                                         "\xc3\xa9",
                                         "\xe2\x80\xae",
                                         "\xf0\x9f\x98\x80",
                                         "\x1b",
                                         "longer text with blanks",
                                         "/",
                                         "\xef\xbf\xbf"};
    struct buf b = {0};
    for (uint64_t n = dice(6); n > 0; n--)
        buf_text(&b, pieces[dice(sizeof pieces / sizeof *pieces)]);
    json_t *text = json_text(buf_string(&b), b.length);
    /* json_text knows no DEL; jansson does. */
    json_t *raw = dice(2) ? json_string(buf_string(&b)) : json_incref(text);
    json_decref(text);
    buf_fini(&b);
    return raw;
}

static json_t *random_value(int depth)
{
    switch (dice(depth > 3 ? 5 : 7)) {
    case 0:
        return json_integer((json_int_t)dice(UINT64_C(1) << 31) - (1 << 30));
    case 1:
        return json_boolean(dice(2));
    case 2:
        return json_null();
    case 3:
    case 4:
        return random_text();
    case 5: {
        json_t *array = json_array();
        for (uint64_t n = dice(5); n > 0; n--)
            json_push(array, random_value(depth + 1));
        return array;
    }
    default: {
        json_t *object = json_object();
        for (uint64_t n = dice(6); n > 0; n--) {
            json_t *key = random_text();
            json_put(object, json_string_value(key), random_value(depth + 1));
            json_decref(key);
        }
        return object;
    }
    }
}

static void test_written_is_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        json_t *object = json_object();
        json_put(object, "x", random_value(0));
        json_put(object, "y", random_value(0));
        char *text = canonical_text(object);
        if (!check(text))
            fail_msg("refused what was written: %s", text);
        size_t at = dice(strlen(text));
        text[at] = (char)(1 + dice(255));
        json_t *other = check(text) ? json_parse(text, strlen(text), NULL) : NULL;
        if (check(text)) {
            assert_non_null(other);
            char *again = canonical_text(other);
            assert_string_equal(again, text);
            free(again);
            json_decref(other);
        }
        free(text);
        json_decref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_odd_byte_at_every_offset),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_written_is_taken),
    };
    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
