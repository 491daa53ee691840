"""Bugs to plant: each is one text of one file in another's place, and is seen by the simulator or by
one case and mode of the crash tests. The old text must be in its file exactly once.

What is left out, because another layer of defence masks it (so nobody could meet it):

- the kill switch's guard allowing, or a step not looking at the files: each sees what the other misses
- the journal's guard allowing: a step whose intent isn't durable isn't begun
- a look from before the question answering it: it is never older than the probe's own timeout
- a restart that doesn't look whether the container is still the planned one: it is ended by its id
- a manifest not put back when the old pod doesn't go: undo and dead-man both put it back in time
- what was written not read back: it takes a disk that lies; the crash tests have none
- a short write of a file not continued: reading back sees it, and the old file stays
- an unfinished file not removed by who wrote it: the next start removes it (what if that doesn't is a
  mutant)
- of a renamed file only one folder not made durable: ext4 keeps both with either; both is a mutant
"""
import dataclasses


@dataclasses.dataclass
class Mutant:
    name: str
    what: str
    file: str  # below agent/
    old: str
    new: str
    by: str = "sim"  # or "crash"
    case: str = ""  # of the crash tests, with its mode
    mode: str = ""

    def __post_init__(self):
        self.file = "agent/" + self.file


def sim(name, what, file, old, new):
    return Mutant(name, what, file, old, new)


def crash(name, what, file, old, new, case, mode):
    return Mutant(name, what, file, old, new, "crash", case, mode)


GUARDS = [
    sim("guards-mildest", "the mildest guard's word counts", "decide/guards.c",
        "f->verdict = j->verdict < f->verdict ? j->verdict", "f->verdict = j->verdict > f->verdict ? j->verdict"),
    sim("guards-last", "the last guard's word counts", "decide/guards.c",
        "    if (j->verdict < f->verdict || !f->why[0]) {\n"
        "        f->verdict = j->verdict < f->verdict ? j->verdict : f->verdict;",
        "    {\n        f->verdict = j->verdict;"),
    sim("unknown-is-true", "what isn't known of a signal counts as true", "decide/condition.c",
        "        return TRUTH_UNKNOWN;\n    if (s->verdict != w->is)", "        return TRUTH_TRUE;\n    if (s->verdict != w->is)"),
    sim("requires-ignored", "what a playbook requires need not hold", "decide/guards/requires.c",
        "== TRUTH_TRUE)\n            continue;", "<= TRUTH_TRUE)\n            continue;"),
    sim("mode-dry-acts", "dry-run acts", "decide/guards/mode.c", "GUARD_DRY, \"mode", "GUARD_ALLOW, \"mode"),
    sim("switch-one-file", "only one of the kill switch's files is looked at", "engine/engine.c",
        "for (size_t i = 0; i < SWITCHES; i++) {", "for (size_t i = 0; i < 1; i++) {"),
    sim("attempts-one-more", "one attempt more than the limit", "decide/guards/attempts.c",
        "recent < p->limits.attempts", "recent <= p->limits.attempts"),
    sim("attempts-uncounted", "attempts aren't counted", "decide/history.c",
        "    push_time(a->began_usec, &a->count, HISTORY_ATTEMPTS_MAX, now_usec);\n    h->action_began",
        "    a->count = 0;\n    h->action_began"),
    sim("attempts-forgotten", "a restart forgets the attempts", "decide/history.c",
        "times_save(h->at[i].began_usec, h->at[i].count)", "times_save(h->at[i].began_usec, 0)"),
    sim("start-grace-ignored", "no grace after the agent's start", "decide/guards/start_up.c",
        "c->started_usec + a->own_usec", "c->started_usec"),
    sim("boot-grace-ignored", "no grace after the node's boot", "decide/guards/start_up.c",
        "c->booted_usec + a->boot_usec", "c->booted_usec"),
    sim("settle-ignored", "an own action's echo is news", "decide/guards/settle.c",
        "if (own || older || v->now_usec >= ended + a->for_usec) {", "if (v->now_usec) {"),
    sim("fresh-look-ignored", "no fresh look before a plan begins", "decide/guards/fresh_look.c",
        "!i->looked_usec || v->now_usec - i->looked_usec > a->within_usec", "a->within_usec == 0"),
    sim("cooldown-ignored", "the cooldown is over at once", "decide/guards/cooldown.c",
        "if (v->now_usec >= until_usec) {", "if (v->now_usec) {"),
]

