/* Fresh looks: every signal that a plan relies on is looked at anew; when the last of these looks
 * has ended (each has its own deadline), the core is told. What they see takes the ordinary way. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "loop/clock.h"

struct look {
    struct look *next;
    char *incident;
    uint64_t began_usec; /* boot clock: only what was looked at since counts */
    bool *awaited;       /* by probe */
    size_t left, probe_count;
};

static void look_free(struct look *l)
{
    free(l->incident);
    free(l->awaited);
    free(l);
}

/* Out of the list; the caller's. */
static struct look *look_take(struct look **at)
{
    struct look *l = *at;
    *at = l->next;
    return l;
}

void look_cancel(struct engine *en, const char *incident)
{
    for (struct look **at = &en->looks; *at;) {
        if (!strcmp((*at)->incident, incident))
            look_free(look_take(at));
        else
            at = &(*at)->next;
    }
}

/* Tells of all that are complete. What that sets off may begin looks, or end them: from the
 * start again each time. */
static void look_tell(struct engine *en)
{
    for (struct look **at = &en->looks; *at;) {
        if ((*at)->left) {
            at = &(*at)->next;
            continue;
        }
        struct look *l = look_take(at);
        struct event ev = {.type = EVENT_LOOKED, .incident = l->incident};
        engine_feed(en, &ev);
        look_free(l);
        at = &en->looks;
    }
}

void look_start(struct engine *en, const char *incident, const int *probes, size_t count)
{
    look_cancel(en, incident); /* the answer to an older question is no answer to this one */
    struct look *l = mem_new(struct look);
    l->incident = mem_strdup(incident);
    l->began_usec = clock_boot_usec();
    l->probe_count = en->generation->probe_count;
    l->awaited = mem_array(bool, l->probe_count);
    l->left = count;
    for (size_t i = 0; i < count; i++)
        l->awaited[probes[i]] = true;
    l->next = en->looks;
    en->looks = l;
    for (size_t i = 0; i < count; i++)
        observe_look(en->observe, probes[i]);
    look_tell(en);
}

void look_reading(struct engine *en, int probe)
{
    uint64_t began_usec = observe_status(en->observe, probe).looked_usec;
    for (struct look *l = en->looks; l; l = l->next) {
        /* One that was under way when the look was asked for saw the world before it. */
        if ((size_t)probe >= l->probe_count || !l->awaited[probe] || began_usec < l->began_usec)
            continue;
        l->awaited[probe] = false;
        l->left--;
    }
    look_tell(en);
}

void look_free_all(struct engine *en)
{
    while (en->looks)
        look_free(look_take(&en->looks));
}
