/* act/steps/static_pod_restart.c against a container runtime and a kubelet that are a shell script
 * with its state in files. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/deadman.h"
#include "act/kinds.h"
#include "act/stash.h"
#include "act_fixture.h"
#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/detached.h"

/* With it there the dead-man ends as soon as it was ready. */
#define DEADMAN_DIES "/run/planeguard/dies"
#define LIVE MANIFESTS "/kube-apiserver.yaml"
#define UNDO "/var/lib/planeguard/undo"

/* container: "ID ATTEMPT STATE NUMBER"; sandbox: "ID STATE". With each `ps` the kubelet takes its
 * turn; a file no-kubelet stops it, never-gone makes containers outlive their manifest, gone-after
 * counts the turns until they go, foreign is put in the manifest's place when they go. */
static const char script[] =
    "#!/bin/sh\n"
    "R=$(dirname \"$0\"); S=$R/state; M=$R" LIVE "\n"
    "echo \"$*\" >> $S/log\n"
    "number() { n=$(($(cat $S/n) + 1)); echo $n > $S/n; }\n"
    "container() { number; echo \"c$n $(cat $S/attempt) CONTAINER_RUNNING $n\" > $S/container; }\n"
    "sandbox() { number; echo \"s$n SANDBOX_READY $n\" > $S/sandbox; }\n"
    "kubelet() {\n"
    "  [ -e $S/no-kubelet ] && return\n"
    "  if [ ! -e $M ]; then\n"
    "    [ -e $S/never-gone ] && return\n"
    "    left=$(cat $S/gone-after)\n"
    "    if [ $left -gt 0 ]; then echo $((left - 1)) > $S/gone-after; return; fi\n"
    "    rm -f $S/container $S/sandbox; echo 0 > $S/attempt\n"
    "    if [ -e $S/foreign ]; then cp $S/foreign $M; fi\n"
    "    return\n"
    "  fi\n"
    "  if [ ! -e $S/sandbox ] || grep -q NOTREADY $S/sandbox; then sandbox; rm -f $S/container; "
    "fi\n"
    "  [ -e $S/container ] || container\n"
    "}\n"
    "labels='\"labels\":{\"io.kubernetes.container.name\":\"kube-apiserver\","
    "\"io.kubernetes.pod.name\":\"kube-apiserver-master1\","
    "\"io.kubernetes.pod.namespace\":\"kube-system\",\"io.kubernetes.pod.uid\":\"u1\"}'\n"
    "case \"$1\" in\n"
    "ps) kubelet; rows=\n"
    "  if [ -e $S/container ]; then\n"
    "    read id attempt state number < $S/container; read sid rest < $S/sandbox\n"
    "    rows=\"{\\\"id\\\":\\\"$id\\\",\\\"podSandboxId\\\":\\\"$sid\\\",\\\"metadata\\\":"
    "{\\\"name\\\":\\\"kube-apiserver\\\",\\\"attempt\\\":$attempt},\\\"state\\\":\\\"$state\\\","
    "\\\"createdAt\\\":\\\"170000000000000000$number\\\",$labels}\"\n"
    "  fi\n"
    "  echo \"{\\\"containers\\\":[$rows]}\";;\n"
    "pods) rows=\n"
    "  if [ -e $S/sandbox ]; then\n"
    "    read id state number < $S/sandbox\n"
    "    "
    "rows=\"{\\\"id\\\":\\\"$id\\\",\\\"metadata\\\":{\\\"name\\\":\\\"kube-apiserver-master1\\\","
    "\\\"uid\\\":\\\"u1\\\",\\\"namespace\\\":\\\"kube-system\\\",\\\"attempt\\\":0},"
    "\\\"state\\\":\\\"$state\\\",\\\"createdAt\\\":\\\"170000000000000000$number\\\"}\"\n"
    "  fi\n"
    "  echo \"{\\\"items\\\":[$rows]}\";;\n"
    "rm) [ -e $S/broken ] && { echo broken >&2; exit 1; }\n"
    "  read id attempt rest < $S/container\n"
    "  [ \"$3\" = \"$id\" ] || { echo not found >&2; exit 1; }\n"
    "  echo $((attempt + 1)) > $S/attempt; rm -f $S/container; echo \"$id\";;\n"
    "stopp) read id rest < $S/sandbox; echo \"$id SANDBOX_NOTREADY 1\" > $S/sandbox;;\n"
    "*) exit 2;;\n"
    "esac\n";