DECISIONS = [
    sim("for-ignored", "a failure is due at once", "decide/settle.c",
        "c->now_usec < i->holds_since_usec + f->for_usec)\n        return false;\n    char",
        "c->now_usec < i->holds_since_usec)\n        return false;\n    char"),
    sim("verified-at-once", "a remedy need not hold", "decide/verify.c",
        "c->now_usec < *next_usec ? PROOF_WAITING", "c->now_usec < i->met_usec[k] ? PROOF_WAITING"),
    sim("kept-at-once", "a manifest is known good at once", "decide/good.c",
        "c->now_usec >= s->good_since_usec + c->generation->probes[i].good_for_usec)", "c->now_usec >= s->good_since_usec)"),
    sim("kept-while-dead", "a manifest is known good though its API server is not ready", "decide/good.c",
        "good_signal].verdict == SIGNAL_PASS;", "good_signal].verdict != SIGNAL_PASS;"),
    sim("never-gone", "what was seen is never gone", "decide/settle.c",
        "    if (core_condition(c, c->generation, &f->when) != TRUTH_FALSE)\n        return false;\n    effects_add",
        "    if (f)\n        return false;\n    effects_add"),
    sim("no-look-after-recovery", "nobody looks whether what was recovered works", "decide/take.c",
        "    if (ev->ok)\n        moves_look(c, i, fx);\n    else\n        stop", "    if (!ev->ok)\n        stop"),
    sim("recovery-not-asked", "what the agent's end cut short isn't recovered", "decide/take.c",
        "else if (i->state == STATE_RECOVERING) {", "else if (i->state == STATE_NONE) {"),
    sim("never-told", "a person is needed and isn't told", "decide/steps.c",
        "    incident_drop_plan(i);\n    moves_escalate(c, i, fx);", "    incident_drop_plan(i);"),
    sim("memory-of-its-own", "a decision depends on what no event says", "decide/take.c",
        "    if (core_incident_of(c, f->meta.name) ||\n",
        "    static unsigned count;\n    if (++count % 7 == 0 || core_incident_of(c, f->meta.name) ||\n"),
    sim("event-without-held", "an event's record leaves out how long a signal had held", "decide/event.c",
        "json_put(body, \"heldUsec\", json_integer((json_int_t)e->held_usec));", "(void)e->held_usec;"),
    sim("event-without-boot", "a start's record leaves out when the node booted", "decide/event.c",
        "json_integer((json_int_t)e->boot_usec)", "json_integer(0)"),
    sim("event-without-index", "a step's result leaves out which step", "decide/event.c",
        "json_integer(e->step)", "json_integer(0)"),
    sim("incidents-unsaved", "open incidents aren't saved", "decide/core.c",
        "json_put(saved, \"incidents\", incidents);", "json_array_clear(incidents), json_put(saved, \"incidents\", incidents);"),
    sim("history-unread", "a restart reads no history", "decide/core.c",
        "    history_load(&c->history, json_object_get(saved, \"history\"));\n", "    history_load(&c->history, NULL);\n"),
    sim("unseen-is-proven", "verified though nobody could see", "decide/verify.c",
        "    if (t != TRUTH_TRUE) {", "    if (t == TRUTH_FALSE) {"),
]

