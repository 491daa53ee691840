#include "record/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/own.h"

enum {
    SEQ_DIGITS = 20,
    READ_LIMIT = 256 * 1024 * 1024, /* far beyond any segment that we write */
    TORN_NAMES_MAX = 1000,
};
#define SUFFIX ".jsonl"
#define TORN ".torn"
#define TORN_NEW ".torn.new"

char *segment_name(uint64_t first_seq, char name[SEGMENT_NAME])
{
    (void)snprintf(name, SEGMENT_NAME, "%020" PRIu64 SUFFIX, first_seq);
    return name;
}

bool segment_parse(const char *name, uint64_t *ret_first_seq)
{
    uint64_t n = 0;
    if (strspn(name, "0123456789") != SEQ_DIGITS || strcmp(name + SEQ_DIGITS, SUFFIX) != 0)
        return false;
    for (const char *d = name; d < name + SEQ_DIGITS; d++)
        if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(*d - '0'), &n))
            return false;
    *ret_first_seq = n;
    return true;
}

int segments_list(const struct root *root, const char *folder, struct names *ret, struct err *e)
{
    struct names n = {0};
    int code = folder_list(root, folder, &n, e);
    if (code < 0)
        return code;
    size_t kept = 0;
    for (size_t i = 0; i < n.count; i++) {
        uint64_t ignored;
        if (segment_parse(n.at[i], &ignored))
            n.at[kept++] = n.at[i];
        else
            free(n.at[i]);
    }
    n.count = kept;
    *ret = n;
    return 0;
}

int tail_save(const struct root *root, const char *folder, const char *segment, uint64_t offset,
              struct err *e)
{
    OWNED(buf_fini) struct buf bytes = {0};
    OWNED(free) char *from = mem_printf("%s/%s", folder, segment);
    OWNED(free) char *to = mem_printf("%s%s", from, TORN_NEW);
    int code = file_read(root, from, 0, READ_LIMIT, &bytes, e);
    if (code < 0 || bytes.length <= offset)
        return code;
    return file_replace(root, to, folder, bytes.bytes + offset, bytes.length - (size_t)offset, NULL,
                        e);
}

static bool is_unsettled(const char *name)
{
    uint64_t ignored;
    char segment[SEGMENT_NAME];
    if (strlen(name) != SEGMENT_NAME - 1 + sizeof TORN_NEW - 1)
        return false;
    memcpy(segment, name, SEGMENT_NAME - 1);
    segment[SEGMENT_NAME - 1] = '\0';
    return segment_parse(segment, &ignored) && !strcmp(name + SEGMENT_NAME - 1, TORN_NEW);
}

int tail_find(const struct root *root, const char *folder, struct tail *ret, struct err *e)
{
    struct names n = {0};
    int code = folder_list(root, folder, &n, e);
    if (code < 0)
        return code;
    for (size_t i = 0; i < n.count && code == 0; i++) {
        if (!is_unsettled(n.at[i]))
            continue;
        OWNED(free) char *path = mem_printf("%s/%s", folder, n.at[i]);
        struct file_status st;
        struct tail t;
        code = file_status(root, path, 0, &st, e);
        if (code == 0)
            code = file_digest(root, path, 0, &t.digest, e);
        if (code < 0)
            break;
        t.bytes = st.size_bytes;
        (void)snprintf(t.name, sizeof t.name, "%s", n.at[i]);
        *ret = t;
        code = 1;
    }
    names_fini(&n);
    return code;
}

int tail_settle(const struct root *root, const char *folder, const struct tail *t, struct err *e)
{
    OWNED(free) char *from = mem_printf("%s/%s", folder, t->name);
    OWNED(free) char *to = mem_printf("%s/%.*s%s", folder, SEGMENT_NAME - 1, t->name, TORN);
    for (int i = 1;; i++) {
        struct file_status st;
        int code = file_status(root, to, 0, &st, e);
        if (code < 0)
            return code;
        if (!st.exists)
            return file_move(root, from, to, e);
        if (i == TORN_NAMES_MAX)
            return err_set(e, -EEXIST, "%s: %d torn tails of this segment are kept already", to, i);
        free(to);
        to = mem_printf("%s/%.*s%s.%d", folder, SEGMENT_NAME - 1, t->name, TORN, i);
    }
}
