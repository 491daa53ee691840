/* planeguard run: the agent, in the foreground. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/verbs.h"
#include "engine/engine.h"

static const char installed_observer[] = "/usr/libexec/planeguard/planeguard-observer";

/* The observer's program: beside this one (source tree), else where it is installed. */
static char *find_observer(void)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return mem_strdup(installed_observer);
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    *slash = '\0';
    char *beside = mem_printf("%s/planeguard-observer", self);
    if (access(beside, X_OK) == 0)
        return beside;
    free(beside);
    return mem_strdup(installed_observer);
}

int cmd_run(const struct options *o)
{
    OWNED(free) char *observer = find_observer();
    const struct engine_options options = {
        .root = o->root,
        .shipped = o->shipped,
        .catalog = o->catalog,
        .observer = observer,
    };
    return engine_run(&options);
}
