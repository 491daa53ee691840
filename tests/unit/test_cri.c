/* config/cri.h: crictl's JSON, as it is and as it must not be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "config/cri.h"

/* `crictl ps -a -o json` of 1.28 and later. */
static const char ps[] =
    "{\"containers\": [\n"
    " {\"id\": \"a1b2c3\", \"podSandboxId\": \"5a\", \"metadata\": {\"name\": \"kube-apiserver\",\n"
    "  \"attempt\": 3}, \"image\": {\"image\": \"sha256:0\", \"annotations\": {}},\n"
    "  \"imageRef\": \"sha256:0\", \"state\": \"CONTAINER_RUNNING\",\n"
    "  \"createdAt\": \"1700000000000000002\",\n"
    "  \"labels\": {\"io.kubernetes.container.name\": \"kube-apiserver\",\n"
    "   \"io.kubernetes.pod.name\": \"kube-apiserver-m1\",\n"
    "   \"io.kubernetes.pod.namespace\": \"kube-system\",\n"
    "   \"io.kubernetes.pod.uid\": \"f00d\"},\n"
    "  \"annotations\": {\"io.kubernetes.container.hash\": \"1\"}, \"imageId\": \"\"},\n"
    " {\"id\": \"a1b2c2\", \"podSandboxId\": \"5a\", \"metadata\": {\"name\": \"kube-apiserver\",\n"
    "  \"attempt\": 2}, \"state\": \"CONTAINER_EXITED\", \"createdAt\": \"1700000000000000001\",\n"
    "  \"labels\": {\"io.kubernetes.pod.name\": \"kube-apiserver-m1\",\n"
    "   \"io.kubernetes.pod.namespace\": \"kube-system\",\n"
    "   \"io.kubernetes.pod.uid\": \"f00d\"}},\n"
    " {\"id\": \"beef\", \"metadata\": {\"name\": \"kube-apiserver\"},\n"
    "  \"state\": \"CONTAINER_CREATED\", \"createdAt\": \"1800000000000000000\",\n"
    "  \"labels\": {\"io.kubernetes.pod.name\": \"kube-apiserver-m1\",\n"
    "   \"io.kubernetes.pod.namespace\": \"default\", \"io.kubernetes.pod.uid\": \"bad\"}},\n"
    " {\"id\": \"cafe\", \"metadata\": {\"name\": \"kube-apiserver\"}, \"labels\": null,\n"
    "  \"state\": \"CONTAINER_UNKNOWN\", \"createdAt\": 1900000000000000000}\n"
    "]}\n";

static void test_containers(void **state)
{
    (void)state;
    OWNED(containers_fini) struct containers c = {0};
    struct err e = {""};
    assert_int_equal(containers_parse(ps, sizeof ps - 1, &c, &e), 0);
    assert_int_equal(c.count, 4);
    const struct container *one = &c.at[0];
    assert_string_equal(one->id, "a1b2c3");
    assert_string_equal(one->sandbox_id, "5a");
    assert_string_equal(one->name, "kube-apiserver");
    assert_string_equal(one->pod, "kube-apiserver-m1");
    assert_string_equal(one->pod_namespace, "kube-system");
    assert_string_equal(one->pod_uid, "f00d");
    assert_int_equal(one->state, CONTAINER_RUNNING);
    assert_int_equal(one->attempt, 3);
    assert_true(one->created_nsec == INT64_C(1700000000000000002));
    assert_int_equal(c.at[1].state, CONTAINER_EXITED);
    assert_string_equal(c.at[3].pod, "");
    assert_true(c.at[3].created_nsec == INT64_C(1900000000000000000));

    assert_ptr_equal(containers_newest(&c, "kube-apiserver"), one);
    assert_null(containers_newest(&c, "kube-api"));
    assert_null(containers_newest(&c, "etcd"));
}

static void test_newer(void **state)
{
    (void)state;
    static char a[] = "a", b[] = "b";
    const struct {
        const char *what;
        struct container older, newer;
    } rows[] = {
        {"a later attempt, whatever the clock said",
         {.pod_uid = a, .attempt = 1, .state = CONTAINER_RUNNING, .created_nsec = 9},
         {.pod_uid = a, .attempt = 2, .state = CONTAINER_EXITED, .created_nsec = 3}},
        {"another pod's that runs",
         {.pod_uid = a, .attempt = 7, .state = CONTAINER_EXITED, .created_nsec = 9},
         {.pod_uid = b, .attempt = 0, .state = CONTAINER_RUNNING, .created_nsec = 3}},
        {"another pod's, created later",
         {.pod_uid = a, .attempt = 7, .state = CONTAINER_EXITED, .created_nsec = 3},
         {.pod_uid = b, .attempt = 0, .state = CONTAINER_EXITED, .created_nsec = 9}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!container_is_newer(&rows[i].newer, &rows[i].older) ||
            container_is_newer(&rows[i].older, &rows[i].newer))
            fail_msg("%s", rows[i].what);
    }
}

