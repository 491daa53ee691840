/* Fresh looks: every signal that a plan relies on is looked at anew; when the last of these looks
 * has ended (each has its own deadline), the core is told. What they see takes the ordinary way. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/engine.h"

struct look {
    struct look *next;
    char *incident;
    bool *awaited; /* by probe */
    size_t left, probe_count;
};

static void look_free(struct look *l)
{
    free(l->incident);
    free(l->awaited);
    free(l);
}

static void look_done(struct engine *en, struct look *l)
{
    for (struct look **at = &en->looks; *at; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
    struct event ev = {.type = EVENT_LOOKED, .incident = l->incident};
    engine_feed(en, &ev);
    look_free(l);
}

void look_start(struct engine *en, const char *incident, const int *probes, size_t count)
{
    struct look *l = mem_new(struct look);
    l->incident = mem_strdup(incident);
    l->probe_count = en->generation->probe_count;
    l->awaited = mem_array(bool, l->probe_count);
    l->left = count;
    for (size_t i = 0; i < count; i++)
        l->awaited[probes[i]] = true;
    l->next = en->looks;
    en->looks = l;
    if (!count) {
        look_done(en, l);
        return;
    }
    for (size_t i = 0; i < count; i++)
        observe_look(en->observe, probes[i]);
}

void look_reading(struct engine *en, int probe)
{
    for (struct look *l = en->looks, *next; l; l = next) {
        next = l->next;
        if ((size_t)probe >= l->probe_count || !l->awaited[probe])
            continue;
        l->awaited[probe] = false;
        if (!--l->left)
            look_done(en, l);
    }
}

void look_free_all(struct engine *en)
{
    while (en->looks) {
        struct look *l = en->looks;
        en->looks = l->next;
        look_free(l);
    }
}
