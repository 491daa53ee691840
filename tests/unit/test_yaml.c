#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "config/yaml.h"

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

static struct yaml *parsed(const char *text)
{
    struct err e;
    struct yaml *y = NULL;
    if (yaml_parse(pool, "f.yaml", text, strlen(text), &y, &e) < 0)
        fail_msg("%s", e.text);
    return y;
}

static struct yaml *foreign(const char *text)
{
    struct err e;
    struct yaml *y = NULL;
    if (yaml_parse_foreign(pool, "f.yaml", text, strlen(text), &y, &e) < 0)
        fail_msg("%s", e.text);
    return y;
}

static void builds_trees_with_places(void **state)
{
    (void)state;
    const struct yaml *y = parsed("a: 1\nb:\n  - x\n  - {c: 'd'}\nc: >-\n  two\n  lines\n");
    assert_int_equal(y->kind, YAML_MAPPING_KIND);
    assert_int_equal(y->count, 3);
    assert_null(y->next);
    assert_string_equal(yaml_get(y, "a")->text, "1");
    assert_false(yaml_get(y, "a")->quoted);
    const struct yaml *b = yaml_get(y, "b");
    assert_int_equal(b->kind, YAML_SEQUENCE_KIND);
    assert_int_equal(b->count, 2);
    assert_int_equal(b->line, 3);
    assert_int_equal(b->column, 3);
    assert_int_equal(b->key->line, 2);
    assert_string_equal(b->first->text, "x");
    const struct yaml *d = yaml_get(b->first->next, "c");
    assert_true(d->quoted);
    assert_int_equal(d->line, 4);
    assert_int_equal(d->column, 9);
    assert_string_equal(yaml_get(y, "c")->text, "two lines");
    assert_true(yaml_get(y, "c")->quoted);
}

static void reads_by_path(void **state)
{
    (void)state;
    const struct yaml *y = parsed("a: {b: {c: deep}, n: , t: '~'}\nl: [1]\n");
    assert_string_equal(yaml_text(y, "a.b.c", "none"), "deep");
    assert_string_equal(yaml_text(y, "a.b", "none"), "none");
    assert_string_equal(yaml_text(y, "a.n", "none"), "none");
    assert_string_equal(yaml_text(y, "a.t", "none"), "~");
    assert_string_equal(yaml_text(y, "a.x.c", "none"), "none");
    assert_string_equal(yaml_text(NULL, "a", "none"), "none");
    assert_null(yaml_path(y, "l.1"));
    assert_null(yaml_get(y, "aa"));
    assert_null(yaml_get(NULL, "a"));
}

static void separates_documents(void **state)
{
    (void)state;
    assert_null(parsed(""));
    assert_null(parsed("# nothing\n"));
    assert_null(parsed("---\n---\n...\n"));
    const struct yaml *y = parsed("---\n---\na: 1\n---\n# c\n---\nb: 2\n...\n");
    assert_non_null(yaml_get(y, "a"));
    assert_non_null(yaml_get(y->next, "b"));
    assert_null(y->next->next);
    assert_true(parsed("''")->quoted); /* an empty text is no empty document */
}

/* The bytes that a value takes, of which a splice replaces none too many. */
static void knows_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *path, *bytes;
    } cases[] = {
        {"a: b # c\n", "a", "b"},
        {"a: 'b c' # d\n", "a", "'b c'"},
        {"\xef\xbb\xbf"
         "a: b\n",
         "a", "b"},
        {"# \xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\x80\na: b\n", "a", "b"},
        {"ü: 'ä'\na: ö\n", "a", "ö"},
        {"a: {b: c}\n", "a", "{b: c}"},
        {"a: [b, c] # d\n", "a", "[b, c]"},
        {"a:\n  b: c\n\n# d\ne: f\n", "a", "b: c"},
        {"a:\n  - b\n  - c # d\n\ne: f\n", "a", "- b\n  - c"},
        {"a: b\r\nc: d\r\n", "c", "d"},
        {"a:\n  b:\n    c: d\n  # e\n", "a.b", "c: d"},
        {"{\"a\": {\"b\": [1, 2]}}", "a.b", "[1, 2]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct yaml *y = yaml_path(parsed(cases[i].text), cases[i].path);
        assert_non_null(y);
        assert_int_equal(y->end_offset - y->offset, strlen(cases[i].bytes));
        assert_memory_equal(cases[i].text + y->offset, cases[i].bytes, strlen(cases[i].bytes));
    }
}

static void takes_foreign_habits(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "a: &x 1\n",    "a: &x 1\nb: *x\n", "a: !!str 1\n",          "a: 1\na: 2\n",
        "? [a]\n: b\n", "<<: {a: b}\n",     "%YAML 1.1\n---\na: 1\n"};
    assert_false(foreign("a: 1\n")->odd);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_true(foreign(odd[i])->odd);
    assert_string_equal(yaml_text(foreign("a: &x 1\nb: *x\n"), "b", "nothing"), "nothing");
    assert_false(foreign("a: &x 1\n---\nb: 1\n")->next->odd);
}