#define CONTAINER(rest) "{\"containers\": [{" rest "}]}"

static void test_containers_odd(void **state)
{
    (void)state;
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"", "not JSON"},
        {"[]", "containers: found nothing"},
        {"{}", "containers: found nothing"},
        {"{\"containers\": null}", "containers: found null"},
        {"{\"containers\": {}}", "containers: found an object"},
        {"{\"containers\": [1]}", "containers[0]: id: found nothing"},
        {"{\"containers\": [], \"containers\": []}", "not JSON"},
        {CONTAINER("\"id\": 1"), "id: found a number"},
        {CONTAINER("\"id\": \"\""), "id: found a string that is no name"},
        {CONTAINER("\"id\": \"-f\""), "no name"},
        {CONTAINER("\"id\": \"..\""), "no name"},
        {CONTAINER("\"id\": \"a/b\""), "no name"},
        {CONTAINER("\"id\": \"a\\u0000b\""), "not JSON"},
        {CONTAINER("\"id\": \"a\\u001bb\""), "no name"},
        {CONTAINER("\"id\": \"a\""), "metadata: found nothing"},
        {CONTAINER("\"id\": \"a\", \"metadata\": []"), "metadata: found a list"},
        {CONTAINER("\"id\": \"a\", \"metadata\": {\"name\": \"x\", \"attempt\": -1}"),
         "attempt: found a negative number"},
        {CONTAINER("\"id\": \"a\", \"metadata\": {\"name\": \"x\", \"attempt\": 1.5}"),
         "attempt: found a number"},
        {CONTAINER("\"id\": \"a\", \"metadata\": {\"name\": \"x\"}"), "state: found nothing"},
        {CONTAINER("\"id\": \"a\", \"metadata\": {\"name\": \"x\"}, \"state\": 2"),
         "state: found a number"},
        {CONTAINER("\"id\": \"a\", \"metadata\": {\"name\": \"x\"}, \"state\": \"RUNNING\""),
         "state: found another word"},
        {CONTAINER("\"id\": \"a\", \"metadata\": {\"name\": \"x\"}, \"state\": "
                   "\"CONTAINER_EXITED\", \"createdAt\": \"99999999999999999999\""),
         "createdAt"},
        {CONTAINER("\"id\": \"a\", \"metadata\": {\"name\": \"x\"}, \"state\": "
                   "\"CONTAINER_EXITED\", \"createdAt\": \"9999999999999999999\""),
         "createdAt"},
        {CONTAINER("\"id\": \"a\", \"metadata\": {\"name\": \"x\"}, \"state\": "
                   "\"CONTAINER_EXITED\", \"labels\": \"x\""),
         "labels: found a string"},
        {CONTAINER("\"id\": \"a\", \"metadata\": {\"name\": \"x\"}, \"state\": "
                   "\"CONTAINER_EXITED\", \"labels\": {\"io.kubernetes.pod.uid\": \"../../etc\"}"),
         "io.kubernetes.pod.uid: found a string that is no name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED(containers_fini) struct containers c = {0};
        struct err e = {""};
        assert_true(containers_parse(cases[i].json, strlen(cases[i].json), &c, &e) < 0);
        if (!strstr(e.text, cases[i].message))
            print_error("case %zu: \"%s\", not \"%s\"\n", i, e.text, cases[i].message);
        assert_non_null(strstr(e.text, cases[i].message));
        assert_int_equal(c.count, 0);
    }
}

/* Too deep, too long, too many; every prefix. */
static void test_hostile(void **state)
{
    (void)state;
    OWNED(containers_fini) struct containers c = {0};
    OWNED(container_detail_fini) struct container_detail d = {0};
    OWNED(sandboxes_fini) struct sandboxes s = {0};
    struct err e = {""};
    OWNED(buf_fini) struct buf b = {0};
    for (int i = 0; i < 100000; i++)
        buf_text(&b, "[");
    assert_true(containers_parse(b.bytes, b.length, &c, &e) < 0);
    assert_true(container_detail_parse(b.bytes, b.length, &d, &e) < 0);
    buf_clear(&b);
    buf_text(&b, "{\"containers\": [");
    for (int i = 0; i <= CRI_ENTRIES_MAX; i++)
        buf_text(&b, i ? ",{}" : "{}");
    buf_text(&b, "]}");
    assert_int_equal(containers_parse(b.bytes, b.length, &c, &e), -EFBIG);
    while (b.length <= CRI_OUTPUT_BYTES_MAX)
        buf_text(&b, "                                                                ");
    assert_true(sandboxes_parse(b.bytes, b.length, &s, &e) < 0);
    assert_non_null(strstr(e.text, "expected at most"));
    for (size_t length = 0; length < sizeof ps - 3; length++)
        assert_true(containers_parse(ps, length, &c, NULL) < 0);
}

