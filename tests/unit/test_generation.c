/* Generations: which documents are in force, how they are linked, what is looked up in them; and
 * the node's description. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"
#include "config/generation.h"
#include "fake_catalog.h"
#include "node_folder.h"

#define SHIPPED "/usr/share/planeguard/playbooks/"
#define OWN "/etc/planeguard/playbooks.d/"
#define HEAD(kind, name)                                                                           \
    "---\napiVersion: planeguard/v1\nkind: " kind "\nmetadata: {name: " name "}\nspec: "
#define PROBE(name) HEAD("Probe", name) "{every: 5s, https: {url: 'http://a'}}\n"
#define FAILURE(name, when) FAILURE_CAUSED(name, when, "[]")
#define FAILURE_CAUSED(name, when, causes)                                                         \
    HEAD("Failure", name)                                                                          \
    "{summary: s, severity: info, layer: 1, for: 1s, when: " when ", causedBy: " causes "}\n"
#define PLAYBOOK(name, treats, order)                                                              \
    HEAD("Playbook", name)                                                                         \
    "{treats: " treats ", order: " order ", risk: low, steps: [{note: }]}\n"

static struct node_folder folder;
static struct complaints complaints;

static int make(void **state)
{
    (void)state;
    node_folder_make(&folder);
    node_folder_write_text(&folder, SHIPPED "component/base.yaml", fake_documents);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    node_folder_remove(&folder);
    complaints_fini(&complaints);
    return 0;
}

static struct generation *load_from(const char *shipped, const char *const *paths)
{
    struct generation *g = NULL;
    complaints_fini(&complaints);
    int r = generation_load(folder.root, shipped, paths, &fake_catalog, &g, &complaints);
    assert_int_equal(r, complaints.count ? -EINVAL : 0);
    assert_int_equal(g != NULL, r == 0);
    return g;
}

static struct generation *load(void)
{
    struct generation *g = load_from(NULL, NULL);
    if (!g)
        fail_msg("%s", complaints.at[0].text);
    return g;
}

static void refused_with(const char *text)
{
    struct generation *g = load_from(NULL, NULL);
    generation_unref(g);
    assert_null(g);
    for (size_t i = 0; i < complaints.count; i++)
        if (strstr(complaints.at[i].text, text))
            return;
    fail_msg("not \"%s\" but \"%s\"", text, complaints.at[0].text);
}

static void links_names(void **state)
{
    (void)state;
    struct generation *g = load();
    int livez = generation_find_probe(g, "livez");
    int manifest = generation_find_probe(g, "apiserver-manifest");
    const struct failure_document *down =
        &g->failures[generation_find_failure(g, "apiserver-down")];
    const struct playbook_document *restart =
        &g->playbooks[generation_find_playbook(g, "restart-apiserver")];
    assert_int_equal(g->probe_count, 3);
    assert_int_equal(generation_find_probe(g, "nothing"), -1);
    assert_int_equal(generation_find_failure(g, "livez"), -1);
    assert_int_equal(generation_find_playbook(g, ""), -1);
    assert_int_equal(g->probes[manifest].good_signal, livez);
    assert_int_equal(g->probes[livez].good_signal, -1);
    assert_int_equal(down->when.type, CONDITION_ALL);
    assert_int_equal(down->when.at[0].signal, livez);
    assert_int_equal(down->when.at[0].passed_since, -1);
    assert_int_equal(down->when.at[1].signal, manifest);
    assert_int_equal(down->when.at[0].reasons, UINT64_C(1) << REASON_REFUSED | UINT64_C(1)
                                                                                   << REASON_RESET);
    assert_int_equal(down->caused_by[0], generation_find_failure(g, "etcd-down"));
    assert_int_equal(down->playbook_count, 1);
    assert_ptr_equal(&g->playbooks[down->playbooks[0]], restart);
    assert_ptr_equal(&g->failures[restart->treats], down);
    assert_int_equal(restart->verify[0].condition.signal, livez);
    assert_int_equal(g->uses[livez].failure_count, 1);
    assert_int_equal(g->uses[livez].failures[0], generation_find_failure(g, "apiserver-down"));
    assert_string_equal(down->meta.component, "kube-apiserver");
    assert_int_equal(down->meta.line, 16);
    assert_non_null(strstr(down->meta.file, SHIPPED "component/base.yaml"));
    generation_unref(g);
}

static void takes_defaults(void **state)
{
    (void)state;
    struct generation *g = load();
    const struct probe_document *livez = &g->probes[generation_find_probe(g, "livez")];
    const struct probe_document *events =
        &g->probes[generation_find_probe(g, "apiserver-manifest")];
    const struct playbook_document *p = &g->playbooks[0];
    assert_int_equal(livez->timeout_usec, 5 * USEC_PER_SEC);
    assert_int_equal(livez->valid_usec, 15 * USEC_PER_SEC);
    assert_int_equal(livez->fail_after, 1);
    assert_int_equal(events->every_usec, 0);
    assert_true(events->valid_usec == USEC_NEVER);
    assert_int_equal(p->order, 100);
    assert_int_equal(p->mode, MODE_ENFORCE);
    assert_int_equal(p->limits.attempts, 2);
    assert_int_equal(p->limits.per_usec, USEC_PER_HOUR);
    assert_int_equal(p->limits.cooldown_usec, 5 * USEC_PER_MINUTE);
    assert_string_equal(p->steps[0].name, "keep the evidence");
    assert_string_equal(p->steps[1].name, "static-pod.restart");
    assert_int_equal(p->steps[1].timeout_usec, 5 * USEC_PER_MINUTE);
    const struct fake_settle *settle = g->policy->guard_args[1];
    const struct fake_window *window = g->policy->guard_args[2];
    assert_int_equal(settle->for_usec, USEC_PER_MINUTE); /* named */
    assert_int_equal(window->to, 24);                    /* not named */
    assert_int_equal(g->policy->mode, MODE_DRY_RUN);
    generation_unref(g);
}

