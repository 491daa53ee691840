/* The documents: Probe, Failure, Playbook, Policy, as structs.
 *
 * Names are resolved when a generation is loaded: after that, documents point to
 * each other by index. The kinds of probes, steps and guards come from their
 * rooms' tables, handed in as `struct catalog`: config knows no room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/words.h"
#include "config/field.h"

/* What every kind's row begins with, whatever its room. */
struct kind {
    const char *name;    /* word in YAML: "https", "static-pod.restart", "settle" */
    const char *summary; /* one line for `planeguard kinds` and the manual */
    const struct field *fields;
    size_t args_size; /* bytes of the struct that `fields` fills */
    /* Checks what a table can't say, after decoding; may be NULL. */
    int (*check)(const void *args, const struct yaml *at, struct err *e);
};

/* The rooms' tables: each an array of pointers to rows that begin with struct kind. */
struct catalog {
    const struct kind *const *probes;
    size_t probe_count;
    const struct kind *const *steps;
    size_t step_count;
    const struct kind *const *guards; /* in the order in which the fold asks them */
    size_t guard_count;
};

enum verdict { SIGNAL_UNKNOWN, SIGNAL_PASS, SIGNAL_FAIL };
extern const struct words verdict_words; /* unknown, pass, fail */

/* The closed list of reasons, with a sentence each (config/reason.c). */
enum reason {
    REASON_NONE,
    /* unknown */
    REASON_NOT_LOOKED_YET,
    REASON_STALE,
    REASON_OBSERVER_DOWN,
    REASON_NOT_NAMED,   /* this node's description doesn't name what is needed */
    REASON_TOOL_FAILED, /* the tool or call that looks failed itself */
    /* network */
    REASON_REFUSED,
    REASON_RESET,
    REASON_TIMEOUT,
    REASON_UNREACHABLE,
    REASON_NAME_UNRESOLVED,
    REASON_TLS_EXPIRED,
    REASON_TLS_NOT_YET_VALID,
    REASON_TLS_UNTRUSTED,
    REASON_TLS_NAME,
    REASON_TLS_ERROR,
    REASON_UNAUTHORIZED,
    REASON_FORBIDDEN,
    REASON_THROTTLED,
    REASON_HTTP_ERROR,
    REASON_CHECK_FAILED,
    REASON_PROTOCOL, /* not HTTP, too long, a redirect: no answer of the thing asked */
    /* files */
    REASON_MISSING,
    REASON_EMPTY,
    REASON_UNPARSABLE,
    REASON_NOT_THAT_POD,
    REASON_STRAY,
    REASON_REFERENCE_MISSING,
    REASON_UNREADABLE,
    /* certificates */
    REASON_EXPIRED,
    REASON_EXPIRES_SOON,
    REASON_NOT_YET_VALID,
    REASON_PAIR_MISMATCH,
    REASON_CHAIN_MISMATCH,
    /* containers, units */
    REASON_ABSENT,
    REASON_EXITED,
    REASON_CRASH_LOOP,
    REASON_BAD_MANIFEST, /* crash loop whose last words blame the manifest (flag, value, path) */
    REASON_NOT_RUNNING,
    REASON_INACTIVE,
    REASON_FAILED,
    REASON_STARTING,
    REASON_NOT_FOUND,
    REASON_COUNT_,
};
extern const struct words reason_words;
const char *reason_sentence(enum reason r);

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };
enum risk { RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_EXTREME };
enum mode { MODE_OBSERVE, MODE_DRY_RUN, MODE_ENFORCE };
enum on_failure { ON_FAILURE_UNDO, ON_FAILURE_LEAVE };
extern const struct words severity_words, risk_words, mode_words, on_failure_words;

struct metadata {
    const char *name;
    const char *component; /* "kube-apiserver"; NULL where it doesn't matter */
    const char *file;      /* where the document is, for messages */
    unsigned line;
};

struct probe_document {
    struct metadata meta;
    uint64_t every_usec; /* 0: only by events */
    uint64_t timeout_usec;
    uint64_t valid_usec; /* no reading for this long: unknown, stale. Default 2 x every + timeout */
    unsigned fail_after; /* this many failing looks in a row make `fail` (1: at once) */
    unsigned pass_after;
    const struct kind *kind;
    const void *args; /* of kind->args_size, decoded by kind->fields */
    /* A static pod's manifest becomes the last known good one when this signal has
     * passed for `good_for_usec` while the manifest stayed as it is. -1: never. */
    int good_signal;
    uint64_t good_for_usec;
};

/* One condition over one signal, or a combination. Three-valued: unknown signals
 * make it unknown, unless it asks for `is: unknown`. */
enum condition_type { CONDITION_SIGNAL, CONDITION_ALL, CONDITION_ANY, CONDITION_NOT };
enum compare { COMPARE_NONE, COMPARE_AT_LEAST, COMPARE_AT_MOST, COMPARE_EQUALS, COMPARE_CONTAINS };

struct condition {
    enum condition_type type;
    /* CONDITION_SIGNAL */
    int passed_since; /* index of a probe: has `signal` passed since that one last changed? -1 */
    int signal;       /* index of the probe */
    enum verdict is;
    uint64_t reasons; /* bit set; 0: any */
    const char *fact; /* NULL: none is asked for */
    enum compare compare;
    int64_t number;   /* at least, at most */
    const char *text; /* equals, contains (one name of a space-separated list) */
    int threshold;    /* index in the probe's thresholds; -1 without a fact */
    /* CONDITION_ALL, _ANY, _NOT */
    struct condition *at;
    size_t count;
};

/* A requirement or a verification: one signal condition with its times. */
struct expectation {
    struct condition condition; /* CONDITION_SIGNAL */
    uint64_t within_usec;       /* verify: must hold by then */
    uint64_t hold_usec;         /* verify: and stay so for this long */
};

struct failure_document {
    struct metadata meta;
    const char *summary; /* what is the matter, for a tired person */
    const char *impact;  /* what users of the cluster feel; may be NULL */
    const char *advice;  /* what a person does where no playbook may; may be NULL */
    enum severity severity;
    int layer; /* order of repair, lower first: the disk's 0 ... the cluster's objects */
    uint64_t for_usec;
    struct condition when;
    int *caused_by; /* indices of failures */
    size_t caused_by_count;
    int *playbooks; /* indices, in order */
    size_t playbook_count;
};

struct step_document {
    const char *name; /* free text; default: the kind's name */
    const struct kind *kind;
    const void *args;
    uint64_t timeout_usec;
};

struct playbook_document {
    struct metadata meta;
    const char *summary;
    int treats; /* index of the failure */
    int order;
    enum risk risk;
    enum mode mode; /* the stricter of this and the policy's wins; default enforce */
    struct expectation *requires;
    size_t requires_count;
    struct step_document *steps;
    size_t step_count;
    struct expectation *verify;
    size_t verify_count;
    struct {
        int64_t attempts;
        uint64_t per_usec;
        uint64_t cooldown_usec;
    } limits;
    enum on_failure on_failure;
};

struct policy_document {
    struct metadata meta;
    const char *summary;
    enum mode mode;
    bool scaled;             /* times are scaled for a demo or a test; said on every screen */
    const void **guard_args; /* by index in catalog->guards; decoded defaults when not named */
};
