#include "hinder.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/deadman.h"
#include "base/mem.h"
#include "power.h"
#include "trace.h"

static const struct {
    const char *name;
    int errnum;
} errnos[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},  {"EMFILE", EMFILE},
              {"EACCES", EACCES}, {"EROFS", EROFS},   {"ENOMEM", ENOMEM}};

/* A point as it is written: NAME:N or NAME:N=ERRNO. */
struct point {
    char name[32];
    unsigned number;
    int errnum;
};

struct run {
    struct world *w;
    const char *mode;
    struct point point;
    bool was_there;
    /* power: the points, whether each was met, and what was said to be durable then */
    const struct power *power;
    struct point *points;
    struct shared *said;
    bool *met;
    size_t count;
};

static bool point_parse(const char *text, struct point *ret)
{
    char word[16] = "";
    *ret = (struct point){0};
    if (sscanf(text, "%31[^:]:%u=%15s", ret->name, &ret->number, word) < 2)
        return strcmp(text, "end") == 0;
    for (size_t i = 0; i < sizeof errnos / sizeof *errnos; i++)
        if (strcmp(errnos[i].name, word) == 0)
            ret->errnum = errnos[i].errnum;
    return (*word != '\0') == (ret->errnum != 0);
}

static bool is_at(const struct point *p, const struct call *c)
{
    return p->number == c->number && strcmp(p->name, c->name) == 0;
}

/* ---- the act ---- */

static void act(void *context)
{
    struct run *r = context;
    struct shared *s = r->w->shared;
    struct err e = {0};
    s->code = r->w->c->act(r->w, &e);
    (void)snprintf(s->text, sizeof s->text, "%s", e.text);
    s->has_ended = true;
}

static enum order tell(void *context, const struct call *c, int *ret_errnum)
{
    struct run *r = context;
    (void)ret_errnum;
    (void)printf("%s:%u%s %s\n", c->name, c->number, c->may_be_short ? "s" : "",
                 c->path + strlen(r->w->path));
    return ORDER_GO;
}

static enum order hinder_at(void *context, const struct call *c, int *ret_errnum)
{
    struct run *r = context;
    bool is_gone = r->was_there && strcmp(r->mode, "gone") == 0;
    if (!is_gone && (r->was_there || !is_at(&r->point, c)))
        return ORDER_GO;
    r->was_there = true;
    *ret_errnum = strcmp(r->mode, "gone") == 0 ? EIO : r->point.errnum;
    return *ret_errnum ? ORDER_FAIL : strcmp(r->mode, "short") == 0 ? ORDER_SHORT : ORDER_KILL;
}

static enum order copy_at(void *context, const struct call *c, int *ret_errnum)
{
    struct run *r = context;
    (void)ret_errnum;
    for (size_t i = 0; i < r->count; i++) {
        if (r->met[i] || !is_at(&r->points[i], c))
            continue;
        power_copy(r->power, (unsigned)i + 1);
        r->said[i] = *r->w->shared;
        r->met[i] = true;
    }
    /* Advice to let go of a file's pages happens to write them. Nobody may rely on that. */
    return strcmp(c->name, "fadvise64") == 0 ? ORDER_SKIP : ORDER_GO;
}

/* What the act has started and left: ended, or waited for (the dead-man, once it may act). */
static void orphans(bool may_end_themselves)
{
    char path[64], text[256];
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    for (;;) {
        FILE *f = fopen(path, "re");
        size_t got = f ? fread(text, 1, sizeof text - 1, f) : 0;
        if (f)
            (void)fclose(f);
        text[got] = '\0';
        long pid = strtol(text, NULL, 10);
        if (pid <= 0)
            return;
        if (!may_end_themselves)
            (void)kill((pid_t)pid, SIGKILL);
        (void)waitpid((pid_t)pid, NULL, 0);
    }
}

/* Runs `work` in a child; false, with a violation, when that didn't end well. */
static void in_child(struct world *w, const char *what, void (*work)(struct world *))
{
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        work(w);
        _exit(0);
    }
    int status = 0;
    assert(pid > 0 && waitpid(pid, &status, 0) == pid);
    if (status != 0)
        world_violation(w, "%s ended with status %d", what, status);
    orphans(false);
}

/* ---- what is left ---- */

