#include "scratch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/verbs.h"
#include "engine/replay.h"
#include "record/journal.h"

struct scratch {
    struct master copy;
    struct master *of;
    unsigned number;
};

enum { VERIFY_EACH = 8 };

static int recover_once(void)
{
    const struct options o = {.root = "/"};
    return cmd_recover(&o);
}

static void check_journal(struct scratch *s, const struct root *root)
{
    struct journal_check check;
    journal_verify(root, JOURNAL_FOLDER, &check);
    if (check.verdict != JOURNAL_WHOLE && check.verdict != JOURNAL_TORN_TAIL &&
        files_exists(s->copy.files, JOURNAL_FOLDER))
        sim_fail(s->of, "journal", "it doesn't verify: %s", check.why);
}

struct sum {
    const struct files *files;
    uint64_t sum;
};

static void add_length(void *context, const char *name)
{
    struct sum *s = context;
    char path[512];
    size_t length = 0;
    (void)snprintf(path, sizeof path, JOURNAL_FOLDER "/%s", name);
    (void)files_get(s->files, path, &length);
    s->sum = s->sum * 31 + length;
}

/* Everything below these, and how long each of the journal's files is: it is only appended to, and
 * its bytes are the verification's. */
static uint64_t state_of(const struct files *f)
{
    static const char *const folders[] = {"/etc", "/var/lib", "/run"};
    struct sum s = {.files = f};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        s.sum = s.sum * 31 + files_hash(f, folders[i]);
    files_list(f, JOURNAL_FOLDER, add_length, &s);
    return s.sum;
}

static int try_recovery(void *context)
{
    struct scratch *s = context;
    if (recover_once() != EXIT_GOOD)
        sim_fail(s->of, "recovery", "it fails");
    uint64_t once = state_of(s->copy.files);
    if (recover_once() != EXIT_GOOD)
        sim_fail(s->of, "recovery", "it fails the second time");
    if (state_of(s->copy.files) != once)
        sim_fail(s->of, "recovery", "the second time it changed something");
    if (invariants_is_out(&s->copy))
        sim_fail(s->of, "recovery", "a manifest is out after it");
    reach("recovery", "tried twice");
    struct root *root;
    struct err e;
    if (s->number % VERIFY_EACH)
        return 0; /* the next start opens it, and the end verifies all of it */
    if (root_open("/", &root, &e) < 0)
        sim_fail(s->of, "recovery", "%s", e.text);
    check_journal(s, root);
    return 0;
}

static int try_journal(void *context)
{
    struct scratch *s = context;
    struct root *root;
    struct err e = {0};
    if (root_open("/", &root, &e) < 0)
        sim_fail(s->of, "journal", "%s", e.text);
    check_journal(s, root);
    OWNED(replay_result_fini) struct replay_result r = {0};
    enum replay_verdict v = replay_journal(root, JOURNAL_FOLDER, life_catalog(), &r, &e);
    if (v == REPLAY_UNREADABLE)
        sim_fail(s->of, "journal", "it can't be replayed: %s", e.text);
    if (v == REPLAY_DIFFERS)
        sim_fail(s->of, "journal",
                 "replay differs at record %" PRIu64 " (%s:%" PRIu64 "): %s\nby the core:    %s\n"
                 "in the journal: %s",
                 r.seq, r.file, r.line, r.what, r.expected, r.found);
    reach("replay", "same");
    sim_count("events", r.events);
    sim_count("decisions", r.decisions);
    sim_count("unproven", r.unproven_events);
    sim_count("records", r.records);
    return 0;
}

static void on_ended(void *context, int code)
{
    struct scratch *s = context;
    (void)code;
    files_free(s->copy.files);
    free(s);
}

static void begin(struct master *m, int (*work)(void *context))
{
    static unsigned count;
    struct scratch *s = mem_new(struct scratch);
    s->of = m;
    s->number = count++;
    s->copy = *m;
    s->copy.files = files_copy(m->files);
    files_set_read_only(s->copy.files, false); /* then nobody could put anything back */
    s->copy.agent = NULL;
    s->copy.loop = NULL;
    s->copy.life = LIFE_UP;
    s->copy.is_scratch = true;
    (void)task_start(&s->copy, TASK_RECOVER, work, s, on_ended, s);
}

void scratch_recover_twice(struct master *m)
{
    begin(m, try_recovery);
}

void scratch_journal(struct master *m)
{
    begin(m, try_journal);
}
