#include "world.h"

#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "act/deadman.h"
#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"

enum { TEXTS = 16, TEXT_BYTES = 1024 };

void world_must(int code, const struct err *e)
{
    if (code >= 0)
        return;
    (void)fprintf(stderr, "crash-case: %s\n", e->text);
    abort();
}

void world_open(struct world *w)
{
    struct err e;
    world_must(root_open(w->path, &w->root, &e), &e);
    w->hand.root = w->root;
    if (!w->c->leaves_lock)
        world_must(file_lock(w->root, LOCK_PATH, &w->lock, &e), &e);
}

void world_close(struct world *w)
{
    journal_close(TAKE(w->journal));
    root_free(TAKE(w->root));
    if (w->lock >= 0)
        (void)close(w->lock);
    w->lock = -1;
}

void world_make(struct world *w)
{
    static const char *const folders[] = {"/etc",
                                          "/etc/kubernetes",
                                          MANIFESTS,
                                          STAGE,
                                          "/run",
                                          "/run/planeguard",
                                          "/var",
                                          "/var/lib",
                                          "/var/lib/planeguard",
                                          "/var/log",
                                          "/var/log/planeguard",
                                          JOURNAL_FOLDER,
                                          "/var/lib/planeguard/undo"};
    char path[PATH_MAX + 256];
    assert(mkdir(w->path, 0755) == 0);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        (void)snprintf(path, sizeof path, "%s%s", w->path, folders[i]);
        assert(mkdir(path, 0700) == 0);
    }
    memset(w->shared, 0, sizeof *w->shared);
    w->lock = -1;
    world_open(w);
    world_put(w, DEADMAN_PATH, ""); /* of an earlier run: a lock's file stays */
    w->pool = pool_new();
    w->node = (struct node){
        .name = "master1", .manifests = MANIFESTS, .stage = STAGE, .pod_logs = "/var/log/pods"};
    w->crictl[0] = "/proc/self/exe";
    w->crictl[1] = "crictl";
    w->crictl[2] = w->path;
    w->crictl[3] = w->runtime;
    w->node.crictl = (struct strings){.at = w->crictl, .count = 4};
    w->hand = (struct hand){.root = w->root,
                            .node = &w->node,
                            .incident = "i-1",
                            .step_name = "a step",
                            .kind = "",
                            .deadline_usec = clock_boot_usec() + 30 * USEC_PER_MINUTE,
                            .socket = -1,
                            .effect = world_effect,
                            .context = w};
}

void world_fini(struct world *w)
{
    world_close(w);
    json_decref(TAKE(w->plan));
    if (w->pool)
        pool_free(TAKE(w->pool));
}

void world_violation(struct world *w, const char *format, ...)
{
    va_list arguments;
    if (*w->shared->violation)
        return;
    va_start(arguments, format);
    (void)vsnprintf(w->shared->violation, sizeof w->shared->violation, format, arguments);
    va_end(arguments);
}

void world_put(struct world *w, const char *path, const char *text)
{
    char full[PATH_MAX + 256];
    (void)snprintf(full, sizeof full, "%s%s", w->path, path);
    for (char *at = full + strlen(w->path) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        (void)mkdir(full, 0700);
    }
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

const char *manifest_text(const char *pod, const char *mark)
{
    static char texts[TEXTS][TEXT_BYTES];
    static unsigned next;
    char *t = texts[next++ % TEXTS];
    (void)snprintf(t, TEXT_BYTES,
                   "apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: kube-system\n"
                   "spec:\n  containers:\n  - name: %s\n    image: registry.k8s.io/%s:v1.36.0\n"
                   "    command:\n    - %s\n    - --mark=%s\n",
                   pod, pod, pod, pod, mark);
    return t;
}

void world_claim(struct world *w, const char *path, const char *digest)
{
    assert(w->shared->claim_count < CLAIMS_MAX);
    struct claim *c = &w->shared->claims[w->shared->claim_count];
    (void)snprintf(c->path, sizeof c->path, "%s", path);
    (void)snprintf(c->digest, sizeof c->digest, "%s", digest);
    w->shared->claim_count++;
}

void world_claim_text(struct world *w, const char *path, const char *text)
{
    char hex[DIGEST_HEX + 1];
    struct digest d = digest_of(text, strlen(text));
    world_claim(w, path, digest_hex(&d, hex));
}
