/* How often one container has ended lately: a crash loop, told from a single end. Pure: what CRI
 * says goes in with the time on the boot clock.
 *
 * The attempt number alone says nothing: it counts since the pod was made, a year ago perhaps. So
 * ends are remembered with their times as they are seen. A pod with another UID is another spec,
 * whose predecessor's crashes prove nothing: the memory begins anew. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/cri.h"

enum { ATTEMPTS_ENDS_MAX = 16 };

struct attempts {
    char *pod_uid, *id; /* of the newest seen; NULL: none yet */
    int64_t attempt;
    bool ended;                            /* the newest's own end is counted */
    uint64_t running_since_usec;           /* 0: not seen running */
    uint64_t ends_usec[ATTEMPTS_ENDS_MAX]; /* the latest ones, in order */
    size_t end_count;
};

void attempts_fini(struct attempts *a);

/* The newest container, as it is now. `age_usec`: how long ago it was created, by the wall clock
 * (USEC_NEVER: unknown, such as when that clock was set); only what was before our first look is
 * told by it. */
void attempts_see(struct attempts *a, const struct container *c, enum container_state state,
                  uint64_t now_usec, uint64_t age_usec);
/* The newest one was seen to end, by other means than CRI. */
void attempts_ended(struct attempts *a, uint64_t now_usec);

/* At least `ends` ends within `recent_usec`, and not running for `stable_usec` since? */
bool attempts_is_loop(const struct attempts *a, uint64_t now_usec, uint64_t recent_usec,
                      uint64_t ends, uint64_t stable_usec);
