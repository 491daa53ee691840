/* Word tables: every value has a name of its own, and finds itself by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/words.h"
#include "config/document.h"
#include "config/loading.h"

static const struct {
    const struct words *words;
    size_t count;
} tables[] = {
    {&verdict_words, SIGNAL_FAIL + 1},         {&severity_words, SEVERITY_CRITICAL + 1},
    {&risk_words, RISK_EXTREME + 1},           {&mode_words, MODE_ENFORCE + 1},
    {&on_failure_words, ON_FAILURE_LEAVE + 1}, {&reason_words, REASON_COUNT_},
    {&field_type_words, FIELD_CUSTOM + 1},     {&document_kind_words, DOCUMENT_NODE + 1},
};
enum { TABLES = sizeof tables / sizeof *tables };

static void have_no_holes(void **state)
{
    (void)state;
    for (size_t t = 0; t < TABLES; t++) {
        const struct words *w = tables[t].words;
        assert_non_null(w->what);
        assert_int_equal(w->count, tables[t].count);
        for (size_t i = 0; i < w->count; i++) {
            assert_non_null(w->names[i]);
            assert_true(*w->names[i]);
            assert_int_equal(words_find(w, words_name(w, (int)i)), (int)i);
        }
        assert_int_equal(words_find(w, ""), -1);
        assert_int_equal(words_find(w, "no such word"), -1);
    }
}

static void reasons_have_sentences(void **state)
{
    (void)state;
    assert_true(REASON_COUNT_ <= 64); /* a set of them is 64 bits */
    for (int r = 0; r < REASON_COUNT_; r++) {
        const char *sentence = reason_sentence((enum reason)r);
        assert_non_null(sentence);
        assert_int_equal(sentence[strlen(sentence) - 1], '.');
        for (int other = 0; other < r; other++)
            assert_string_not_equal(sentence, reason_sentence((enum reason)other));
    }
}

static void zero_is_the_safe_answer(void **state)
{
    (void)state;
    assert_string_equal(words_name(&verdict_words, 0), "unknown");
    assert_string_equal(words_name(&mode_words, 0), "observe");
    assert_string_equal(words_name(&on_failure_words, 0), "undo");
}

static void finds_the_nearest(void **state)
{
    (void)state;
    static const struct {
        const struct words *words;
        const char *name, *near;
    } cases[] = {
        {&severity_words, "critcal", "critical"},     {&severity_words, "wrning", "warning"},
        {&mode_words, "dryrun", "dry-run"},           {&mode_words, "enfroce", "enforce"},
        {&reason_words, "tls-expird", "tls-expired"}, {&risk_words, "banana", NULL},
        {&severity_words, "critical", "critical"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *near = words_nearest(cases[i].words, cases[i].name);
        if (cases[i].near)
            assert_string_equal(near, cases[i].near);
        else
            assert_null(near);
    }
}

static void measures_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {{"", "", 0},        {"a", "", 1},    {"abc", "abc", 0},
                 {"abc", "acb", 1},  {"ab", "ba", 1}, {"kitten", "sitting", 3},
                 {"abcd", "wxyz", 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(text_distance(cases[i].a, cases[i].b, 10), cases[i].distance);
        assert_int_equal(text_distance(cases[i].b, cases[i].a, 10), cases[i].distance);
    }
    assert_int_equal(text_distance("kitten", "sitting", 2), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(have_no_holes),           cmocka_unit_test(reasons_have_sentences),
        cmocka_unit_test(zero_is_the_safe_answer), cmocka_unit_test(finds_the_nearest),
        cmocka_unit_test(measures_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