static void lets_the_operators_own_replace(void **state)
{
    (void)state;
    node_folder_write_text(&folder, OWN "own.yaml",
                           FAILURE("etcd-down", "{signal: livez, is: fail}"));
    struct generation *g = load();
    const struct failure_document *f = &g->failures[generation_find_failure(g, "etcd-down")];
    assert_int_equal(g->failure_count, 2);
    assert_string_equal(f->summary, "s");
    assert_int_equal(f->when.signal, generation_find_probe(g, "livez"));
    assert_int_equal(g->uses[generation_find_probe(g, "etcd-health")].failure_count, 0);
    generation_unref(g);
}

static void chooses_the_policy(void **state)
{
    (void)state;
    static const char own[] = HEAD("Policy", "mine") "{mode: enforce, scaled: true}\n";
    static const char named[] = HEAD("Configuration", "c") "{policy: mine}\n";
    node_folder_write_text(&folder, "/etc/planeguard/policy.d/own.yaml", own);
    struct generation *g = load();
    assert_string_equal(g->policy->meta.name, "default");
    generation_unref(g);
    node_folder_write_text(&folder, "/etc/planeguard/planeguard.yaml", named);
    g = load();
    assert_string_equal(g->policy->meta.name, "mine");
    assert_true(g->policy->scaled);
    generation_unref(g);
    node_folder_drop(&folder, "/etc/planeguard/policy.d/own.yaml");
    refused_with("planeguard.yaml:5:16: no policy is named \"mine\"");
    node_folder_write_text(&folder, "/etc/planeguard/planeguard.yaml", "# nothing\n");
    g = load();
    assert_string_equal(g->policy->meta.name, "default");
    generation_unref(g);
}

static void refuses_two_of_one_name(void **state)
{
    (void)state;
    node_folder_write_text(&folder, SHIPPED "z.yaml", PROBE("livez"));
    refused_with("z.yaml:4:18: a second Probe \"livez\", the first is in ");
    refused_with("base.yaml:3");
    node_folder_drop(&folder, SHIPPED "z.yaml");
    node_folder_write_text(&folder, OWN "a.yaml", PROBE("livez"));
    node_folder_write_text(&folder, OWN "b.yaml", PROBE("livez"));
    refused_with("b.yaml:4:18: a second Probe \"livez\", the first is in ");
    node_folder_drop(&folder, OWN "b.yaml");
    generation_unref(load());
}

