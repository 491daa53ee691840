/* The world: each trouble as probes see it, the kubelet's rules one by one, rest, and determinism.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_world_fake.h"
#include "world/inside.h"

static const char livez[] =
    "{url: 'https://127.0.0.1:6443/livez?verbose&exclude=etcd', ca: /etc/kubernetes/pki/ca.crt}";
static const char readyz[] =
    "{url: 'https://127.0.0.1:6443/readyz?verbose', ca: /etc/kubernetes/pki/ca.crt}";
static const char etcd_health[] = "{url: 'http://127.0.0.1:2381/health'}";
static const char healthz[] = "{url: 'http://127.0.0.1:10248/healthz'}";
static const char container[] = "{name: kube-apiserver}";
static const char manifest[] = "{pod: kube-apiserver}";
static const char kubelet[] = "{unit: kubelet.service}";
static const char certificate[] = "{path: " KUBELET_CERTIFICATE ", key: " KUBELET_CERTIFICATE "}";

#define FAILS(master, kind, arguments, why)                                                        \
    do {                                                                                           \
        struct world_reading r_ = fake_look(master, kind, arguments);                              \
        assert_string_equal(reason_words.names[r_.reason], why);                                   \
        assert_int_equal(r_.verdict, SIGNAL_FAIL);                                                 \
    } while (0)
#define PASSES(master, kind, arguments)                                                            \
    do {                                                                                           \
        struct world_reading r_ = fake_look(master, kind, arguments);                              \
        assert_string_equal(reason_words.names[r_.reason], "none");                                \
        assert_int_equal(r_.verdict, SIGNAL_PASS);                                                 \
    } while (0)
#define UNKNOWN(master, kind, arguments, why)                                                      \
    do {                                                                                           \
        struct world_reading r_ = fake_look(master, kind, arguments);                              \
        assert_string_equal(reason_words.names[r_.reason], why);                                   \
        assert_int_equal(r_.verdict, SIGNAL_UNKNOWN);                                              \
    } while (0)

static struct host *host(unsigned i)
{
    return &fake.world->nodes[i];
}

static struct world_truth truth(void)
{
    return world_truth(fake.world, 0);
}

static double since(uint64_t usec)
{
    return (double)(schedule_now() - usec) / 1e6;
}

/* Seconds until it is (not) live; fails when that takes longer than `most`. */
static double until_live(bool live, double most)
{
    uint64_t began = schedule_now();
    while (truth().apiserver_live != live && since(began) <= most)
        fake_run(0.05);
    assert_true(truth().apiserver_live == live);
    return since(began);
}

/* On one master whose manifest has a liveness probe, or has not. */
static void begin(bool has_liveness)
{
    for (uint64_t seed = 1;; seed++) {
        fake_begin(1, seed, NULL);
        if (host(0)->has_liveness == has_liveness)
            break;
        fake_end();
    }
    /* Where events aren't lost, the rules can be seen. */
    host(0)->loses_no_events = true;
    fake_run(100);
}

static void crictl(const char *verb, const char *flag, const char *id)
{
    const char *argv[] = {"/usr/bin/crictl",
                          "--runtime-endpoint",
                          "unix:///run/containerd/containerd.sock",
                          "--timeout",
                          "10s",
                          verb,
                          flag ? flag : id,
                          flag ? id : NULL,
                          NULL};
    struct command_result r = {0};
    uint64_t took;
    assert_true(world_command(fake.world, 0, argv, &r, &took));
    command_result_fini(&r);
}

static void crash(void)
{
    crate_exit(crate_running(host(0), POD_APISERVER), 2, "Error");
}

static int64_t attempt(void)
{
    /* The first look after an end still tells of the one that ended. */
    (void)fake_look(0, "container", container);
    return json_get_int(fake_look(0, "container", container).facts, "attempt", -1);
}

/* ---- rest, and the same again ---- */

