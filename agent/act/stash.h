/* The stash: how a manifest that is taken out is named in the stage.
 *
 *   out-<SHA-256, 64 hex>-<target path>     taken out, to be put back
 *   conflict-<SHA-256>-<target path>[.N]    set aside: when it was to be put back somebody else's
 *                                           file was in its place; a person decides
 *
 * In the target path '/' is written '+', '+' is "%2b" and '%' is "%25". So one rename takes a
 * manifest out, and the name alone says what it is, what it was and where it belongs: recovery
 * needs nothing else. A path too long for one name (NAME_MAX) can't be taken out. */
#pragma once

#include <limits.h>

#include "base/digest.h"
#include "base/err.h"

enum stash_state { STASH_OUT, STASH_CONFLICT };

struct stash {
    enum stash_state state;
    struct digest digest;
    char target[NAME_MAX + 1]; /* absolute, below the root */
};

enum { STASH_NAME = NAME_MAX + 1, STASH_CONFLICTS_MAX = 99 };

/* The name of `target` in the stage: 0, -EINVAL for what isn't an absolute path of plain names,
 * -ENAMETOOLONG. `conflict` 0: taken out; N > 0: the Nth conflict. */
int stash_name(const char *target, const struct digest *d, unsigned conflict, char name[STASH_NAME],
               struct err *e);
/* 0, or -EINVAL for a name that stash_name didn't make. */
int stash_parse(const char *name, struct stash *ret);
