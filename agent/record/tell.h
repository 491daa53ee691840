/* What one record says, in a sentence, and which of the story's words it stands under. */
#pragma once

#include "base/buf.h"
#include "base/json.h"

/* Adds the sentence (one harmless line, no newline). Gives "seen", "decided", "why", "done" or
 * "proven"; NULL, with nothing added, for what is bookkeeping and no part of a story. */
const char *tell(const json_t *body, struct buf *out);
