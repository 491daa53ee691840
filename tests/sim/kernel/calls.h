/* What the files that stand in for system calls (calls_*.c) share. */
#pragma once

#include <stdbool.h>

#include "kernel/descriptors.h"

/* Begins the definition of what `name` is in the simulator; __real_name is libc's. */
#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

/* Made by a task, on a simulated descriptor. */
bool call_is_simulated(int fd);
/* The same for a call with a path: also an absolute one. */
bool call_is_simulated_at(int fd, const char *path);

/* The beginning of a call on a descriptor: the point, then what the number stands for. 0, or an
 * errno, for which `*ret` is set, too, if the number is good. */
int call_enter(const char *call, bool changes, int fd, struct description **ret);
/* The same for a call with a path below a folder's descriptor. */
int call_enter_at(const char *call, bool changes, int fd, const char *path,
                  struct files **ret_files, struct inode **ret_start);
/* Where a path begins, without the point; 0, EBADF, or ENOENT for "". */
int call_start(int fd, const char *path, struct files **ret_files, struct inode **ret_start);
/* Sets errno; 0 for 0, else -1. */
int call_end(int code);