/* Mirrors the kind's own arguments: filled by its table, as the loader does. */
struct bench {
    struct fixture *f;
    struct pool *pool;
    void *args;
    json_t *plan;
    struct err e;
    char crictl[96];
    const char *argv[1];
};

static void runtime_state(struct fixture *f, const char *name, const char *text)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/state/%s", name);
    fixture_put(f, path, text);
}

static void runtime_running(struct fixture *f)
{
    runtime_state(f, "container", "c1 3 CONTAINER_RUNNING 1\n");
    runtime_state(f, "sandbox", "s1 SANDBOX_READY 1\n");
    runtime_state(f, "attempt", "3\n");
    runtime_state(f, "n", "1\n");
    runtime_state(f, "gone-after", "1\n");
}

static void bench_args(struct bench *b, const char *yaml)
{
    struct yaml *document = NULL;
    b->args = pool_alloc(b->pool, static_pod_restart.kind.args_size);
    assert_int_equal(yaml_parse(b->pool, "test", yaml, strlen(yaml), &document, &b->e), 0);
    assert_int_equal(
        fields_decode(static_pod_restart.kind.fields, b->pool, document, b->args, &b->e), 0);
}

static int setup(void **state)
{
    struct bench *b = mem_new(struct bench);
    void *fixture = NULL;
    assert_int_equal(fixture_setup(&fixture), 0);
    b->f = fixture;
    b->pool = pool_new();
    fixture_put(b->f, "/crictl", script);
    assert_int_equal(chmod(fixture_host(b->f, "/crictl"), 0755), 0);
    assert_int_equal(mkdir(fixture_host(b->f, "/state"), 0700), 0);
    (void)snprintf(b->crictl, sizeof b->crictl, "%s/crictl", b->f->path);
    b->argv[0] = b->crictl;
    b->f->node.crictl = (struct strings){.at = b->argv, .count = 1};
    runtime_running(b->f);
    runtime_state(b->f, "log", "");
    fixture_put(b->f, LIVE, manifest_text("kube-apiserver", "ours"));
    bench_args(b, "{pod: kube-apiserver, downWithin: 3s, upWithin: 5s}");
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    void *fixture = b->f;
    json_decref(b->plan);
    pool_free(b->pool);
    free(b);
    return fixture_teardown(&fixture);
}

static int plan(struct bench *b)
{
    json_decref(b->plan);
    b->plan = json_object();
    return static_pod_restart.plan(&b->f->hand, b->args, b->plan, &b->e);
}

static enum outcome run(struct bench *b)
{
    return static_pod_restart.run(&b->f->hand, b->args, b->plan, &b->e);
}

static enum outcome undo(struct bench *b)
{
    return static_pod_restart.undo(&b->f->hand, b->args, b->plan, &b->e);
}

static const char *planned(const struct bench *b, const char *key)
{
    return json_get_string(b->plan, key, "");
}

static bool log_has(struct bench *b, const char *text)
{
    return strstr(fixture_get(b->f, "/state/log"), text) != NULL;
}

static void test_by_container(void **state)
{
    struct bench *b = *state;
    assert_int_equal(plan(b), 0);
    assert_string_equal(planned(b, "by"), "container");
    const json_t *argv = json_array_get(json_object_get(b->plan, "argv"), 0);
    assert_string_equal(json_string_value(json_array_get(argv, 3)), "c1");
    assert_false(log_has(b, "rm"));
    assert_int_equal(run(b), OUTCOME_DONE);
    assert_true(log_has(b, "rm -f c1"));
    assert_non_null(strstr(b->e.text, "container c2, attempt 4, is running"));
    assert_true(fixture_effect(b->f, "ran"));
    assert_int_equal(undo(b), OUTCOME_ALREADY);
    /* The same plan again: the world has moved on. */
    assert_int_equal(run(b), OUTCOME_REFUSED);
}