static void a_rest(void **state)
{
    (void)state;
    fake_begin(3, 1, NULL);
    fake_run(1);
    uint64_t changes = fake.changes;
    fake_run(20 * 3600);
    assert_int_equal(fake.changes, changes);
    for (unsigned i = 0; i < 3; i++) {
        PASSES(i, "https", livez);
        PASSES(i, "https", readyz);
        PASSES(i, "https", etcd_health);
        PASSES(i, "https", healthz);
        PASSES(i, "container", container);
        PASSES(i, "manifest", manifest);
        PASSES(i, "unit", kubelet);
        PASSES(i, "unit", "{unit: containerd.service}");
        PASSES(i, "certificate", certificate);
        PASSES(i, "observer", "{}");
        assert_string_equal(world_present(fake.world, i), "");
    }
    fake_end();
}

struct outcome {
    uint64_t trace, happened, hung;
    bool live;
};

static struct outcome month(uint64_t seed, const char *without)
{
    struct outcome o = {0};
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (!child) {
        unsigned count;
        fake_begin(3, seed, without);
        fake_run(30 * 86400.0);
        world_calm(fake.world);
        fake_run(8 * 3600.0);
        const struct world_count *c = world_counts(fake.world, &count);
        o.trace = fake.trace;
        o.live = true;
        for (unsigned i = 0; i < count; i++) {
            o.happened += c[i].happened;
            o.hung += strcmp(c[i].name, "hung") ? 0 : c[i].happened;
            o.live = o.live && c[i].happened == c[i].mended;
        }
        for (unsigned i = 0; i < 3; i++)
            o.live = o.live && world_truth(fake.world, i).apiserver_ready &&
                     world_truth(fake.world, i).containers == 1;
        _exit(write(pipes[1], &o, sizeof o) == sizeof o ? 0 : 1);
    }
    (void)close(pipes[1]);
    assert_int_equal(read(pipes[0], &o, sizeof o), sizeof o);
    (void)close(pipes[0]);
    (void)waitpid(child, NULL, 0);
    return o;
}

static void the_same_again(void **state)
{
    (void)state;
    struct outcome a = month(7, ""), b = month(7, ""), c = month(8, "");
    assert_true(a.trace == b.trace && a.trace != c.trace);
    assert_true(a.happened > 100 && a.happened < 500);
    assert_true(a.hung > 0);
}

static void one_left_out(void **state)
{
    (void)state;
    struct outcome a = month(7, "hung,strike");
    assert_true(a.happened > 80);
    assert_int_equal(a.hung, 0);
}

static void calm_after(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 40; seed++) {
        struct outcome o = month(seed, "");
        if (!o.live)
            fail_msg("seed %d doesn't come to rest", (int)seed);
    }
}

static void all_are_named(void **state)
{
    (void)state;
    unsigned count, named = 0;
    fake_begin(1, 1, NULL);
    const struct world_count *c = world_counts(fake.world, &count);
    for (; world_troubles[named]; named++) {
        bool found = false;
        for (unsigned i = 0; i < count; i++)
            found = found || !strcmp(c[i].name, world_troubles[named]);
        assert_true(found);
    }
    assert_int_equal(named, count);
    fake_end();
}

/* ---- ways to restart ---- */

static void by_container(void **state)
{
    (void)state;
    begin(true);
    /* No backoff gathers. */
    for (int i = 0; i < 4; i++) {
        crictl("rm", "-f", crate_running(host(0), POD_APISERVER)->id);
        assert_string_equal(fake.acted, "crictl rm -f of kube-apiserver");
        assert_false(truth().apiserver_live);
        double took = until_live(true, 6);
        assert_true(took > 2);
    }
    fake_end();
}

static void by_sandbox(void **state)
{
    (void)state;
    begin(true);
    struct box *b = NULL;
    for (b = host(0)->boxes; strncmp(b->name, "kube-apiserver", 14) != 0;)
        b = b->next;
    crictl("stopp", NULL, b->id);
    (void)until_live(true, 7);
    assert_int_equal(attempt(), 1);
    fake_end();
}

