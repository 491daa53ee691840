/* xoshiro256** (Blackman and Vigna, prng.di.unimi.it), its state filled by splitmix64 from the seed
 * and an FNV-1a hash of the stream's name and number. */
#include "random.h"

#include <math.h>
#include <stddef.h>

static uint64_t split(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static uint64_t fnv(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * 0x100000001b3;
    return hash;
}

struct stream_random random_stream(uint64_t seed, const char *name, uint64_t number)
{
    size_t length = 0;
    while (name[length] != '\0')
        length++;
    uint64_t hash = fnv(0xcbf29ce484222325, name, length + 1);
    uint64_t state = seed;
    state = split(&state) ^ fnv(hash, &number, sizeof number);
    struct stream_random r;
    for (size_t i = 0; i < 4; i++)
        r.state[i] = split(&state);
    return r;
}

static uint64_t rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t random_next(struct stream_random *r)
{
    uint64_t *s = r->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t random_below(struct stream_random *r, uint64_t bound)
{
    if (bound == 0)
        return 0;
    /* What is below this would make the small results likelier. */
    uint64_t least = -bound % bound, drawn;
    do
        drawn = random_next(r);
    while (drawn < least);
    return drawn % bound;
}

uint64_t random_between(struct stream_random *r, uint64_t least, uint64_t most)
{
    if (most <= least)
        return least;
    return most - least == UINT64_MAX ? random_next(r) : least + random_below(r, most - least + 1);
}

bool random_one_in(struct stream_random *r, uint64_t n)
{
    return n != 0 && random_below(r, n) == 0;
}

uint64_t random_wait(struct stream_random *r, uint64_t mean_usec)
{
    /* In (0, 1]: 53 bits, as many as a double has. */
    double u = (double)((random_next(r) >> 11) + 1) * 0x1p-53;
    return (uint64_t)(-log(u) * (double)mean_usec);
}
