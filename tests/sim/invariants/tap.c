#include "tap.h"

#include <stdio.h>
#include <string.h>

#include "inside.h"
#include "record/journal.h"

/* How far the newest segment was read. */
static struct {
    char name[64];
    size_t at;
} places[MASTERS_MAX];

/* Only these are parsed: the others say nothing that an invariant needs. */
static const char *const wanted[] = {
    "\"type\":\"intent\"",   "\"type\":\"result\"", "\"type\":\"incident\"", "\"type\":\"guard\"",
    "\"type\":\"escalate\"", "\"type\":\"start\"",  "\"event\":\"looked\"",  "\"type\":\"config\""};
static const char effect_type[] = "\"type\":\"effect\"";
static uint64_t effects[MASTERS_MAX];
static const char signal_type[] = "\"type\":\"signal\"";

static bool is_wanted(const char *line, size_t length)
{
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (memmem(line, length, wanted[i], strlen(wanted[i])))
            return true;
    return false;
}

uint64_t invariants_effects(const struct master *m)
{
    return effects[m->index];
}

static void take_line(struct master *m, const char *line, size_t length)
{
    if (memmem(line, length, signal_type, sizeof signal_type - 1))
        stands_signal(m, line, length);
    effects[m->index] += memmem(line, length, effect_type, sizeof effect_type - 1) != NULL;
    if (!is_wanted(line, length))
        return;
    json_t *record = json_loadb(line, length, 0, NULL);
    const json_t *body = json_object_get(record, "body");
    if (!body)
        sim_fail(m, "journal", "a durable line is no record: %.*s", (int)length, line);
    const char *type = json_get_string(body, "type", "");
    stands_record(m, type, body);
    if (strcmp(type, "event") != 0 && strcmp(type, "config") != 0)
        tap_record(m, type, body);
    json_decref(record);
}

void tap_synced(struct master *m, const char *folder, const char *name)
{
    char path[256];
    size_t length, end = strlen(name);
    if (strcmp(folder, JOURNAL_FOLDER) != 0 || end < 6 || strcmp(name + end - 6, ".jsonl") != 0)
        return;
    if (strcmp(places[m->index].name, name) != 0) {
        (void)snprintf(places[m->index].name, sizeof places->name, "%s", name);
        places[m->index].at = 0;
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const char *bytes = files_get_durable(m->files, path, &length);
    size_t *at = &places[m->index].at;
    if (bytes && length < *at)
        *at = 0; /* a torn end was cut off and written anew */
    for (const char *newline; bytes && *at < length; *at = (size_t)(newline + 1 - bytes)) {
        newline = memchr(bytes + *at, '\n', length - *at);
        if (!newline)
            break;
        take_line(m, bytes + *at, (size_t)(newline - (bytes + *at)));
    }
    stands_batch_ended(m);
}