static void by_manifest(void **state)
{
    (void)state;
    begin(true);
    (void)files_move(node_files(host(0)), APISERVER_MANIFEST, "/etc/kubernetes/.planeguard/x");
    fake_run(1);
    FAILS(0, "https", livez, "refused");
    /* It drains for longer than its grace. */
    PASSES(0, "container", container);
    fake_run(25);
    PASSES(0, "container", container);
    fake_run(8);
    assert_false(truth().apiserver_running);
    (void)files_move(node_files(host(0)), "/etc/kubernetes/.planeguard/x", APISERVER_MANIFEST);
    (void)until_live(true, 7);
    /* The same bytes: the same UID, and one more attempt. */
    assert_int_equal(attempt(), 1);
    fake_end();
}

static void back_too_soon(void **state)
{
    (void)state;
    begin(true);
    (void)files_move(node_files(host(0)), APISERVER_MANIFEST, "/etc/kubernetes/.planeguard/x");
    fake_run(5);
    (void)files_move(node_files(host(0)), "/etc/kubernetes/.planeguard/x", APISERVER_MANIFEST);
    double took = until_live(true, 60);
    assert_true(took > 24); /* the old one ends first */
    fake_end();
}

static void equal_rewrite(void **state)
{
    (void)state;
    begin(true);
    OWNED(free) char *text = mem_strdup(host(0)->good);
    people_put(host(0), APISERVER_MANIFEST, text);
    fake_run(60);
    assert_int_equal(attempt(), 0);
    assert_true(truth().apiserver_live && since(truth().live_since_usec) > 150);
    fake_end();
}

/* ---- backoff ---- */

static void backoff(void **state)
{
    (void)state;
    static const double least[] = {0, 9.5, 19.5, 39.5, 79.5, 159.5, 299.5, 299.5};
    begin(true);
    for (size_t i = 0; i < sizeof least / sizeof *least; i++) {
        crash();
        double took = until_live(true, 320);
        assert_true(took > least[i] && took < least[i] + 8);
    }
    /* Forgotten after ten minutes. */
    fake_run(700);
    crash();
    (void)until_live(true, 8);
    fake_end();
}

static void backoff_ended_by_removal(void **state)
{
    (void)state;
    begin(true);
    for (int i = 0; i < 5; i++) {
        crash();
        if (i < 4)
            (void)until_live(true, 320);
    }
    fake_run(5);
    FAILS(0, "container", container, "crash-loop");
    for (struct crate *c = host(0)->crates, *next; c; c = next) {
        next = c->next;
        if (c->spec.kind == POD_APISERVER)
            crictl("rm", "-f", c->id);
    }
    assert_string_equal(fake.acted, "crictl rm -f of what has ended");
    (void)until_live(true, 7);
    fake_end();
}

static void backoff_ended_by_kubelet(void **state)
{
    (void)state;
    begin(true);
    for (int i = 0; i < 5; i++) {
        crash();
        if (i < 4)
            (void)until_live(true, 320);
    }
    uint64_t took;
    assert_int_equal(world_unit_job(fake.world, 0, "RestartUnit", "kubelet.service", &took, NULL),
                     0);
    (void)until_live(true, 8);
    fake_end();
}

/* ---- hangs ---- */

static void hung(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "hung");
    assert_string_equal(world_present(fake.world, 0), "hung");
    FAILS(0, "https", livez, "timeout");
    PASSES(0, "container", container);
    double took = until_live(true, 200);
    assert_true(took > 120); /* 8 looks of 15 s and the grace */
    assert_string_equal(world_present(fake.world, 0), "");
    fake_end();
}

static void hung_without_liveness(void **state)
{
    (void)state;
    begin(false);
    fake_trouble(0, "hung");
    fake_run(1500);
    FAILS(0, "https", livez, "timeout");
    crictl("rm", "-f", crate_running(host(0), POD_APISERVER)->id);
    (void)until_live(true, 7);
    fake_end();
}

