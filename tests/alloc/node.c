/* One incident on a node in a folder: the shipped playbook that takes a static pod's manifest out
 * and back, with the journal's records of it, done as the agent and its hand do it. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/deadman.h"
#include "act/job.h"
#include "base/duration.h"
#include "base/mem.h"
#include "driver.h"
#include "fail.h"
#include "loop/clock.h"
#include "loop/detached.h"

#define MANIFESTS "/etc/kubernetes/manifests"
#define STAGE "/etc/kubernetes/.planeguard"
#define LIVE MANIFESTS "/kube-apiserver.yaml"
#define PLAN "/plan.json"
#define RUNTIME "/runtime"
#define PLAYBOOK "restart-hung-apiserver-by-manifest"

static const char manifest[] =
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: kube-apiserver\n  namespace: kube-system\n"
    "spec:\n  containers:\n  - name: kube-apiserver\n    image: registry.k8s.io/x:v1\n"
    "    command:\n    - kube-apiserver\n";

/* ---- the stand-in for the runtime and the kubelet ---- */

struct runtime {
    unsigned id; /* 0: no container */
    unsigned attempt, next;
};

static void runtime_load(const char *folder, struct runtime *r)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s" RUNTIME, folder);
    FILE *f = fopen(path, "re");
    if (!f || fscanf(f, "%u %u %u", &r->id, &r->attempt, &r->next) != 3)
        exit(EXIT_SETUP);
    (void)fclose(f);
}

static void runtime_save(const char *folder, const struct runtime *r)
{
    char path[PATH_MAX], draft[PATH_MAX + 8];
    (void)snprintf(path, sizeof path, "%s" RUNTIME, folder);
    (void)snprintf(draft, sizeof draft, "%s.new", path);
    FILE *f = fopen(draft, "we");
    if (!f || fprintf(f, "%u %u %u\n", r->id, r->attempt, r->next) < 0 || fclose(f) != 0 ||
        rename(draft, path) < 0)
        exit(EXIT_SETUP);
}

static void kubelet(const char *folder, struct runtime *r)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s" LIVE, folder);
    if (access(path, F_OK) < 0) {
        r->id = r->attempt = 0;
    } else if (!r->id) {
        r->id = r->next++;
    }
    runtime_save(folder, r);
}

static int say_containers(const struct runtime *r)
{
    (void)printf("{\"containers\":[");
    if (r->id)
        (void)printf("{\"id\":\"c%u\",\"podSandboxId\":\"s1\",\"metadata\":{\"name\":"
                     "\"kube-apiserver\",\"attempt\":%u},\"state\":\"CONTAINER_RUNNING\","
                     "\"createdAt\":\"170000000000000%04u\","
                     "\"labels\":{\"io.kubernetes.container.name\":\"kube-apiserver\","
                     "\"io.kubernetes.pod.name\":\"kube-apiserver-master1\","
                     "\"io.kubernetes.pod.namespace\":\"kube-system\","
                     "\"io.kubernetes.pod.uid\":\"u1\"}}",
                     r->id, r->attempt, r->id);
    return puts("]}") < 0;
}

static int say_sandboxes(const struct runtime *r)
{
    (void)printf("{\"items\":[");
    if (r->id)
        (void)printf("{\"id\":\"s1\",\"metadata\":{\"name\":\"kube-apiserver-master1\",\"uid\":"
                     "\"u1\",\"namespace\":\"kube-system\",\"attempt\":0},\"state\":"
                     "\"SANDBOX_READY\",\"createdAt\":\"1700000000000000001\"}");
    return puts("]}") < 0;
}

int runtime_main(int argc, char **argv)
{
    const char *word = argc > 3 ? argv[3] : "";
    struct runtime r = {0};
    runtime_load(argv[2], &r);
    if (!strcmp(word, "ps")) {
        kubelet(argv[2], &r);
        return say_containers(&r);
    }
    if (!strcmp(word, "pods"))
        return say_sandboxes(&r);
    return strcmp(word, "inspect") ? 2 : puts("{\"status\":{}}") < 0;
}