static void test_sandboxes(void **state)
{
    (void)state;
    static const char pods[] =
        "{\"items\": [{\"id\": \"5a\", \"metadata\": {\"name\": \"etcd-m1\", \"uid\": \"f0\",\n"
        "\"namespace\": \"kube-system\", \"attempt\": 1}, \"state\": \"SANDBOX_READY\",\n"
        "\"createdAt\": \"17\", \"labels\": {}, \"runtimeHandler\": \"\"},\n"
        "{\"id\": \"5b\", \"metadata\": {\"name\": \"etcd-m1\"}, \"state\": \"SANDBOX_NOTREADY\",\n"
        "\"createdAt\": \"16\"}]}";
    OWNED(sandboxes_fini) struct sandboxes s = {0};
    assert_int_equal(sandboxes_parse(pods, sizeof pods - 1, &s, NULL), 0);
    assert_int_equal(s.count, 2);
    assert_string_equal(s.at[0].id, "5a");
    assert_string_equal(s.at[0].pod, "etcd-m1");
    assert_string_equal(s.at[0].pod_namespace, "kube-system");
    assert_string_equal(s.at[0].pod_uid, "f0");
    assert_true(s.at[0].ready);
    assert_int_equal(s.at[0].attempt, 1);
    assert_true(s.at[0].created_nsec == 17);
    assert_false(s.at[1].ready);

    OWNED(sandboxes_fini) struct sandboxes none = {0};
    assert_int_equal(sandboxes_parse("{\"items\": []}", 13, &none, NULL), 0);
    assert_int_equal(none.count, 0);
    struct err e;
    assert_true(sandboxes_parse("{\"items\": [{}]}", 15, &none, &e) < 0);
    assert_string_equal(e.text, "items[0]: id: found nothing, expected a name");
}

static void test_detail(void **state)
{
    (void)state;
    static const char inspect[] =
        "{\"status\": {\"id\": \"a1\", \"metadata\": {\"attempt\": 2, \"name\": \"etcd\"},\n"
        "\"state\": \"CONTAINER_EXITED\", \"createdAt\": \"2026-11-21T04:31:40.5Z\",\n"
        "\"startedAt\": \"2026-11-21T06:31:41.000000001+02:00\",\n"
        "\"finishedAt\": \"2026-11-21T04:31:42Z\", \"exitCode\": 128, \"reason\": \"StartError\",\n"
        "\"message\": \"failed to create containerd task: exec: \\\"nope\\\": not found\",\n"
        "\"logPath\": \"/var/log/pods/kube-system_etcd-m1_f0/etcd/2.log\"},\n"
        "\"info\": {\"sandboxID\": \"5a\", \"pid\": 4711}}";
    OWNED(container_detail_fini) struct container_detail d = {0};
    struct err e = {""};
    int code = container_detail_parse(inspect, sizeof inspect - 1, &d, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(code, 0);
    assert_int_equal(d.exit_code, 128);
    assert_string_equal(d.reason, "StartError");
    assert_non_null(strstr(d.message, "not found"));
    assert_string_equal(d.log_path, "/var/log/pods/kube-system_etcd-m1_f0/etcd/2.log");
    assert_true(d.started_nsec == INT64_C(1795235501000000001));
    assert_true(d.finished_nsec == INT64_C(1795235502000000000));
    assert_int_equal(d.pid, 4711);

    /* One that runs, in a list of one; numbers in protobuf's form; Go's zero time. */
    static const char running[] = "[{\"status\": {\"startedAt\": \"17\", \"finishedAt\": "
                                  "\"0001-01-01T00:00:00Z\", \"exitCode\": 0, \"reason\": \"\"}, "
                                  "\"info\": \"none\"}]";
    OWNED(container_detail_fini) struct container_detail r = {0};
    assert_int_equal(container_detail_parse(running, sizeof running - 1, &r, &e), 0);
    assert_true(r.started_nsec == 17 && r.finished_nsec == 0);
    assert_int_equal(r.pid, 0);
    assert_null(r.log_path);
    assert_string_equal(r.reason, "");
}

static void test_detail_odd(void **state)
{
    (void)state;
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"x", "not JSON"},
        {"{}", "status: found nothing"},
        {"[]", "status: found nothing"},
        {"{\"status\": []}", "status: found a list"},
        {"{\"status\": {\"exitCode\": \"1\"}}", "exitCode: found a string"},
        {"{\"status\": {\"exitCode\": 99999999999}}", "exitCode"},
        {"{\"status\": {\"reason\": {}}}", "reason: found an object"},
        {"{\"status\": {\"reason\": \"two words\"}}", "expected one word"},
        {"{\"status\": {\"message\": 1}}", "message: found a number"},
        {"{\"status\": {\"logPath\": \"relative\"}}", "logPath: found no absolute path"},
        {"{\"status\": {\"startedAt\": \"soon\"}}", "startedAt: found a string"},
        {"{\"status\": {\"startedAt\": {}}}", "startedAt: found an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED(container_detail_fini) struct container_detail d = {0};
        struct err e = {""};
        assert_true(container_detail_parse(cases[i].json, strlen(cases[i].json), &d, &e) < 0);
        if (!strstr(e.text, cases[i].message))
            print_error("case %zu: \"%s\", not \"%s\"\n", i, e.text, cases[i].message);
        assert_non_null(strstr(e.text, cases[i].message));
    }
    /* Odd times are "unknown", odd pids none. */
    static const char *const harmless[] = {
        "{\"status\": {\"startedAt\": \"2026-11-21T04:31:41\"}, \"info\": {\"pid\": -4}}",
        "{\"status\": {\"startedAt\": \"2026-11-21T04:31:41+x\"}, \"info\": {\"pid\": \"1\"}}",
        "{\"status\": {\"startedAt\": \"9999-11-21T04:31:41Z\"}, \"info\": {\"pid\": 1e9}}",
        "{\"status\": {\"startedAt\": \"T\"}, \"info\": {\"pid\": 99999999999}}",
        "{\"status\": {\"startedAt\": \"2026-11-21T04:31:41+-1:-1\"}}",
        "{\"status\": {\"startedAt\": \"2026-11-21T04:31:41+02:00x\"}}",
        "{\"status\": {\"startedAt\": \"2026-11-21T04:31:41.\"}}",
    };
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        OWNED(container_detail_fini) struct container_detail d = {0};
        assert_int_equal(container_detail_parse(harmless[i], strlen(harmless[i]), &d, NULL), 0);
        assert_true(d.started_nsec == 0 && d.pid == 0);
    }
}

