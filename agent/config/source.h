/* Where a generation's files are: config's own, between generation_load.c (which places) and
 * source.c (the files there). */
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
void source_load_file(struct loading *l, const struct source *s, const char *path);
/* All *.yaml of a folder, in order of their names. */
void source_load_folder(struct loading *l, const struct source *s, const char *path);
/* A file or folder that need not be there. */
void source_load_optional(struct loading *l, const struct source *s, const char *path);