static void test_ends_a_backoff(void **state)
{
    struct bench *b = *state;
    runtime_state(b->f, "container", "c1 3 CONTAINER_EXITED 1\n");
    assert_int_equal(plan(b), 0);
    assert_string_equal(planned(b, "by"), "container");
    assert_int_equal(run(b), OUTCOME_DONE);
}

static void test_by_sandbox(void **state)
{
    struct bench *b = *state;
    bench_args(b, "{pod: kube-apiserver, by: sandbox, upWithin: 5s}");
    assert_int_equal(plan(b), 0);
    assert_int_equal(run(b), OUTCOME_DONE);
    assert_true(log_has(b, "stopp s1"));
    assert_false(log_has(b, "rm"));
}

static void test_auto_chooses(void **state)
{
    struct bench *b = *state;
    runtime_state(b->f, "no-kubelet", "");
    fixture_remove(b->f, "/state/container");
    assert_int_equal(plan(b), 0);
    assert_string_equal(planned(b, "by"), "sandbox");
    fixture_remove(b->f, "/state/sandbox");
    assert_int_equal(plan(b), 0);
    assert_string_equal(planned(b, "by"), "manifest");
    fixture_remove(b->f, LIVE);
    assert_int_equal(plan(b), -ENOENT);
    bench_args(b, "{pod: kube-apiserver, by: container}");
    assert_int_equal(plan(b), -ENOENT);
    bench_args(b, "{pod: kube-apiserver, by: sandbox}");
    assert_int_equal(plan(b), -ENOENT);
}

static void test_refused_when_changed(void **state)
{
    struct bench *b = *state;
    static const char *const changes[] = {
        "c9 3 CONTAINER_RUNNING 1\n", /* another container */
        "c1 4 CONTAINER_RUNNING 1\n", /* another attempt */
        "c1 3 CONTAINER_EXITED 1\n",  /* another state */
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        runtime_state(b->f, "container", "c1 3 CONTAINER_RUNNING 1\n");
        assert_int_equal(plan(b), 0);
        runtime_state(b->f, "container", changes[i]);
        assert_int_equal(run(b), OUTCOME_REFUSED);
    }
    runtime_state(b->f, "container", "c1 3 CONTAINER_RUNNING 1\n");
    assert_int_equal(plan(b), 0);
    runtime_state(b->f, "sandbox", "s9 SANDBOX_READY 1\n");
    assert_int_equal(run(b), OUTCOME_REFUSED);
    assert_false(log_has(b, "rm"));
    assert_int_equal(json_array_size(b->f->effects), 0);
}

static void test_failures(void **state)
{
    struct bench *b = *state;
    bench_args(b, "{pod: kube-apiserver, upWithin: 1s}");
    runtime_state(b->f, "broken", "");
    assert_int_equal(plan(b), 0);
    assert_int_equal(run(b), OUTCOME_FAILED);
    assert_non_null(strstr(b->e.text, "broken"));
    fixture_remove(b->f, "/state/broken");
    runtime_state(b->f, "no-kubelet", "");
    assert_int_equal(plan(b), 0);
    assert_int_equal(run(b), OUTCOME_FAILED);
    assert_non_null(strstr(b->e.text, "no new container in time"));
    b->f->node.crictl.count = 0;
    assert_true(plan(b) < 0);
    assert_int_equal(run(b), OUTCOME_FAILED);
}

/* --- by manifest */

static void check_home(struct bench *b)
{
    assert_string_equal(fixture_get(b->f, LIVE), manifest_text("kube-apiserver", "ours"));
    assert_int_equal(fixture_count(b->f, MANIFESTS), 1);
    assert_int_equal(fixture_count(b->f, STAGE), 0);
}

static void plan_manifest(struct bench *b)
{
    bench_args(b, "{pod: kube-apiserver, by: manifest, downWithin: 3s, upWithin: 5s}");
    assert_int_equal(plan(b), 0);
    assert_string_equal(planned(b, "by"), "manifest");
}

/* As a hand of a living agent: with its lock, or the dead-man would act at once. */
static enum outcome run_locked(struct bench *b)
{
    int lock;
    assert_int_equal(file_lock(b->f->root, LOCK_PATH, &lock, &b->e), 0);
    enum outcome o = run(b);
    close(lock);
    return o;
}

