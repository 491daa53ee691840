/* The container runtime through crictl's JSON (`crictl ps -a -o json`, `crictl pods -o json`,
 * `crictl inspect`), the tool operators use. Where parsing is concerned the bytes are hostile:
 * bounded, and anything odd is an error, never a guess.
 *
 * The prefix is the node's (config/node.h: `crictl`, with --runtime-endpoint and --timeout). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "config/field.h"
#include "loop/command.h"

enum container_state { CONTAINER_UNKNOWN, CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED };

struct container {
    char *id, *sandbox_id, *name, *pod, *pod_namespace, *pod_uid;
    enum container_state state;
    int64_t attempt;
    int64_t created_nsec; /* wall clock */
};
struct containers {
    struct container *at;
    size_t count, room;
};
void containers_fini(struct containers *c);
int containers_parse(const char *json, size_t length, struct containers *ret, struct err *e);

struct sandbox {
    char *id, *pod, *pod_namespace, *pod_uid;
    bool ready;
    int64_t attempt;
    int64_t created_nsec;
};
struct sandboxes {
    struct sandbox *at;
    size_t count, room;
};
void sandboxes_fini(struct sandboxes *s);
int sandboxes_parse(const char *json, size_t length, struct sandboxes *ret, struct err *e);

struct container_detail {
    int64_t exit_code;
    char reason[64];
    char *message, *log_path; /* host path as the runtime says it; NULL when absent */
    int64_t started_nsec, finished_nsec;
    int64_t pid; /* 0: unknown */
};
void container_detail_fini(struct container_detail *d);
int container_detail_parse(const char *json, size_t length, struct container_detail *ret,
                           struct err *e);

/* argv = prefix + the arguments; the array (not its strings) is the caller's to free(). */
const char **cri_argv(const struct strings *prefix, const char *const *arguments);

/* Blocking, for hands: list, look, act. The arguments are crictl's ("rm", "-f", ID). */
int cri_containers(const struct strings *prefix, uint64_t timeout_usec, struct containers *ret,
                   struct err *e);
int cri_sandboxes(const struct strings *prefix, uint64_t timeout_usec, struct sandboxes *ret,
                  struct err *e);
int cri_run(const struct strings *prefix, const char *const *arguments, uint64_t timeout_usec,
            struct command_result *ret, struct err *e);

/* The static pod's newest container named `pod` in namespace kube-system (pod names end in the
 * node's name: matched by container name and by pod name prefix), or NULL. */
const struct container *containers_newest(const struct containers *c, const char *container_name);

static inline void containers_fini_owned(struct containers *c)
{
    containers_fini(c);
}
static inline void sandboxes_fini_owned(struct sandboxes *s)
{
    sandboxes_fini(s);
}
static inline void container_detail_fini_owned(struct container_detail *d)
{
    container_detail_fini(d);
}
