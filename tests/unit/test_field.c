/* Fields of all types: what decodes, what defaults give, that encoding comes back. What is refused
 * is tests/corpus/malformed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/duration.h"
#include "base/own.h"
#include "config/scalar.h"
#include "config/text.h"
#include "fake_catalog.h"

static struct pool *pool;

static int make_pool(void **state)
{
    (void)state;
    pool = pool_new();
    return 0;
}

static int drop_pool(void **state)
{
    (void)state;
    pool_free(pool);
    return 0;
}

static void decode(const struct field *fields, const char *text, void *target)
{
    struct err e;
    struct yaml *y = NULL;
    if (yaml_parse(pool, "f", text, strlen(text), &y, &e) < 0 ||
        fields_decode(fields, pool, y, target, &e) < 0)
        fail_msg("%s: %s", text, e.text);
}

static void decodes_all_types(void **state)
{
    (void)state;
    struct fake_https h = {0};
    decode(fake_https_fields,
           "url: https://[::1]:6443/livez?verbose\nca: /etc/ca.crt\nserverName: 'on'\n"
           "insecure: true\nstatus: 599\nslow: 250ms\nlimit: 1Mi\nonly: [critical, info]\n"
           "headers: [a, 'b c']\n",
           &h);
    assert_string_equal(h.url, "https://[::1]:6443/livez?verbose");
    assert_string_equal(h.ca, "/etc/ca.crt");
    assert_string_equal(h.server_name, "on");
    assert_true(h.insecure);
    assert_int_equal(h.status, 599);
    assert_int_equal(h.slow_usec, 250 * USEC_PER_MSEC);
    assert_int_equal(h.limit_bytes, 1 << 20);
    assert_int_equal(h.only, 1 << SEVERITY_CRITICAL | 1 << SEVERITY_INFO);
    assert_int_equal(h.headers.count, 2);
    assert_string_equal(h.headers.at[1], "b c");
    assert_null(h.headers.at[2]);
}

static void takes_defaults(void **state)
{
    (void)state;
    struct fake_https h = {0};
    decode(fake_https_fields, "url: http://a\n", &h);
    assert_null(h.ca);
    assert_false(h.insecure);
    assert_int_equal(h.status, 200);
    assert_int_equal(h.slow_usec, USEC_PER_SEC);
    assert_int_equal(h.limit_bytes, 64 << 10);
    assert_int_equal(h.only, 0);
    assert_int_equal(h.headers.count, 1);
    assert_string_equal(h.headers.at[0], "a: b");
}

static void takes_nothing_as_an_empty_mapping(void **state)
{
    (void)state;
    struct fake_note n = {0};
    struct err e;
    assert_int_equal(fields_decode(fake_note_fields, pool, NULL, &n, &e), 0);
    decode(fake_note_fields, "~", &n);
    decode(fake_note_fields, "{}", &n);
    assert_int_equal(n.entries.count, 0);
    assert_int_equal(n.box.size_bytes, 0); /* an absent object without `otherwise` is zero */
    decode(fake_note_fields, "box:", &n);
    assert_int_equal(n.box.size_bytes, 1024);
    struct fake_https h = {0};
    assert_int_equal(fields_decode(fake_https_fields, pool, NULL, &h, &e), -EINVAL);
    assert_non_null(strstr(e.text, "the key \"url\" is missing"));
}

static void decodes_lists_of_mappings(void **state)
{
    (void)state;
    struct fake_note n = {0};
    decode(fake_note_fields, "{entries: [{key: a}, {key: b, value: -5}], sign: minus}", &n);
    const struct fake_entry *entries = n.entries.at;
    assert_int_equal(n.entries.count, 2);
    assert_string_equal(entries[1].key, "b");
    assert_int_equal(entries[0].value, 0);
    assert_int_equal(entries[1].value, -5);
    assert_int_equal(n.sign, -1);
}

/* decode, encode, decode, encode: the two texts are the same. */
static void comes_back(const struct field *fields, const char *text, void *first, void *second)
{
    decode(fields, text, first);
    OWNED(json_decref) json_t *json = fields_encode(fields, first);
    OWNED(free) char *once = json_canonical(json);
    decode(fields, once, second);
    OWNED(json_decref) json_t *again = fields_encode(fields, second);
    OWNED(free) char *twice = json_canonical(again);
    assert_string_equal(once, twice);
}

