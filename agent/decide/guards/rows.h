/* The guard kinds' rows, one file each. A new one: its file here, its row in
 * decide/guards.c. */
#pragma once

#include "decide/guard.h"

extern const struct guard_kind guard_kill_switch;
extern const struct guard_kind guard_journal;
extern const struct guard_kind guard_mode;
extern const struct guard_kind guard_requires;
extern const struct guard_kind guard_attempts;
extern const struct guard_kind guard_cooldown;
extern const struct guard_kind guard_start_up;
extern const struct guard_kind guard_settle;
extern const struct guard_kind guard_fresh_look;

/* For guards: fills in a judgement's texts. */
void judgement_set(struct judgement *j, enum guard_verdict verdict, const char *wants,
                   const char *saw_format, ...) __attribute__((format(printf, 4, 5)));
