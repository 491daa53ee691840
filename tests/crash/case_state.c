/* Cases of what outlives the agent: its state, what it keeps, what is out. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "act/known_good.h"
#include "act/recover.h"
#include "act/stash.h"
#include "base/mem.h"
#include "cases.h"
#include "cmd/verbs.h"
#include "engine/engine.h"

/* ---- the core's state ---- */

static struct policy_document policy;
static struct generation generation = {.references = 1, .policy = &policy};

static struct engine engine_of(const struct world *w, const char *boot)
{
    struct engine en = {.root = w->root, .journal = w->journal, .generation = &generation};
    en.core = core_new(&generation);
    (void)snprintf(en.boot_id, sizeof en.boot_id, "%s", boot);
    return en;
}

static int save(struct world *w, const char *boot, struct err *e)
{
    struct engine en = engine_of(w, boot);
    int code = state_save(&en, e);
    core_free(en.core);
    return code;
}

static void with_state(struct world *w)
{
    struct err e;
    world_must(save(w, "an older boot", &e), &e);
}

static int save_anew(struct world *w, struct err *e)
{
    int code = save(w, "this boot", e);
    struct digest d;
    char hex[DIGEST_HEX + 1];
    if (code == 0 && file_digest(w->root, "/var/lib/planeguard/state.json", 0, &d, e) == 0)
        world_claim(w, "/var/lib/planeguard/state.json", digest_hex(&d, hex));
    return code;
}

static void load(struct world *w)
{
    struct engine en = engine_of(w, "this boot");
    struct err e;
    if (state_load(&en, &e) < 0)
        world_violation(w, "the state can't be loaded: %s", e.text);
    core_free(en.core);
}

static const char no_state[] = "{\"boot\":";

static void open_journal(struct world *w)
{
    struct journal_opened opened;
    struct err e;
    world_must(journal_open(w->root, w->node.name, &w->journal, &opened, &e), &e);
}

static void with_unreadable(struct world *w)
{
    world_put(w, "/var/lib/planeguard/state.json", no_state);
    world_put(w, "/var/lib/planeguard/state.json.unreadable", "an older one");
    open_journal(w);
}

static int load_unreadable(struct world *w, struct err *e)
{
    struct engine en = engine_of(w, "this boot");
    int code = state_load(&en, e);
    core_free(en.core);
    return code;
}

/* ---- the documents in force ---- */

static int store_documents(struct world *w, struct err *e)
{
    struct engine en = engine_of(w, "this boot");
    OWNED(json_decref) json_t *body = json_object(), *one = json_object();
    json_put(one, "file", json_string("/etc/planeguard/policy.d/a.yaml"));
    json_put(one, "origin", json_string("operator"));
    json_put(one, "text", json_string("apiVersion: planeguard/v1\n"));
    generation.documents = json_array();
    json_push(generation.documents, TAKE(one));
    documents_store(&en, body);
    core_free(en.core);
    const char *why = json_get_string(body, "notStored", NULL);
    return why ? err_set(e, -1, "%s", why) : 0;
}

static void store_again(struct world *w)
{
    struct err e;
    if (store_documents(w, &e) < 0)
        world_violation(w, "the documents can't be stored any more: %s", e.text);
}

static void nothing(struct world *w)
{
    (void)w;
}

/* ---- known good ---- */

void keep(struct world *w, const char *text)
{
    char hex[DIGEST_HEX + 1];
    struct digest d = digest_of(text, strlen(text));
    struct err e = {.text = "a manifest could not be kept"};
    world_put(w, LIVE, text);
    if (known_good_keep(&w->hand, "kube-apiserver", LIVE, digest_hex(&d, hex), &e) != OUTCOME_DONE)
        world_must(-1, &e);
}

#define KEPT "/var/lib/planeguard/known-good/kube-apiserver/"

static const char *marked(const char *mark)
{
    return manifest_text("kube-apiserver", mark);
}

static void to_be_kept(struct world *w)
{
    world_put(w, LIVE, marked("now"));
}

static void third_to_be_kept(struct world *w)
{
    keep(w, marked("a"));
    keep(w, marked("b"));
    to_be_kept(w);
}