ENGINE = [
    sim("act-before-record", "a step begins before its intent is recorded", "engine/engine.c",
        "    struct err e = {0};\n    bool recorded = make_durable(en, &e);\n    if (journal_rotated",
        "    struct err e = {0};\n    perform(en, &fx, true);\n    effects_fini(&fx);\n    bool recorded = make_durable(en, &e);\n    if (journal_rotated"),
    sim("state-unsaved", "the state isn't saved before acting", "engine/engine.c",
        "en->state_unsaved |= f->type == EFFECT_SAVE;", "en->state_unsaved |= f->type == EFFECT_SAVE && !en->core;"),
    sim("wake-lost", "what is due by time alone is forgotten", "engine/perform.c",
        "at_usec == USEC_NEVER ? USEC_NEVER : at_usec - en->booted_usec", "at_usec == USEC_NEVER ? USEC_NEVER : USEC_NEVER"),
    sim("state-failure-ignored", "a state that can't be saved doesn't matter", "engine/engine.c",
        "    return recorded && !en->state_unsaved;", "    return recorded;"),
    sim("sync-failure-ignored", "a journal that can't be written doesn't matter", "engine/engine.c",
        "    bool recorded = sync_journal(en, e);", "    bool recorded = sync_journal(en, e) || true;"),
    sim("effect-not-awaited", "an effect that can't be recorded doesn't matter", "engine/perform.c",
        "        log_error(\"an effect can't be recorded: %s\", e.text);\n    return r;",
        "        log_error(\"an effect can't be recorded: %s\", e.text);\n    return 0;"),
    sim("reboot-refills", "a reboot counts as a day, which refills what limits an attempt", "engine/state.c",
        "(uint64_t)json_get_int(core, same_boot ? \"booted\" : \"clock\", 0);",
        "(uint64_t)json_get_int(core, same_boot ? \"booted\" : \"clock\", 0) +\n"
        "                      (same_boot ? 0 : UINT64_C(86400000000));"),
    sim("undo-needs-journal", "an undo waits for a journal that can't be written", "engine/perform.c",
        "perform_job(en, f, JOB_UNDO, undo_timeout_usec, true);", "perform_job(en, f, JOB_UNDO, undo_timeout_usec, recorded);"),
]

NO_DEAD_MAN = (
    "    int code = detached_start(argv, ready_usec, &d, e);\n"
    "    if (code < 0)\n"
    "        return err_wrap(e, code, \"the dead-man can't be armed\");\n"
    "    *ret = (struct deadman *)d;\n"
    "    return 0;\n"
    "}\n\n"
    "bool deadman_waits(const struct deadman *d)\n"
    "{\n"
    "    return detached_is_alive((const struct detached *)d);\n",
    "    if (ready_usec == 0)\n"
    "        return detached_start(argv, ready_usec, &d, e);\n"
    "    *ret = (struct deadman *)d;\n"
    "    return 0;\n"
    "}\n\n"
    "bool deadman_waits(const struct deadman *d)\n"
    "{\n"
    "    return !d;\n")

