/* What a program may say to fail.c, where that is preloaded. */
#pragma once

#include <stdint.h>

struct alloc_counts {
    uint64_t most, failures;
};

/* Counting begins here (ALLOC_LATER). */
void alloc_begin(void) __attribute__((weak));
/* Nothing fails any more: what is said of the outcome mustn't. */
void alloc_end(void) __attribute__((weak));