static void encodes_what_decodes_to_the_same(void **state)
{
    (void)state;
    static const char *const https[] = {
        "url: http://a",
        "{url: 'http://a', ca: /, serverName: '', insecure: true, status: 100, slow: 1m}",
        "{url: 'http://a', limit: 1025, only: [], headers: []}",
        "{url: 'http://a', limit: 3Ki, only: [warning], headers: ['\"quoted\" \\', ü, 'null']}",
    };
    for (size_t i = 0; i < sizeof https / sizeof *https; i++) {
        struct fake_https a = {0}, b = {0};
        comes_back(fake_https_fields, https[i], &a, &b);
        assert_int_equal(a.limit_bytes, b.limit_bytes);
        assert_int_equal(a.only, b.only);
        assert_int_equal(a.headers.count, b.headers.count);
        assert_int_equal(a.server_name == NULL, b.server_name == NULL);
    }
    static const char *const notes[] = {"{}", "{box: {}}", "{box: {size: 0}}",
                                        "{entries: [{key: a, value: 7}], sign: plus}"};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        struct fake_note a = {0}, b = {0};
        comes_back(fake_note_fields, notes[i], &a, &b);
        assert_int_equal(a.box.size_bytes, b.box.size_bytes);
        assert_int_equal(a.sign, b.sign);
    }
    struct fake_collect a = {0}, b = {0};
    comes_back(fake_collect_fields, "{components: [x, y], depth: deep}", &a, &b);
    assert_int_equal(b.depth, 1);
}

static void gathers_all_errors(void **state)
{
    (void)state;
    struct fake_https h = {0};
    struct errors errors = {0};
    struct err e;
    struct yaml *y = NULL;
    const char text[] = "ca: x\nstatus: 1\ninsecure: 5\nheaders: [1, 2]\nzzz: 1\n";
    assert_int_equal(yaml_parse(pool, "f", text, strlen(text), &y, &e), 0);
    fields_decode_all(fake_https_fields, pool, y, &h, NULL, &errors);
    assert_int_equal(errors.count, 7); /* five values, the unknown key, the missing url */
    assert_non_null(strstr(errors.first.text, "f:1:5: "));
}

static void hands_other_keys_over(void **state)
{
    (void)state;
    struct fake_https h = {0};
    struct errors errors = {0};
    struct others others = {0};
    struct err e;
    struct yaml *y = NULL;
    const char text[] = "url: http://a\nx: 1\ny: 2\n";
    assert_int_equal(yaml_parse(pool, "f", text, strlen(text), &y, &e), 0);
    fields_decode_all(fake_https_fields, pool, y, &h, &others, &errors);
    assert_int_equal(errors.count, 0);
    assert_int_equal(others.count, 2);
    assert_string_equal(others.at[1]->key->text, "y");
}

static void formats_sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0"},
                 {1, "1"},
                 {1000, "1000"},
                 {1024, "1Ki"},
                 {1536, "1536"},
                 {3 << 20, "3Mi"},
                 {INT64_C(5) << 30, "5Gi"},
                 {INT64_C(1) << 40, "1Ti"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SIZE_TEXT];
        assert_string_equal(size_format(cases[i].bytes, text), cases[i].text);
    }
}

static void knows_texts(void **state)
{
    (void)state;
    static const char *const other[] = {"",     "null", "~",    "true",  "No",   "on",  "5",
                                        "-5",   "+5",   "1.5",  ".5",    "5.",   "1e5", "1.30",
                                        "0x1f", "0o7",  ".inf", "-.inf", ".nan", "1E+5"};
    static const char *const plain[] = {"a",  "1.2.3", "5s", "v1.30", "-",   ".",  "..",   "0xg",
                                        "1e", "e5",    "+",  "nope",  "1-2", "0x", "truer"};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_true(text_is_other_type(other[i]));
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_false(text_is_other_type(plain[i]));
    static const char *const urls[] = {"http://a", "https://a.b-c:1/", "https://[::1]:6443/x?y=z#w",
                                       "http://127.0.0.1:65535", "http://a?b"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        assert_true(text_is_url(urls[i]));
    static const char *const paths[] = {"/", "/a", "/a/b/", "/...", "/.a/..b", "/a b"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_true(text_is_path(paths[i]));
    static const char *const integers[] = {"0", "-0", "-17", "9223372036854775807"};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        assert_true(text_is_integer(integers[i]));
}

#define POOL_TEST(test) cmocka_unit_test_setup_teardown(test, make_pool, drop_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(decodes_all_types),
        POOL_TEST(takes_defaults),
        POOL_TEST(takes_nothing_as_an_empty_mapping),
        POOL_TEST(decodes_lists_of_mappings),
        POOL_TEST(encodes_what_decodes_to_the_same),
        POOL_TEST(gathers_all_errors),
        POOL_TEST(hands_other_keys_over),
        cmocka_unit_test(formats_sizes),
        cmocka_unit_test(knows_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
