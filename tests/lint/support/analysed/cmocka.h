/* For the analyser, in cmocka.h's place: an assertion that doesn't hold ends the test. (cmocka
 * does that by longjmp out of functions that aren't declared to never return.) */
#pragma once

#include_next <cmocka.h>

#undef assert_non_null
#define assert_non_null(pointer) ((pointer) ? (void)0 : __builtin_abort())
#undef assert_true
#define assert_true(condition) ((condition) ? (void)0 : __builtin_abort())
#undef assert_int_equal
#define assert_int_equal(a, b) ((long long)(a) == (long long)(b) ? (void)0 : __builtin_abort())
#undef fail_msg
#define fail_msg(...) (_fail(__FILE__, __LINE__), __builtin_abort())
#undef skip
#define skip() (_skip(__FILE__, __LINE__), __builtin_abort())
