/* Cases of the step kinds: run, undo and recover, recorded as the engine does. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "act/kinds.h"
#include "act/manifest.h"
#include "base/mem.h"
#include "cases.h"
#include "config/field.h"
#include "config/yaml.h"

#define POD_LOGS "/var/log/pods/kube-system_kube-apiserver-master1_u1/kube-apiserver"

void step_prepare(struct world *w, const struct step_kind *kind, const char *arguments)
{
    struct yaml *document = NULL;
    struct journal_opened opened;
    struct err e;
    w->kind = kind;
    w->hand.kind = kind->kind.name;
    w->args = pool_alloc(w->pool, kind->kind.args_size);
    world_must(yaml_parse(w->pool, "case", arguments, strlen(arguments), &document, &e), &e);
    world_must(fields_decode(kind->kind.fields, w->pool, document, w->args, &e), &e);
    w->plan = json_object();
    world_must(kind->plan(&w->hand, w->args, w->plan, &e), &e);
    if (!w->journal)
        world_must(journal_open(w->root, w->node.name, &w->journal, &opened, &e), &e);
}

typedef enum outcome job(struct hand *h, const void *args, const json_t *plan, struct err *detail);

static bool is_good(enum outcome o)
{
    return o == OUTCOME_DONE || o == OUTCOME_ALREADY;
}

/* Intent, the work, its result. */
static int recorded(struct world *w, job *work, struct err *e)
{
    struct err ignored;
    int code = world_record(w, w->journal, RECORD_INTENT, e);
    if (code < 0)
        return code;
    enum outcome o = work(&w->hand, w->args, w->plan, e);
    (void)world_record(w, w->journal, RECORD_RESULT, &ignored);
    return is_good(o) ? 0 : -1;
}

static int run(struct world *w, struct err *e)
{
    return recorded(w, w->kind->run, e);
}

static int undo(struct world *w, struct err *e)
{
    return recorded(w, w->kind->undo, e);
}

static int recover(struct world *w, struct err *e)
{
    return recorded(w, w->kind->recover, e);
}

static void must(struct world *w, job *work)
{
    struct err e = {0};
    world_must(world_record(w, w->journal, RECORD_INTENT, &e), &e);
    if (!is_good(work(&w->hand, w->args, w->plan, &e)))
        world_must(-1, &e);
    world_must(world_record(w, w->journal, RECORD_RESULT, &e), &e);
    w->shared->claim_count = 0;
}

static void back(struct world *w, job *work, const char *what)
{
    struct err e = {0};
    if (work && !is_good(work(&w->hand, w->args, w->plan, &e)))
        world_violation(w, "%s after the crash: %s", what, e.text);
}

/* What the agent does at its start with the step that it was in. */
static void recover_step(struct world *w)
{
    back(w, w->kind->recover, "recover");
}

static void recover_and_undo(struct world *w)
{
    back(w, w->kind->recover, "recover");
    back(w, w->kind->undo, "undo");
}

static void is_live(struct world *w, const char *wanted)
{
    struct digest d, d_wanted = digest_of(wanted, strlen(wanted));
    struct err e;
    if (file_digest(w->root, LIVE, 0, &d, &e) < 0 || !digest_equal(&d, &d_wanted))
        world_violation(w, "%s is not what it was before", LIVE);
}

static const char *ours(void)
{
    return manifest_text("kube-apiserver", "ours");
}

static const char *bad(void)
{
    return manifest_text("kube-apiserver", "bad");
}

/* ---- static-pod.restart ---- */

static void running_pod(struct world *w)
{
    world_put(w, LIVE, ours());
    runtime_begin(w);
}

static void by_container(struct world *w)
{
    running_pod(w);
    step_prepare(w, &static_pod_restart,
                 "{pod: kube-apiserver, by: container, downWithin: 5m, upWithin: 5m}");
}

static void by_manifest(struct world *w)
{
    running_pod(w);
    step_prepare(w, &static_pod_restart,
                 "{pod: kube-apiserver, by: manifest, downWithin: 5m, upWithin: 5m}");
}

static const char *planned(const struct world *w, const char *key)
{
    return json_get_string(w->plan, key, "");
}

/* The move's own record can't be written. */
static int effect_refused(struct hand *h, const json_t *effect)
{
    int code = world_effect(h, effect);
    return strcmp(json_get_string(effect, "what", ""), "moved") == 0 ? -EIO : code;
}

static void by_manifest_unrecorded(struct world *w)
{
    by_manifest(w);
    w->hand.effect = effect_refused;
}

/* Then it fails, and what it took out is home when it says so. */
static int run_unrecorded(struct world *w, struct err *e)
{
    struct err why;
    struct file_status st;
    if (run(w, e) == 0)
        return err_set(e, -1, "done, though a change could not be recorded");
    if (file_status(w->root, LIVE, 0, &st, &why) < 0 || !st.exists)
        return err_set(e, -1, "the manifest is left out");
    return 0;
}

/* At every instant it is in one place. */
static void never_lost(struct world *w)
{
    struct file_status home, out;
    struct err e;
    world_must(file_status(w->root, LIVE, 0, &home, &e), &e);
    world_must(file_status(w->root, planned(w, "stash"), 0, &out, &e), &e);
    if (home.exists == out.exists)
        world_violation(w, "the manifest is %s", home.exists ? "twice there" : "lost");
}

static void is_ours(struct world *w)
{
    is_live(w, ours());
}

/* The step is under way: its intent is recorded. */
static void begun(struct world *w)
{
    struct err e;
    world_must(world_record(w, w->journal, RECORD_INTENT, &e), &e);
}

