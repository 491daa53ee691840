#include "test_kernel_fake.h"
int test_kernel_cut(void)
{
    return 0;
}
