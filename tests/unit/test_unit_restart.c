/* act/steps/unit_restart.c, over a stand-in for loop/bus.h's blocking calls, and the kubelet's
 * certificate. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/kinds.h"
#include "act/kubelet_certificate.h"
#include "act_fixture.h"
#include "base/mem.h"
#include "loop/bus.h"

#define PKI "/var/lib/kubelet/pki"

/* --- the stand-in: one unit, and what a job makes of it */

static struct {
    struct unit_state now, after;
    int job, resets, jobs;
    const char *verb; /* that a job after a reset has to be */
} manager;

int unit_state_now(const char *address, const char *unit, struct unit_state *ret, struct err *e)
{
    (void)unit;
    if (strcmp(address, "unix:path=/test") != 0)
        return err_set(e, -ECONNREFUSED, "no bus");
    *ret = manager.now;
    return 0;
}

int unit_job(const char *address, const char *verb, const char *unit, uint64_t timeout_usec,
             struct err *e)
{
    (void)address;
    (void)timeout_usec;
    assert_string_equal(verb, manager.resets ? manager.verb : "RestartUnit");
    assert_string_equal(unit, "kubelet.service");
    manager.jobs++;
    manager.now = manager.after;
    return manager.job < 0 ? err_set(e, manager.job, "the job's result is failed") : 0;
}

int unit_reset_failed(const char *address, const char *unit, struct err *e)
{
    (void)address;
    (void)unit;
    (void)e;
    manager.resets++;
    return 0;
}

struct bench {
    struct fixture *f;
    struct pool *pool;
    void *args;
    json_t *plan;
    struct err e;
};

static int bench_args(struct bench *b, const char *yaml)
{
    struct yaml *document = NULL;
    b->args = pool_alloc(b->pool, unit_restart.kind.args_size);
    int code = yaml_parse(b->pool, "test", yaml, strlen(yaml), &document, &b->e);
    if (code == 0)
        code = fields_decode(unit_restart.kind.fields, b->pool, document, b->args, &b->e);
    return code < 0 ? code : unit_restart.kind.check(b->args, document, &b->e);
}

static int setup(void **state)
{
    struct bench *b = mem_new(struct bench);
    void *fixture = NULL;
    assert_int_equal(fixture_setup(&fixture), 0);
    b->f = fixture;
    b->f->node.bus_address = "unix:path=/test";
    b->pool = pool_new();
    memset(&manager, 0, sizeof manager);
    manager.now = (struct unit_state){.load_state = "loaded",
                                      .active_state = "failed",
                                      .sub_state = "failed",
                                      .result = "start-limit-hit",
                                      .invocation_id = "a1"};
    manager.after = (struct unit_state){.load_state = "loaded",
                                        .active_state = "active",
                                        .sub_state = "running",
                                        .result = "success",
                                        .main_pid = 7,
                                        .invocation_id = "a2"};
    assert_int_equal(bench_args(b, "{unit: kubelet.service, within: 1s}"), 0);
    manager.verb = "RestartUnit";
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
    return unit_restart.plan(&b->f->hand, b->args, b->plan, &b->e);
}

static enum outcome run(struct bench *b)
{
    return unit_restart.run(&b->f->hand, b->args, b->plan, &b->e);
}

static void test_restart(void **state)
{
    struct bench *b = *state;
    assert_int_equal(plan(b), 0);
    assert_true(json_get_bool(b->plan, "resetFailed", false));
    assert_int_equal(manager.jobs + manager.resets, 0);
    assert_int_equal(run(b), OUTCOME_DONE);
    assert_int_equal(manager.jobs, 1);
    assert_int_equal(manager.resets, 1);
    assert_true(fixture_effect(b->f, "unit"));
    /* The same plan once more: it is another invocation by now. */
    assert_int_equal(run(b), OUTCOME_REFUSED);
    assert_int_equal(manager.jobs, 1);
    /* One that runs has no failures to forget. */
    assert_int_equal(plan(b), 0);
    strcpy(manager.after.invocation_id, "a3");
    assert_int_equal(run(b), OUTCOME_DONE);
    assert_int_equal(manager.resets, 1);
}

static enum outcome recover(struct bench *b)
{
    return unit_restart.recover(&b->f->hand, b->args, b->plan, &b->e);
}

/* The agent's end between the reset and the job leaves the unit inactive: it is started, once; in
 * every other state it is left alone. */