/* A stand-in for crictl, which says what its second argument asks for. */
static char tool[64];

static int tool_setup(void **state)
{
    (void)state;
    strcpy(tool, "/tmp/planeguard-cri-XXXXXX");
    assert_non_null(mkdtemp(tool));
    strcat(tool, "/crictl");
    FILE *f = fopen(tool, "w");
    assert_non_null(f);
    (void)fputs("#!/bin/sh\n"
                "shift 2\n" /* --timeout 2s */
                "case $1 in\n"
                "ps) echo '{\"containers\": []}';;\n"
                "pods) printf 'no \\033 endpoint\\nmore' >&2; exit 3;;\n"
                "rm) echo \"$2 $3\";;\n"
                "esac\n",
                f);
    assert_int_equal(fclose(f), 0);
    return chmod(tool, 0755);
}

static int tool_teardown(void **state)
{
    (void)state;
    unlink(tool);
    *strrchr(tool, '/') = '\0';
    return rmdir(tool);
}

static void test_run(void **state)
{
    (void)state;
    const char *words[] = {tool, "--timeout", "2s"};
    struct strings prefix = {words, 3}, none = {0};
    OWNED(containers_fini) struct containers c = {0};
    OWNED(sandboxes_fini) struct sandboxes s = {0};
    struct err e = {""};
    assert_int_equal(cri_containers(&prefix, 5000000, &c, &e), 0);
    assert_int_equal(c.count, 0);
    assert_int_equal(cri_sandboxes(&prefix, 5000000, &s, &e), -EIO);
    assert_string_equal(e.text, "crictl pods ended with 3: no ? endpoint");
    OWNED(command_result_fini) struct command_result r = {0};
    const char *const arguments[] = {"rm", "-f", "a1", NULL};
    assert_int_equal(cri_run(&prefix, arguments, 5000000, &r, &e), 0);
    assert_string_equal(buf_string(&r.out), "-f a1\n");
    assert_int_equal(cri_containers(&none, 5000000, &c, &e), -ENOTSUP);
}

int main(void)
{
    json_setup();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_newer),
        cmocka_unit_test(test_containers_odd),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_sandboxes),
        cmocka_unit_test(test_detail),
        cmocka_unit_test(test_detail_odd),
        cmocka_unit_test_setup_teardown(test_run, tool_setup, tool_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