static int keep_now(struct world *w, struct err *e)
{
    char hex[DIGEST_HEX + 1];
    const char *text = marked("now");
    struct digest d = digest_of(text, strlen(text));
    enum outcome o = known_good_keep(&w->hand, "kube-apiserver", LIVE, digest_hex(&d, hex), e);
    if (o != OUTCOME_DONE)
        return o == OUTCOME_ALREADY ? 0 : -1;
    OWNED(free)
    char *path = mem_printf(KEPT "%010d-%s-0600-%u-%u.yaml", w->c == &case_keep_first ? 1 : 3, hex,
                            geteuid(), getegid());
    world_claim(w, path, hex);
    return 0;
}

static void keep_again(struct world *w)
{
    struct err e;
    if (keep_now(w, &e) < 0)
        world_violation(w, "it can't be kept any more: %s", e.text);
}

/* ---- the stage ---- */

/* Something out whose place is free, something out whose place is taken, something unfinished. */
static void with_stash(struct world *w)
{
    const char *ours = marked("ours"), *etcd = manifest_text("etcd", "ours");
    struct digest of_ours = digest_of(ours, strlen(ours)), of_etcd = digest_of(etcd, strlen(etcd));
    char name[STASH_NAME], path[PATH_MAX];
    struct err e;
    world_must(stash_name(LIVE, &of_ours, 0, name, &e), &e);
    (void)snprintf(path, sizeof path, STAGE "/%s", name);
    world_put(w, path, ours);
    world_must(stash_name(MANIFESTS "/etcd.yaml", &of_etcd, 0, name, &e), &e);
    (void)snprintf(path, sizeof path, STAGE "/%s", name);
    world_put(w, path, etcd);
    world_put(w, MANIFESTS "/etcd.yaml", manifest_text("etcd", "theirs"));
    world_put(w, STAGE "/" FILE_TEMPORARY "0123", "half");
}

static int recover_all(struct world *w, struct err *e)
{
    OWNED(recovered_fini) struct recovered r = {0};
    return recover_stage(w->root, &w->node, &r, e);
}

static int verb(struct world *w, struct err *e)
{
    struct options o = {.root = w->path};
    if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
        return -1;
    /* It says itself what is wrong. */
    return cmd_recover(&o) == 0 ? 0 : err_set(e, -1, "said by the verb");
}

static void must_be(struct world *w, const char *path, const char *text)
{
    struct digest d, wanted = digest_of(text, strlen(text));
    struct err e;
    if (file_digest(w->root, path, 0, &d, &e) < 0 || !digest_equal(&d, &wanted))
        world_violation(w, "%s is not what it has to be", path);
}

/* Ours home where its place was free; theirs untouched where it wasn't. */
static void is_home(struct world *w)
{
    must_be(w, LIVE, marked("ours"));
    must_be(w, MANIFESTS "/etcd.yaml", manifest_text("etcd", "theirs"));
}

const struct crash_case case_state_save = {
    .name = "state.save", .prepare = with_state, .act = save_anew, .recover = load};
const struct crash_case case_state_unreadable = {.name = "state.unreadable",
                                                 .prepare = with_unreadable,
                                                 .act = load_unreadable,
                                                 .recover = load};
const struct crash_case case_documents = {
    .name = "documents.store", .prepare = nothing, .act = store_documents, .recover = store_again};
const struct crash_case case_keep_first = {.name = "known-good.first",
                                           .prepare = to_be_kept,
                                           .act = keep_now,
                                           .recover = keep_again,
                                           .is_best_effort = true};
const struct crash_case case_keep_third = {.name = "known-good.third",
                                           .prepare = third_to_be_kept,
                                           .act = keep_now,
                                           .recover = keep_again,
                                           .is_best_effort = true};
const struct crash_case case_stash = {
    .name = "stage.recover", .prepare = with_stash, .act = recover_all, .check = is_home};
const struct crash_case case_verb_recover = {.name = "verb.recover",
                                             .prepare = with_stash,
                                             .act = verb,
                                             .check = is_home,
                                             .leaves_lock = true,
                                             .is_best_effort = true};
