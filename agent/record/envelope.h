/* A record's body: what every record says of itself (format, type, time, boot, node, build)
 * around the record's own fields, as canonical text. */
#pragma once

#include "base/buf.h"
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
