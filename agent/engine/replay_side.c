/* What was decided, incident by incident, out of the records of the core: the journal's, or those
 * that other documents would have made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "engine/replay_inside.h"

const struct words replay_choice_words = WORDS("choice", "acted", "rehearsed", "held", "escalated");

/* Two incidents of one failure that were opened closer together than this are the same: the same
 * signal opened both, or the same reload. */
static const uint64_t same_usec = 2 * USEC_PER_SEC;

static void incident_fini(struct replay_incident *i)
{
    for (size_t k = 0; k < i->count; k++) {
        free(i->at[k].playbook);
        free(i->at[k].guard);
    }
    free(i->at);
    free(i->id);
    free(i->failure);
}

void side_fini(struct replay_side *s)
{
    for (size_t i = 0; i < s->count; i++)
        incident_fini(&s->at[i]);
    for (size_t i = 0; i < s->guard_count; i++)
        free(s->guards[i].guard);
    free(s->at);
    free(s->guards);
    *s = (struct replay_side){0};
}

/* The newest of that id. */
static struct replay_incident *incident_of(struct replay_side *s, const char *id)
{
    for (size_t i = s->count; i > 0; i--)
        if (!strcmp(s->at[i - 1].id, id))
            return &s->at[i - 1];
    return NULL;
}

static void open_incident(struct replay_side *s, const json_t *body, uint64_t at_usec,
                          const char *wall)
{
    struct replay_incident *i = mem_push(s->at, s->count, s->room);
    *i = (struct replay_incident){.id = mem_strdup(json_get_string(body, "incident", "?")),
                                  .failure = mem_strdup(json_get_string(body, "failure", "?")),
                                  .opened_usec = at_usec};
    (void)snprintf(i->wall, sizeof i->wall, "%s", wall);
    s->opened++;
}

/* One that ended without a choice is of no interest any more; one that is still open may come to
 * one. */
static void end_incident(struct replay_side *s, const char *id)
{
    struct replay_incident *i = incident_of(s, id);
    if (!i || i->count)
        return;
    incident_fini(i);
    memmove(i, i + 1, (size_t)(&s->at[--s->count] - i) * sizeof *i);
}

static void take_transition(struct replay_side *s, const json_t *body, uint64_t at_usec,
                            const char *wall)
{
    int to = words_find(&state_words, json_get_string(body, "to", ""));
    if (!strcmp(json_get_string(body, "from", ""), "none"))
        open_incident(s, body, at_usec, wall);
    else if (to >= 0 && state_is_closed((enum state)to))
        end_incident(s, json_get_string(body, "incident", ""));
}

static void count_guard(struct replay_side *s, const char *guard)
{
    for (size_t i = 0; i < s->guard_count; i++) {
        if (strcmp(s->guards[i].guard, guard) != 0)
            continue;
        s->guards[i].count++;
        return;
    }
    struct replay_count *c = mem_push(s->guards, s->guard_count, s->guard_room);
    *c = (struct replay_count){.guard = mem_strdup(guard), .count = 1};
}

/* The first guard whose verdict is that of all. */
static const char *guard_of(const json_t *body)
{
    const char *verdict = json_get_string(body, "verdict", "");
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(body, "guards"), i, one) {
        if (!strcmp(json_get_string(one, "verdict", ""), verdict))
            return json_get_string(one, "guard", "?");
    }
    return "?";
}

static void choose(struct replay_side *s, const json_t *body, enum replay_choice_type type)
{
    struct replay_incident *i = incident_of(s, json_get_string(body, "incident", ""));
    const char *playbook = json_get_string(body, "playbook", NULL);
    const char *guard = type == CHOICE_HELD ? guard_of(body) : NULL;
    s->counts[type]++;
    if (guard)
        count_guard(s, guard);
    if (!i)
        return;
    struct replay_choice *c = mem_push(i->at, i->count, i->room);
    *c = (struct replay_choice){.type = type,
                                .playbook = playbook ? mem_strdup(playbook) : NULL,
                                .guard = guard ? mem_strdup(guard) : NULL};
}

void side_take(struct replay_side *s, const char *type, const json_t *body, uint64_t at_usec,
               const char *wall)
{
    const char *verdict = json_get_string(body, "verdict", "");
    if (!strcmp(type, "incident"))
        take_transition(s, body, at_usec, wall);
    else if (!strcmp(type, "escalate"))
        choose(s, body, CHOICE_ESCALATED);
    else if (strcmp(type, "guard") != 0)
        return;
    else if (!strcmp(verdict, "allow"))
        choose(s, body, CHOICE_ACTED);
    else if (!strcmp(verdict, "dry"))
        choose(s, body, CHOICE_REHEARSED);
    else
        choose(s, body, CHOICE_HELD);
}

/* ---- two of them ---- */

static bool text_equal(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

bool choices_equal(const struct replay_incident *a, const struct replay_incident *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->at[i].type != b->at[i].type || !text_equal(a->at[i].playbook, b->at[i].playbook) ||
            !text_equal(a->at[i].guard, b->at[i].guard))
            return false;
    return true;
}

/* Both are in the order of time: only the neighbourhood of the same moment is looked at. */
struct replay_incident *side_find(const struct replay_side *s, const struct replay_incident *i)
{
    size_t low = 0, high = s->count;
    uint64_t from = i->opened_usec > same_usec ? i->opened_usec - same_usec : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->at[middle].opened_usec < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < s->count && s->at[low].opened_usec <= i->opened_usec + same_usec; low++)
        if (!strcmp(s->at[low].failure, i->failure))
            return &s->at[low];
    return NULL;
}

bool sides_match(struct replay_side *a, struct replay_side *b)
{
    bool same = true;
    for (size_t i = 0; i < a->count; i++) {
        struct replay_incident *other = side_find(b, &a->at[i]);
        if (other)
            other->is_matched = true;
        a->at[i].is_matched = other != NULL;
        same &= other ? choices_equal(&a->at[i], other) : !a->at[i].count;
    }
    for (size_t i = 0; i < b->count; i++)
        same &= b->at[i].is_matched || !b->at[i].count;
    return same;
}
