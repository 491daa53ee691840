/* Giving up what isn't needed, for good. */
#pragma once

#include "base/err.h"

/* When we are root: becomes `user` with no supplementary groups. Root or not: no new privileges, no
 * core dumps, not traceable, at most 256 descriptors. Fails rather than leaving anything half given
 * up. */
int privilege_drop(const char *user, struct err *e);
