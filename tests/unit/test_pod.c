/* config/pod.h: what of a static pod's manifest is understood, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/own.h"
#include "config/pod.h"

/* kubeadm's own, shortened. */
static const char apiserver[] =
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata:\n"
    "  annotations:\n"
    "    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: 10.0.0.1:6443\n"
    "  labels: {component: kube-apiserver, tier: control-plane}\n"
    "  name: kube-apiserver\n"
    "  namespace: kube-system\n"
    "spec:\n"
    "  containers:\n"
    "  - command:\n"
    "    - kube-apiserver\n"
    "    - --advertise-address=10.0.0.1\n"
    "    - --client-ca-file=/etc/kubernetes/pki/ca.crt\n"
    "    - --etcd-servers=https://127.0.0.1:2379\n"
    "    - --audit-log-path=/var/log/kubernetes/audit.log\n"
    "    - --audit-policy-file=/etc/audit/policy.yaml\n"
    "    - --tls-cert-file=/etc/kubernetes/pki/apiserver.crt\n"
    "    - --tls-private-key-file\n"
    "    - /etc/kubernetes/pki/apiserver.key\n"
    "    - --tls-sni-cert-key=/etc/kubernetes/pki/a.crt,/etc/kubernetes/pki/a.key:foo.com,bar\n"
    "    - --oidc-ca-file=/opt/elsewhere.crt\n"
    "    - --token-auth-file=/etc/kubernetes/pki/../x\n"
    "    image: registry.k8s.io/kube-apiserver:v1.36.0\n"
    "    livenessProbe:\n"
    "      failureThreshold: 8\n"
    "      httpGet: {host: 10.0.0.1, path: /livez, port: probe-port, scheme: HTTPS}\n"
    "      initialDelaySeconds: 10\n"
    "      periodSeconds: 10\n"
    "      timeoutSeconds: 15\n"
    "    name: kube-apiserver\n"
    "    volumeMounts:\n"
    "    - {mountPath: /etc/kubernetes/pki, name: k8s-certs, readOnly: true}\n"
    "    - {mountPath: /var/log/kubernetes, name: audit-log}\n"
    "    - {mountPath: /etc/audit/policy.yaml, name: policy}\n"
    "  volumes:\n"
    "  - hostPath: {path: /srv/pki/, type: DirectoryOrCreate}\n"
    "    name: k8s-certs\n"
    "  - hostPath: {path: /var/log/kubernetes, type: DirectoryOrCreate}\n"
    "    name: audit-log\n"
    "  - hostPath: {path: /etc/kubernetes/policy.yaml, type: File}\n"
    "    name: policy\n"
    "  - name: scratch\n"
    "    emptyDir: {}\n";

static const char minimal[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
                              "spec: {containers: [{name: c, image: i}]}\n";

static int setup(void **state)
{
    *state = pool_new();
    return 0;
}

static int teardown(void **state)
{
    pool_free(*state);
    return 0;
}

static const struct pod_reference *reference(const struct pod *p, const char *path)
{
    for (size_t i = 0; i < p->reference_count; i++)
        if (!strcmp(p->references[i].path, path))
            return &p->references[i];
    return NULL;
}

static void test_kubeadm(void **state)
{
    struct pod p;
    struct err e = {""};
    int code = pod_parse(*state, "m.yaml", apiserver, sizeof apiserver - 1, &p, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(code, 0);
    assert_string_equal(p.name, "kube-apiserver");
    assert_string_equal(p.pod_namespace, "kube-system");
    assert_string_equal(p.container, "kube-apiserver");
    assert_string_equal(p.image, "registry.k8s.io/kube-apiserver:v1.36.0");
    assert_int_equal(p.command.count, 12);
    assert_string_equal(p.command.at[0], "kube-apiserver");
    assert_int_equal(p.liveness.initial_delay_sec, 10);
    assert_int_equal(p.liveness.timeout_sec, 15);
    assert_int_equal(p.liveness.period_sec, 10);
    assert_int_equal(p.liveness.failure_threshold, 8);
    assert_true(p.plain);
}

static void test_references(void **state)
{
    struct pod p;
    assert_int_equal(pod_parse(*state, "m.yaml", apiserver, sizeof apiserver - 1, &p, NULL), 0);
    static const struct {
        const char *path, *type, *flag;
    } expected[] = {
        {"/srv/pki/", "DirectoryOrCreate", NULL},
        {"/var/log/kubernetes", "DirectoryOrCreate", NULL},
        {"/etc/kubernetes/policy.yaml", "File", NULL},
        {"/srv/pki/ca.crt", "flag", "--client-ca-file"},
        {"/srv/pki/apiserver.crt", "flag", "--tls-cert-file"},
        {"/srv/pki/apiserver.key", "flag", "--tls-private-key-file"},
        {"/srv/pki/a.crt", "flag", "--tls-sni-cert-key"},
        {"/srv/pki/a.key", "flag", "--tls-sni-cert-key"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct pod_reference *r = reference(&p, expected[i].path);
        assert_non_null(r);
        assert_string_equal(r->type, expected[i].type);
        if (expected[i].flag)
            assert_string_equal(r->flag, expected[i].flag);
        else
            assert_null(r->flag);
    }
    /* The policy twice: as a volume and as the flag's file. Neither the log, what is outside the
     * mounts, nor what climbs out of them. */
    assert_int_equal(p.reference_count, 9);
}

static const struct {
    const char *text;
    int code;
    bool plain;
    const char *message;
} cases[] = {
    {minimal, 0, true, NULL},
    {"{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"x\"},\n"
     "\"spec\": {\"containers\": [{\"name\": \"c\", \"image\": \"i\"}]}}",
     0, true, NULL},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
     "spec: {containers: [{name: c, image: i}]}\n---\na: b\n",
     0, false, NULL},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: &a {}}\n"
     "spec: {containers: [{name: c, image: i}]}\n",
     0, false, NULL},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: &n x}\n"
     "spec: {containers: [{name: *n, image: i}]}\n",
     -ENOTSUP, false, "m.yaml:4:28: name: an alias"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: &s {containers: *s}\n", -ENOTSUP, false,
     "containers: an alias"},
    {"", -EINVAL, false, "m.yaml:1:1: found nothing"},
    {"# only this\n", -EINVAL, false, "expected a v1 Pod"},
    {"- a\n", -EINVAL, false, "found a list, expected a v1 Pod"},
    {"kind: Pod\n", -EINVAL, false, "apiVersion: found nothing"},
    {"apiVersion: v2\nkind: Pod\n", -EINVAL, false, "m.yaml:1:13: apiVersion: found \"v2\""},
    {"apiVersion: v1\nkind: Deployment\n", -EINVAL, false, "found \"Deployment\""},
    {"apiVersion: v1\nkind: Pod\n", -EINVAL, false, "metadata: found nothing"},
    {"apiVersion: v1\nkind: Pod\nmetadata: [a]\n", -EINVAL, false, "metadata: found a list"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {}\n", -EINVAL, false, "name: found nothing"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: ../x}\n", -EINVAL, false,
     "found \"../x\", expected a name"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: X}\n", -EINVAL, false, "expected a name"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: -x}\n", -EINVAL, false, "expected a name"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n", -EINVAL, false, "spec: found nothing"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n", -EINVAL, false,
     "an empty list"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: {}}\n", -EINVAL, false,
     "found a mapping, expected a list"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [1]}\n", -EINVAL, false,
     "name: found nothing"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c}]}\n", -EINVAL,
     false, "image: found nothing"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
     "spec: {containers: [{name: c, image: i}, {image: i}]}\n",
     -EINVAL, false, "name: found nothing"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
     "spec: {containers: [{name: c, image: i, command: sh}]}\n",
     -EINVAL, false, "command: found \"sh\", expected a list"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
     "spec: {containers: [{name: c, image: i, args: [{a: b}]}]}\n",
     -EINVAL, false, "args: found a mapping"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
     "spec: {containers: [{name: c, image: i, livenessProbe: {timeoutSeconds: 1h}}]}\n",
     -EINVAL, false, "timeoutSeconds: found \"1h\""},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
     "spec: {containers: [{name: c, image: i, livenessProbe: {periodSeconds: -1}}]}\n",
     -EINVAL, false, "periodSeconds"},
    {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
     "spec: {containers: [{name: c, image: i, livenessProbe: {periodSeconds: "
     "99999999999999999999}}]}\n",
     -EINVAL, false, "periodSeconds"},
    {"apiVersion: v1\nkind: Pod\nmeta\tdata\n  x: [", -EINVAL, false, "m.yaml:"},
};