static void hung_hidden(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "hung-hidden");
    fake_run(1500);
    FAILS(0, "https", livez, "timeout");
    PASSES(0, "container", container);
    fake_end();
}

static void unhealthy(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "unhealthy");
    FAILS(0, "https", livez, "check-failed");
    double took = until_live(true, 150);
    assert_true(took > 95); /* 8 looks of 10 s and the grace */
    fake_end();
}

static void starting(void **state)
{
    (void)state;
    bool forbids = false, fails = false;
    begin(true);
    crash();
    FAILS(0, "container", container, "exited");
    while (!truth().apiserver_live) {
        struct world_reading r = fake_look(0, "https", readyz);
        forbids = forbids || r.reason == REASON_FORBIDDEN;
        fails = fails || r.reason == REASON_CHECK_FAILED;
        fake_run(0.05);
    }
    assert_true(forbids && fails);
    fake_end();
}

static void slow_start(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "slow-start");
    if (truth().apiserver_live)
        crash();
    double took = until_live(true, 170);
    assert_true(took > 10);
    fake_end();
}

/* ---- manifests ---- */

static void bad_edit(const char *trouble, const char *reason, const char *words)
{
    begin(true);
    fake_trouble(0, trouble);
    for (int i = 0; i < 160; i++) {
        (void)fake_look(0, "container", container);
        fake_run(1);
    }
    FAILS(0, "https", livez, "refused");
    FAILS(0, "container", container, reason);
    if (words)
        assert_string_equal(
            json_get_string(fake_look(0, "container", container).facts, "lastWords", ""), words);
    size_t length;
    const char *bytes = files_get(node_files(host(0)), APISERVER_MANIFEST, &length);
    assert_true(world_knows_manifest(fake.world, 0, bytes, length));
    assert_false(world_knows_manifest(fake.world, 0, bytes, length - 1));
    /* As planeguard puts it back. */
    files_put(node_files(host(0)), APISERVER_MANIFEST, host(0)->good, strlen(host(0)->good));
    (void)until_live(true, 40);
    assert_string_equal(world_present(fake.world, 0), "");
    fake_end();
}

static void bad_edits(void **state)
{
    (void)state;
    bad_edit("bad-flag", "bad-manifest", "bad-flag");
    bad_edit("bad-value", "bad-manifest", "bad-value");
    bad_edit("bad-path", "bad-manifest", "file-missing");
    bad_edit("bad-command", "bad-manifest", "bad-command");
    bad_edit("etcd-address", "crash-loop", "etcd-unreachable");
    bad_edit("bad-image", "absent", NULL);
}

static void good_edit(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "good-edit");
    (void)until_live(false, 2);
    double took = until_live(true, 50);
    assert_true(took > 29);
    assert_int_equal(attempt(), 0); /* another UID */
    fake_end();
}

static void deleted(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "manifest-deleted");
    FAILS(0, "manifest", manifest, "missing");
    assert_false(truth().manifest_there);
    fake_run(60);
    assert_int_equal(truth().containers, 0);
    FAILS(0, "container", container, "exited");
    fake_run(60); /* garbage is collected */
    FAILS(0, "container", container, "absent");
    host(0)->troubles[0]->kind->begin(host(0), &host(0)->troubles[0]->r);
    (void)until_live(true, 7);
    assert_string_equal(world_present(fake.world, 0), "");
    fake_end();
}

static void cut(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "manifest-emptied");
    FAILS(0, "manifest", manifest, "empty");
    PASSES(0, "https", livez);
    (void)until_live(false, 21); /* at the rescan */
    fake_end();
    begin(true);
    fake_trouble(0, "manifest-half");
    FAILS(0, "manifest", manifest, "unparsable");
    (void)until_live(false, 21);
    fake_end();
    begin(true);
    fake_trouble(0, "manifest-other-pod");
    FAILS(0, "manifest", manifest, "not-that-pod");
    fake_end();
}

