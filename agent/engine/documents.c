/* The documents in force, kept once by their digest: a decision can be made again only from the
 * very documents that it was made from, and the files below /etc change. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "engine/replay.h"

static int store(const struct engine *en, struct err *e)
{
    OWNED(free) char *path = documents_path(JOURNAL_FOLDER, &en->generation->digest);
    struct file_status s;
    int r = file_status(en->root, path, 0, &s, e);
    if (r < 0 || s.exists)
        return r;
    OWNED(free) char *text = generation_documents(en->generation);
    if (!text)
        return err_set(e, -EILSEQ, "a document is no text");
    r = folder_make(en->root, JOURNAL_FOLDER "/documents", 0700, e);
    if (r >= 0)
        r = file_create(en->root, path, JOURNAL_FOLDER "/documents", text, strlen(text), NULL, e);
    return r == -EEXIST ? 0 : r;
}

void documents_store(struct engine *en, json_t *body)
{
    struct err e = {0};
    if (store(en, &e) < 0) {
        log_warning("the documents in force can't be kept beside the journal, so what is decided "
                    "on them can't be replayed: %s",
                    e.text);
        json_put(body, "notStored", json_string_or_null(e.text));
    }
    generation_forget_documents(en->generation);
}
