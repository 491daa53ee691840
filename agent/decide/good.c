/* Last known good manifests. A manifest is known to be good when the signal that its probe names
 * has passed without a break for the stated time while the manifest itself passed and stayed byte
 * for byte the same. Everything that changes either starts the time again (take.c). */
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "decide/moves.h"

static const char *digest_to_keep(const struct core *c, size_t probe)
{
    const struct probe_document *p = &c->generation->probes[probe];
    const struct signal *s = &c->signals[probe];
    if (p->good_signal < 0 || s->verdict != SIGNAL_PASS)
        return NULL;
    const char *digest = json_get_string(s->facts, "digest", NULL);
    return digest && strcmp(digest, s->kept) != 0 ? digest : NULL;
}

static bool is_good_now(const struct core *c, size_t probe)
{
    return c->signals[c->generation->probes[probe].good_signal].verdict == SIGNAL_PASS;
}

static void keep(struct core *c, size_t probe, const char *digest, struct effects *fx)
{
    struct signal *s = &c->signals[probe];
    (void)utf8_cut(s->kept, sizeof s->kept, digest);
    struct effect *f = effects_add(fx, EFFECT_KEEP, NULL);
    f->probe = (int)probe;
    f->digest = mem_strdup(digest);
    c->changed = true;
}

void good_settle(struct core *c, struct effects *fx)
{
    for (size_t i = 0; i < c->generation->probe_count; i++) {
        const char *digest = digest_to_keep(c, i);
        struct signal *s = &c->signals[i];
        if (!digest || !is_good_now(c, i))
            s->good_since_usec = 0;
        else if (!s->good_since_usec)
            s->good_since_usec = c->now_usec;
        if (s->good_since_usec &&
            c->now_usec >= s->good_since_usec + c->generation->probes[i].good_for_usec)
            keep(c, i, digest, fx);
    }
}

uint64_t good_next(const struct core *c)
{
    uint64_t next_usec = USEC_NEVER;
    for (size_t i = 0; i < c->generation->probe_count; i++) {
        const struct signal *s = &c->signals[i];
        if (!s->good_since_usec || !digest_to_keep(c, i))
            continue;
        uint64_t at_usec = s->good_since_usec + c->generation->probes[i].good_for_usec;
        next_usec = at_usec < next_usec ? at_usec : next_usec;
    }
    return next_usec;
}
