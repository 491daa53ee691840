/* A copy of a master's files, on which recovery and the journal's readers are tried out: what comes
 * of it changes nothing on the master. Done in tasks of its own; the run goes on beside them. */
#pragma once

#include "sim.h"

/* Recovers twice: the second time must change nothing, nothing may be out, and the journal must
 * verify. */
void scratch_recover_twice(struct master *m);
/* The journal verifies, and replays to the same decisions. */
void scratch_journal(struct master *m);
