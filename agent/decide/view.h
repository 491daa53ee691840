/* What the core can be asked: its state as JSON for people's programs. Pure. New references. */
#pragma once

#include "decide/core.h"

/* One open incident: id, failure, summary, severity, state, why, sinceUsec, playbook, digest,
 * steps, guards. */
json_t *view_incident(const struct core *c, const struct incident *i);
/* All open ones. */
json_t *view_incidents(const struct core *c);
/* One signal: signal, kind, verdict, reason, sentence, facts, sinceUsec. */
json_t *view_signal(const struct core *c, int probe);
/* A failure as it stands: whether it holds and why, signal by signal; its causes, theirs too; its
 * playbooks with what each requires; its incident, with each guard's value and what would let it
 * through. */
json_t *view_failure(const struct core *c, int failure);
