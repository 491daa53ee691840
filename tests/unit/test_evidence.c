/* act/steps/evidence_collect.c: what is kept, what never is, and how much. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/kinds.h"
#include "act_fixture.h"
#include "base/mem.h"

#define EVIDENCE "/var/lib/planeguard/evidence"
#define FOLDER EVIDENCE "/i-1"
#define POD_LOGS "/var/log/pods/kube-system_kube-apiserver-master1_u1/kube-apiserver"
#define CANARY "CANARYsecret"
#define BODY "MIIEowIBAAKCAQEA" CANARY "SECRETsecretSECRETsecretSECRET"

static const char script[] =
    "#!/bin/sh\n"
    "case \"$1\" in\n"
    "ps) echo '{\"containers\":[{\"id\":\"c1\",\"podSandboxId\":\"s1\",\"metadata\":"
    "{\"name\":\"kube-apiserver\",\"attempt\":3},\"state\":\"CONTAINER_RUNNING\",\"createdAt\":"
    "\"1700000000000000001\",\"annotations\":{\"token\":\"" CANARY "\"},\"labels\":"
    "{\"io.kubernetes.container.name\":\"kube-apiserver\",\"io.kubernetes.pod.name\":"
    "\"kube-apiserver-master1\",\"io.kubernetes.pod.namespace\":\"kube-system\","
    "\"io.kubernetes.pod.uid\":\"u1\"}}]}';;\n"
    "inspect) echo '{\"status\":{\"id\":\"c1\",\"exitCode\":1},\"info\":{\"config\":{\"envs\":"
    "[{\"key\":\"A\",\"value\":\"" CANARY "\"}],\"args\":[\"--token=" CANARY "\"]},"
    "\"runtimeSpec\":{\"process\":{\"env\":[\"PASSWORD=" CANARY "\"]}}}}';;\n"
    "*) exit 2;;\n"
    "esac\n";

struct bench {
    struct fixture *f;
    struct pool *pool;
    void *args;
    json_t *plan;
    struct err e;
    char crictl[96];
    const char *argv[1];
};

static void bench_args(struct bench *b, const char *yaml)
{
    struct yaml *document = NULL;
    b->args = pool_alloc(b->pool, evidence_collect.kind.args_size);
    assert_int_equal(yaml_parse(b->pool, "test", yaml, strlen(yaml), &document, &b->e), 0);
    assert_int_equal(fields_decode(evidence_collect.kind.fields, b->pool, document, b->args, &b->e),
                     0);
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
    (void)snprintf(b->crictl, sizeof b->crictl, "%s/crictl", b->f->path);
    b->argv[0] = b->crictl;
    b->f->node.crictl = (struct strings){.at = b->argv, .count = 1};
    assert_int_equal(folder_make(b->f->root, POD_LOGS, 0755, &b->e), 0);
    assert_int_equal(folder_make(b->f->root, "/etc/kubernetes/pki", 0755, &b->e), 0);
    fixture_put(b->f, "/etc/kubernetes/pki/sa.key", CANARY "\n");
    fixture_put(b->f, MANIFESTS "/kube-apiserver.yaml",
                "kind: Pod\n    - name: ADMIN_PASSWORD\n      value: " CANARY "\n");
    fixture_put(b->f, POD_LOGS "/3.log",
                "t stderr F starting\n"
                "t stderr F -----BEGIN RSA PRIVATE KEY-----\n"
                "t stderr F " BODY "\n"
                "t stderr F -----END RSA PRIVATE KEY-----\n"
                "t stderr F Authorization: Bearer " CANARY "\n"
                "t stderr F client-key-data: " CANARY "\n"
                "t stderr F password=" CANARY " token=" CANARY "\n"
                "t stderr F last words\n");
    bench_args(b, "{components: [kube-apiserver]}");
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

static enum outcome collect(struct bench *b)
{
    json_decref(b->plan);
    b->plan = json_object();
    assert_int_equal(evidence_collect.plan(&b->f->hand, b->args, b->plan, &b->e), 0);
    return evidence_collect.run(&b->f->hand, b->args, b->plan, &b->e);
}

static void test_collect(void **state)
{
    struct bench *b = *state;
    assert_int_equal(collect(b), OUTCOME_DONE);
    assert_null(strstr(b->e.text, "could not have"));
    assert_int_equal(fixture_count(b->f, FOLDER), 4);
    const char *log =
        fixture_get(b->f, FOLDER "/kube-system_kube-apiserver-master1_u1.kube-apiserver.3.log");
    assert_non_null(strstr(log, "starting"));
    assert_non_null(strstr(log, "last words"));
    assert_non_null(
        strstr(fixture_get(b->f, FOLDER "/kube-apiserver.inspect.json"), "\"exitCode\":1"));
    assert_non_null(strstr(fixture_get(b->f, FOLDER "/ps.json"), "CONTAINER_RUNNING"));
    assert_non_null(strstr(fixture_get(b->f, FOLDER "/kube-apiserver.yaml"), "kind: Pod"));
    /* Nothing outside the agent's own folder, and nobody else may read it. */
    assert_int_equal(fixture_count(b->f, MANIFESTS), 1);
    assert_int_equal(fixture_count(b->f, STAGE), 0);
    struct file_status st;
    assert_int_equal(file_status(b->f->root, FOLDER, 0, &st, &b->e), 0);
    assert_int_equal(st.mode, 0700);
    /* Again for the same incident: the same files. */
    assert_int_equal(collect(b), OUTCOME_DONE);
    assert_int_equal(fixture_count(b->f, FOLDER), 4);
}

