#include "decide/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

void history_fini(struct history *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->at[i].playbook);
    free(h->at);
    *h = (struct history){0};
}

const struct attempts *history_attempts(const struct history *h, const char *playbook)
{
    for (size_t i = 0; i < h->count; i++)
        if (!strcmp(h->at[i].playbook, playbook))
            return &h->at[i];
    return NULL;
}

static struct attempts *attempts_of(struct history *h, const char *playbook)
{
    struct attempts *found = (struct attempts *)history_attempts(h, playbook);
    if (found)
        return found;
    struct attempts *a = mem_push(h->at, h->count, h->room);
    a->playbook = mem_strdup(playbook);
    return a;
}

/* Keeps the newest `most` times, oldest first. */
static void push_time(uint64_t *times, size_t *count, size_t most, uint64_t now_usec)
{
    if (*count == most)
        memmove(times, times + 1, (--*count) * sizeof *times);
    times[(*count)++] = now_usec;
}

void history_begin(struct history *h, const char *playbook, const char *incident, uint64_t now_usec)
{
    struct attempts *a = attempts_of(h, playbook);
    push_time(a->began_usec, &a->count, HISTORY_ATTEMPTS_MAX, now_usec);
    h->action_began_usec = now_usec;
    h->action_ended_usec = 0;
    (void)utf8_cut(h->action_incident, sizeof h->action_incident, incident);
}

void history_end(struct history *h, const char *playbook, uint64_t now_usec)
{
    attempts_of(h, playbook)->ended_usec = now_usec;
    h->action_ended_usec = now_usec;
}

void history_end_action(struct history *h, const char *incident, uint64_t now_usec)
{
    if (!h->action_ended_usec && !strcmp(h->action_incident, incident))
        h->action_ended_usec = now_usec;
}

void history_started(struct history *h, uint64_t now_usec)
{
    push_time(h->starts, &h->start_count, HISTORY_STARTS_MAX, now_usec);
}

static json_t *times_save(const uint64_t *times, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_push(list, json_integer((json_int_t)times[i]));
    return list;
}

static size_t times_load(const json_t *list, uint64_t *times, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        push_time(times, &count, most, (uint64_t)json_integer_value(json_array_get(list, i)));
    return count;
}

json_t *history_save(const struct history *h)
{
    json_t *playbooks = json_object();
    for (size_t i = 0; i < h->count; i++) {
        json_t *one = json_object();
        json_put(one, "began", times_save(h->at[i].began_usec, h->at[i].count));
        json_put(one, "ended", json_integer((json_int_t)h->at[i].ended_usec));
        json_put(playbooks, h->at[i].playbook, one);
    }
    json_t *saved = json_object();
    json_put(saved, "playbooks", playbooks);
    json_put(saved, "actionBegan", json_integer((json_int_t)h->action_began_usec));
    json_put(saved, "actionEnded", json_integer((json_int_t)h->action_ended_usec));
    json_put(saved, "actionIncident", json_string_or_null(h->action_incident));
    json_put(saved, "starts", times_save(h->starts, h->start_count));
    return saved;
}

void history_load(struct history *h, const json_t *saved)
{
    history_fini(h);
    const char *playbook;
    json_t *one;
    json_object_foreach (json_object_get(saved, "playbooks"), playbook, one) {
        struct attempts *a = attempts_of(h, playbook);
        a->count = times_load(json_object_get(one, "began"), a->began_usec, HISTORY_ATTEMPTS_MAX);
        a->ended_usec = (uint64_t)json_get_int(one, "ended", 0);
    }
    h->action_began_usec = (uint64_t)json_get_int(saved, "actionBegan", 0);
    h->action_ended_usec = (uint64_t)json_get_int(saved, "actionEnded", 0);
    (void)utf8_cut(h->action_incident, sizeof h->action_incident,
                   json_get_string(saved, "actionIncident", ""));
    h->start_count = times_load(json_object_get(saved, "starts"), h->starts, HISTORY_STARTS_MAX);
}