static void moved(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "manifest-moved");
    FAILS(0, "manifest", manifest, "missing");
    fake_run(1300);
    PASSES(0, "manifest", manifest);
    (void)until_live(true, 60);
    fake_end();
}

static void stray(void **state)
{
    (void)state;
    begin(true);
    OWNED(free) char *text = mem_strdup(host(0)->good);
    people_put(host(0), MANIFESTS "/kube-apiserver.yaml.bak", text);
    FAILS(0, "manifest", manifest, "stray");
    assert_string_equal(json_get_string(fake_look(0, "manifest", manifest).facts, "stray", ""),
                        "kube-apiserver.yaml.bak");
    (void)until_live(false, 2); /* the path is part of the UID */
    (void)until_live(true, 45);
    files_remove(node_files(host(0)), MANIFESTS "/kube-apiserver.yaml.bak");
    PASSES(0, "manifest", manifest);
    (void)until_live(false, 2);
    (void)until_live(true, 60); /* after the rescan and the old one's end */
    fake_end();
}

static void references_missing(void **state)
{
    (void)state;
    begin(true);
    files_remove(node_files(host(0)), "/etc/kubernetes/pki/sa.key");
    FAILS(0, "manifest", manifest, "reference-missing");
    fake_run(100);
    PASSES(0, "https", livez); /* one that runs doesn't mind */
    crash();
    for (int i = 0; i < 60; i++) {
        (void)fake_look(0, "container", container);
        fake_run(1);
    }
    FAILS(0, "container", container, "bad-manifest");
    install_missing(host(0));
    PASSES(0, "manifest", manifest);
    (void)until_live(true, 100);
    fake_end();
}

static void lost_event(void **state)
{
    (void)state;
    begin(true);
    host(0)->loses_all_events = true;
    fake_trouble(0, "good-edit");
    double took = until_live(false, 21);
    assert_true(took > 0.6);
    fake_end();
}

/* ---- as the real kinds ---- */

static void same_as_real(const char *kind, const char *arguments)
{
    struct world_reading real = fake_look_really(0, kind, arguments);
    struct world_reading ours = fake_look(0, kind, arguments);
    assert_string_equal(reason_words.names[ours.reason], reason_words.names[real.reason]);
    assert_int_equal(ours.verdict, real.verdict);
    OWNED(free) char *a = json_canonical(ours.facts);
    OWNED(free) char *b = json_canonical(real.facts);
    assert_string_equal(a, b);
    json_decref(real.facts);
}

static void as_the_real_kinds(void **state)
{
    static const char *const troubles[] = {
        "good-edit",        "bad-flag",          "bad-path",           "manifest-deleted",
        "manifest-emptied", "manifest-half",     "manifest-other-pod", "stray",
        "reference-empty",  "reference-missing", "kubelet-certificate"};
    (void)state;
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        begin(i % 2 == 0);
        same_as_real("manifest", manifest);
        same_as_real("certificate", certificate);
        fake_trouble(0, troubles[i]);
        same_as_real("manifest", manifest);
        same_as_real("certificate", certificate);
        fake_trouble(0, "stray");
        fake_trouble(0, "reference-missing");
        same_as_real("manifest", manifest);
        same_as_real("manifest", "{pod: etcd}");
        fake_run(4 * 24 * 3600);
        same_as_real("certificate", certificate);
        fake_end();
    }
}

/* ---- the kubelet that has reached no API server ---- */

static void wedge(void **state)
{
    (void)state;
    begin(false);
    fake_trouble(0, "hung");
    uint64_t took;
    (void)world_unit_job(fake.world, 0, "RestartUnit", "kubelet.service", &took, NULL);
    fake_run(30);
    (void)files_move(node_files(host(0)), APISERVER_MANIFEST, "/root/x");
    fake_run(300);
    assert_int_equal(truth().containers, 1); /* it isn't ended */
    fake_end();
}