static void judge_raw(struct world *w)
{
    if (w->c->raw)
        w->c->raw(w);
    world_check_claims(w);
}

/* Whatever happens, what the kubelet may run at any instant is what it was or is to be. */
static void judge_manifests(struct world *w, const struct tree *before, const struct tree *after)
{
    struct tree now;
    tree_take(w->path, &now);
    for (size_t i = 0; i < now.count; i++) {
        const struct entry *e = &now.at[i];
        const struct entry *old = tree_find(before, e->path), *new = tree_find(after, e->path);
        if (strncmp(e->path, MANIFESTS "/", sizeof MANIFESTS) == 0 &&
            !(old && entry_equal(old, e)) && !(new &&entry_equal(new, e)))
            world_violation(w, "%s stood in the kubelet's folder, before any recovery", e->path);
    }
    tree_fini(&now);
}

static void judge_after(struct world *w)
{
    if (w->c->check)
        w->c->check(w);
}

/* Recovered twice, of which the second time changes nothing. */
static void judge(struct world *w, const struct tree *before, const struct tree *after)
{
    struct tree once, twice;
    in_child(w, "looking", judge_raw);
    judge_manifests(w, before, after);
    in_child(w, "recovery", world_recover);
    tree_take(w->path, &once);
    world_check(w, before, after);
    in_child(w, "looking again", judge_after);
    in_child(w, "a second recovery", world_recover);
    tree_take(w->path, &twice);
    const char *difference = tree_difference(&once, &twice);
    if (difference)
        world_violation(w, "a second recovery changed something: %s", difference);
    if (w->shared->effects > 0)
        world_violation(w, "a second recovery had %u effects", w->shared->effects);
    tree_fini(&once);
    tree_fini(&twice);
}

/* A signal that comes while bytes are read or written is no failure. */
static bool must_survive(const struct point *p)
{
    static const char *const calls[] = {"read", "write", "pread64", "pwrite64", "fallocate"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(p->name, calls[i]) == 0)
            return p->errnum == EINTR;
    return false;
}

static void judge_failure(struct world *w, const struct run *r)
{
    bool is_survived = w->shared->has_ended && w->shared->code == 0;
    if (!is_survived && (must_survive(&r->point) || strcmp(r->mode, "short") == 0))
        world_violation(w, "it gave up: %s", w->shared->text);
    if (!w->shared->has_ended)
        world_violation(w, "the act died of it");
    else if (w->shared->code < 0 && *w->shared->text == '\0')
        world_violation(w, "it failed and didn't say why");
}

static int conclude(const struct world *w, const char *point)
{
    bool is_bad = *w->shared->violation != '\0';
    (void)printf(is_bad ? "bad %s: %s\n" : "good %s\n", point, w->shared->violation);
    return is_bad;
}

/* ---- one mode's way ---- */

static void begin(struct world *w)
{
    tree_remove(w->path);
    world_make(w);
    w->c->prepare(w);
}

/* The whole act, unhindered: what it is meant to come to. */
static void golden(struct world *w, struct tree *ret)
{
    begin(w);
    struct run r = {.w = w};
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        act(&r);
        _exit(0);
    }
    assert(pid > 0 && waitpid(pid, NULL, 0) == pid);
    orphans(false);
    if (!w->shared->has_ended || w->shared->code < 0)
        world_must(-1, &(struct err){.text = "the act fails when nothing hinders it"});
    in_child(w, "recovery", world_recover);
    if (*w->shared->violation)
        (void)fprintf(stderr, "crash-case: %s, unhindered: %s\n", w->c->name, w->shared->violation);
    tree_take(w->path, ret);
    world_fini(w);
}

static int hinder_once(struct world *w, const char *mode, const char *text,
                       const struct tree *after)
{
    struct run r = {.w = w, .mode = mode};
    struct tree before;
    if (!point_parse(text, &r.point))
        return conclude(w, "not a point");
    begin(w);
    tree_take(w->path, &before);
    struct trace t = {.folder = w->path, .at = hinder_at, .work = act, .context = &r};
    (void)fflush(stdout);
    int status = trace_run(&t);
    if (!r.was_there)
        world_violation(w, "the act never came to this point (status %d)", status);
    if (strcmp(mode, "dead-man") == 0) {
        (void)close(w->lock);
        w->lock = -1;
        orphans(true);
        struct err e;
        world_must(file_lock(w->root, LOCK_PATH, &w->lock, &e), &e);
        in_child(w, "looking after the dead-man", judge_after);
    }
    orphans(false);
    if (strcmp(mode, "kill") != 0 && strcmp(mode, "dead-man") != 0)
        judge_failure(w, &r);
    judge(w, &before, after);
    world_fini(w);
    tree_fini(&before);
    return conclude(w, text);
}

