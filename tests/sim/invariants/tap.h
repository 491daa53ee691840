/* The journals as they become durable: each record once, in order, from what a power cut would
 * leave. For the invariants: what isn't in there has not been recorded. */
#pragma once

#include "base/json.h"
#include "sim.h"

/* A file of this master's became durable: whatever is new in its journal is handed on. */
void tap_synced(struct master *m, const char *folder, const char *name);

/* Provided by the invariants: one durable record's body (lent). */
void tap_record(struct master *m, const char *type, const json_t *body);
