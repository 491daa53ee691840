/* Random numbers in named streams. A stream's numbers depend on the seed and the stream's name
 * only, so leaving one kind of trouble out (to shrink a failing run) doesn't change the others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct stream_random {
    uint64_t state[4];
};

struct stream_random random_stream(uint64_t seed, const char *name, uint64_t number);
uint64_t random_next(struct stream_random *r);
/* Evenly in [0, bound); 0 when bound is 0. */
uint64_t random_below(struct stream_random *r, uint64_t bound);
/* Evenly in [least, most]. */
uint64_t random_between(struct stream_random *r, uint64_t least, uint64_t most);
/* True once in `n` times on average; never when n is 0. */
bool random_one_in(struct stream_random *r, uint64_t n);
/* The waiting time of a Poisson process with this mean. */
uint64_t random_wait(struct stream_random *r, uint64_t mean_usec);
