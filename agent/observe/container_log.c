#include "observe/container_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/file.h"
#include "observe/last_words.h"

static bool is_below(const char *folder, const char *path)
{
    size_t length = strlen(folder), end = strlen(path);
    return !strncmp(path, folder, length) && path[length] == '/' && !strstr(path, "/../") &&
           !(end >= 3 && !strcmp(path + end - 3, "/.."));
}

static bool tail(const struct view *v, const char *path, struct buf *ret)
{
    return file_tail(v->root, path, 0, LAST_WORDS_BYTES, ret, NULL) == 0;
}

void container_log_tail(const struct view *v, const struct container *c, const char *hint,
                        struct buf *ret)
{
    const char *logs = v->node->pod_logs;
    if (!logs || (hint && is_below(logs, hint) && tail(v, hint, ret)))
        return;
    if (!*c->pod_namespace || !*c->pod || !*c->pod_uid)
        return;
    /* The kubelet numbers logs by attempt; another one's words are not this one's. What the names
     * are made of is checked where they are read: none is a path's. */
    OWNED(free)
    char *path = mem_printf("%s/%s_%s_%s/%s/%" PRId64 ".log", logs, c->pod_namespace, c->pod,
                            c->pod_uid, c->name, c->attempt);
    (void)tail(v, path, ret);
}
