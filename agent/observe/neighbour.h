/* The files in the kubelet's manifests folder, and the pods they declare: manifest.c's own. A file
 * is parsed again only when its status changed. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "loop/file.h"

enum { NEIGHBOURS_MAX = 256 };

struct neighbour {
    char *name;
    char *pod; /* the pod's name; NULL: what lies there is none */
    struct file_status status;
};

struct neighbours {
    struct neighbour *at;
    size_t count, room;
};

/* Looks at the folder again: all regular files (or links to such) whose name doesn't begin with a
 * dot, sorted. -ENOENT: no folder; -EFBIG: more than NEIGHBOURS_MAX. */
int neighbours_look(struct neighbours *n, const struct root *root, const char *folder,
                    struct err *e);
void neighbours_fini(struct neighbours *n);