ACTS = [
    sim("undo-only-told", "an undo is told as done and isn't", "act/job.c",
        "enum outcome one = back(h, s->args, plan, &e);", "enum outcome one = i > 99 ? back(h, s->args, plan, &e) : OUTCOME_DONE;"),
    sim("dead-man-unarmed", "a manifest is out and no dead-man waits", "act/deadman.c", *NO_DEAD_MAN),
    sim("dead-man-hasty", "the dead-man doesn't wait for the agent's end", "act/deadman.c",
        "    if (file_lock_wait(root, LOCK_PATH, deadline_usec,",
        "    deadline_usec /= 1000;\n    if (file_lock_wait(root, LOCK_PATH, deadline_usec,"),
    crash("effect-unanswered", "a hand goes on though its effect isn't recorded", "act/job.c",
          "return code < 0 ? err_set(e, code, \"the record of a change could not be made durable\") : 0;\n    }\n    OWNED",
          "return code < 0 ? 0 : 0;\n    }\n    OWNED", "static-pod.restart-unrecorded", "kill"),
    crash("no-backup", "a manifest is replaced without a copy", "act/steps/manifest_restore.c",
          "if (now->exists && manifest_backup(h, c->backup, now, detail) < 0)", "if (now->exists && !c->backup)",
          "manifest.restore-undo", "kill"),
    crash("no-dead-man", "a manifest is out and no dead-man waits", "act/deadman.c", *NO_DEAD_MAN,
          "static-pod.restart-manifest", "dead-man"),
    crash("unfinished-left", "recovery leaves unfinished files", "act/recover.c",
          "    if (temporaries)\n", "    if (!temporaries)\n", "manifest.restore", "kill"),
    crash("stash-forgotten", "recovery leaves what is out", "act/recover.c",
          "s.state != STASH_OUT ||", "s.state == STASH_OUT ||", "static-pod.restart-manifest", "kill"),
    sim("restore-blind", "a restore overwrites what somebody else wrote", "act/steps/manifest_restore.c",
        "    if (!manifest_is(&now, c.before)) {", "    if (!json_object_get(plan, \"before\")) {"),
]

FILES = [
    crash("file-unsynced", "a file is renamed before it is durable", "loop/replace.c",
          "        code = path_sync(fd, d->path, e);", "        code = fd < 0;", "file.replace", "power"),
    crash("move-unsynced", "a moved file's folders aren't made durable", "loop/file.c",
          "    return folders_sync(to_fd, to, from_fd, from, e);", "    return from ? 0 : folders_sync(to_fd, to, from_fd, from, e);",
          "file.move", "power"),
    crash("written-in-place", "a file is written in its place", "loop/replace.c",
          "    (void)snprintf(d->temporary, sizeof d->temporary, FILE_TEMPORARY \"%016llx\",\n"
          "                   (unsigned long long)number);\n    int fd =\n"
          "        openat(d->stage, d->temporary, O_RDWR | O_CREAT | O_EXCL |",
          "    (void)snprintf(d->temporary, sizeof d->temporary, \"%.31s\", d->name);\n    d->stage = d->folder;\n    int fd =\n"
          "        openat(d->stage, d->temporary, O_RDWR | O_CREAT | O_TRUNC |", "file.replace", "kill"),
    crash("removed-first", "the old file is removed before the new one takes its place", "loop/replace.c",
          "    if (renameat2(d->stage, d->temporary, d->folder", "    if (!flags)\n        (void)unlinkat(d->folder, d->name, 0);\n    if (renameat2(d->stage, d->temporary, d->folder",
          "file.replace", "kill"),
    sim("state-in-place", "files are written in place", "loop/replace.c",
          "    (void)snprintf(d->temporary, sizeof d->temporary, FILE_TEMPORARY \"%016llx\",\n"
          "                   (unsigned long long)number);\n    int fd =\n"
          "        openat(d->stage, d->temporary, O_RDWR | O_CREAT | O_EXCL |",
          "    (void)snprintf(d->temporary, sizeof d->temporary, \"%.31s\", d->name);\n    d->stage = d->folder;\n    int fd =\n"
          "        openat(d->stage, d->temporary, O_RDWR | O_CREAT | O_TRUNC |"),
    crash("move-overwrites", "what is moved replaces what lies in its place", "loop/file.c",
        "to_fd, to_name, RENAME_NOREPLACE) < 0", "to_fd, to_name, 0) < 0",
          "stage.recover", "kill"),
]