/* This program is also the dead-man, as planeguard itself is. */
int deadman_main(char **argv)
{
    const struct node node = {.name = "master1", .manifests = MANIFESTS, .stage = STAGE};
    struct root *root = NULL;
    struct recovered r = {0};
    int lock;
    if (root_open(argv[2], &root, NULL) < 0)
        return EXIT_SETUP;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)fputs(DETACHED_READY, stdout);
    (void)fflush(stdout);
    int code = deadman_watch(root, &node, strtoull(argv[5], NULL, 10), &r, &lock, NULL);
    recovered_fini(&r);
    root_free(root);
    return code < 0;
}

/* ---- the node ---- */

struct bench {
    struct root *root;
    struct node node;
    const char *crictl[3];
    struct generation *generation;
    struct journal *journal;
    struct hand hand;
    json_t *plan;
    int playbook, last, lock;
};

static int effect(struct hand *h, const json_t *one)
{
    struct bench *b = h->context;
    json_t *fields = json_object();
    json_put(fields, "effect", json_incref((json_t *)(uintptr_t)one));
    if (!b->journal) {
        json_decref(fields);
        return 0;
    }
    journal_add(b->journal, RECORD_EFFECT, fields);
    return journal_sync(b->journal, NULL);
}

/* Up to the point where a hand begins: the documents are the agent's and are there. */
static void bench_open(struct bench *b, const char *folder)
{
    struct err e;
    *b = (struct bench){
        .node = {.name = "master1", .manifests = MANIFESTS, .stage = STAGE, .pod_logs = "/logs"},
        .crictl = {"/proc/self/exe", "crictl", folder},
        .lock = -1,
    };
    if (root_open(folder, &b->root, &e) < 0)
        exit(told(&e));
    b->node.crictl = (struct strings){.at = b->crictl, .count = 3};
    b->generation = documents_load(b->root);
    b->playbook = generation_find_playbook(b->generation, PLAYBOOK);
    if (b->playbook < 0)
        exit(EXIT_SETUP);
    b->last = (int)b->generation->playbooks[b->playbook].step_count - 1;
    b->hand = (struct hand){.root = b->root,
                            .node = &b->node,
                            .deadline_usec = clock_boot_usec() + USEC_PER_MINUTE,
                            .socket = -1,
                            .effect = effect,
                            .context = b};
    if (alloc_begin)
        alloc_begin();
}

static void bench_close(struct bench *b)
{
    json_decref(b->plan);
    journal_close(b->journal);
    generation_unref(b->generation);
    root_free(b->root);
    if (b->lock >= 0)
        (void)close(b->lock);
}

static enum outcome do_job(struct bench *b, enum job_type type, int playbook, int step,
                           struct err *ret_detail)
{
    struct job job = {.type = type,
                      .generation = b->generation,
                      .playbook = playbook,
                      .step = step,
                      .incident = "i-1",
                      .plan = b->plan};
    struct job_done done;
    job_do(&b->hand, &job, &done);
    *ret_detail = done.detail;
    if (done.plan) {
        json_decref(b->plan);
        b->plan = TAKE(done.plan);
    }
    job_done_fini(&done);
    return done.outcome;
}

static void put(const char *folder, const char *path, const char *text)
{
    char full[PATH_MAX];
    (void)snprintf(full, sizeof full, "%s%s", folder, path);
    FILE *f = fopen(full, "we");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        exit(EXIT_SETUP);
}

int node_make(const char *folder)
{
    static const char *const folders[] = {MANIFESTS, STAGE, "/run/planeguard",
                                          "/var/lib/planeguard", JOURNAL_FOLDER};
    struct root *root = NULL;
    struct err e;
    if (root_open(folder, &root, &e) < 0)
        return told(&e);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (folder_make(root, folders[i], 0700, &e) < 0)
            return told(&e);
    put(folder, LIVE, manifest);
    runtime_save(folder, &(struct runtime){.id = 1, .attempt = 3, .next = 2});
    root_free(root);
    return EXIT_RIGHT;
}

