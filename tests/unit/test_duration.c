#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/duration.h"

static void parses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t usec;
    } cases[] = {
        {"0", 0},
        {"0s", 0},
        {"1us", 1},
        {"250ms", 250 * USEC_PER_MSEC},
        {"30s", 30 * USEC_PER_SEC},
        {"5m", 5 * USEC_PER_MINUTE},
        {"1h30m", 90 * USEC_PER_MINUTE},
        {"90m", 90 * USEC_PER_MINUTE},
        {"2d", 2 * USEC_PER_DAY},
        {"1m0s", USEC_PER_MINUTE},
        {"1d2h3m4s5ms6us", 93784005006},
        {"3650d", 3650 * USEC_PER_DAY},
        {"007s", 7 * USEC_PER_SEC},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t usec = 1;
        assert_int_equal(duration_parse(cases[i].text, &usec), 0);
        assert_int_equal(usec, cases[i].usec);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        {"", -EINVAL},
        {"s", -EINVAL},
        {"5", -EINVAL},
        {"00", -EINVAL},
        {"-5s", -EINVAL},
        {"+5s", -EINVAL},
        {"5 s", -EINVAL},
        {" 5s", -EINVAL},
        {"5s ", -EINVAL},
        {"1.5s", -EINVAL},
        {"5w", -EINVAL},
        {"5S", -EINVAL},
        {"5s5s", -EINVAL},
        {"5m1h", -EINVAL},
        {"1ms1s", -EINVAL},
        {"5sm", -EINVAL},
        {"5mss", -EINVAL},
        {"never", -EINVAL},
        {"0x5s", -EINVAL},
        {"5s1", -EINVAL},
        {"3651d", -ERANGE},
        {"3650d1us", -ERANGE},
        {"9999999999999999s", -ERANGE},
        {"999999999999999d", -ERANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t usec = 42;
        assert_int_equal(duration_parse(cases[i].text, &usec), cases[i].code);
        assert_int_equal(usec, 42); /* untouched */
    }
}

static void formats(void **state)
{
    (void)state;
    static const struct {
        uint64_t usec;
        const char *exact, *about;
    } cases[] = {
        {0, "0s", "0s"},
        {1, "1us", "1us"},
        {45 * USEC_PER_MSEC, "45ms", "45ms"},
        {192 * USEC_PER_SEC, "3m12s", "3m12s"},
        {90 * USEC_PER_MINUTE, "1h30m", "1h30m"},
        {2 * USEC_PER_DAY + 4 * USEC_PER_HOUR + 5, "2d4h5us", "2d4h"},
        {USEC_PER_HOUR + 5 * USEC_PER_SEC, "1h5s", "1h"},
        {93784005006, "1d2h3m4s5ms6us", "1d2h"},
        {USEC_NEVER, "never", "never"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[DURATION_TEXT];
        assert_string_equal(duration_format(cases[i].usec, text), cases[i].exact);
        assert_string_equal(duration_about(cases[i].usec, text), cases[i].about);
    }
}

static void comes_back(void **state)
{
    (void)state;
    uint64_t usec = 1;
    for (int i = 0; i < 100000; i++) {
        char text[DURATION_TEXT];
        uint64_t back = 0;
        usec = usec * 6364136223846793005u + 1442695040888963407u;
        uint64_t some = (usec >> 16) % (3650 * USEC_PER_DAY);
        assert_int_equal(duration_parse(duration_format(some, text), &back), 0);
        assert_int_equal(back, some);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parses), cmocka_unit_test(refuses),
                                       cmocka_unit_test(formats), cmocka_unit_test(comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