static void backed_up(struct world *w)
{
    OWNED(manifest_fini) struct manifest m = {0};
    struct err e;
    by_manifest(w);
    begun(w);
    world_must(manifest_read(w->root, LIVE, &m, &e), &e);
    world_must(manifest_backup(&w->hand, planned(w, "backup"), &m, &e), &e);
}

static void out(struct world *w)
{
    struct err e;
    backed_up(w);
    world_must(file_move(w->root, LIVE, planned(w, "stash"), &e), &e);
}

static void lost(struct world *w)
{
    struct err e;
    backed_up(w);
    world_must(file_remove(w->root, LIVE, &e), &e);
}

/* ---- manifest.restore ---- */

static void broken(struct world *w)
{
    keep(w, ours());
    world_put(w, LIVE, bad());
    step_prepare(w, &manifest_restore, "{pod: kube-apiserver}");
}

static void absent(struct world *w)
{
    struct err e;
    keep(w, ours());
    world_must(file_remove(w->root, LIVE, &e), &e);
    step_prepare(w, &manifest_restore, "{pod: kube-apiserver}");
}

static void restored(struct world *w)
{
    broken(w);
    must(w, w->kind->run);
}

static void absent_restored(struct world *w)
{
    absent(w);
    must(w, w->kind->run);
}

static void is_bad(struct world *w)
{
    is_live(w, bad());
}

static void is_absent(struct world *w)
{
    struct file_status st;
    struct err e;
    if (file_status(w->root, LIVE, 0, &st, &e) < 0 || st.exists)
        world_violation(w, "%s is there, and wasn't before", LIVE);
}

/* ---- evidence.collect, unit.restart, wait ---- */

static void with_logs(struct world *w)
{
    running_pod(w);
    world_put(w, POD_LOGS "/2.log", "2026-11-21T04:31:41Z stderr F panic: x\n");
    world_put(w, POD_LOGS "/3.log", "2026-11-21T04:31:42Z stderr F listening\n");
    step_prepare(w, &evidence_collect, "{components: [kube-apiserver]}");
}

static void with_unit(struct world *w)
{
    w->node.bus_address = "unix:path=/stand-in";
    unit_begin(w);
    step_prepare(w, &unit_restart, "{unit: kubelet.service, within: 5s}");
}

static void unit_reset(struct world *w)
{
    struct err e;
    with_unit(w);
    begun(w);
    world_must(unit_reset_failed("", "", &e), &e);
}

static void unit_is_active(struct world *w)
{
    if (strcmp(w->shared->unit.active_state, "inactive") == 0)
        world_violation(w, "the unit is left stopped");
}

static void wait_a_moment(struct world *w)
{
    step_prepare(w, &wait_step, "{for: 1ms}");
}

#define RESTART .kind = "static-pod.restart"
const struct crash_case case_restart_manifest = {.name = "static-pod.restart-manifest",
                                                 RESTART,
                                                 .prepare = by_manifest,
                                                 .act = run,
                                                 .raw = never_lost,
                                                 .recover = recover_and_undo,
                                                 .check = is_ours,
                                                 .has_deadman = true};
const struct crash_case case_restart_unrecorded = {.name = "static-pod.restart-unrecorded",
                                                   RESTART,
                                                   .prepare = by_manifest_unrecorded,
                                                   .act = run_unrecorded,
                                                   .raw = never_lost,
                                                   .recover = recover_and_undo,
                                                   .check = is_ours,
                                                   .has_deadman = true};
const struct crash_case case_restart_container = {.name = "static-pod.restart-container",
                                                  RESTART,
                                                  .prepare = by_container,
                                                  .act = run,
                                                  .recover = recover_and_undo,
                                                  .check = is_ours};
const struct crash_case case_restart_undo_out = {.name = "static-pod.restart-undo",
                                                 RESTART,
                                                 .prepare = out,
                                                 .act = undo,
                                                 .raw = never_lost,
                                                 .recover = recover_and_undo,
                                                 .check = is_ours};
const struct crash_case case_restart_undo_lost = {.name = "static-pod.restart-lost",
                                                  RESTART,
                                                  .prepare = lost,
                                                  .act = recover,
                                                  .recover = recover_and_undo,
                                                  .check = is_ours};
#define RESTORE .kind = "manifest.restore"
const struct crash_case case_restore = {
    .name = "manifest.restore", RESTORE, .prepare = broken, .act = run, .recover = recover_step};
const struct crash_case case_restore_absent = {.name = "manifest.restore-absent",
                                               RESTORE,
                                               .prepare = absent,
                                               .act = run,
                                               .recover = recover_step};
const struct crash_case case_restore_undo = {.name = "manifest.restore-undo",
                                             RESTORE,
                                             .prepare = restored,
                                             .act = undo,
                                             .recover = recover_and_undo,
                                             .check = is_bad};
const struct crash_case case_restore_absent_undo = {.name = "manifest.restore-absent-undo",
                                                    RESTORE,
                                                    .prepare = absent_restored,
                                                    .act = undo,
                                                    .recover = recover_and_undo,
                                                    .check = is_absent};
const struct crash_case case_evidence = {.name = "evidence.collect",
                                         .kind = "evidence.collect",
                                         .prepare = with_logs,
                                         .act = run,
                                         .is_best_effort = true};
const struct crash_case case_unit = {.name = "unit.restart",
                                     .kind = "unit.restart",
                                     .prepare = with_unit,
                                     .act = run,
                                     .recover = recover_step,
                                     .check = unit_is_active};
const struct crash_case case_unit_recover = {.name = "unit.restart-recover",
                                             .kind = "unit.restart",
                                             .prepare = unit_reset,
                                             .act = recover,
                                             .recover = recover_step,
                                             .check = unit_is_active};
const struct crash_case case_wait = {
    .name = "wait", .kind = "wait", .prepare = wait_a_moment, .act = run};
