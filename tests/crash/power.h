/* Power cuts: an ext4 image on a loop device, copied while the case stands still. What the file
 * system has not handed to the device yet isn't in the copy: it is what a power cut takes away.
 *
 * Mounted so that nothing but the agent's own calls brings data to the disk: no flush at a rename
 * (noauto_da_alloc), no commit by time. */
#pragma once

#include <limits.h>

struct power {
    char folder[PATH_MAX]; /* for images and the mount point */
};

/* NULL, or why it can't be done here. Mounts are this process's own afterwards. */
const char *power_is_possible(const char *folder);
/* The mount point of image `number`, which is made anew for 0. Static. */
const char *power_mount(const struct power *p, unsigned number);
void power_umount(const struct power *p);
/* What the device holds now becomes image `number`. */
void power_copy(const struct power *p, unsigned number);
void power_forget(const struct power *p, unsigned number);
