/* Readings with any facts: a reading that came twice is news once, and thresholds are asked of
 * whatever stands there. The first byte is the probe, the second verdict and reason, the rest the
 * facts. */
#include <stdlib.h>
#include <string.h>

#include "decide/sieve.h"
#include "fuzz.h"

enum { READINGS = 16 /* more than any failAfter or passAfter of the shipped documents */ };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input in = {bytes, length};
    struct generation *g = fuzz_generation();
    int probe = fuzz_byte(&in) % (int)g->probe_count;
    uint8_t what = fuzz_byte(&in);
    enum verdict v = (enum verdict)(what % 3);
    enum reason r = (enum reason)(what % REASON_COUNT_);
    OWNED(json_decref) json_t *facts = json_parse((const char *)in.at, in.left, NULL);
    if (!json_is_object(facts))
        return 0;
    uint64_t met = generation_thresholds_met(g, probe, facts), held;
    fuzz_must(met == generation_thresholds_met(g, probe, facts));
    fuzz_must(g->uses[probe].threshold_count >= 64 || !(met >> g->uses[probe].threshold_count));
    OWNED(sieve_free) struct sieve *s = sieve_new(g, NULL);
    int news = 0, last = 0;
    for (int i = 1; i <= READINGS; i++)
        if (sieve_take(s, probe, v, r, facts, (uint64_t)i, &held))
            news++, last = i;
    fuzz_must(news >= 1 && last < READINGS);
    fuzz_must(!sieve_take(s, probe, v, r, facts, READINGS + 1, &held) && held == READINGS);
    return 0;
}