static void test_recover(void **state)
{
    struct bench *b = *state;
    assert_int_equal(plan(b), 0);
    assert_int_equal(recover(b), OUTCOME_ALREADY);
    manager.resets = 1;
    manager.verb = "StartUnit";
    strcpy(manager.now.active_state, "inactive");
    assert_int_equal(recover(b), OUTCOME_DONE);
    assert_int_equal(manager.jobs, 1);
    assert_int_equal(recover(b), OUTCOME_ALREADY);
    assert_int_equal(manager.jobs, 1);
    /* One that was never to be reset and is inactive was stopped by somebody. */
    strcpy(manager.now.active_state, "failed");
    strcpy(manager.now.result, "exit-code");
    assert_int_equal(plan(b), 0);
    assert_false(json_get_bool(b->plan, "resetFailed", true));
    strcpy(manager.now.active_state, "inactive");
    assert_int_equal(recover(b), OUTCOME_ALREADY);
    assert_int_equal(manager.jobs, 1);
}

static void test_failures(void **state)
{
    struct bench *b = *state;
    assert_int_equal(plan(b), 0);
    manager.job = -EIO;
    assert_int_equal(run(b), OUTCOME_FAILED);
    assert_non_null(strstr(b->e.text, "result is failed"));
    /* The job is done, and the unit is not: or it is the old one. */
    manager.job = 0;
    strcpy(manager.after.active_state, "activating");
    assert_int_equal(plan(b), 0);
    assert_int_equal(run(b), OUTCOME_FAILED);
    assert_non_null(strstr(b->e.text, "activating"));
    strcpy(manager.now.active_state, "active");
    manager.after = manager.now;
    assert_int_equal(plan(b), 0);
    assert_int_equal(run(b), OUTCOME_FAILED);
    b->f->effect_code = -EIO;
    assert_int_equal(run(b), OUTCOME_FAILED);
}

static void test_refused(void **state)
{
    struct bench *b = *state;
    strcpy(manager.now.load_state, "not-found");
    assert_int_equal(plan(b), -ENOENT);
    b->f->node.bus_address = NULL;
    assert_int_equal(plan(b), -ENOTSUP);
    b->f->node.bus_address = "unix:path=/other";
    assert_int_equal(plan(b), -ECONNREFUSED);
    static const char *const yaml[] = {"{unit: kubelet}",           "{unit: .service}",
                                       "{unit: a b.service}",       "{unit: ../x.service}",
                                       "{unit: multi-user.target}", "{}"};
    for (size_t i = 0; i < sizeof yaml / sizeof *yaml; i++)
        assert_int_equal(bench_args(b, yaml[i]), -EINVAL);
    assert_int_equal(bench_args(b, "{unit: container-getty@1.service}"), 0);
}

/* The kubelet's file: certificate and key in one, behind a link. `days` may be negative. */
static void certificate_make(struct bench *b, int days)
{
    char command[1024];
    const char *p = fixture_host(b->f, PKI);
    (void)snprintf(
        command, sizeof command,
        "cd %s && rm -f * && openssl genpkey -algorithm EC -pkeyopt "
        "ec_paramgen_curve:P-256 -out key 2>/dev/null && openssl req -new -key key -subj "
        "/O=system:nodes/CN=system:node:m1 -out csr && openssl x509 -req -in csr -signkey "
        "key -days %d -out crt 2>/dev/null && cat crt key > kubelet-client-1.pem && ln -s " PKI
        "/kubelet-client-1.pem kubelet-client-current.pem",
        p, days);
    assert_int_equal(system(command), 0);
}

static void test_kubelet_certificate(void **state)
{
    struct bench *b = *state;
    assert_int_equal(kubelet_certificate_check(b->f->root, &b->e), 0); /* none */
    assert_int_equal(folder_make(b->f->root, PKI, 0755, &b->e), 0);
    certificate_make(b, 30);
    assert_int_equal(kubelet_certificate_check(b->f->root, &b->e), 0);
    assert_int_equal(plan(b), 0);
    certificate_make(b, -1);
    assert_int_equal(kubelet_certificate_check(b->f->root, &b->e), -EKEYEXPIRED);
    assert_int_equal(run(b), OUTCOME_REFUSED);
    assert_int_equal(manager.jobs, 0);
    assert_int_equal(plan(b), -EKEYEXPIRED);
    fixture_put(b->f, PKI "/kubelet-client-1.pem", "no certificate");
    assert_true(plan(b) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recover, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kubelet_certificate, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