JOURNAL = [
    sim("record-unsynced", "records aren't made durable", "loop/append.c",
        "    if (fdatasync(a->fd) == 0)", "    if (a->fd >= 0 || fdatasync(a->fd) == 0)"),
    crash("tail-not-cut", "a torn end isn't cut off", "record/resume.c",
          "append_length(w->out.file) > judge->good_bytes)", "append_length(w->out.file) < judge->good_bytes)", "journal.torn", "kill"),
    crash("tail-thrown-away", "a torn end is thrown away", "record/resume.c",
          "        code = tail_save(w->root, JOURNAL_FOLDER, name, judge.good_bytes, e);\n", "", "journal.torn", "kill"),
    sim("since-own", "a record doesn't say with which it was written", "record/writer.c",
        "    chain_hash(w->chain, &l, b->head, b->head);", "    l.since = l.seq;\n    chain_hash(w->chain, &l, b->head, b->head);"),
    sim("chain-cut", "a record's hash leaves out the one before", "record/writer.c",
        "    chain_hash(w->chain, &l, b->head, b->head);", "    chain_hash(w->chain, &l, chain_start, b->head);"),
    crash("short-record", "a short write of records isn't continued", "loop/append.c",
          "            done += (size_t)n;", "            done = length;", "journal.append", "short"),
    crash("debris-left", "what a failed write left is not cut off", "record/writer.c",
          "        code = file_remove(w->root, path, e);\n    } else {", "        code = 0;\n    } else {", "journal.rotate", "errno"),
    sim("number-again", "now and then a number is given twice", "record/writer.c",
        "    w->good_bytes = append_length(file);\n    w->next_seq = b->next_seq;",
        "    w->good_bytes = append_length(file);\n    w->next_seq = b->next_seq - (b->next_seq % 64 == 0);"),
    sim("segment-unsynced", "a new segment's folder isn't made durable", "loop/append.c",
        "    int code = path_sync(folder, path, e);", "    int code = 0;"),
    sim("sync-tried-again", "a failed fdatasync is tried again and believed", "loop/append.c",
        "    if (fdatasync(a->fd) == 0)", "    if (fdatasync(a->fd) == 0 || fdatasync(a->fd) == 0)"),
]

# Bugs that nobody was seen to see yet, or not within a number of seeds that was tried: tried when they
# are named, and counted nowhere else.
OPEN = [
    sim("cause-ignored", "a failure isn't taken back under its cause", "decide/core.c",
        "if (core_incident_of(c, cause->meta.name))", "if (!cause->meta.name)"),
    sim("two-plans", "more than one plan at a time", "decide/choose.c",
        "if (other != i && (state_is_at_work(other->state) ||", "if (other == i && (state_is_at_work(other->state) ||"),
    sim("mid-plan-blind", "the failure may be gone before the first step that changes something", "decide/take.c",
        "        if (changes_at(i, k))\n            return NULL;\n", "        if (k >= 0)\n            return NULL;\n"),
    sim("stricter-ignored", "a mode that gets stricter stops no plan", "decide/take.c",
        "if (core_mode(c, p) != MODE_ENFORCE)", "if (core_mode(c, p) == MODE_OBSERVE)"),
    sim("start-without-recovery", "what is out isn't put back at the start", "engine/home.c",
        "    (void)bring(en, recover_stage, ret);\n", "    *ret = (struct recovered){.actions = json_array()};\n"),
    sim("home-never-again", "what couldn't be brought home at the start isn't tried again", "engine/home.c",
        "if (code >= 0 && en->home_failed)", "if (code >= 0 && !en->loop)"),
    sim("second-dead-man", "a dead-man is armed while an earlier one waits", "cmd/recover.c",
        "    if (file_lock(root, DEADMAN_PATH, &waiting, e) == -EBUSY)\n", "    if (!root)\n"),
    sim("slept-through", "signals stay known over a suspend", "engine/engine.c",
        "{\n    forget_stale(en);\n    ev->now_usec", "{\n    ev->now_usec"),
    crash("rename-unsynced", "a renamed file's folders aren't made durable", "loop/replace.c",
          "    int code = path_sync(d->folder, d->path, e);\n    return code < 0 ? code : path_sync(d->stage, d->path, e);",
          "    return 0;", "file.replace", "power"),
]

MUTANTS = GUARDS + DECISIONS + ENGINE + ACTS + FILES + JOURNAL
