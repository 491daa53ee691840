/* What was done before, as far as guards ask for it: attempts by playbook, the last action,
 * the agent's own starts. In the agent's clock, which neither a reboot nor a change of the wall
 * clock moves, and saved with the core's state. */
#pragma once

#include <stdint.h>

#include "base/json.h"

enum { HISTORY_ATTEMPTS_MAX = 16, HISTORY_STARTS_MAX = 8 };

struct attempts {
    char *playbook;
    uint64_t began_usec[HISTORY_ATTEMPTS_MAX]; /* the newest ones, oldest first */
    size_t count;
    uint64_t ended_usec; /* the last one; 0: none ended yet */
};

struct history {
    struct attempts *at;
    size_t count, room;
    uint64_t action_began_usec,
        action_ended_usec; /* the node's last; 0: none. Under way: ended 0 */
    char action_incident[40];
    uint64_t starts[HISTORY_STARTS_MAX]; /* the newest ones, oldest first */
    size_t start_count;
};

void history_fini(struct history *h);
/* NULL when the playbook was never tried. */
const struct attempts *history_attempts(const struct history *h, const char *playbook);
void history_begin(struct history *h, const char *playbook, const char *incident,
                   uint64_t now_usec);
void history_end(struct history *h, const char *playbook, uint64_t now_usec);
/* The incident's action is over, though nobody can say which playbook's it was. */
void history_end_action(struct history *h, const char *incident, uint64_t now_usec);
void history_started(struct history *h, uint64_t now_usec);
json_t *history_save(const struct history *h);
void history_load(struct history *h, const json_t *saved);
