/* Probe kind `manifest`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "observe/kinds.h"
#include "observe/neighbour.h"
#include "probe_case.h"

#define FOLDER "/etc/kubernetes/manifests"
#define MANIFEST FOLDER "/kube-apiserver.yaml"

static const char good[] =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: kube-apiserver, namespace: kube-system}\n"
    "spec:\n  containers:\n  - name: kube-apiserver\n    image: registry.k8s.io/x:v1.36.0\n"
    "    command:\n    - kube-apiserver\n    - --tls-cert-file=/etc/kubernetes/pki/apiserver.crt\n"
    "    - --client-ca-file=/etc/kubernetes/pki/ca.crt\n"
    "    - --kubeconfig=/etc/kubernetes/s.conf\n"
    "    - --audit-log-path=/var/log/audit/audit.log\n"
    "    livenessProbe: {failureThreshold: 8, periodSeconds: 10, timeoutSeconds: 15}\n"
    "    volumeMounts:\n    - {name: pki, mountPath: /etc/kubernetes/pki}\n"
    "    - {name: audit, mountPath: /var/log/audit}\n"
    "    - {name: conf, mountPath: /etc/kubernetes/s.conf}\n"
    "  volumes:\n  - {name: pki, hostPath: {path: /etc/kubernetes/pki, type: DirectoryOrCreate}}\n"
    "  - {name: audit, hostPath: {path: /var/log/audit, type: DirectoryOrCreate}}\n"
    "  - {name: conf, hostPath: {path: /etc/kubernetes/s.conf, type: FileOrCreate}}\n"
    "  - {name: lock, hostPath: {path: /run/xtables.lock, type: FileOrCreate}}\n"
    "  - {name: any, hostPath: {path: /nowhere}}\n";

static const char etcd[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: etcd}\n"
                           "spec: {containers: [{name: etcd, image: i}]}\n";

static void start(struct probe_case *c, const char *yaml)
{
    struct err e = {""};
    int code = probe_case_start(c, &probe_manifest, yaml, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(code, 0);
}

/* A healthy node's files. */
static int setup(void **state)
{
    int code = probe_case_setup(state);
    struct probe_case *c = *state;
    probe_case_put_text(c, MANIFEST, good);
    probe_case_put_text(c, FOLDER "/etcd.yaml", etcd);
    probe_case_put_text(c, "/etc/kubernetes/pki/apiserver.crt", "x");
    probe_case_put_text(c, "/etc/kubernetes/pki/ca.crt", "x");
    probe_case_put_text(c, "/etc/kubernetes/s.conf", "x");
    return code;
}

static void test_good(void **state)
{
    struct probe_case *c = *state;
    start(c, "{pod: kube-apiserver}");
    probe_case_expect(c, SIGNAL_PASS, "none");
    struct digest d = digest_of(good, sizeof good - 1);
    char hex[DIGEST_HEX + 1];
    assert_string_equal(probe_case_fact(c, "digest"), digest_hex(&d, hex));
    assert_string_equal(probe_case_fact(c, "path"), MANIFEST);
    assert_string_equal(probe_case_fact(c, "image"), "registry.k8s.io/x:v1.36.0");
    assert_int_equal(json_get_int(c->facts, "livenessBudgetSec", 0), 8 * 15 + 30);
    assert_int_equal(json_object_size(c->facts), 4);
    start(c, "{pod: etcd}");
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_null(json_object_get(c->facts, "livenessBudgetSec"));
}

