#include "record/walk.h"

#include <errno.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "loop/clock.h"
#include "loop/stream.h"
#include "record/chain.h"
#include "record/segment.h"

enum {
    CHUNK_BYTES = 128 * 1024, /* stays in the processor's cache */
    ROOM_BYTES = LINE_BYTES_MAX + CHUNK_BYTES,
    LOOKS_MAX = 1000,
    NAPS_MAX = 3,
};
#define NAP_USEC (1 * USEC_PER_MSEC)

struct walk {
    const struct root *root;
    const char *folder;
    struct names files;
    size_t next_file;
    bool is_alone;
    struct stream *stream; /* of files.at[next_file - 1]; NULL between files */
    uint64_t first_seq, number, offset;
    bool is_skipping;         /* the rest of a line that is too long */
    int looks, naps;          /* at a last line that was being written: it is the last one read */
    bool is_over;             /* ... and was */
    size_t from, scanned, to; /* in bytes: what is there, and how far no newline is in it */
    char *bytes;
};

void walk_close(struct walk *w)
{
    if (!w)
        return;
    stream_close(w->stream);
    names_fini(&w->files);
    free(w->bytes);
    free(w);
}

static struct walk *walk_new(const struct root *root, const char *folder)
{
    struct walk *w = mem_new(struct walk);
    *w = (struct walk){.root = root, .folder = folder, .bytes = mem_alloc(ROOM_BYTES)};
    return w;
}

int walk_open(const struct root *root, const char *folder, struct walk **ret, struct err *e)
{
    OWNED(walk_close) struct walk *w = walk_new(root, folder);
    int code = segments_list(root, folder, &w->files, e);
    if (code < 0)
        return code;
    if (w->files.count == 0)
        return err_set(e, -ENOENT, "%s: no journal here", folder);
    *ret = TAKE(w);
    return 0;
}

struct walk *walk_alone(const struct root *root, const char *folder, const char *name)
{
    struct walk *w = walk_new(root, folder);
    w->is_alone = true;
    *mem_push(w->files.at, w->files.count, w->files.room) = mem_strdup(name);
    return w;
}

static int next_segment(struct walk *w, struct err *e)
{
    OWNED(free) char *path = mem_printf("%s/%s", w->folder, w->files.at[w->next_file]);
    int code = stream_open(w->root, path, &w->stream, e);
    if (code < 0)
        return code;
    w->next_file++;
    w->number = w->offset = 0;
    w->from = w->scanned = w->to = 0;
    w->is_skipping = w->is_over = false;
    w->looks = w->naps = 0;
    (void)segment_parse(w->files.at[w->next_file - 1], &w->first_seq);
    return 0;
}

static void end_segment(struct walk *w)
{
    stream_close(w->stream);
    w->stream = NULL;
}

static bool is_in_last(const struct walk *w)
{
    return w->next_file == w->files.count;
}

/* Gives `length` bytes as a line; `taken` bytes are gone by the next step. */
static void give(struct walk *w, size_t length, size_t taken, bool complete, struct walk_line *ret)
{
    w->offset += taken;
    *ret = (struct walk_line){.file = w->files.at[w->next_file - 1],
                              .first_seq = w->first_seq,
                              .number = ++w->number,
                              .end = w->offset,
                              .bytes = w->bytes + w->from,
                              .length = length,
                              .complete = complete,
                              .in_last = is_in_last(w),
                              .file_bytes = stream_length(w->stream)};
    w->from += taken;
    w->scanned = w->from;
    w->is_over = w->looks > 0;
}

/* The rest of a line that is too long goes by. */
static void skip(struct walk *w, const char *newline)
{
    size_t gone = newline ? (size_t)(newline + 1 - w->bytes) - w->from : w->to - w->from;
    w->offset += gone;
    w->from += gone;
    w->scanned = w->from;
    w->is_skipping = !newline;
}

/* A line out of what is in memory; false: more is needed. */
static bool take_line(struct walk *w, struct walk_line *ret)
{
    for (;;) {
        const char *newline = memchr(w->bytes + w->scanned, '\n', w->to - w->scanned);
        w->scanned = w->to;
        if (w->is_skipping) {
            skip(w, newline);
            if (!newline)
                return false;
            continue;
        }
        size_t length = newline ? (size_t)(newline - w->bytes) - w->from : w->to - w->from;
        if (length >= LINE_BYTES_MAX) {
            w->is_skipping = true;
            give(w, LINE_BYTES_MAX, LINE_BYTES_MAX, true, ret);
            return true;
        }
        if (newline)
            give(w, length, length + 1, true, ret);
        return newline;
    }
}

/* Reads on: 1 when there are new bytes, 0 at the file's end. */
static int fill(struct walk *w, struct err *e)
{
    if (w->from > 0) {
        memmove(w->bytes, w->bytes + w->from, w->to - w->from);
        w->scanned -= w->from;
        w->to -= w->from;
        w->from = 0;
    }
    ssize_t n = stream_read(w->stream, w->bytes + w->to, CHUNK_BYTES, e);
    if (n <= 0)
        return (int)n;
    w->to += (size_t)n;
    return 1;
}

/* Is the incomplete last line being written just now? 1 when there is more of it. */
static int look_again(struct walk *w, struct err *e)
{
    uint64_t before = stream_length(w->stream);
    while (w->looks++ < LOOKS_MAX) {
        int code = stream_look(w->stream, e);
        if (code < 0)
            return code;
        if (stream_length(w->stream) > before)
            return 1;
        if (w->naps++ == NAPS_MAX)
            return 0;
        clock_sleep(NAP_USEC);
    }
    return 0;
}

/* At the file's end: 1 and what is left there, 0 when nothing is, -EAGAIN when it has grown. */
static int take_end(struct walk *w, struct walk_line *ret, struct err *e)
{
    size_t left = w->is_skipping ? 0 : w->to - w->from;
    bool is_empty = w->number == 0;
    if (left == 0 && !is_empty) {
        end_segment(w);
        return 0;
    }
    if (is_in_last(w) && !w->is_alone) {
        int code = look_again(w, e);
        if (code != 0)
            return code < 0 ? code : -EAGAIN;
    }
    give(w, left, left, false, ret);
    return 1;
}

int walk_next(struct walk *w, struct walk_line *ret, struct err *e)
{
    for (;;) {
        if (w->is_over)
            end_segment(w);
        if (!w->stream) {
            if (is_in_last(w))
                return 0;
            int code = next_segment(w, e);
            if (code < 0)
                return code;
        }
        if (take_line(w, ret))
            return 1;
        int code = fill(w, e);
        if (code == 0)
            code = take_end(w, ret, e);
        else if (code == 1)
            continue;
        if (code != 0 && code != -EAGAIN)
            return code;
    }
}
