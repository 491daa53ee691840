/* What lies in a folder: every name with its kind, mode, owner, size and digest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/digest.h"

struct entry {
    char *path; /* below the folder, with a leading '/' */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    off_t size_bytes;
    struct digest digest; /* of a regular file */
};

struct tree {
    struct entry *at; /* by path */
    size_t count, room;
};

void tree_take(const char *folder, struct tree *ret);
void tree_fini(struct tree *t);
const struct entry *tree_find(const struct tree *t, const char *path);
bool entry_equal(const struct entry *a, const struct entry *b);
/* The first difference as a text, or NULL; static. */
const char *tree_difference(const struct tree *before, const struct tree *after);
/* Removes the folder and all in it. */
void tree_remove(const char *folder);
