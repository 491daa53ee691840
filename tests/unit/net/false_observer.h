/* False observers: programs of a test's own that stand where planeguard-observer would, and answer
 * as a broken or hostile one may. */
#pragma once

#include <stddef.h>

/* Kinds that answer each look with one frame that isn't what was asked for. */
struct nonsense {
    const char *kind, *answer;
};
extern const struct nonsense nonsenses[];
extern const size_t nonsense_count;

/* The program's main: speaks at descriptor 3 until the other end closes. The other kinds: dead,
 * twice-nonsense, long, descriptors, many-facts, inside, answers-twice, one-late, dies-asked,
 * closes, flood, no-pong, wrong-pong. */
int be_false(const char *kind);
