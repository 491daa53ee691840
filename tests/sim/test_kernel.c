/* The simulated kernel: see test_kernel_same.c and test_kernel_cut.c, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_kernel_fake.h"

static void same_as_the_real_one(void **state)
{
    (void)state;
    fake_begin(NULL);
    int different = test_kernel_same();
    if (different < 0)
        skip();
    assert_int_equal(different, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_real_one),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + test_kernel_cut();
}