static void side_by_side(void **state)
{
    (void)state;
    begin(false);
    fake_trouble(0, "hung");
    unit_stop(host(0), UNIT_KUBELET);
    fake_trouble(0, "good-edit");
    unit_start(host(0), UNIT_KUBELET, false);
    fake_run(6);
    /* The new one finds the port taken; the old one is nobody's, but it is the one that runs and so
     * the one that must go. */
    PASSES(0, "container", container);
    assert_int_equal(truth().containers, 1);
    fake_end();
}

/* ---- units ---- */

static void units(void **state)
{
    (void)state;
    uint64_t took;
    begin(true);
    fake_trouble(0, "kubelet-failed");
    FAILS(0, "unit", kubelet, "failed");
    FAILS(0, "https", healthz, "refused");
    PASSES(0, "https", livez);
    (void)world_unit_reset_failed(fake.world, 0, "kubelet.service", NULL);
    assert_int_equal(world_unit_job(fake.world, 0, "RestartUnit", "kubelet.service", &took, NULL),
                     0);
    assert_string_equal(fake.acted, "RestartUnit kubelet.service");
    fake_run(4);
    PASSES(0, "unit", kubelet);
    PASSES(0, "https", healthz);
    fake_trouble(0, "kubelet-stopped");
    FAILS(0, "unit", kubelet, "inactive");
    unit_start(host(0), UNIT_KUBELET, false);
    fake_trouble(0, "kubelet-crash");
    FAILS(0, "unit", kubelet, "starting");
    fake_run(12);
    FAILS(0, "unit", kubelet, "starting"); /* not yet for long */
    fake_run(16);
    PASSES(0, "unit", kubelet);
    fake_trouble(0, "kubelet-broken");
    unit_start(host(0), UNIT_KUBELET, false);
    fake_run(5);
    FAILS(0, "unit", kubelet, "failed");
    fake_end();
}

static void runtime(void **state)
{
    (void)state;
    uint64_t took;
    struct err e = {""};
    begin(true);
    PASSES(0, "container", container);
    fake_trouble(0, "containerd-failed");
    FAILS(0, "unit", "{unit: containerd.service}", "failed");
    PASSES(0, "container", container); /* trusted for a minute */
    fake_run(61);
    UNKNOWN(0, "container", container, "tool-failed");
    PASSES(0, "https", livez);
    PASSES(0, "https", healthz);
    crash();
    fake_run(130);
    FAILS(0, "https", livez, "refused");
    FAILS(0, "https", healthz, "check-failed"); /* three minutes without a relist */
    (void)world_unit_reset_failed(fake.world, 0, "containerd.service", NULL);
    (void)world_unit_job(fake.world, 0, "RestartUnit", "containerd.service", &took, NULL);
    (void)until_live(true, 8);
    fake_trouble(0, "containerd-broken");
    (void)world_unit_reset_failed(fake.world, 0, "containerd.service", NULL);
    assert_int_equal(world_unit_job(fake.world, 0, "RestartUnit", "containerd.service", &took, &e),
                     -EIO);
    fake_end();
}

static void kubelet_hangs(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "kubelet-hung");
    FAILS(0, "https", healthz, "timeout");
    PASSES(0, "unit", kubelet);
    crash();
    fake_run(50);
    assert_false(truth().apiserver_running);
    fake_run(240 * 60);
    (void)until_live(true, 30);
    fake_end();
}

static void aged_certificate(void **state)
{
    (void)state;
    begin(true);
    install_kubelet_certificate(host(0), (int64_t)(3600 * USEC_PER_SEC));
    FAILS(0, "certificate", certificate, "expires-soon");
    assert_string_equal(
        json_get_string(fake_look(0, "certificate", certificate).facts, "keyMatches", ""), "yes");
    PASSES(0, "unit", kubelet);
    fake_run(3700);
    FAILS(0, "certificate", certificate, "expired");
    FAILS(0, "https", healthz, "refused");
    install_kubelet_certificate(host(0), CERTIFICATE_VALID_USEC);
    fake_run(150);
    PASSES(0, "https", healthz);
    fake_end();
}