static void test_by_manifest(void **state)
{
    struct bench *b = *state;
    plan_manifest(b);
    check_home(b);
    assert_int_equal(run_locked(b), OUTCOME_DONE);
    check_home(b);
    assert_int_equal(fixture_count(b->f, UNDO), 0);
    assert_true(fixture_effect(b->f, "armed"));
    size_t moves = 0, i;
    json_t *effect;
    json_array_foreach (b->f->effects, i, effect)
        moves += strcmp(json_get_string(effect, "what", ""), "moved") == 0;
    assert_int_equal(moves, 2);
    assert_false(log_has(b, "rm"));
    assert_non_null(strstr(b->e.text, "attempt 0, is running"));
    assert_int_equal(undo(b), OUTCOME_ALREADY);
    check_home(b);
}

static void test_never_gone(void **state)
{
    struct bench *b = *state;
    bench_args(b, "{pod: kube-apiserver, by: manifest, downWithin: 1s}");
    assert_int_equal(plan(b), 0);
    runtime_state(b->f, "never-gone", "");
    assert_int_equal(run_locked(b), OUTCOME_FAILED);
    assert_non_null(strstr(b->e.text, "still runs"));
    check_home(b);
}

static void test_foreign_file(void **state)
{
    struct bench *b = *state;
    const char *foreign = manifest_text("kube-apiserver", "theirs");
    plan_manifest(b);
    runtime_state(b->f, "foreign", foreign);
    assert_int_equal(run_locked(b), OUTCOME_REFUSED);
    assert_string_equal(fixture_get(b->f, LIVE), foreign);
    assert_int_equal(fixture_count(b->f, MANIFESTS), 1);
    OWNED(names_fini) struct names n = {0};
    assert_int_equal(folder_list(b->f->root, STAGE, &n, &b->e), 0);
    assert_int_equal(n.count, 1);
    struct stash s;
    assert_int_equal(stash_parse(n.at[0], &s), 0);
    assert_int_equal(s.state, STASH_CONFLICT);
    assert_true(fixture_effect(b->f, "set-aside"));
}

static void test_manifest_changed(void **state)
{
    struct bench *b = *state;
    const char *theirs = manifest_text("kube-apiserver", "theirs");
    plan_manifest(b);
    fixture_put(b->f, LIVE, theirs);
    assert_int_equal(run_locked(b), OUTCOME_REFUSED);
    assert_string_equal(fixture_get(b->f, LIVE), theirs);
    assert_int_equal(json_array_size(b->f->effects), 0);
    /* Half a manifest is never taken out to be put back. */
    fixture_put(b->f, LIVE, "apiVersion: v1\n");
    assert_true(plan(b) < 0);
}

/* An earlier one is still out: nothing more goes out on top of it. */
static void test_one_is_out(void **state)
{
    struct bench *b = *state;
    plan_manifest(b);
    fixture_put(b->f, planned(b, "stash"), "ours");
    assert_int_equal(run_locked(b), OUTCOME_REFUSED);
    assert_non_null(strstr(b->e.text, "has to come home first"));
    assert_true(fixture_has(b->f, LIVE));
    assert_int_equal(json_array_size(b->f->effects), 0);
}

static void test_no_record_no_move(void **state)
{
    struct bench *b = *state;
    plan_manifest(b);
    b->f->effect_code = -ENOSPC;
    assert_int_equal(run_locked(b), OUTCOME_FAILED);
    check_home(b);
    assert_false(fixture_effect(b->f, "moved"));
    assert_true(fixture_effect(b->f, "armed"));
}

static void test_no_time_or_kubelet(void **state)
{
    struct bench *b = *state;
    plan_manifest(b);
    uint64_t deadline = b->f->hand.deadline_usec;
    b->f->hand.deadline_usec = clock_boot_usec() + 3 * USEC_PER_SEC;
    assert_int_equal(run_locked(b), OUTCOME_FAILED);
    assert_non_null(strstr(b->e.text, "no time"));
    check_home(b);
    b->f->hand.deadline_usec = deadline;
    b->f->node.bus_address = "unix:path=/no/such/bus";
    assert_true(plan(b) < 0);
    check_home(b);
}

