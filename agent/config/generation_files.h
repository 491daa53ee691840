/* Between the two ways to a generation: the documents' own places (generation_load.c), and one
 * file that holds them all (generation_stored.c). */
#pragma once

#include "config/source.h"

struct loading_run {
    struct loading loading;
    struct generation *generation;
    char *configuration; /* names the place that could name the policy; NULL */
};

/* Begins with nothing loaded. The run must end with loading_end. */
struct loading *loading_begin(struct loading_run *run, const struct catalog *catalog,
                              struct complaints *complaints);
/* Links all that was loaded: a new reference, or NULL when there was any complaint. */
struct generation *loading_end(struct loading_run *run);
/* A file or all files of a folder, all folders deep, as a person named it on the host. */
void load_path(struct loading *l, const char *given, enum origin origin);
/* Keeps a file's bytes for generation_documents. */
void loading_keep(struct loading *l, const char *shown, enum origin origin,
                  const struct buf *bytes);

OWNER(struct pool, pool_free);
OWNER(struct generation, generation_unref);
