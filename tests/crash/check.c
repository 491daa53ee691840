/* What must hold, whatever was done to the agent. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "act/recover.h"
#include "base/mem.h"
#include "world.h"

void world_check_claims(struct world *w)
{
    for (size_t i = 0; i < w->shared->claim_count; i++) {
        const struct claim *c = &w->shared->claims[i];
        bool is_last = true;
        for (size_t later = i + 1; later < w->shared->claim_count; later++)
            is_last &= strcmp(c->path, w->shared->claims[later].path) != 0;
        if (!is_last)
            continue;
        struct file_status st;
        struct digest d;
        struct err e;
        char hex[DIGEST_HEX + 1] = "";
        if (file_status(w->root, c->path, 0, &st, &e) < 0)
            world_violation(w, "%s", e.text);
        else if (st.is_regular && file_digest(w->root, c->path, 0, &d, &e) == 0)
            (void)digest_hex(&d, hex);
        if (strcmp(st.is_folder ? "/" : hex, c->digest) != 0)
            world_violation(w, "%s was said to be durable as %.12s and is %.12s", c->path,
                            *c->digest ? c->digest : "absent", *hex ? hex : "absent");
    }
}

static void record_recovered(struct world *w, const struct recovered *r)
{
    struct err e;
    if (json_array_size(r->actions) == 0)
        return;
    json_t *fields = json_object();
    json_put(fields, "actions", json_deep_copy(r->actions));
    journal_add(w->journal, RECORD_RECOVER, fields);
    if (journal_sync(w->journal, &e) < 0)
        world_violation(w, "recovery can't be recorded: %s", e.text);
}

void world_recover(struct world *w)
{
    OWNED(recovered_fini) struct recovered r = {0};
    struct journal_opened opened;
    struct err e;
    w->shared->effects = 0;
    if (recover_stage(w->root, &w->node, &r, &e) < 0)
        world_violation(w, "recovery of the stage: %s", e.text);
    if (recover_unfinished(w->root, "/var/lib/planeguard", &r, &e) < 0 ||
        recover_unfinished(w->root, JOURNAL_FOLDER, &r, &e) < 0)
        world_violation(w, "recovery of our own folders: %s", e.text);
    if (journal_open(w->root, w->node.name, &w->journal, &opened, &e) < 0) {
        world_violation(w, "the journal can't be opened: %s", e.text);
        return;
    }
    record_recovered(w, &r);
    if (w->c->recover)
        w->c->recover(w);
    journal_close(TAKE(w->journal));
    journal_must_hold(w);
}

/* Its bytes are others each time: the journal's files, and who kept a manifest when. */
static bool is_changing(const char *path)
{
    static const char *const patterns[] = {JOURNAL_FOLDER "/*.jsonl", JOURNAL_FOLDER "/*.torn",
                                           JOURNAL_FOLDER "/*.torn.[0-9]",
                                           "/var/lib/planeguard/known-good/*/*.json"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (fnmatch(patterns[i], path, 0) == 0)
            return true;
    return false;
}

static void check_whole(struct world *w, const char *path)
{
    OWNED(buf_fini) struct buf text = {0};
    struct err e;
    size_t length = strlen(path);
    if (length < 5 || strcmp(path + length - 5, ".json") != 0)
        return;
    world_must(file_read(w->root, path, 0, 1 << 20, &text, &e), &e);
    OWNED(json_decref) json_t *value = json_parse(buf_string(&text), text.length, &e);
    if (!value)
        world_violation(w, "%s is not whole: %s", path, e.text);
}

static void check_entry(struct world *w, const struct entry *now, const struct tree *before,
                        const struct tree *after)
{
    const struct entry *old = tree_find(before, now->path), *new = tree_find(after, now->path);
    if (strstr(now->path, "/" FILE_TEMPORARY))
        world_violation(w, "%s: an unfinished file is left", now->path);
    else if (is_changing(now->path))
        check_whole(w, now->path);
    else if (!old && !new)
        world_violation(w, "%s: neither before nor after was such a file", now->path);
    else if (!(old && entry_equal(old, now)) && !(new &&entry_equal(new, now)))
        world_violation(w, "%s: neither as it was nor as it was meant to be (mode %o, %lld bytes)",
                        now->path, now->mode, (long long)now->size_bytes);
}

void world_check(struct world *w, const struct tree *before, const struct tree *after)
{
    struct tree now;
    /* It said that it is done. */
    if (w->shared->has_ended && w->shared->code == 0 && !w->c->is_best_effort)
        before = after;
    tree_take(w->path, &now);
    for (size_t i = 0; i < now.count; i++)
        check_entry(w, &now.at[i], before, after);
    for (size_t i = 0; i < before->count; i++) {
        const char *path = before->at[i].path;
        if (tree_find(after, path) && !tree_find(&now, path) && !is_changing(path))
            world_violation(w, "%s: is missing", path);
    }
    tree_fini(&now);
}
