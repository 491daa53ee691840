/* Between replay.c, the verb, and what_if.c, its other half. */
#pragma once

#include "cmd/verb.h"
#include "engine/replay.h"

/* What other documents would have decided; the exit code. */
int replay_ask(const struct options *o, const struct root *root, const char *folder,
               const struct generation_asked *asked);
/* "" or "s". */
const char *replay_plural(uint64_t count);
/* What can't be said, a line each; the same for programs (a new reference). */
void replay_say_gaps(const struct replay_result *r);
json_t *replay_gaps_json(const struct replay_result *r);
