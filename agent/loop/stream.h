/* A file read from front to back in bounded pieces, while another process may append to it: what
 * is read ends where the file ended when it was opened (or looked at again), so a reader
 * and a writer never chase each other. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "loop/file.h"

struct stream;

/* A regular file; no symbolic links. */
int stream_open(const struct root *r, const char *path, struct stream **ret, struct err *e);
void stream_close(struct stream *s);
/* At most `room` bytes into `bytes`; 0 at the end (also of a file that was cut shorter
 * meanwhile); < 0 an errno. */
ssize_t stream_read(struct stream *s, void *bytes, size_t room, struct err *e);
uint64_t stream_length(const struct stream *s);
/* Looks at the file's length again: what has been appended can now be read. */
int stream_look(struct stream *s, struct err *e);

OWNER(struct stream, stream_close);
