/* Descriptors that came from somebody else, beside a frame. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Reads a regular file (or sealed memory) from its beginning, at most `limit_bytes` (more: -EFBIG;
 * not such a file: -EINVAL). The descriptor's own position is left alone. */
int descriptor_read(int fd, size_t limit_bytes, struct buf *ret, struct err *e);
