/* What the journal says, as it becomes durable: incidents' states, results, guards. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "inside.h"
#include "tap.h"

/* The verification's own signals may be as old as that. */
static const uint64_t resolved_bound_usec = 60 * USEC_PER_SEC;

struct open_incident *open_of(struct watched *w, const char *id)
{
    for (size_t i = 0; i < w->open_count; i++)
        if (!strcmp(w->open[i].id, id))
            return &w->open[i];
    return NULL;
}

uint64_t made_usec(const json_t *body)
{
    return boot_true_usec(json_get_string(body, "boot", ""),
                          (uint64_t)json_get_int(body, "usec", 0));
}

static struct open_incident *open_take(struct watched *w, const char *id, const char *failure,
                                       const json_t *body)
{
    struct open_incident *one = open_of(w, id);
    if (one)
        return one;
    one = mem_push(w->open, w->open_count, w->open_room);
    *one = (struct open_incident){.opened_usec = made_usec(body)};
    (void)snprintf(one->id, sizeof one->id, "%s", id);
    (void)snprintf(one->failure, sizeof one->failure, "%s", failure);
    return one;
}

/* Was the API server dead at that time, and had been for so long? */
static bool was_dead(const struct watched *w, uint64_t at_usec, uint64_t for_usec)
{
    size_t i = w->life_count;
    while (i > 0 && w->lives[i - 1].at_usec > at_usec)
        i--;
    return i > 0 && !w->lives[i - 1].is_live && at_usec - w->lives[i - 1].at_usec > for_usec;
}

static void check_truth(struct master *m, const char *failure, const json_t *body)
{
    reach("resolved", failure);
    if (!strncmp(failure, "apiserver-", 10) &&
        was_dead(watched(m), made_usec(body), resolved_bound_usec))
        sim_fail(m, "truth", "%s is recorded as resolved, and the API server is dead", failure);
}

static void take_incident(struct master *m, const json_t *body)
{
    struct watched *w = watched(m);
    const char *id = json_get_string(body, "incident", "");
    const char *from = json_get_string(body, "from", ""), *to = json_get_string(body, "to", "");
    const char *failure = json_get_string(body, "failure", "");
    char row[80];
    (void)snprintf(row, sizeof row, "%s>%s", from, to);
    reach("state", row);
    if (sim.transitions)
        json_push(sim.transitions, json_pack("[IIssss]", (json_int_t)schedule_now(),
                                             (json_int_t)m->index, id, failure, from, to));
    struct open_incident *one = open_take(w, id, failure, body);
    (void)snprintf(one->state, sizeof one->state, "%s", to);
    if (!strcmp(to, "resolved") || !strcmp(to, "cleared") || !strcmp(to, "withdrawn"))
        *one = w->open[--w->open_count];
    if (!strcmp(to, "resolved"))
        check_truth(m, failure, body);
}

static void take_guards(const json_t *body)
{
    size_t i;
    const json_t *one;
    json_array_foreach (json_object_get(body, "guards"), i, one) {
        char which[64];
        (void)snprintf(which, sizeof which, "%s:%s", json_get_string(one, "guard", ""),
                       json_get_string(one, "verdict", ""));
        reach("guard", which);
    }
}

static void take_result(struct watched *w, const json_t *body)
{
    const char *of = json_get_string(body, "of", "");
    char which[64];
    if (!strcmp(of, "step"))
        w->intent_incident[0] = '\0';
    (void)snprintf(
        which, sizeof which, "%s:%s", of,
        json_get_string(body, "outcome", json_get_bool(body, "would", false) ? "would" : "failed"));
    reach("result", which);
}

/* What the agent goes on with. An incident that it has forgotten in a crash is over, if nothing was
 * begun for it. */
static void take_start(struct master *m, const json_t *body)
{
    struct watched *w = watched(m);
    const json_t *incidents = json_object_get(json_object_get(body, "state"), "incidents");
    for (size_t i = w->open_count; i-- > 0;) {
        bool is_there = false;
        size_t k;
        const json_t *one;
        json_array_foreach (incidents, k, one)
            is_there |= !strcmp(json_get_string(one, "id", ""), w->open[i].id);
        if (is_there)
            continue;
        /* Its end may have been recorded where nothing could be written. */
        if (w->open[i].has_begun && faults_disk_was_good(m, w->ended_usec, 10 * USEC_PER_MINUTE))
            sim_fail(m, "forgotten", "incident %s (%s) was begun for and is forgotten",
                     w->open[i].id, w->open[i].failure);
        reach("life", "incident lost in a crash");
        w->open[i] = w->open[--w->open_count];
    }
    w->intent_incident[0] = '\0';
    w->started_usec = made_usec(body);
}

void tap_record(struct master *m, const char *type, const json_t *body)
{
    struct watched *w = watched(m);
    if (!strcmp(type, "incident")) {
        take_incident(m, body);
    } else if (!strcmp(type, "guard")) {
        take_guards(body);
    } else if (!strcmp(type, "intent")) {
        (void)snprintf(w->intent_incident, sizeof w->intent_incident, "%s",
                       json_get_string(body, "incident", ""));
        w->intent_step = (int)json_get_int(body, "index", -1);
    } else if (!strcmp(type, "result")) {
        take_result(w, body);
    } else if (!strcmp(type, "start")) {
        take_start(m, body);
    } else {
        reach("told", "a person");
    }
}
