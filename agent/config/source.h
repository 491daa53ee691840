/* Where a generation's files are: config's own, between generation_load.c (which places),
 * generation_stored.c (their bytes) and source.c (the files there). */
#pragma once

#include "config/loading.h"
#include "loop/file.h"

/* A place to load from. */
struct source {
    const struct root *root;
    const char *shown; /* before each path below the root, in messages */
    enum origin origin;
    bool guarded; /* owners and modes are looked at */
    bool deep;    /* folders in folders, too */
};

/* A complaint of a whole file. Returns -EINVAL. */
int source_complain(struct loading *l, const struct source *s, const char *path, const char *format,
                    ...) __attribute__((format(printf, 4, 5), cold));
/* One file's bytes, however they came here; `shown` has a slash. */
void source_take_bytes(struct loading *l, const char *shown, enum origin origin,
                       const struct buf *bytes);
void source_load_file(struct loading *l, const struct source *s, const char *path);
/* All *.yaml of a folder, in order of their names. */
void source_load_folder(struct loading *l, const struct source *s, const char *path);
/* A file or folder that need not be there. */
void source_load_optional(struct loading *l, const struct source *s, const char *path);