static void ignores_what_is_no_document(void **state)
{
    (void)state;
    static const char *const paths[] = {OWN ".hidden.yaml",      OWN "own.yaml~",
                                        OWN "README.md",         OWN "sub/own.yaml",
                                        SHIPPED ".git/own.yaml", "/etc/planeguard/node.yaml"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        node_folder_write_text(&folder, paths[i], "{ not YAML");
    generation_unref(load());
    node_folder_write_text(&folder, SHIPPED "sub/sub/own.yaml", "{ not YAML");
    refused_with("own.yaml:2:1: did not find expected");
}

static void refuses_what_is_no_regular_file(void **state)
{
    (void)state;
    OWNED(free) char *link = mem_printf("%s" SHIPPED "link.yaml", folder.path);
    OWNED(free) char *sub = mem_printf("%s" SHIPPED "folder.yaml", folder.path);
    OWNED(buf_fini) struct buf big = {0};
    assert_int_equal(symlink("component/base.yaml", link), 0);
    generation_unref(load_from(NULL, NULL)); /* followed below another root: a second livez ... */
    assert_true(complaints.count > 0);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(mkdir(sub, 0755), 0);
    refused_with("folder.yaml:1:1: a folder, expected a regular file");
    assert_int_equal(rmdir(sub), 0);
    while (big.length <= YAML_FILE_BYTES_MAX)
        buf_text(&big, "# much\n");
    node_folder_write(&folder, SHIPPED "big.yaml", big.bytes, big.length);
    refused_with("big.yaml:1:1: ");
    refused_with(" bytes, expected at most 1048576");
}

/* On the host whoever can change a document is root; the test's folder stands for the host. */
static void guards_the_hosts_files(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip();
    OWNED(free) char *own = mem_printf("%s" OWN, folder.path);
    OWNED(free) char *file = mem_printf("%s" OWN "own.yaml", folder.path);
    OWNED(free) char *link = mem_printf("%s" OWN "link.yaml", folder.path);
    node_folder_write_text(&folder, OWN "own.yaml", PROBE("mine"));
    folder.root->is_host = true;
    assert_int_equal(chmod(folder.path, 0755), 0);
    assert_int_equal(chmod(file, 0644), 0);
    generation_unref(load());
    assert_int_equal(chmod(file, 0664), 0);
    refused_with("own.yaml:1:1: others than root may write to it (mode 0664)");
    assert_int_equal(chmod(file, 0646), 0);
    refused_with("own.yaml:1:1: others than root may write to it (mode 0646)");
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(chown(file, 65534, 0), 0);
    refused_with("own.yaml:1:1: belongs to user 65534, expected root");
    assert_int_equal(chown(file, 0, 0), 0);
    assert_int_equal(chmod(own, 0777), 0);
    refused_with("playbooks.d:1:1: others than root may write to it");
    assert_int_equal(chmod(own, 0755), 0);
    assert_int_equal(chmod(folder.path, 0777), 0);
    refused_with("others than root may write to it");
    assert_int_equal(chmod(folder.path, 0755), 0);
    assert_int_equal(symlink("own.yaml", link), 0);
    refused_with("link.yaml:1:1: a symbolic link, expected a regular file");
    assert_int_equal(unlink(link), 0);
    generation_unref(load());
}

static void orders_playbooks(void **state)
{
    (void)state;
    node_folder_write_text(&folder, OWN "own.yaml",
                           PLAYBOOK("c", "etcd-down", "5") PLAYBOOK("b", "etcd-down", "20")
                               PLAYBOOK("d", "etcd-down", "10") PLAYBOOK("a", "etcd-down", "10"));
    struct generation *g = load();
    const struct failure_document *f = &g->failures[generation_find_failure(g, "etcd-down")];
    static const char *const expected[] = {"c", "a", "d", "b"};
    assert_int_equal(f->playbook_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(g->playbooks[f->playbooks[i]].meta.name, expected[i]);
    generation_unref(g);
}

static void shares_thresholds(void **state)
{
    (void)state;
#define FACT(test) "{signal: livez, is: pass, fact: {name: n, " test "}}"
    node_folder_write_text(&folder, OWN "own.yaml",
                           FAILURE("f1", "{any: [" FACT("atLeast: 5") ", " FACT(
                                             "atMost: 5") ", " FACT("atLeast: 5") "]}")
                               FAILURE("f2", "{any: [" FACT("atLeast: 5") ", " FACT(
                                                 "equals: x") ", " FACT("contains: x") "]}"));
    struct generation *g = load();
    int livez = generation_find_probe(g, "livez");
    const struct failure_document *f2 = &g->failures[generation_find_failure(g, "f2")];
    assert_int_equal(g->uses[livez].threshold_count, 4);
    assert_int_equal(g->uses[livez].failure_count, 3); /* each failure once */
    assert_int_equal(f2->when.at[0].threshold, 0);
    static const struct {
        const char *facts;
        uint64_t met; /* at least 5, at most 5, equals x, contains x */
    } cases[] = {{"{\"n\": 4}", 2},      {"{\"n\": 5}", 3},       {"{\"n\": 6}", 1},
                 {"{\"n\": \"x\"}", 12}, {"{\"n\": \"a x\"}", 8}, {"{\"n\": \"ax x\"}", 8},
                 {"{\"n\": \"ax\"}", 0}, {"{\"n\": \"\"}", 0},    {"{}", 0},
                 {"{\"n\": null}", 0},   {"{\"n\": 5.5}", 0},     {"{\"m\": 5}", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED(json_decref) json_t *facts = json_parse(cases[i].facts, strlen(cases[i].facts), NULL);
        assert_int_equal(generation_thresholds_met(g, livez, facts), cases[i].met);
    }
    assert_int_equal(generation_thresholds_met(g, livez, NULL), 0);
    generation_unref(g);
}

static void links_passed_since(void **state)
{
    (void)state;
    node_folder_write_text(&folder, OWN "own.yaml",
                           FAILURE("f", "{signal: livez, is: pass, passedSince: etcd-health}"));
    struct generation *g = load();
    const struct failure_document *f = &g->failures[generation_find_failure(g, "f")];
    int etcd = generation_find_probe(g, "etcd-health");
    assert_int_equal(f->when.passed_since, etcd);
    assert_int_equal(g->uses[etcd].failure_count, 2); /* etcd-down's and this one's */
    generation_unref(g);
}

static void takes_any_graph_of_causes_but_circles(void **state)
{
    (void)state;
#define ANY "{signal: livez, is: fail}"
    node_folder_write_text(&folder, OWN "own.yaml",
                           FAILURE_CAUSED("a", ANY, "[b, c]") FAILURE_CAUSED("b", ANY, "[d]")
                               FAILURE_CAUSED("c", ANY, "[d]") FAILURE("d", ANY));
    generation_unref(load());
    node_folder_write_text(&folder, OWN "own.yaml",
                           FAILURE_CAUSED("a", ANY, "[b, c]") FAILURE_CAUSED("b", ANY, "[d]")
                               FAILURE_CAUSED("c", ANY, "[d]") FAILURE_CAUSED("d", ANY, "[c]"));
    refused_with("causedBy goes in a circle: d is caused by c is caused by d");
    assert_int_equal(complaints.count, 1);
}

static void digests_the_bytes(void **state)
{
    (void)state;
    struct generation *a = load(), *b = load();
    assert_true(digest_equal(&a->digest, &b->digest));
    generation_unref(b);
    node_folder_write_text(&folder, OWN "own.yaml", "# a word\n");
    b = load();
    assert_false(digest_equal(&a->digest, &b->digest));
    generation_unref(b);
    assert_ptr_equal(generation_ref(a), a);
    generation_unref(a);
    generation_unref(a);
    generation_unref(NULL);
}

static void loads_other_places(void **state)
{
    (void)state;
    OWNED(free) char *shipped = mem_printf("%s/tree/", folder.path);
    OWNED(free) char *file = mem_printf("%s/tree/other.yml", folder.path);
    OWNED(free) char *deep = mem_printf("%s/deep", folder.path);
    OWNED(free) char *absent = mem_printf("%s/absent.yaml", folder.path);
    node_folder_write_text(&folder, "/tree/playbooks/base.yaml", fake_documents);
    node_folder_write_text(&folder, "/tree/playbooks/more.yaml", PROBE("more"));
    node_folder_write_text(&folder, "/tree/other.yml", PROBE("other"));
    node_folder_write_text(&folder, "/deep/a/b/it.yaml", PROBE("deep"));
    node_folder_write_text(&folder, OWN "own.yaml", PROBE("mine"));
    struct generation *g = load_from(shipped, NULL);
    assert_true(generation_find_probe(g, "more") >= 0);
    assert_true(generation_find_probe(g, "mine") >= 0);
    generation_unref(g);
    g = load_from(shipped, (const char *[]){file, deep, NULL});
    assert_true(generation_find_probe(g, "other") >= 0);
    assert_true(generation_find_probe(g, "deep") >= 0);
    assert_int_equal(generation_find_probe(g, "mine"), -1); /* in place of the operator's */
    generation_unref(g);
    generation_unref(load_from(shipped, (const char *[]){absent, NULL}));
    assert_int_equal(complaints.count, 1);
    assert_non_null(strstr(complaints.at[0].text, "absent.yaml:1:1: not there"));
}

static void keeps_hostile_trees_bounded(void **state)
{
    (void)state;
    node_folder_write_text(&folder, SHIPPED "1/2/3/4/5/6/7/8/9/10/own.yaml", PROBE("deep"));
    refused_with("more than 8 folders deep");
    OWNED(buf_fini) struct buf many = {0};
    for (int i = 0; i < 3000; i++)
        buf_text(&many, "---\n[]\n");
    node_folder_write_text(&folder, OWN "many.yaml", buf_string(&many));
    (void)load_from(NULL, NULL);
    assert_int_equal(complaints.count, 1000);
}

/* ---- the node ---------------------------------------------------------------------------- */

static void describes_another_root(void **state)
{
    (void)state;
    struct node *n = NULL;
    struct err e;
    assert_int_equal(node_load(folder.root, &n, &e), 0);
    assert_string_equal(n->name, "node");
    assert_null(n->bus_address);
    assert_null(n->proc);
    assert_int_equal(n->crictl.count + n->kubeadm.count + n->observer.count, 0);
    assert_string_equal(n->manifests, "/etc/kubernetes/manifests");
    assert_string_equal(n->stage, "/etc/kubernetes/.planeguard");
    assert_string_equal(n->pod_logs, "/var/log/pods");
    assert_int_equal(n->kubelet_check_usec, 20 * USEC_PER_SEC);
    assert_string_equal(n->observer_user, "nobody");
    node_free(n);
    node_folder_write_text(&folder, "/var/lib/kubelet/config.yaml",
                           "staticPodPath: /srv/pods/\nfileCheckFrequency: 1m0s\n");
    node_folder_write_text(
        &folder, "/etc/planeguard/node.yaml",
        "apiVersion: planeguard/v1\nkind: Node\nspec:\n  name: master-1.example\n"
        "  bus: unix:path=/x\n  crictl: [/bin/crictl, --timeout, 10s]\n"
        "  observerUser: root\n  proc: /x/proc\n  podLogs: /logs\n");
    assert_int_equal(node_load(folder.root, &n, &e), 0);
    assert_string_equal(n->name, "master-1.example");
    assert_string_equal(n->bus_address, "unix:path=/x");
    assert_int_equal(n->crictl.count, 3);
    assert_string_equal(n->manifests, "/srv/pods/");
    assert_string_equal(n->stage, "/srv/.planeguard");
    assert_string_equal(n->pod_logs, "/logs");
    assert_string_equal(n->proc, "/x/proc");
    assert_int_equal(n->kubelet_check_usec, USEC_PER_MINUTE);
    assert_string_equal(n->observer_user, "root");
    node_free(n);
}

static void refuses_wrong_descriptions(void **state)
{
    (void)state;
#define NODE "apiVersion: planeguard/v1\nkind: Node\nspec:\n"
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"apiVersion: v1\nkind: Node\nspec: {}\n", ":1:13: found \"v1\", expected planeguard/v1"},
        {"apiVersion: planeguard/v1\nkind: Nod\nspec: {}\n", ":2:7: found \"Nod\", expected Node"},
        {"apiVersion: planeguard/v1\nkind: Node\n", ":1:1: the key \"spec\" is missing"},
        {NODE "  crictl: crictl\n", ":4:11: found \"crictl\", expected a list"},
        {NODE "  crictl: [crictl]\n",
         ":4:12: found \"crictl\", expected a program's absolute path"},
        {NODE "  bsu: x\n", ":4:3: unknown key \"bsu\": did you mean \"bus\"?"},
        {NODE "  proc: proc\n", ":4:9: found \"proc\", expected an absolute path"},
        {NODE "  kubeletCheck: 0\n", ":4:17: found 0, expected a duration from 1ms"},
        {NODE "  stage: /etc/kubernetes/manifests\n", ":4:10: found the manifests' folder"},
        {NODE "  manifests: /m\n  stage: /m\n", ":5:10: found the manifests' folder"},
        {NODE "  name: a\n---\n" NODE, ":6:1: a second document"},
        {NODE "  name: [", ":5:1: did not find"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct node *n = NULL;
        struct err e;
        node_folder_write_text(&folder, "/etc/planeguard/node.yaml", cases[i].text);
        assert_int_equal(node_load(folder.root, &n, &e), -EINVAL);
        assert_null(n);
        if (!strstr(e.text, cases[i].expected))
            fail_msg("not \"%s\" but \"%s\"", cases[i].expected, e.text);
    }
}

/* What the kubelet's configuration says wrongly, or isn't, leaves the defaults. */
static void survives_a_broken_kubelet_configuration(void **state)
{
    (void)state;
    static const char *const cases[] = {"{",
                                        "",
                                        "[]",
                                        "staticPodPath: 5\nfileCheckFrequency: soon\n",
                                        "staticPodPath: ../x\nfileCheckFrequency: 0s\n",
                                        "staticPodPath: {a: b}\n",
                                        "\xff\xfe"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct node *n = NULL;
        struct err e;
        node_folder_write_text(&folder, "/var/lib/kubelet/config.yaml", cases[i]);
        assert_int_equal(node_load(folder.root, &n, &e), 0);
        assert_string_equal(n->manifests, "/etc/kubernetes/manifests");
        assert_int_equal(n->kubelet_check_usec, 20 * USEC_PER_SEC);
        node_free(n);
    }
}

/* The test's folder stands for the host: tools, sockets and users are looked for below it. */
static void describes_the_host(void **state)
{
    (void)state;
    struct node *n = NULL;
    struct err e;
    folder.root->is_host = true;
    assert_int_equal(node_load(folder.root, &n, &e), 0);
    assert_string_equal(n->bus_address, "unix:path=/run/dbus/system_bus_socket");
    assert_string_equal(n->proc, "/proc");
    assert_int_equal(n->crictl.count, 0);
    assert_string_equal(n->observer_user, "nobody");
    node_free(n);
    node_folder_write_text(&folder, "/opt/bin/crictl", "");
    node_folder_write_text(&folder, "/usr/local/bin/kubeadm", "");
    node_folder_write_text(&folder, "/etc/passwd",
                           "root:x:0:0\nx-planeguard-observer:x\nplaneguard-observer:x:1:1\n");
    assert_int_equal(node_load(folder.root, &n, &e), 0);
    assert_int_equal(n->crictl.count, 5);
    assert_string_equal(n->crictl.at[0], "/opt/bin/crictl");
    assert_string_equal(n->crictl.at[2], "unix:///run/containerd/containerd.sock");
    assert_string_equal(n->crictl.at[4], "10s");
    assert_null(n->crictl.at[5]);
    assert_string_equal(n->kubeadm.at[0], "/usr/local/bin/kubeadm");
    assert_string_equal(n->observer_user, "planeguard-observer");
    node_free(n);
    node_folder_write_text(&folder, "/run/crio/crio.sock", "");
    assert_int_equal(node_load(folder.root, &n, &e), 0);
    assert_string_equal(n->crictl.at[2], "unix:///run/crio/crio.sock");
    node_free(n);
}

#define FOLDER_TEST(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(links_names),
        FOLDER_TEST(takes_defaults),
        FOLDER_TEST(lets_the_operators_own_replace),
        FOLDER_TEST(chooses_the_policy),
        FOLDER_TEST(refuses_two_of_one_name),
        FOLDER_TEST(ignores_what_is_no_document),
        FOLDER_TEST(refuses_what_is_no_regular_file),
        FOLDER_TEST(guards_the_hosts_files),
        FOLDER_TEST(orders_playbooks),
        FOLDER_TEST(shares_thresholds),
        FOLDER_TEST(links_passed_since),
        FOLDER_TEST(takes_any_graph_of_causes_but_circles),
        FOLDER_TEST(digests_the_bytes),
        FOLDER_TEST(loads_other_places),
        FOLDER_TEST(keeps_hostile_trees_bounded),
        FOLDER_TEST(describes_another_root),
        FOLDER_TEST(refuses_wrong_descriptions),
        FOLDER_TEST(survives_a_broken_kubelet_configuration),
        FOLDER_TEST(describes_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