static int print_points(struct world *w)
{
    struct run r = {.w = w};
    begin(w);
    struct trace t = {.folder = w->path, .at = tell, .work = act, .context = &r};
    (void)fflush(stdout);
    int status = trace_run(&t);
    orphans(false);
    world_fini(w);
    (void)fflush(stdout);
    return status != 0 || !w->shared->has_ended;
}

/* One act, copied at each point; then every copy is judged. */
static int cut_power(struct world *w, const char *folder, char **texts, size_t count)
{
    struct power power = {0};
    int bad = 0;
    (void)snprintf(power.folder, sizeof power.folder, "%s", folder);
    struct run r = {.w = w, .power = &power, .count = count};
    r.points = mem_array(struct point, count);
    r.said = mem_array(struct shared, count);
    r.met = mem_array(bool, count);
    for (size_t i = 0; i < count; i++)
        assert(point_parse(texts[i], &r.points[i]));
    (void)snprintf(w->path, sizeof w->path, "%s/node", power_mount(&power, 0));
    begin(w);
    struct tree before, after;
    tree_take(w->path, &before);
    sync();
    struct trace t = {.folder = w->path, .at = copy_at, .work = act, .context = &r};
    (void)fflush(stdout);
    (void)trace_run(&t);
    for (size_t i = 0; i < count; i++)
        if (r.points[i].number == 0) {
            power_copy(&power, (unsigned)i + 1);
            r.said[i] = *w->shared;
            r.met[i] = true;
        }
    orphans(false);
    in_child(w, "recovery", world_recover);
    tree_take(w->path, &after);
    world_close(w);
    power_umount(&power);
    for (size_t i = 0; i < count; i++) {
        *w->shared = r.said[i];
        if (!r.met[i]) {
            world_violation(w, "the act never came to this point");
            bad |= conclude(w, texts[i]);
            continue;
        }
        (void)power_mount(&power, (unsigned)i + 1);
        world_open(w);
        judge(w, &before, &after);
        world_close(w);
        power_umount(&power);
        power_forget(&power, (unsigned)i + 1);
        bad |= conclude(w, texts[i]);
    }
    power_forget(&power, 0);
    tree_fini(&before);
    tree_fini(&after);
    free(r.points);
    free(r.said);
    free(r.met);
    world_fini(w);
    return bad;
}

static int work(struct world *w, const char *mode, const char *folder, char **points, size_t count)
{
    const char *why = trace_is_possible();
    if (!why && strcmp(mode, "power") == 0)
        why = power_is_possible(folder);
    if (why) {
        (void)printf("skip %s\n", why);
        return 0;
    }
    if (strcmp(mode, "power") == 0)
        return cut_power(w, folder, points, count);
    (void)snprintf(w->path, sizeof w->path, "%s/node", folder);
    if (strcmp(mode, "points") == 0)
        return print_points(w);
    struct tree after;
    int bad = 0;
    golden(w, &after);
    for (size_t i = 0; i < count; i++)
        bad |= hinder_once(w, mode, points[i], &after);
    tree_fini(&after);
    return bad;
}

int hinder(const struct crash_case *c, const char *mode, const char *folder, char **points,
           size_t count)
{
    struct world *w = mem_new(struct world);
    w->c = c;
    w->lock = -1;
    w->shared =
        mmap(NULL, sizeof *w->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(w->shared != MAP_FAILED);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    (void)mkdir(folder, 0700);
    char real[PATH_MAX];
    if (!realpath(folder, real)) {
        perror(folder);
        return 1;
    }
    (void)snprintf(w->runtime, sizeof w->runtime, "%s/runtime", real);
    int code = work(w, mode, real, points, count);
    tree_remove(real);
    (void)munmap(w->shared, sizeof *w->shared);
    free(w);
    return code;
}