static void test_undo(void **state)
{
    struct bench *b = *state;
    plan_manifest(b);
    /* Out: as a crash leaves it. */
    assert_int_equal(file_move(b->f->root, LIVE, planned(b, "stash"), &b->e), 0);
    assert_int_equal(undo(b), OUTCOME_DONE);
    check_home(b);
    assert_int_equal(undo(b), OUTCOME_ALREADY);
    /* Nowhere, with the copy that run() makes before: restored; without: nothing to do. */
    const char *backup = planned(b, "backup");
    assert_int_equal(folder_make(b->f->root, UNDO "/i-1-0", 0700, &b->e), 0);
    assert_int_equal(file_move(b->f->root, LIVE, backup, &b->e), 0);
    assert_int_equal(undo(b), OUTCOME_DONE);
    check_home(b);
    assert_false(fixture_has(b->f, backup));
    fixture_remove(b->f, LIVE);
    assert_int_equal(undo(b), OUTCOME_ALREADY);
    assert_false(fixture_has(b->f, LIVE));
}

/* --- crashes */

static bool wait_for(struct bench *b, const char *path, uint64_t usec)
{
    uint64_t until = clock_boot_usec() + usec;
    while (clock_boot_usec() < until) {
        if (fixture_has(b->f, path))
            return true;
        clock_sleep(20000);
    }
    return false;
}

static int die_when_moved(struct hand *h, const json_t *effect)
{
    (void)h;
    if (strcmp(json_get_string(effect, "what", ""), "moved") == 0)
        (void)raise(SIGKILL);
    return 0;
}

/* Killed with the manifest out and nobody to start anything anew: the dead-man puts it back. */
static void test_deadman_after_kill(void **state)
{
    struct bench *b = *state;
    plan_manifest(b);
    pid_t agent = fork();
    if (agent == 0) {
        int lock;
        if (file_lock(b->f->root, LOCK_PATH, &lock, NULL) < 0)
            _exit(1);
        b->f->hand.effect = die_when_moved;
        (void)run(b);
        _exit(2);
    }
    int status;
    assert_int_equal(waitpid(agent, &status, 0), agent);
    assert_true(WIFSIGNALED(status));
    assert_true(wait_for(b, LIVE, 10 * USEC_PER_SEC));
    check_home(b);
}

/* A living agent that hangs: only the deadline helps. */
static void test_deadman_at_deadline(void **state)
{
    struct bench *b = *state;
    struct deadman *d = NULL;
    int lock;
    plan_manifest(b);
    assert_int_equal(file_lock(b->f->root, LOCK_PATH, &lock, &b->e), 0);
    uint64_t deadline = clock_boot_usec() + USEC_PER_SEC;
    assert_int_equal(deadman_arm(b->f->root, deadline, &d, &b->e), 0);
    fixture_put(b->f, STAGE "/" FILE_TEMPORARY "1", "in use");
    assert_int_equal(file_move(b->f->root, LIVE, planned(b, "stash"), &b->e), 0);
    assert_true(wait_for(b, LIVE, 10 * USEC_PER_SEC));
    assert_true(clock_boot_usec() >= deadline);
    assert_true(fixture_has(b->f, STAGE "/" FILE_TEMPORARY "1"));
    deadman_disarm(d);
    /* Disarmed in time it does nothing. */
    fixture_remove(b->f, STAGE "/" FILE_TEMPORARY "1");
    deadline = clock_boot_usec() + USEC_PER_SEC;
    assert_int_equal(deadman_arm(b->f->root, deadline, &d, &b->e), 0);
    assert_int_equal(file_move(b->f->root, LIVE, planned(b, "stash"), &b->e), 0);
    deadman_disarm(d);
    assert_false(wait_for(b, LIVE, 2 * USEC_PER_SEC));
    close(lock);
}

