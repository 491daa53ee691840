#include "observe/attempts.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"

void attempts_fini(struct attempts *a)
{
    free(a->pod_uid);
    free(a->id);
    *a = (struct attempts){0};
}

static void end_add(struct attempts *a, uint64_t at_usec)
{
    if (a->end_count == ATTEMPTS_ENDS_MAX) {
        memmove(a->ends_usec, a->ends_usec + 1, sizeof a->ends_usec - sizeof *a->ends_usec);
        a->end_count--;
    }
    a->ends_usec[a->end_count++] = at_usec;
}

static void begin(struct attempts *a, const struct container *c, uint64_t now_usec,
                  uint64_t age_usec)
{
    attempts_fini(a);
    a->pod_uid = mem_strdup(c->pod_uid);
    /* The one before ended before this one was created. */
    if (c->attempt > 0 && age_usec <= now_usec)
        end_add(a, now_usec - age_usec);
}

/* Another container of the same pod: those between ended too. */
static void count_missed(struct attempts *a, const struct container *c, uint64_t now_usec)
{
    int64_t missed = c->attempt > a->attempt ? c->attempt - a->attempt : 1;
    missed -= a->ended;
    for (int64_t i = 0; i < missed && i < ATTEMPTS_ENDS_MAX; i++)
        end_add(a, now_usec);
}

void attempts_ended(struct attempts *a, uint64_t now_usec)
{
    if (!a->ended)
        end_add(a, now_usec);
    a->ended = true;
    a->running_since_usec = 0;
}

void attempts_see(struct attempts *a, const struct container *c, enum container_state state,
                  uint64_t now_usec, uint64_t age_usec)
{
    bool first = !a->id || strcmp(a->pod_uid, c->pod_uid) != 0;
    bool another = first || strcmp(a->id, c->id) != 0;
    if (first)
        begin(a, c, now_usec, age_usec);
    else if (another)
        count_missed(a, c, now_usec);
    if (another) {
        free(a->id);
        a->id = mem_strdup(c->id);
        a->ended = false;
        a->running_since_usec = 0;
    }
    a->attempt = c->attempt;
    if (state == CONTAINER_EXITED)
        attempts_ended(a, now_usec);
    else if (state == CONTAINER_RUNNING && !a->running_since_usec)
        a->running_since_usec = first && age_usec < now_usec ? now_usec - age_usec : now_usec;
}

bool attempts_is_loop(const struct attempts *a, uint64_t now_usec, uint64_t recent_usec,
                      uint64_t ends, uint64_t stable_usec)
{
    uint64_t recent = 0;
    for (size_t i = 0; i < a->end_count; i++)
        recent += now_usec - a->ends_usec[i] < recent_usec;
    bool stable = a->running_since_usec && now_usec - a->running_since_usec >= stable_usec;
    return recent >= ends && !stable;
}
