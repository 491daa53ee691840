/* A static pod as the container runtime shows it: one look, and waiting for the next ones. */
#pragma once

#include <stdbool.h>

#include "act/hand.h"
#include "config/cri.h"

struct static_pod {
    struct containers containers;
    struct sandboxes sandboxes;
    const struct container *container; /* the newest of the pod's; NULL: none */
    const struct sandbox *sandbox;     /* that container's, else the pod's newest; NULL: none */
};

/* Looks by crictl: `pod` is the static pod's name without the node's ("kube-apiserver"). */
int static_pod_look(const struct hand *h, const char *pod, struct static_pod *ret, struct err *e);
void static_pod_fini(struct static_pod *s);

/* The pod's full name, as its containers and sandboxes have it ("kube-apiserver-master1"); the
 * caller's to free(). */
char *static_pod_full_name(const struct hand *h, const char *pod, const struct static_pod *s);

extern const struct words container_state_words; /* unknown, created, running, exited */

/* Waits, looking every half second, until no container of the pod `full_name` runs and no sandbox
 * of it is ready: 1; 0 when `until_usec` came first, with what was still there in `e`. */
int static_pod_wait_gone(struct hand *h, const char *pod, const char *full_name,
                         uint64_t until_usec, struct err *e);
/* Waits until the pod's newest container is another one than `old_id` (NULL: there was none) and
 * runs: 1 with its id's text in `detail`; 0 when `until_usec` came first, with what was seen. */
int static_pod_wait_new(struct hand *h, const char *pod, const char *old_id, uint64_t until_usec,
                        struct err *detail);

static inline void static_pod_fini_owned(struct static_pod *s)
{
    static_pod_fini(s);
}
