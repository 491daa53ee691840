/* Watching files and folders by inotify, through libinotifytools, whose habits (process-global,
 * no descriptor, no CLOEXEC, whole-second timeouts) stay inside watch.c. */
#pragma once

#include "base/err.h"
#include "base/own.h"
#include "loop/file.h"
#include "loop/loop.h"

/* Calls `changed` when something below the folder `path` (not deeper) or the file `path` is
 * created, moved, written and closed, deleted, or its attributes change. `name` is the
 * entry's name, or NULL when unknown. A path that isn't there yet is watched through its
 * nearest existing parent until it comes. Events come after the fact and may be joined. */
struct watch;
int watch_new(struct loop *l, const struct root *r, const char *path,
              void (*changed)(void *context, const char *name), void *context, struct watch **ret,
              struct err *e);
void watch_free(struct watch *w);
OWNER(struct watch, watch_free);
