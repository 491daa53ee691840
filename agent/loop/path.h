/* Paths below a root: the one way from a text to a descriptor, for loop/'s own files.
 *
 * Resolved by openat2(2) with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS, and
 * RESOLVE_NO_SYMLINKS unless FILE_FOLLOW. Where the kernel has no openat2 (ENOSYS,
 * or a seccomp filter that doesn't know it), a walk by components does the same: each
 * opened O_NOFOLLOW from its parent's descriptor, links read and spliced by hand, ".."
 * at the root staying there. */
#pragma once

#include <fcntl.h>

#include "loop/file.h"

/* Opens `path` below the root with open(2)'s `open_flags` (O_CLOEXEC is added; no
 * O_CREAT). `flags`: FILE_FOLLOW. A descriptor, or < 0 without a text. */
int path_open(const struct root *r, const char *path, int flags, int open_flags);

/* The same by the component-wise walk. */
int path_walk(const struct root *r, const char *path, int flags, int open_flags);

/* The folder that `path` lies in, opened for reading (so that it can be fsynced), and the
 * last name, which points into `path`. A name that is none ("", ".", "..") is -EINVAL. */
int path_parent(const struct root *r, const char *path, const char **ret_name, struct err *e);

/* fsync(2) of a folder's or file's descriptor. */
int path_sync(int fd, const char *path, struct err *e);
