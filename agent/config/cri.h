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

/* A node has some hundred containers; a list that doesn't fit is no list. */
enum { CRI_OUTPUT_BYTES_MAX = 8 << 20, CRI_ENTRIES_MAX = 10000 };

enum container_state { CONTAINER_UNKNOWN, CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED };

/* Texts are never NULL: "" where the runtime has none (a container that no kubelet made has no
 * pod). Names and ids are of A-Z, a-z, 0-9 and -._ and don't begin with - or ., so they can stand
 * in an argv and in a path. */
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
    char reason[64];                     /* "Error", "OOMKilled", "StartError", ... ; "" */
    char *message, *log_path;            /* host path as the runtime says it; NULL when absent */
    int64_t started_nsec, finished_nsec; /* wall clock; 0: not yet, or unknown */
    int64_t pid;                         /* 0: unknown */
};
void container_detail_fini(struct container_detail *d);
int container_detail_parse(const char *json, size_t length, struct container_detail *ret,
                           struct err *e);

/* argv = prefix + the arguments; the array (not its strings) is the caller's to free(). */
const char **cri_argv(const struct strings *prefix, const char *const *arguments);

/* Did the command run and end with 0, its output whole? 0, or -EIO with crictl's own words in `e`
 * (`what` names the call). */
int cri_answer(const char *what, const struct command_result *r, struct err *e);

/* Blocking, for hands: list, look, act. The arguments are crictl's ("rm", "-f", ID). */
int cri_containers(const struct strings *prefix, uint64_t timeout_usec, struct containers *ret,
                   struct err *e);
int cri_sandboxes(const struct strings *prefix, uint64_t timeout_usec, struct sandboxes *ret,
                  struct err *e);
int cri_run(const struct strings *prefix, const char *const *arguments, uint64_t timeout_usec,
            struct command_result *ret, struct err *e);

/* Of one pod's two the later attempt is newer; else one that runs, than one that doesn't; only
 * then what the runtime says of when they were created: the wall clock may have been set back in
 * between. */
bool container_is_newer(const struct container *a, const struct container *b);

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
