/* The simulated kernel: what agent/loop's file code calls (openat2, renameat2, fsync, flock ...),
 * over files in memory that know what a power cut would leave of them.
 *
 * The real agent/loop/{file,replace,folder,append,lock,path,stream,descriptor,clock}.c run on it:
 * the simulator is linked with --wrap for each of those system calls (calls.c). A call made by no
 * task (task_current() is NULL) goes to the real kernel.
 *
 * Volatile and durable. A file has the bytes that reads see, and those that are on the disk; a
 * folder likewise its entries. fsync and fdatasync of a file make its bytes durable (and, as
 * POSIX says and no more, not its name); fsync of a folder makes its entries durable. A rename is
 * atomic: after a power cut it has happened in both folders or in none. What was not made
 * durable is, after a power cut, there or not by chance: of a file's writes any prefix, the last
 * one torn, and blocks of zeros where the length had grown before the bytes came; of a folder's
 * changes each or none, in any order that leaves no rename half done. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "random.h"
#include "schedule.h"

struct files; /* one master's file system */

struct files *files_new(void);
void files_free(struct files *f);
/* An independent copy (also of what is volatile); no descriptors, no locks. */
struct files *files_copy(const struct files *f);

/* Power is cut: what is durable stays, of the rest what chance says. All descriptors and locks
 * are gone. */
void files_power_cut(struct files *f, struct stream_random *r);
/* A task ended: its descriptors are closed, its locks given back (unless a copy of the descriptor
 * is in another task: kernel_share). */
void kernel_task_ended(struct task *t);
/* fork: `child` has these descriptors of the present task, too, under the same numbers, and every
 * one that is locked (the agent's lock file). */
void kernel_share(struct task *child, const int *fds, size_t count);

/* The master that a task's calls go to. Provided by the simulation (sim.c). */
struct files *master_files(struct master *m);

/* ---- what the world and the invariants do: at once, durable, no points, any owner ---- */

/* Whole file, its folders made as needed. The mode is 0600 and uid 0 where not told. */
void files_put(struct files *f, const char *path, const void *bytes, size_t length);
bool files_exists(const struct files *f, const char *path);
/* What reads see; NULL when it isn't a regular file. Lent until the next change. */
const char *files_get(const struct files *f, const char *path, size_t *ret_length);
/* What a power cut would leave for sure; NULL: nothing for sure. */
const char *files_get_durable(const struct files *f, const char *path, size_t *ret_length);
void files_remove(struct files *f, const char *path);
bool files_move(struct files *f, const char *from, const char *to); /* false: no such file */
void files_make_folder(struct files *f, const char *path);
void files_link(struct files *f, const char *path, const char *target); /* a symbolic link */
/* Calls `each` for each entry's name, sorted. */
void files_list(const struct files *f, const char *path,
                void (*each)(void *context, const char *name), void *context);
/* A digest over all names, kinds, modes, owners and bytes below `path`, as reads see them. */
uint64_t files_hash(const struct files *f, const char *path);
/* How much room is left for new bytes; UINT64_MAX (the default): no end. Writes beyond it: ENOSPC.
 */
void files_set_room(struct files *f, uint64_t bytes);
/* Everything that would change something fails with EROFS. */
void files_set_read_only(struct files *f, bool read_only);

/* ---- what others must hear ---- */

enum file_change {
    CHANGED_CREATED,  /* a name that was not there: created or moved in */
    CHANGED_REPLACED, /* a name whose file is another one now (rename over it) */
    CHANGED_REMOVED,  /* a name that is gone: removed or moved out */
    CHANGED_WRITTEN,  /* bytes, mode or owner of a file */
    CHANGED_SYNCED,   /* a file's bytes became durable */
};
/* Provided by the simulation: called after every change, made by a task (`t`) or by the world
 * (NULL). `folder` and `name` as in "/etc/kubernetes/manifests", "kube-apiserver.yaml". */
void kernel_changed(struct files *f, struct task *t, enum file_change what, const char *folder,
                    const char *name);

/* Provided by the simulation: the entry of every simulated system call of a task. Returns 0 to go
 * on or an errno to fail with; may kill the task or cut the power (then it doesn't return). `call`
 * is the system call's name ("renameat2"), `changes` whether it can change what is on the disk,
 * `path` what it is about where that is known, else NULL. May let time pass (a slow disk). */
int kernel_point(const char *call, bool changes, const char *path);
/* Provided by the simulation: short writes; how many of `length` bytes are really taken (>= 1). */
size_t kernel_write_length(size_t length);
/* Provided by the simulation: the clocks of the present task's master, in microseconds. */
uint64_t kernel_boot_usec(void);
int64_t kernel_wall_usec(void);
uint64_t kernel_random(void);
const char *kernel_boot_id(void); /* what /proc/sys/kernel/random/boot_id has */
