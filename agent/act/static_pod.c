#include "act/static_pod.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"

static const uint64_t look_usec = 15 * USEC_PER_SEC, between_usec = USEC_PER_SEC / 2;

const struct words container_state_words =
    WORDS("container state", "unknown", "created", "running", "exited");

static bool is_of(const char *pod_namespace, const char *name, const char *full_name)
{
    return strcmp(pod_namespace, "kube-system") == 0 && strcasecmp(name, full_name) == 0;
}

char *static_pod_full_name(const struct hand *h, const char *pod, const struct static_pod *s)
{
    if (s->container)
        return mem_strdup(s->container->pod);
    if (s->sandbox)
        return mem_strdup(s->sandbox->pod);
    return mem_printf("%s-%s", pod, h->node->name);
}

static const struct sandbox *sandbox_of(const struct static_pod *s, const char *full_name)
{
    const struct sandbox *newest = NULL;
    for (size_t i = 0; i < s->sandboxes.count; i++) {
        const struct sandbox *one = &s->sandboxes.at[i];
        if (s->container && strcmp(one->id, s->container->sandbox_id) == 0)
            return one;
        bool is_newer =
            !newest ||
            (one->ready != newest->ready ? one->ready : one->created_nsec > newest->created_nsec);
        if (is_newer && is_of(one->pod_namespace, one->pod, full_name))
            newest = one;
    }
    return newest;
}

int static_pod_look(const struct hand *h, const char *pod, struct static_pod *ret, struct err *e)
{
    OWNED(static_pod_fini) struct static_pod s = {0};
    int code = cri_containers(&h->node->crictl, look_usec, &s.containers, e);
    if (code == 0)
        code = cri_sandboxes(&h->node->crictl, look_usec, &s.sandboxes, e);
    if (code < 0)
        return err_wrap(e, code, "%s: can't look at its containers", pod);
    s.container = containers_newest(&s.containers, pod);
    OWNED(free) char *full_name = static_pod_full_name(h, pod, &s);
    s.sandbox = sandbox_of(&s, full_name);
    *ret = s;
    s = (struct static_pod){0};
    return 0;
}

void static_pod_fini(struct static_pod *s)
{
    containers_fini(&s->containers);
    sandboxes_fini(&s->sandboxes);
    *s = (struct static_pod){0};
}

/* 1: nothing of it is up; 0 with what is. */
static int is_gone(const struct static_pod *s, const char *full_name, struct err *e)
{
    for (size_t i = 0; i < s->containers.count; i++) {
        const struct container *c = &s->containers.at[i];
        if (is_of(c->pod_namespace, c->pod, full_name) && c->state == CONTAINER_RUNNING)
            return err_set(e, 0, "container %.13s of %s still runs", c->id, full_name);
    }
    for (size_t i = 0; i < s->sandboxes.count; i++) {
        const struct sandbox *b = &s->sandboxes.at[i];
        if (is_of(b->pod_namespace, b->pod, full_name) && b->ready)
            return err_set(e, 0, "sandbox %.13s of %s is still ready", b->id, full_name);
    }
    return 1;
}

int static_pod_wait_gone(struct hand *h, const char *pod, const char *full_name,
                         uint64_t until_usec, struct err *e)
{
    for (;;) {
        OWNED(static_pod_fini) struct static_pod s = {0};
        int code = static_pod_look(h, pod, &s, e);
        if (code == 0 && is_gone(&s, full_name, e))
            return 1;
        /* A look that failed proves nothing: again. */
        if (clock_boot_usec() + between_usec > until_usec || !hand_wait(h, between_usec))
            return 0;
    }
}

static int is_new(const struct static_pod *s, const char *pod, const char *old_id,
                  struct err *detail)
{
    const struct container *c = s->container;
    if (!c)
        return err_set(detail, 0, "%s has no container", pod);
    if (old_id && strcmp(c->id, old_id) == 0)
        return err_set(detail, 0, "container %.13s is still the newest of %s", c->id, pod);
    const char *state = words_name(&container_state_words, (int)c->state);
    (void)err_set(detail, 0, "%s: container %.13s, attempt %" PRId64 ", is %s", pod, c->id,
                  c->attempt, state);
    return c->state == CONTAINER_RUNNING;
}

int static_pod_wait_new(struct hand *h, const char *pod, const char *old_id, uint64_t until_usec,
                        struct err *detail)
{
    for (;;) {
        OWNED(static_pod_fini) struct static_pod s = {0};
        int code = static_pod_look(h, pod, &s, detail);
        if (code == 0 && is_new(&s, pod, old_id, detail))
            return 1;
        if (clock_boot_usec() + between_usec > until_usec || !hand_wait(h, between_usec))
            return 0;
    }
}