/* ---- what is done on it ---- */

int node_plan(const char *folder)
{
    struct bench b;
    int code = EXIT_RIGHT;
    bench_open(&b, folder);
    for (size_t i = 0; i < b.generation->playbook_count; i++) {
        struct err detail = {0};
        enum outcome o = do_job(&b, JOB_PLAN, (int)i, 0, &detail);
        OWNED(free) char *text = o == OUTCOME_DONE ? json_canonical(b.plan) : NULL;
        if (strstr(detail.text, "memory"))
            code = told(&detail);
        (void)printf("%s: %s %s\n", b.generation->playbooks[i].meta.name,
                     words_name(&outcome_words, (int)o), text ? text : detail.text);
    }
    bench_close(&b);
    return code;
}

static int record(struct bench *b, enum record_type type, const char *key, json_t *value,
                  struct err *e)
{
    json_t *fields = json_object();
    json_put(fields, key, value);
    journal_add(b->journal, type, fields);
    return journal_sync(b->journal, e);
}

static int save_plan(struct bench *b, struct err *e)
{
    OWNED(free) char *text = json_canonical(b->plan);
    return file_replace(b->root, PLAN, "/", text, strlen(text), NULL, e);
}

static int run_steps(struct bench *b, struct err *e)
{
    for (int step = 0; step <= b->last; step++) {
        struct err detail = {0};
        if (record(b, RECORD_INTENT, "step", json_integer(step), e) < 0)
            return -EIO;
        enum outcome o = do_job(b, JOB_RUN, b->playbook, step, &detail);
        if (record(b, RECORD_RESULT, "outcome",
                   json_string_or_null(words_name(&outcome_words, (int)o)), e) < 0)
            return -EIO;
        if (o != OUTCOME_DONE && o != OUTCOME_ALREADY) {
            *e = detail;
            return -EIO;
        }
    }
    return 0;
}

int node_heal(const char *folder)
{
    struct bench b;
    struct err e = {0}, undone = {0};
    struct journal_opened opened;
    bench_open(&b, folder);
    int code =
        file_lock_wait(b.root, LOCK_PATH, clock_boot_usec() + 10 * USEC_PER_SEC, &b.lock, &e);
    if (code == 0)
        code = journal_open(b.root, "master1", &b.journal, &opened, &e);
    if (code == 0 && do_job(&b, JOB_PLAN, b.playbook, 0, &e) != OUTCOME_DONE)
        code = -EIO;
    if (code == 0)
        code = save_plan(&b, &e);
    if (code == 0 && (code = run_steps(&b, &e)) < 0)
        (void)do_job(&b, JOB_UNDO, b.playbook, b.last, &undone);
    bench_close(&b);
    if (code < 0)
        return told(&e);
    return puts("healed") < 0;
}

int node_mend(const char *folder)
{
    struct bench b;
    struct err e = {0};
    OWNED(buf_fini) struct buf text = {0};
    bench_open(&b, folder);
    enum outcome recovered = OUTCOME_ALREADY, undone = OUTCOME_ALREADY;
    if (file_lock_wait(b.root, LOCK_PATH, clock_boot_usec() + 10 * USEC_PER_SEC, &b.lock, &e) < 0)
        return told(&e);
    if (file_read(b.root, PLAN, 0, 1 << 20, &text, NULL) == 0) {
        b.plan = json_parse(text.bytes, text.length, &e);
        if (!b.plan)
            return told(&e);
        recovered = do_job(&b, JOB_RECOVER, b.playbook, b.last, &e);
        undone = do_job(&b, JOB_UNDO, b.playbook, b.last, &e);
    }
    (void)printf("%s %s\n", words_name(&outcome_words, (int)recovered),
                 words_name(&outcome_words, (int)undone));
    bench_close(&b);
    return EXIT_RIGHT;
}
