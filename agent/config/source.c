/* Finding and reading the documents' files.
 *
 * On the host, whoever can change a document is as good as root: so each file, and each
 * folder on the way to it, must be root's and writable by nobody else, and none may be a
 * link. What a person names (lint's paths, --shipped) is taken as it is. */
#include "config/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/generation_files.h"

enum { FOLDERS_DEEP_MAX = 8, COMPLAINTS_MAX = 1000 };

void complain(struct loading *l, const char *text)
{
    struct complaints *c = l->complaints;
    l->complained++;
    if (c->count == COMPLAINTS_MAX)
        return;
    mem_push(c->at, c->count, c->room)->text = mem_strdup(text);
}

static void complain_each(void *context, const char *text)
{
    complain(context, text);
}

struct errors errors_of(struct loading *l)
{
    return (struct errors){.each = complain_each, .context = l};
}

int source_complain(struct loading *l, const struct source *s, const char *path, const char *format,
                    ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    OWNED(free) char *file = mem_printf("%s%s", s->shown, path);
    struct err e;
    int r = yaml_error(&(struct yaml){.file = file, .line = 1, .column = 1}, &e, "%s", text);
    complain(l, e.text);
    /* What it holds isn't known, so neither are the names of what is missing. */
    l->incomplete = true;
    return r;
}

/* ---- one file ---------------------------------------------------------------------------- */

static int check_owner(struct loading *l, const struct source *s, const char *path,
                       const struct file_status *st)
{
    if (!s->guarded)
        return 0;
    if (st->uid != 0)
        return source_complain(
            l, s, path, "belongs to user %u, expected root: `chown root` it, after reading it",
            (unsigned)st->uid);
    if (st->mode & 022)
        return source_complain(
            l, s, path,
            "others than root may write to it (mode %04o): `chmod go-w` it, after "
            "reading it",
            (unsigned)st->mode & 07777);
    return 0;
}

static int check_file(struct loading *l, const struct source *s, const char *path,
                      const struct file_status *st)
{
    if (!st->exists)
        return source_complain(l, s, path, "not there, expected a file of documents");
    if (!st->is_regular)
        return source_complain(l, s, path, "%s, expected a regular file",
                               st->is_folder ? "a folder"
                               : st->is_link ? "a symbolic link"
                                             : "not a file of bytes");
    if (st->size_bytes > YAML_FILE_BYTES_MAX)
        return source_complain(l, s, path, "%zu bytes, expected at most %d: split the file",
                               (size_t)st->size_bytes, YAML_FILE_BYTES_MAX);
    return check_owner(l, s, path, st);
}

void source_take_bytes(struct loading *l, const char *shown, enum origin origin,
                       const struct buf *bytes)
{
    OWNED(pool_free) struct pool *pool = pool_new();
    struct errors errors = errors_of(l);
    struct yaml *documents = NULL;
    /* A NUL is in no document that loads: it keeps the files apart in the digest. */
    digest_add(l->digest, buf_string(bytes), bytes->length + 1);
    loading_keep(l, shown, origin, bytes);
    l->file = pool_strdup(l->pool, shown);
    (void)yaml_parse_all(pool, shown, buf_string(bytes), bytes->length, &documents, &errors);
    l->incomplete |= errors.count > 0;
    for (const struct yaml *one = documents; one; one = one->next)
        document_decode(l, one, origin, strrchr(shown, '/') + 1);
}

void source_load_file(struct loading *l, const struct source *s, const char *path)
{
    struct file_status st;
    struct err e;
    OWNED(buf_fini) struct buf bytes = {0};
    int flags = s->guarded ? 0 : FILE_FOLLOW;
    if (file_status(s->root, path, flags, &st, &e) < 0) {
        (void)source_complain(l, s, path, "can't be looked at: %s", e.text);
        return;
    }
    if (check_file(l, s, path, &st) < 0)
        return;
    if (file_read(s->root, path, flags, YAML_FILE_BYTES_MAX, &bytes, &e) < 0) {
        (void)source_complain(l, s, path, "can't be read: %s", e.text);
        return;
    }
    OWNED(free) char *shown = mem_printf("%s%s", s->shown, path);
    source_take_bytes(l, shown, s->origin, &bytes);
}

/* ---- folders ----------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

static bool is_ignored(const char *name)
{
    return name[0] == '.' || ends_with(name, "~");
}

static void load_folder(struct loading *l, const struct source *s, const char *path, int depth);

static void load_entry(struct loading *l, const struct source *s, const char *path, int depth)
{
    struct file_status st;
    struct err e;
    if (ends_with(path, ".yaml")) {
        source_load_file(l, s, path);
        return;
    }
    if (!s->deep)
        return;
    if (file_status(s->root, path, 0, &st, &e) < 0)
        (void)source_complain(l, s, path, "can't be looked at: %s", e.text);
    else if (st.is_folder)
        load_folder(l, s, path, depth + 1);
}

static void load_folder(struct loading *l, const struct source *s, const char *path, int depth)
{
    struct file_status st;
    struct err e;
    OWNED(names_fini) struct names names = {0};
    if (depth > FOLDERS_DEEP_MAX) {
        (void)source_complain(l, s, path, "more than %d folders deep", FOLDERS_DEEP_MAX);
        return;
    }
    if (file_status(s->root, path, 0, &st, &e) < 0 || folder_list(s->root, path, &names, &e) < 0) {
        (void)source_complain(l, s, path, "can't be listed: %s", e.text);
        return;
    }
    if (check_owner(l, s, path, &st) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        if (is_ignored(names.at[i]))
            continue;
        OWNED(free) char *below = mem_printf("%s/%s", strcmp(path, "/") ? path : "", names.at[i]);
        load_entry(l, s, below, depth);
    }
}

void source_load_folder(struct loading *l, const struct source *s, const char *path)
{
    load_folder(l, s, path, 0);
}

static int check_folder(struct loading *l, const struct source *s, const char *path)
{
    struct file_status st;
    struct err e;
    if (file_status(s->root, path, 0, &st, &e) < 0)
        return source_complain(l, s, path, "can't be looked at: %s", e.text);
    if (st.is_link)
        return source_complain(l, s, path, "a symbolic link, expected a folder");
    return st.exists ? check_owner(l, s, path, &st) : 0;
}

/* Each folder on the way to `path`, from the root on. */
static int check_way(struct loading *l, const struct source *s, const char *path)
{
    OWNED(free) char *part = mem_strdup(path);
    int r = s->guarded ? check_folder(l, s, "/") : 0;
    if (!s->guarded || r < 0)
        return r;
    for (char *end = part; (end = strchr(end + 1, '/')); *end = '/') {
        *end = '\0';
        r = check_folder(l, s, part);
        if (r < 0)
            return r;
    }
    return 0;
}

void source_load_optional(struct loading *l, const struct source *s, const char *path)
{
    struct file_status st;
    struct err e;
    if (check_way(l, s, path) < 0)
        return;
    if (file_status(s->root, path, 0, &st, &e) < 0)
        (void)source_complain(l, s, path, "can't be looked at: %s", e.text);
    else if (st.is_folder && !ends_with(path, ".yaml"))
        source_load_folder(l, s, path);
    else if (st.exists)
        source_load_file(l, s, path);
}
