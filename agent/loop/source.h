/* Inside loop/ only: what all our event sources have in common. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"

/* Finishes a source that was just added: `added` is what the adding call returned. A source
 * that breaks ends the loop, instead of going silent. 0 or `added` with the reason in `e`. */
int source_keep(sd_event_source *s, int added, const char *what, struct err *e);
