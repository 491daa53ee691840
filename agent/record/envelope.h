/* A record's body: what every record says of itself (format, type, time, boot, node, build)
 * around the record's own fields, as canonical text. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/json.h"
#include "record/journal.h"

enum { ENVELOPE_VERSION = 1 };

/* The body's canonical text (free() it), stamped with the clocks now. Takes the reference of
 * `fields` (an object, or NULL), which must hold no real and no key of the envelope's.
 *
 * Fields that have no place in a line (too long, too deep, an integer beyond 2^53) are
 * withheld, because a record that can't be verified would spoil all that follow: what
 * is small and plain stays, and `withheld` {bytes, sha256} speaks for the whole. */
char *envelope_text(enum record_type type, const char *node_name, const char *boot_id,
                    json_t *fields);

/* A record's own fields: its body without what every record says of itself. A new reference. */
json_t *envelope_fields(const json_t *body);
/* Is `body` what a record of these fields holds, with what is redacted and withheld of them? Bodies
 * are canonical, so the same value is the same bytes. */
bool envelope_holds(const json_t *body, const json_t *fields);
