/* A root of its own for each test of the journal, and its segments as bytes. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "record/journal.h"
#include "record/segment.h"

struct fixture {
    char path[64];
    struct root *root;
    struct err e;
};

static inline int setup(void **state)
{
    struct fixture *f = mem_new(struct fixture);
    strcpy(f->path, "/tmp/planeguard-journal-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    assert_int_equal(root_open(f->path, &f->root, &f->e), 0);
    assert_int_equal(folder_make(f->root, JOURNAL_FOLDER, 0700, &f->e), 0);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", f->path);
    int r = system(command);
    root_free(f->root);
    free(f);
    return r;
}

static inline char *audit_path(const struct fixture *f, const char *name)
{
    static char text[2][256];
    static unsigned next;
    char *t = text[next++ % 2];
    (void)snprintf(t, sizeof text[0], "%s" JOURNAL_FOLDER "/%s", f->path, name);
    return t;
}

static inline void file_put(const struct fixture *f, const char *name, const char *bytes,
                            size_t length)
{
    int fd = open(audit_path(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t done = 0; done < length;) {
        ssize_t n = write(fd, bytes + done, length - done);
        assert_true(n > 0);
        done += (size_t)n;
    }
    (void)close(fd);
}

static inline struct buf file_get(const struct fixture *f, const char *name)
{
    char path[256];
    struct buf b = {0};
    struct err e;
    (void)snprintf(path, sizeof path, JOURNAL_FOLDER "/%s", name);
    if (file_read(f->root, path, 0, 1 << 28, &b, &e) < 0)
        fail_msg("%s", e.text);
    return b;
}

static inline bool file_is_there(const struct fixture *f, const char *name)
{
    return access(audit_path(f, name), F_OK) == 0;
}

static inline void file_drop(const struct fixture *f, const char *name)
{
    assert_int_equal(unlink(audit_path(f, name)), 0);
}

/* Everything in the audit folder goes. */
static inline void folder_empty(const struct fixture *f)
{
    struct names n = {0};
    assert_int_equal(folder_list(f->root, JOURNAL_FOLDER, &n, NULL), 0);
    for (size_t i = 0; i < n.count; i++)
        file_drop(f, n.at[i]);
    names_fini(&n);
}

#define FIRST_SEGMENT "00000000000000000000.jsonl"

static inline struct journal *journal_must_open(struct fixture *f, struct journal_opened *opened)
{
    struct journal *j = NULL;
    struct journal_opened ignored;
    if (journal_open(f->root, "master-1", &j, opened ? opened : &ignored, &f->e) < 0)
        fail_msg("%s", f->e.text);
    return j;
}

static inline void add_text(struct journal *j, enum record_type type, const char *key,
                            const char *text)
{
    json_t *fields = json_object();
    json_put(fields, key, json_string(text));
    journal_add(j, type, fields);
}

static inline void must_sync(struct fixture *f, struct journal *j)
{
    if (journal_sync(j, &f->e) < 0)
        fail_msg("%s", f->e.text);
    assert_false(journal_is_pending(j));
}

static inline struct journal_check verified(const struct fixture *f)
{
    struct journal_check c;
    journal_verify(f->root, JOURNAL_FOLDER, &c);
    return c;
}

static inline void must_be(const struct fixture *f, enum journal_verdict verdict)
{
    struct journal_check c = verified(f);
    if (c.verdict != verdict)
        fail_msg("verdict %d, expected %d: %s", (int)c.verdict, (int)verdict, c.why);
}

/* All types in order, "genesis start recover ", read back. */
static inline int types_add(void *context, const struct record *r)
{
    buf_printf(context, "%s ", json_get_string(r->body, "type", "?"));
    return 0;
}

static inline void types_must_be(struct fixture *f, const char *expected)
{
    struct buf types = {0};
    if (journal_read(f->root, JOURNAL_FOLDER, types_add, &types, &f->e) < 0)
        fail_msg("%s", f->e.text);
    assert_string_equal(buf_string(&types), expected);
    buf_fini(&types);
}
