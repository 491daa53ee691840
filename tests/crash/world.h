/* The node that a case breaks: a folder, an agent's journal in it, and beside it what outlives the
 * agent's death (a container runtime, a service manager, what was said to be durable). */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "act/hand.h"
#include "base/pool.h"
#include "loop/bus.h"
#include "loop/file.h"
#include "record/journal.h"
#include "tree.h"

#define MANIFESTS "/etc/kubernetes/manifests"
#define STAGE "/etc/kubernetes/.planeguard"
#define LIVE MANIFESTS "/kube-apiserver.yaml"

enum { CLAIMS_MAX = 64 };

/* What the killed child leaves behind, besides files: shared memory. */
struct shared {
    bool has_ended;
    int code; /* of the act */
    char text[1024];
    char violation[2048];    /* the first one */
    unsigned begun, durable; /* records: added; said to be durable */
    unsigned effects;
    /* "Durable, and it stays so": said when a function that promises it has returned. */
    struct claim {
        char path[256], digest[DIGEST_HEX + 1]; /* digest "": absent; "/": a folder */
    } claims[CLAIMS_MAX];
    size_t claim_count;
    struct unit_state unit; /* the service manager's one unit */
};

struct crash_case;

struct world {
    const struct crash_case *c;
    char path[PATH_MAX + 16];    /* the node */
    char runtime[PATH_MAX + 16]; /* the container runtime's state, beside it */
    struct shared *shared;
    struct root *root;
    int lock;
    struct node node;
    const char *crictl[4];
    struct hand hand;
    struct journal *journal;
    struct pool *pool;
    const struct step_kind *kind;
    void *args;
    json_t *plan;
};

/* A case: prepared, done once (in a child that may be killed or hindered), recovered as an agent's
 * start does, looked at. */
struct crash_case {
    const char *name;
    const char *kind; /* the step kind that it is about; NULL: none */
    void (*prepare)(struct world *w);
    int (*act)(struct world *w, struct err *e);
    void (*raw)(struct world *w);     /* what holds even before recovery; may be NULL */
    void (*recover)(struct world *w); /* after the stage and the journal; may be NULL */
    void (*check)(struct world *w);   /* after recovery, besides what always holds; may be NULL */
    bool has_deadman, leaves_lock;
    bool is_best_effort; /* done may be less than all of it: what can't be cleared away is next time
                          */
};

extern const struct crash_case *const crash_cases[];
extern const size_t crash_case_count;

/* A node in an empty folder. */
void world_make(struct world *w);
/* Its descriptors, closed and opened anew: for a file system that goes away meanwhile. */
void world_close(struct world *w);
void world_open(struct world *w);
/* All that it has. */
void world_fini(struct world *w);

void world_violation(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* For what can't fail in a test: ends it with the error's text. */
void world_must(int code, const struct err *e);

void world_put(struct world *w, const char *path, const char *text);
/* A complete manifest of a static pod, with `mark` in it; static, 16 at a time. */
const char *manifest_text(const char *pod, const char *mark);
void world_claim(struct world *w, const char *path, const char *digest);
void world_claim_text(struct world *w, const char *path, const char *text);

/* ---- journal.c: what the engine records, and what must be found ---- */

/* Adds a record with the next number and makes it durable. */
int world_record(struct world *w, struct journal *j, enum record_type type, struct err *e);
int world_effect(struct hand *h, const json_t *effect);
void journal_must_hold(struct world *w);

/* ---- check.c ---- */

/* Recovers as the agent's start does. In a child of its own. */
void world_recover(struct world *w);
/* What was claimed, before anybody has recovered anything. */
void world_check_claims(struct world *w);
/* Every file is as in `before` or as in `after`, and as in `after` when the act said that it is
 * done; what stands in both is there; nothing else. */
void world_check(struct world *w, const struct tree *before, const struct tree *after);

/* ---- runtime.c: the stand-ins ---- */

/* A container runs; its kubelet follows the manifest at each `ps`. */
void runtime_begin(struct world *w);
int runtime_main(int argc, char **argv);