/* It can't open the lock: it stays for what goes out later, until the deadline. */
static void test_deadman_without_lock(void **state)
{
    struct bench *b = *state;
    struct deadman *d = NULL;
    plan_manifest(b);
    assert_int_equal(folder_make(b->f->root, LOCK_PATH, 0700, &b->e), 0);
    uint64_t deadline = clock_boot_usec() + USEC_PER_SEC;
    assert_int_equal(deadman_arm(b->f->root, deadline, &d, &b->e), 0);
    clock_sleep(300 * USEC_PER_MSEC);
    assert_int_equal(file_move(b->f->root, LIVE, planned(b, "stash"), &b->e), 0);
    assert_true(wait_for(b, LIVE, 10 * USEC_PER_SEC));
    assert_true(clock_boot_usec() >= deadline);
    deadman_disarm(d);
    check_home(b);
}

static int effect_later(struct hand *h, const json_t *effect)
{
    struct fixture *f = h->context;
    clock_sleep(300 * USEC_PER_MSEC);
    json_push(f->effects, json_incref((json_t *)(uintptr_t)effect));
    return 0;
}

/* Gone before the manifest goes out: then it doesn't go. */
static void test_deadman_gone(void **state)
{
    struct bench *b = *state;
    plan_manifest(b);
    fixture_put(b->f, DEADMAN_DIES, "");
    b->f->hand.effect = effect_later;
    assert_int_equal(run_locked(b), OUTCOME_FAILED);
    assert_non_null(strstr(b->e.text, "the dead-man that was armed is gone"));
    check_home(b);
    assert_true(fixture_effect(b->f, "armed"));
    assert_false(fixture_effect(b->f, "moved"));
}

/* Killed at any instant: home again, once, and what is left over is nothing. */
static void test_killed_anywhere(void **state)
{
    struct bench *b = *state;
    enum { KILLS = 12 };
    for (unsigned i = 0; i < KILLS; i++) {
        runtime_running(b->f); /* the script was killed, too, and doesn't write safely */
        plan_manifest(b);
        pid_t agent = fork();
        if (agent == 0) {
            int lock;
            if (file_lock_wait(b->f->root, LOCK_PATH, USEC_NEVER / 4, &lock, NULL) < 0)
                _exit(1);
            (void)run(b);
            _exit(0);
        }
        clock_sleep(i * USEC_PER_SEC / 8);
        kill(agent, SIGKILL);
        assert_int_equal(waitpid(agent, NULL, 0), agent);
        (void)wait_for(b, LIVE, 10 * USEC_PER_SEC);
        int lock;
        assert_int_equal(file_lock_wait(b->f->root, LOCK_PATH,
                                        clock_boot_usec() + 10 * USEC_PER_SEC, &lock, &b->e),
                         0);
        enum outcome o = undo(b);
        assert_true(o == OUTCOME_ALREADY || o == OUTCOME_DONE);
        OWNED(recovered_fini) struct recovered r = {0};
        assert_int_equal(recover_stage(b->f->root, &b->f->node, &r, &b->e), 0);
        assert_int_equal(r.conflicts, 0);
        check_home(b);
        close(lock);
    }
}

/* This program is also the dead-man, as planeguard itself is. */
static int deadman_main(char **argv)
{
    const struct node node = {.name = "master1", .manifests = MANIFESTS, .stage = STAGE};
    struct root *root = NULL;
    if (strcmp(argv[4], "--overdue") != 0 || root_open(argv[2], &root, NULL) < 0)
        return 1;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)fputs(DETACHED_READY, stdout);
    (void)fflush(stdout);
    struct file_status st;
    if (file_status(root, DEADMAN_DIES, 0, &st, NULL) < 0 || st.exists)
        return 1;
    struct recovered r = {0};
    int lock;
    int code = deadman_watch(root, &node, strtoull(argv[5], NULL, 10), &r, &lock, NULL);
    recovered_fini(&r);
    root_free(root);
    return code < 0;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[3], "recover") == 0)
        return deadman_main(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_container, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ends_a_backoff, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_sandbox, setup, teardown),
        cmocka_unit_test_setup_teardown(test_auto_chooses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_when_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_manifest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_manifest_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_is_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_record_no_move, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_time_or_kubelet, setup, teardown),
        cmocka_unit_test_setup_teardown(test_undo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deadman_after_kill, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deadman_at_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deadman_without_lock, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deadman_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_anywhere, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