/* ---- tools ---- */

static void tools(void **state)
{
    static const char *const troubles[] = {"crictl-hangs", "crictl-errs", "crictl-garbage"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        begin(true);
        fake_trouble(0, troubles[i]);
        UNKNOWN(0, "container", container, "tool-failed");
        fake_run(3700);
        PASSES(0, "container", container);
        fake_end();
    }
    begin(true);
    struct unit_state s;
    fake_trouble(0, "bus-away");
    UNKNOWN(0, "unit", kubelet, "tool-failed");
    assert_int_equal(world_unit_state(fake.world, 0, "kubelet.service", &s, NULL), -ECONNREFUSED);
    fake_end();
}

static void answers(void **state)
{
    (void)state;
    static const char *const ps[] = {
        "/usr/bin/crictl", "--timeout", "10s", "ps", "-a", "-o", "json", NULL};
    static const char *const pods[] = {"/usr/bin/crictl", "pods", "-o", "json", NULL};
    struct command_result r = {0};
    struct containers c = {0};
    struct sandboxes s = {0};
    struct container_detail d = {0};
    uint64_t took;
    begin(true);
    crash();
    fake_run(10);
    assert_true(world_command(fake.world, 0, ps, &r, &took));
    assert_int_equal(containers_parse(r.out.bytes, r.out.length, &c, NULL), 0);
    assert_int_equal(c.count, 5);
    const struct container *newest = containers_newest(&c, "kube-apiserver");
    assert_int_equal(newest->attempt, 1);
    assert_int_equal(newest->state, CONTAINER_RUNNING);
    const char *const inspect[] = {"/usr/bin/crictl", "inspect", "-o", "json", newest->id, NULL};
    command_result_fini(&r);
    assert_true(world_command(fake.world, 0, pods, &r, &took));
    assert_int_equal(sandboxes_parse(r.out.bytes, r.out.length, &s, NULL), 0);
    assert_int_equal(s.count, 4);
    command_result_fini(&r);
    assert_true(world_command(fake.world, 0, inspect, &r, &took));
    assert_int_equal(container_detail_parse(r.out.bytes, r.out.length, &d, NULL), 0);
    assert_true(d.pid > 0 && files_exists(node_files(host(0)), d.log_path));
    command_result_fini(&r);
    static const char *const other[] = {"/usr/bin/kubeadm", NULL};
    assert_false(world_command(fake.world, 0, other, &r, &took));
    containers_fini(&c);
    sandboxes_fini(&s);
    container_detail_fini(&d);
    fake_end();
}

/* ---- etcd and the network ---- */

static void etcd(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "etcd-down");
    FAILS(0, "https", etcd_health, "refused");
    FAILS(0, "https", readyz, "check-failed");
    assert_string_equal(json_get_string(fake_look(0, "https", readyz).facts, "checks", ""),
                        "etcd etcd-readiness");
    PASSES(0, "https", livez);
    double took = until_live(false, 120);
    assert_true(took > 69); /* the kubelet's liveness probe includes etcd */
    fake_end();
    begin(true);
    fake_trouble(0, "etcd-hung");
    FAILS(0, "https", etcd_health, "timeout");
    (void)until_live(false, 130);
    fake_end();
    begin(true);
    fake_trouble(0, "etcd-no-leader");
    FAILS(0, "https", etcd_health, "http-error");
    assert_false(truth().etcd_quorum);
    assert_true(truth().etcd_running && truth().apiserver_live && !truth().apiserver_ready);
    fake_end();
}