static void test_forms(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pod p = {.name = "untouched"};
        struct err e = {""};
        int code = pod_parse(*state, "m.yaml", cases[i].text, strlen(cases[i].text), &p, &e);
        if (code != cases[i].code)
            print_error("case %zu: %s\n", i, e.text);
        assert_int_equal(code, cases[i].code);
        if (code == 0)
            assert_int_equal(p.plain, cases[i].plain);
        else
            assert_string_equal(p.name, "untouched");
        if (cases[i].message && !strstr(e.text, cases[i].message))
            print_error("case %zu: %s, not %s\n", i, e.text, cases[i].message);
        if (cases[i].message)
            assert_non_null(strstr(e.text, cases[i].message));
    }
}

static void test_liveness_defaults(void **state)
{
    struct pod p;
    assert_int_equal(pod_parse(*state, "m", minimal, sizeof minimal - 1, &p, NULL), 0);
    assert_int_equal(p.liveness.failure_threshold, 0);
    static const char text[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: "
                               "[{name: c, image: i, livenessProbe: {httpGet: {}}}]}\n";
    assert_int_equal(pod_parse(*state, "m", text, sizeof text - 1, &p, NULL), 0);
    assert_int_equal(p.liveness.failure_threshold, 3);
    assert_int_equal(p.liveness.period_sec, 10);
    assert_int_equal(p.liveness.timeout_sec, 1);
}

/* More flags, commas and mounts than there is room for: bounded, no error. */
static void test_bounds(void **state)
{
    OWNED(buf_fini) struct buf b = {0};
    buf_text(&b, "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"
                 "  - name: c\n    image: i\n    command:\n    - \"--x=");
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "/m/%d,", i);
    buf_text(&b, "\"\n    volumeMounts: [{mountPath: /m, name: v}]\n  volumes:\n");
    for (int i = 0; i < 300; i++)
        buf_printf(&b, "  - {name: v, hostPath: {path: /h%d}}\n", i);
    struct pod p;
    struct err e = {""};
    assert_int_equal(pod_parse(*state, "m", b.bytes, b.length, &p, &e), 0);
    assert_int_equal(p.reference_count, POD_REFERENCES_MAX);
    while (b.length <= YAML_FILE_BYTES_MAX)
        buf_text(&b, "# a comment that makes it longer than what is read of a file\n");
    assert_int_equal(pod_parse(*state, "m", b.bytes, b.length, &p, &e), -EFBIG);
}

/* Every prefix of a manifest gives an answer, not a crash. */
static void test_prefixes(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof apiserver; length += 3) {
        struct pool *pool = pool_new();
        struct pod p;
        struct err e = {""};
        int code = pod_parse(pool, "m", apiserver, length, &p, &e);
        assert_true(code == 0 || e.text[0]);
        pool_free(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kubeadm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_references, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_liveness_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