static void goes_on_after_a_refusal(void **state)
{
    (void)state;
    const char text[] = "a: &x 1\n---\nb: 1\n---\nc: 1\nc: 2\n---\nd: 1\n---\n{\n";
    struct errors errors = {0};
    struct yaml *y = NULL;
    assert_int_equal(yaml_parse_all(pool, "f", text, strlen(text), &y, &errors), -EINVAL);
    assert_int_equal(errors.count, 3);
    assert_non_null(strstr(errors.first.text, "f:1:4: an anchor"));
    assert_non_null(yaml_get(y, "b"));
    assert_non_null(yaml_get(y->next, "d"));
    assert_null(y->next->next);
}

static void leaves_the_result_alone_on_failure(void **state)
{
    (void)state;
    struct yaml mark, *y = &mark;
    struct err e;
    assert_int_equal(yaml_parse(pool, "f", "a: 1\n---\n{", 10, &y, &e), -EINVAL);
    assert_ptr_equal(y, &mark);
}

/* ---- bounds: just within, just beyond ---- */

static int result_of(const struct buf *text)
{
    struct yaml *y = NULL;
    struct err e;
    return yaml_parse(pool, "f", buf_string(text), text->length, &y, &e);
}

static void bounds_bytes(void **state)
{
    (void)state;
    OWNED(buf_fini) struct buf text = {0};
    buf_text(&text, "a: b\n#");
    while (text.length < YAML_FILE_BYTES_MAX)
        buf_text(&text, "x");
    assert_int_equal(result_of(&text), 0);
    buf_text(&text, "x");
    assert_int_equal(result_of(&text), -EFBIG);
}

static void bounds_depth(void **state)
{
    (void)state;
    for (int depth = YAML_DEPTH_MAX - 1; depth <= YAML_DEPTH_MAX + 1; depth++) {
        OWNED(buf_fini) struct buf text = {0};
        for (int i = 0; i < depth; i++)
            buf_text(&text, "[");
        for (int i = 0; i < depth; i++)
            buf_text(&text, "]");
        assert_int_equal(result_of(&text), depth <= YAML_DEPTH_MAX ? 0 : -EINVAL);
    }
    OWNED(buf_fini) struct buf open = {0};
    for (int i = 0; i < YAML_FILE_BYTES_MAX; i++)
        buf_text(&open, "[");
    assert_int_equal(result_of(&open), -EINVAL);
}

static void bounds_nodes(void **state)
{
    (void)state;
    for (int nodes = YAML_NODES_MAX - 1; nodes <= YAML_NODES_MAX + 1; nodes++) {
        OWNED(buf_fini) struct buf text = {0};
        for (int i = 0; i < nodes - 1; i++) /* the list itself is one */
            buf_text(&text, "- a\n");
        assert_int_equal(result_of(&text), nodes <= YAML_NODES_MAX ? 0 : -EINVAL);
    }
}

/* Every cut of a document either reads or is refused; memory's checkers watch. */
static void survives_cuts(void **state)
{
    (void)state;
    const char text[] = "a: &x \"b\\n\"\nc: [1, {d: *x}]\n? e\n: !!t |\n  f\n---\ng: 'h'\n";
    for (size_t i = 0; i <= strlen(text); i++) {
        struct yaml *y = NULL;
        struct errors errors = {0};
        (void)yaml_parse_foreign(pool, "f", text, i, &y, NULL);
        (void)yaml_parse_all(pool, "f", text, i, &y, &errors);
    }
}

static void shows_what_was_found(void **state)
{
    (void)state;
    char found[YAML_FOUND];
    const struct yaml *y =
        parsed("{t: word, n: , z: null, q: 'null', l: [], m: {}, c: \"a\\x1b[1mb\"}");
    static const struct {
        const char *key, *found;
    } cases[] = {{"t", "\"word\""}, {"n", "nothing"},   {"z", "nothing"},   {"q", "\"null\""},
                 {"l", "a list"},   {"m", "a mapping"}, {"c", "\"a?[1mb\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(yaml_found(yaml_get(y, cases[i].key), found), cases[i].found);
    OWNED(buf_fini) struct buf text = {0};
    for (int i = 0; i < 100; i++)
        buf_text(&text, "ü");
    size_t length = strlen(yaml_found(parsed(buf_string(&text)), found));
    assert_true(length < YAML_FOUND);
    assert_string_equal(found + length - 6, "ü...\"");
}

#define POOL_TEST(test) cmocka_unit_test_setup_teardown(test, make_pool, drop_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(builds_trees_with_places),
        POOL_TEST(reads_by_path),
        POOL_TEST(separates_documents),
        POOL_TEST(knows_bytes),
        POOL_TEST(takes_foreign_habits),
        POOL_TEST(goes_on_after_a_refusal),
        POOL_TEST(leaves_the_result_alone_on_failure),
        POOL_TEST(bounds_bytes),
        POOL_TEST(bounds_depth),
        POOL_TEST(bounds_nodes),
        POOL_TEST(survives_cuts),
        POOL_TEST(shows_what_was_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
