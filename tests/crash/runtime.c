/* The stand-ins: a container runtime with its kubelet, as a program of crictl's words with its
 * state in one file beside the node, and a service manager with one unit, in shared memory. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"

struct container_now {
    unsigned id; /* 0: none */
    unsigned attempt, next;
};

static void load(const char *path, struct container_now *c)
{
    FILE *f = fopen(path, "re");
    assert(f && fscanf(f, "%u %u %u", &c->id, &c->attempt, &c->next) == 3);
    (void)fclose(f);
}

/* By a rename: the agent's death may end this, too. */
static void save(const char *path, const struct container_now *c)
{
    char draft[PATH_MAX];
    (void)snprintf(draft, sizeof draft, "%s.new", path);
    FILE *f = fopen(draft, "we");
    assert(f && fprintf(f, "%u %u %u\n", c->id, c->attempt, c->next) > 0);
    (void)fclose(f);
    assert(rename(draft, path) == 0);
}

void runtime_begin(struct world *w)
{
    save(w->runtime, &(struct container_now){.id = 1, .attempt = 3, .next = 2});
}

static void kubelet(const char *node, struct container_now *c)
{
    char manifest[PATH_MAX];
    (void)snprintf(manifest, sizeof manifest, "%s" LIVE, node);
    if (access(manifest, F_OK) != 0) {
        c->id = c->attempt = 0;
    } else if (c->id == 0) {
        c->id = c->next++;
    }
}

#define LABELS                                                                                     \
    "\"labels\":{\"io.kubernetes.container.name\":\"kube-apiserver\","                             \
    "\"io.kubernetes.pod.name\":\"kube-apiserver-master1\","                                       \
    "\"io.kubernetes.pod.namespace\":\"kube-system\",\"io.kubernetes.pod.uid\":\"u1\"}"

static int list_containers(const struct container_now *c)
{
    (void)printf("{\"containers\":[");
    if (c->id)
        (void)printf("{\"id\":\"c%u\",\"podSandboxId\":\"s1\",\"metadata\":{\"name\":"
                     "\"kube-apiserver\",\"attempt\":%u},\"state\":\"CONTAINER_RUNNING\","
                     "\"createdAt\":\"170000000000000%04u\"," LABELS "}",
                     c->id, c->attempt, c->id);
    return puts("]}") < 0;
}

static int list_sandboxes(const struct container_now *c)
{
    (void)printf("{\"items\":[");
    if (c->id)
        (void)printf("{\"id\":\"s1\",\"metadata\":{\"name\":\"kube-apiserver-master1\",\"uid\":"
                     "\"u1\",\"namespace\":\"kube-system\",\"attempt\":0},\"state\":"
                     "\"SANDBOX_READY\",\"createdAt\":\"1700000000000000001\"}");
    return puts("]}") < 0;
}

/* argv: crictl NODE STATE WORD... */
int runtime_main(int argc, char **argv)
{
    struct container_now c = {0};
    const char *word = argc > 4 ? argv[4] : "";
    load(argv[3], &c);
    if (strcmp(word, "ps") == 0) {
        kubelet(argv[2], &c);
        save(argv[3], &c);
        return list_containers(&c);
    }
    if (strcmp(word, "pods") == 0)
        return list_sandboxes(&c);
    if (strcmp(word, "inspect") == 0)
        return puts("{\"status\":{\"state\":\"CONTAINER_RUNNING\"}}") < 0;
    if (strcmp(word, "rm") != 0)
        return 2;
    c.id = 0;
    c.attempt++;
    save(argv[3], &c);
    return 0;
}

/* ---- the service manager, in place of loop/bus_job.c's ---- */

static struct unit_state *unit;

void unit_begin(struct world *w)
{
    unit = &w->shared->unit;
    *unit = (struct unit_state){.load_state = "loaded",
                                .active_state = "failed",
                                .sub_state = "failed",
                                .result = "start-limit-hit",
                                .invocation_id = "a1"};
}

int unit_state_now(const char *address, const char *name, struct unit_state *ret, struct err *e)
{
    (void)address, (void)name;
    if (!unit)
        return err_set(e, -ECONNREFUSED, "no bus");
    *ret = *unit;
    return 0;
}

int unit_reset_failed(const char *address, const char *name, struct err *e)
{
    (void)address, (void)name, (void)e;
    (void)strcpy(unit->active_state, "inactive");
    (void)strcpy(unit->result, "success");
    return 0;
}

int unit_job(const char *address, const char *verb, const char *name, uint64_t timeout_usec,
             struct err *e)
{
    (void)address, (void)verb, (void)name, (void)timeout_usec, (void)e;
    (void)strcpy(unit->active_state, "active");
    (void)strcpy(unit->invocation_id, "a2");
    return 0;
}