static void test_own_troubles(void **state)
{
    struct probe_case *c = *state;
    start(c, "{pod: kube-apiserver}");
    probe_case_remove(c, MANIFEST);
    probe_case_expect(c, SIGNAL_FAIL, "missing");
    assert_null(json_object_get(c->facts, "digest"));
    probe_case_put_text(c, MANIFEST, "");
    probe_case_expect(c, SIGNAL_FAIL, "empty");
    probe_case_put_text(c, MANIFEST, "# nothing\n");
    probe_case_expect(c, SIGNAL_FAIL, "unparsable");
    /* Half written, at any line. */
    for (const char *end = good; (end = strchr(end, '\n')) && end - good < 130; end++) {
        probe_case_put(c, MANIFEST, good, (size_t)(end - good));
        probe_case_expect(c, SIGNAL_FAIL, "unparsable");
        assert_non_null(strstr(c->detail, MANIFEST ":"));
        assert_int_equal(strlen(probe_case_fact(c, "digest")), DIGEST_HEX);
    }
    probe_case_put_text(c, MANIFEST, etcd);
    probe_case_expect(c, SIGNAL_FAIL, "not-that-pod");
    assert_non_null(strstr(c->detail, "describes the pod etcd"));
    /* An alias is the kubelet's to follow, not ours to judge. */
    probe_case_put_text(c, MANIFEST,
                        "apiVersion: v1\nkind: Pod\nmetadata: {name: &a kube-apiserver}\n"
                        "spec: {containers: [{name: *a, image: i}]}\n");
    probe_case_expect(c, SIGNAL_UNKNOWN, "tool-failed");
    probe_case_put_text(c, FOLDER "/copy", good);
    probe_case_expect(c, SIGNAL_FAIL, "stray");
    probe_case_remove(c, FOLDER "/copy");
    probe_case_remove(c, MANIFEST);
    assert_int_equal(mkdir(probe_case_host(c, MANIFEST), 0755), 0);
    probe_case_expect(c, SIGNAL_FAIL, "unreadable");
}

static void test_size(void **state)
{
    struct probe_case *c = *state;
    start(c, "{pod: kube-apiserver}");
    OWNED(buf_fini) struct buf b = {0};
    buf_text(&b, good);
    while (b.length <= YAML_FILE_BYTES_MAX)
        buf_text(&b, "# a long comment\n");
    probe_case_put(c, MANIFEST, b.bytes, b.length);
    /* More than we read, less than the kubelet does. */
    probe_case_expect(c, SIGNAL_UNKNOWN, "tool-failed");
    while (b.length <= 10 << 20)
        buf_text(&b, "# a long comment, and a long comment, and a long comment, and another\n");
    probe_case_put(c, MANIFEST, b.bytes, b.length);
    probe_case_expect(c, SIGNAL_FAIL, "unparsable");
}

static void test_strays(void **state)
{
    struct probe_case *c = *state;
    start(c, "{pod: kube-apiserver}");
    /* What the kubelet passes over. */
    probe_case_put_text(c, FOLDER "/.kube-apiserver.yaml.swp", good);
    probe_case_put_text(c, FOLDER "/folder/kube-apiserver.yaml", good);
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "junk"), "");
    probe_case_put_text(c, FOLDER "/notes.txt", "buy milk\n");
    probe_case_put_text(c, FOLDER "/a b\n.yaml", "");
    probe_case_expect(c, SIGNAL_PASS, "none");
    assert_string_equal(probe_case_fact(c, "junk"), "a?b?.yaml notes.txt");
    probe_case_put_text(c, FOLDER "/kube-apiserver.yaml.bak", good);
    probe_case_expect(c, SIGNAL_FAIL, "stray");
    assert_string_equal(probe_case_fact(c, "stray"), "kube-apiserver.yaml.bak");
    /* From another namespace, and by a link to elsewhere. */
    probe_case_put_text(c, FOLDER "/0",
                        "apiVersion: v1\nkind: Pod\nmetadata: {name: "
                        "kube-apiserver}\n"
                        "spec: {containers: [{name: c, image: i}]}\n");
    probe_case_put_text(c, "/root/copy.yaml", good);
    assert_int_equal(symlink("/root/copy.yaml", probe_case_host(c, FOLDER "/link")), 0);
    probe_case_expect(c, SIGNAL_FAIL, "stray");
    assert_string_equal(probe_case_fact(c, "stray"), "0 kube-apiserver.yaml.bak link");
    /* Known and changed in place: looked at anew. */
    probe_case_put_text(c, FOLDER "/0", etcd);
    probe_case_remove(c, FOLDER "/link");
    probe_case_expect(c, SIGNAL_FAIL, "stray");
    assert_string_equal(probe_case_fact(c, "stray"), "kube-apiserver.yaml.bak");
    /* The missing manifest is the heavier trouble, and the copy is still told of. */
    probe_case_remove(c, MANIFEST);
    probe_case_expect(c, SIGNAL_FAIL, "missing");
    assert_string_equal(probe_case_fact(c, "stray"), "kube-apiserver.yaml.bak");
    /* The manifest elsewhere: whatever declares the pod in the folder is a stray. */
    probe_case_put_text(c, "/srv/kube-apiserver.yaml", good);
    start(c, "{pod: kube-apiserver, path: /srv/kube-apiserver.yaml}");
    probe_case_expect(c, SIGNAL_FAIL, "stray");
    probe_case_remove(c, FOLDER "/kube-apiserver.yaml.bak");
    probe_case_expect(c, SIGNAL_PASS, "none");
    for (int i = 0; i <= NEIGHBOURS_MAX; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, FOLDER "/x%d", i);
        probe_case_put_text(c, path, "x");
    }
    probe_case_expect(c, SIGNAL_UNKNOWN, "tool-failed");
}

