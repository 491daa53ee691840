/* Kind `container`, inside: what its looks keep, and what is made of it. container.c looks;
 * container_report.c tells. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/cri.h"
#include "loop/proc.h"
#include "observe/attempts.h"
#include "observe/last_words.h"
#include "observe/line.h"
#include "observe/probe.h"

struct container_args {
    const char *name;
    uint64_t recent_usec, stable_after_usec;
    int64_t crash_after;
};

/* How one container ended: doesn't change, so it is asked for once. */
struct container_end {
    char *id;
    bool is_told; /* by CRI; else only the log was read */
    int64_t exit_code;
    char exit_reason[64];
    enum last_word word;
    char line[LINE_TEXT];
};

enum inspect_for { INSPECT_END, INSPECT_PROCESS, INSPECT_N_ };

struct container_watch {
    struct attempts attempts;
    struct container_end end;
    /* The process of container `process_of`; pid 0: not known. */
    char *process_of;
    struct process process;
    struct process_watch *watch;
    bool is_gone;       /* it was seen to have ended */
    uint64_t told_usec; /* when CRI last told that all is well; 0: not */
    json_t *well;       /* the facts of that reading */
    /* Of the look under way. */
    struct running *running;
    uint64_t deadline_usec;
    struct containers list;
    const struct container *newest;
    enum container_state state;
    const struct container *inspect[INSPECT_N_]; /* what is still to ask for */
    enum inspect_for asked;
};

/* Takes down how container `c` ended: what CRI told of it (`d` NULL: nothing), and its last words.
 */
void container_take_end(struct probe *p, const struct container *c,
                        const struct container_detail *d);
void container_end_fini(struct container_end *end);

bool container_is_loop(const struct probe *p, uint64_t now_usec);

/* The looks' ends: each reports once. `by` is who says so: "cri" or "proc". */
void container_report_bad(struct probe *p, enum container_state state, bool loop, const char *by);
void container_report_well(struct probe *p);