static void partition(void **state)
{
    (void)state;
    fake_begin(3, 3, NULL);
    fake_run(10);
    fake_trouble(1, "partition");
    FAILS(1, "https", etcd_health, "http-error");
    PASSES(0, "https", etcd_health);
    assert_false(world_truth(fake.world, 1).network_up);
    world_power_cut(fake.world, 2);
    FAILS(0, "https", etcd_health, "http-error"); /* one of three is no quorum */
    fake_end();
}

static void observer(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "observer-down");
    UNKNOWN(0, "https", livez, "observer-down");
    FAILS(0, "observer", "{}", "not-running");
    fake_end();
    begin(true);
    fake_trouble(0, "network-times-out");
    for (int i = 0; i < 100 && !host(0)->now.net_times_out; i++)
        fake_run(1);
    FAILS(0, "https", livez, "timeout");
    assert_true(truth().apiserver_live);
    fake_end();
}

static void disks(void **state)
{
    (void)state;
    begin(true);
    fake_trouble(0, "read-only");
    crash();
    fake_run(20);
    assert_false(truth().apiserver_running);
    fake_run(3600);
    (void)until_live(true, 8);
    fake_trouble(0, "disk-full");
    /* People and the runtime find room all the same. */
    fake_trouble(0, "good-edit");
    PASSES(0, "manifest", manifest);
    fake_end();
}

/* ---- power and sleep ---- */

static void power(void **state)
{
    (void)state;
    begin(true);
    world_power_cut(fake.world, 0);
    assert_false(truth().node_up || truth().apiserver_running || truth().kubelet_active);
    fake_run(100);
    assert_false(truth().apiserver_running);
    world_boot(fake.world, 0);
    (void)until_live(true, 25);
    assert_int_equal(attempt(), 1);
    PASSES(0, "unit", kubelet);
    fake_end();
}

static void sleep_and_wake(void **state)
{
    (void)state;
    begin(true);
    crash();
    world_suspend(fake.world, 0);
    fake_run(3600);
    assert_false(truth().apiserver_running || truth().node_up);
    world_resume(fake.world, 0);
    double took = until_live(true, 8);
    assert_true(took > 1);
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rest),
        cmocka_unit_test(the_same_again),
        cmocka_unit_test(one_left_out),
        cmocka_unit_test(calm_after),
        cmocka_unit_test(all_are_named),
        cmocka_unit_test(by_container),
        cmocka_unit_test(by_sandbox),
        cmocka_unit_test(by_manifest),
        cmocka_unit_test(back_too_soon),
        cmocka_unit_test(equal_rewrite),
        cmocka_unit_test(backoff),
        cmocka_unit_test(backoff_ended_by_removal),
        cmocka_unit_test(backoff_ended_by_kubelet),
        cmocka_unit_test(hung),
        cmocka_unit_test(hung_without_liveness),
        cmocka_unit_test(hung_hidden),
        cmocka_unit_test(unhealthy),
        cmocka_unit_test(starting),
        cmocka_unit_test(slow_start),
        cmocka_unit_test(bad_edits),
        cmocka_unit_test(good_edit),
        cmocka_unit_test(deleted),
        cmocka_unit_test(cut),
        cmocka_unit_test(moved),
        cmocka_unit_test(stray),
        cmocka_unit_test(references_missing),
        cmocka_unit_test(lost_event),
        cmocka_unit_test(as_the_real_kinds),
        cmocka_unit_test(wedge),
        cmocka_unit_test(side_by_side),
        cmocka_unit_test(units),
        cmocka_unit_test(runtime),
        cmocka_unit_test(kubelet_hangs),
        cmocka_unit_test(aged_certificate),
        cmocka_unit_test(tools),
        cmocka_unit_test(answers),
        cmocka_unit_test(etcd),
        cmocka_unit_test(partition),
        cmocka_unit_test(observer),
        cmocka_unit_test(disks),
        cmocka_unit_test(power),
        cmocka_unit_test(sleep_and_wake),
    };
    json_setup();
    return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
