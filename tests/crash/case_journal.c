/* Cases of record/: what journal_sync said is recorded is there, once and in order. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cases.h"
#include "record/writer.h"

enum { BATCHES = 3 };

static int append_batches(struct world *w, struct journal *j, struct err *e)
{
    int worst = 0;
    static const enum record_type types[BATCHES] = {RECORD_INTENT, RECORD_EFFECT, RECORD_RESULT};
    for (int i = 0; i < BATCHES; i++) {
        struct err one;
        int code = world_record(w, j, types[i], &one);
        if (code == 0)
            continue;
        /* As the engine: tried again, with what comes next. */
        worst = code;
        *e = one;
    }
    return worst;
}

static int open_and_append(struct world *w, struct err *e)
{
    OWNED(journal_close) struct journal *j = NULL;
    struct journal_opened opened;
    int code = journal_open(w->root, w->node.name, &j, &opened, e);
    return code < 0 ? code : append_batches(w, j, e);
}

static void nothing(struct world *w)
{
    (void)w;
}

static void with_records(struct world *w)
{
    struct err e;
    world_must(open_and_append(w, &e), &e);
}

static const char torn[] = "{\"body\":{\"boot\":\"0123";

/* As a crash leaves it that cut the last write short. */
static void with_torn_tail(struct world *w)
{
    char path[PATH_MAX + 256], name[SEGMENT_NAME];
    with_records(w);
    (void)snprintf(path, sizeof path, "%s" JOURNAL_FOLDER "/%s", w->path, segment_name(0, name));
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, torn, sizeof torn - 1) == (ssize_t)sizeof torn - 1;
    if (!written || close(fd) < 0)
        world_must(-1, &(struct err){.text = "no segment to tear"});
}

/* Nothing that was in the journal is thrown away. */
static void is_set_aside(struct world *w)
{
    char path[PATH_MAX], name[SEGMENT_NAME];
    struct digest d, wanted = digest_of(torn, sizeof torn - 1);
    struct err e;
    (void)snprintf(path, sizeof path, JOURNAL_FOLDER "/%s.torn", segment_name(0, name));
    if (file_digest(w->root, path, 0, &d, &e) < 0 || !digest_equal(&d, &wanted))
        world_violation(w, "the torn tail is not kept in %s", path);
}

/* By the writer itself, which takes a segment for full when told so: 16 MiB of records for each
 * point would take long, and no call in them is another one. */
static int rotate(struct world *w, struct err *e)
{
    struct writer writer;
    bool is_new;
    int code = writer_open(w->root, w->node.name, &writer, &is_new, e);
    if (code < 0)
        return code;
    for (int i = 0; i < BATCHES; i++) {
        struct err one;
        json_t *fields = json_object();
        json_put(fields, "n", json_integer((json_int_t)w->shared->begun));
        char *texts[] = {writer_text(&writer, RECORD_RESULT, fields)};
        int written = writer_write(&writer, texts, 1, false, &one);
        free(texts[0]);
        if (written < 0) {
            code = written;
            *e = one;
            continue;
        }
        w->shared->durable = ++w->shared->begun;
        uint64_t bytes = writer.good_bytes;
        char name[SEGMENT_NAME];
        memcpy(name, writer.out.name, sizeof name);
        writer.good_bytes = JOURNAL_SEGMENT_BYTES;
        writer_rotate(&writer);
        if (strcmp(name, writer.out.name) == 0)
            writer.good_bytes = bytes;
    }
    writer_fini(&writer);
    return code;
}

const struct crash_case case_journal_new = {
    .name = "journal.new", .prepare = nothing, .act = open_and_append};
const struct crash_case case_journal_append = {
    .name = "journal.append", .prepare = with_records, .act = open_and_append};
const struct crash_case case_journal_rotate = {
    .name = "journal.rotate", .prepare = with_records, .act = rotate};
const struct crash_case case_journal_torn = {.name = "journal.torn",
                                             .prepare = with_torn_tail,
                                             .act = open_and_append,
                                             .check = is_set_aside};
