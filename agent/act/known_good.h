/* Last known good manifests: copies in /var/lib/planeguard/known-good/<pod>/. Kept only after
 * readiness has held (the core decides when: a probe's `knownGood`); the newest and the one
 * before stay.
 *
 *   <number, 10 digits>-<SHA-256, 64 hex>-<mode, octal>-<uid>-<gid>.yaml   the bytes
 *   the same, .json                            from where and when it was kept (for people)
 *
 * A higher number is newer. The name says all that is needed to put the copy back, and a copy whose
 * bytes don't have its name's digest is none. */
#pragma once

#include "act/hand.h"

/* Copies the manifest (digest must still be `digest`), verified. */
enum outcome known_good_keep(struct hand *h, const char *pod, const char *path, const char *digest,
                             struct err *detail);

struct known_good {
    struct buf bytes;
    struct digest digest;
    struct file_owner owner; /* as the original was */
};
/* The newest verified copy whose digest isn't `except` (may be NULL); -ENOENT: none. */
int known_good_find(const struct root *root, const char *pod, const struct digest *except,
                    struct known_good *ret, struct err *e);
/* The copy with this digest. */
int known_good_get(const struct root *root, const char *pod, const struct digest *digest,
                   struct known_good *ret, struct err *e);
void known_good_fini(struct known_good *k);

static inline void known_good_fini_owned(struct known_good *k)
{
    known_good_fini(k);
}
