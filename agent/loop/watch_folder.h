/* Inside loop/watch.c's idea only: the folders that are watched, counted, over libinotifytools,
 * which is seen nowhere else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/types.h>

#include "base/err.h"

enum {
    FOLDER_CHAIN =
        IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF,
    FOLDER_FULL = FOLDER_CHAIN | IN_CLOSE_WRITE | IN_ATTRIB,
    /* The folder isn't any more where it was. */
    FOLDER_SELF = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT,
};

struct folder;

struct folders {
    int fd; /* readable when folders_drain has something to do; the library's */
    struct folder *first;
    uint64_t serial;
    /* What happened in a folder: `name` is the entry's, "" for the folder itself. Folder NULL:
     * events were lost. Must only note it. */
    void (*event)(void *context, const struct folder *f, uint32_t mask, const char *name);
    void *context;
};

/* At most one in a process: the library's state is global. */
int folders_init(struct folders *s,
                 void (*event)(void *context, const struct folder *f, uint32_t mask,
                               const char *name),
                 void *context, struct err *e);
/* All folders must have been given back, and nothing may wait for `fd` any more. */
void folders_fini(struct folders *s);
/* Hands on all events that wait: true, or false when there were so many that it must be called
 * again although `fd` may be silent. */
bool folders_drain(struct folders *s);

/* Watches the open folder for `mask`, or counts it once more. The descriptor is lent. 0 or a
 * negative errno. */
int folder_ref(struct folders *s, int folder_fd, int mask, struct folder **ret);
/* May hand on events. */
void folder_unref(struct folders *s, struct folder *f);
