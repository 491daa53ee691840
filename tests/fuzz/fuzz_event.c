/* Records read back as events, one a line, as replay does: an event or a complaint; what came out
 * is told to the same record again, and the core takes it. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "decide/core.h"
#include "fuzz.h"

static void round_trip(const struct event *ev, const struct generation *g)
{
    struct event told = {0}, again = {0};
    struct err e = {0};
    const char *name = ev->type == EVENT_SIGNAL ? g->probes[ev->probe].meta.name : NULL;
    json_t *plan = NULL;
    OWNED(json_decref) json_t *body = event_tell(ev, name, &told);
    fuzz_must(event_is_recorded(body));
    fuzz_must(event_decode(body, g, &again, &plan, &e) == 0);
    fuzz_must(again.type == ev->type && again.now_usec == ev->now_usec);
    fuzz_must(again.ok == ev->ok || ev->type == EVENT_START || ev->type == EVENT_CONFIG ||
              ev->type == EVENT_SIGNAL || ev->type == EVENT_WAKE || ev->type == EVENT_LOOKED);
    fuzz_must((plan != NULL) == (ev->plan != NULL));
    OWNED(json_decref) json_t *second = event_encode(&again, name);
    secret_redact_json(second);
    fuzz_must(json_equal(body, second));
    json_decref(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input in = {bytes, length};
    struct generation *g = fuzz_generation();
    OWNED(core_free) struct core *c = core_new(g);
    size_t n;
    for (char *line; (line = fuzz_line(&in, &n)); free(line)) {
        OWNED(json_decref) json_t *body = json_parse(line, n, NULL), *plan = NULL;
        struct event ev = {0};
        struct err e = {0};
        if (!json_is_object(body))
            continue;
        if (event_decode(body, g, &ev, &plan, &e) < 0) {
            fuzz_must(*e.text && fuzz_is_harmless(e.text) && !plan);
            continue;
        }
        fuzz_must(ev.type < EVENT_COUNT_ && (size_t)ev.probe < g->probe_count);
        round_trip(&ev, g);
        struct effects fx = {0};
        core_step(c, &ev, &fx);
        effects_fini(&fx);
    }
    return 0;
}
