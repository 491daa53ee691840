/* The sieve: which readings are news. A reading that changes nothing (same verdict, same
 * reason, text facts the same, numbers on the same side of every threshold that some condition
 * asks for) refreshes its signal and goes no further: the core and the journal see changes only,
 * so a healthy node's journal stays still. `failAfter` and `passAfter` are held here too. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/own.h"
#include "config/generation.h"

struct sieve;

/* Takes a reference to `g`. When each probe was last read is carried over from `old` (may be NULL),
 * what it said isn't: every first reading is news. */
struct sieve *sieve_new(struct generation *g, const struct sieve *old);
void sieve_free(struct sieve *s);

/* True when the reading is news: what the core is to be told. `ret_held` gets the time of the
 * reading before it; 0: there was none. */
bool sieve_take(struct sieve *s, int probe, enum verdict v, enum reason r, const json_t *facts,
                uint64_t now_usec, uint64_t *ret_held);

/* The next probe (from `*cursor` on, which moves) whose last reading is older than its validity: it
 * is to be taken as `unknown, stale`. -1: none. */
int sieve_stale(struct sieve *s, int *cursor, uint64_t now_usec);

OWNER(struct sieve, sieve_free);