static void test_references(void **state)
{
    struct probe_case *c = *state;
    start(c, "{pod: kube-apiserver}");
    probe_case_remove(c, "/etc/kubernetes/pki/ca.crt");
    probe_case_expect(c, SIGNAL_FAIL, "reference-missing");
    assert_string_equal(probe_case_fact(c, "missing"), "/etc/kubernetes/pki/ca.crt");
    /* As the kubelet makes them: empty. */
    probe_case_put_text(c, "/etc/kubernetes/s.conf", "");
    probe_case_put_text(c, "/etc/kubernetes/pki/apiserver.crt", "");
    probe_case_expect(c, SIGNAL_FAIL, "reference-missing");
    assert_string_equal(probe_case_fact(c, "missing"),
                        "/etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/ca.crt "
                        "/etc/kubernetes/s.conf");
    probe_case_put_text(c, FOLDER "/etcd.yaml",
                        "apiVersion: v1\nkind: Pod\nmetadata: {name: etcd}\n"
                        "spec:\n  containers: [{name: etcd, image: i}]\n  volumes:\n"
                        "  - {hostPath: {path: /f, type: File}}\n"
                        "  - {hostPath: {path: /d, type: Directory}}\n"
                        "  - {hostPath: {path: /s, type: Socket}}\n"
                        "  - {hostPath: {path: /e, type: File}}\n"
                        "  - {hostPath: {path: /e, type: File}}\n");
    probe_case_put_text(c, "/e", "");
    probe_case_put_text(c, "/d", "x");
    start(c, "{pod: etcd}");
    probe_case_expect(c, SIGNAL_FAIL, "reference-missing");
    assert_string_equal(probe_case_fact(c, "missing"), "/d /e /f /s");
}

static void test_not_named(void **state)
{
    struct probe_case *c = *state;
    c->node.manifests = NULL;
    start(c, "{pod: kube-apiserver}");
    probe_case_expect(c, SIGNAL_UNKNOWN, "not-named");
    c->node.manifests = "/nowhere";
    start(c, "{pod: kube-apiserver}");
    probe_case_expect(c, SIGNAL_FAIL, "missing");
    struct err e;
    assert_true(probe_case_start(c, &probe_manifest, "{}", &e) < 0);
    assert_true(probe_case_start(c, &probe_manifest, "{pod: ../x}", &e) < 0);
}

static void test_wakes(void **state)
{
    struct probe_case *c = *state;
    start(c, "{pod: kube-apiserver}");
    probe_case_put_text(c, FOLDER "/.dot", "x");
    probe_case_wait_wake(c, 200000);
    assert_int_equal(c->wakes, 0);
    probe_case_put_text(c, FOLDER "/kube-apiserver.yaml.bak", good);
    probe_case_wait_wake(c, 5000000);
    assert_true(c->wakes > 0);
    probe_case_put_text(c, "/srv/x.yaml", good);
    start(c, "{pod: kube-apiserver, path: /srv/x.yaml}");
    c->wakes = 0;
    probe_case_remove(c, "/srv/x.yaml");
    probe_case_wait_wake(c, 5000000);
    assert_true(c->wakes > 0);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, probe_case_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_good),       CASE(test_own_troubles), CASE(test_size),  CASE(test_strays),
        CASE(test_references), CASE(test_not_named),    CASE(test_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