static void test_no_canary(void **state)
{
    struct bench *b = *state;
    assert_int_equal(collect(b), OUTCOME_DONE);
    OWNED(names_fini) struct names n = {0};
    assert_int_equal(folder_list(b->f->root, FOLDER, &n, &b->e), 0);
    for (size_t i = 0; i < n.count; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, FOLDER "/%s", n.at[i]);
        const char *text = fixture_get(b->f, path);
        assert_true(*text != '\0');
        assert_null(strstr(text, CANARY));
        assert_non_null(strstr(text, "(withheld)"));
    }
}

static void test_best_effort(void **state)
{
    struct bench *b = *state;
    b->f->node.crictl.count = 0;
    assert_int_equal(collect(b), OUTCOME_DONE);
    assert_non_null(strstr(b->e.text, "could not have ps.json"));
    bench_args(b, "{components: [kube-apiserver, etcd]}");
    assert_int_equal(collect(b), OUTCOME_DONE);
    assert_non_null(strstr(b->e.text, "etcd.yaml"));
    assert_non_null(strstr(b->e.text, "logs of etcd"));
    bench_args(b, "{components: [etcd]}");
    assert_int_equal(collect(b), OUTCOME_FAILED);
}

static void test_bounded(void **state)
{
    struct bench *b = *state;
    OWNED(free) char *big = mem_alloc(300 * 1024);
    memset(big, 'x', 300 * 1024 - 1);
    memcpy(big, "first", 5);
    for (size_t i = 80; i < 300 * 1024 - 1; i += 80)
        big[i] = '\n';
    memcpy(big + 300 * 1024 - 6, "last\n", 5);
    fixture_put(b->f, POD_LOGS "/4.log", big);
    assert_int_equal(collect(b), OUTCOME_DONE);
    const char *log =
        fixture_get(b->f, FOLDER "/kube-system_kube-apiserver-master1_u1.kube-apiserver.4.log");
    assert_int_equal(strlen(log), 256 * 1024);
    assert_null(strstr(log, "first"));
    assert_non_null(strstr(log, "last\n"));
    bench_args(b, "{components: [kube-apiserver], maxBytes: 64Ki}");
    assert_int_equal(folder_remove(b->f->root, FOLDER, &b->e), 0);
    assert_int_equal(collect(b), OUTCOME_DONE);
    assert_non_null(strstr(b->e.text, "maxBytes is reached"));
}

static void test_twenty_stay(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 25; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, EVIDENCE "/old-%d", i);
        assert_int_equal(folder_make(b->f->root, path, 0700, &b->e), 0);
        const struct timeval times[2] = {{1000000 + i, 0}, {1000000 + i, 0}};
        assert_int_equal(utimes(fixture_host(b->f, path), times), 0);
    }
    assert_int_equal(collect(b), OUTCOME_DONE);
    assert_int_equal(fixture_count(b->f, EVIDENCE), 20);
    assert_true(fixture_has(b->f, FOLDER));
    assert_true(fixture_has(b->f, EVIDENCE "/old-24"));
    assert_false(fixture_has(b->f, EVIDENCE "/old-5"));
    assert_true(fixture_has(b->f, EVIDENCE "/old-6"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_collect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_canary, setup, teardown),
        cmocka_unit_test_setup_teardown(test_best_effort, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_twenty_stay, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
