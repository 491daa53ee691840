/* Where a container's log lies, and its end: container.c's own. */
#pragma once

#include "base/buf.h"
#include "config/cri.h"
#include "observe/probe.h"

/* The last bytes (LAST_WORDS_BYTES at most) of the container's log: at `hint` (CRI's logPath; may
 * be NULL) if that lies below the node's folder of pod logs, else at
 * NAMESPACE_POD_UID/NAME/ATTEMPT.log there. No symbolic link is followed: who may write that folder
 * could name any file by one. Empty when there is none. */
void container_log_tail(const struct view *v, const struct container *c, const char *hint,
                        struct buf *ret);
