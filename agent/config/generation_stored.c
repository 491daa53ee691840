/* A generation as one file, and from it again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/generation_files.h"

enum { STORED_VERSION = 1, STORED_BYTES_MAX = 256 << 20 };

static const char *const origin_names[] = {"shipped", "operator", "asked"};
static const struct words origin_words = {
    .what = "origin", .names = origin_names, .count = sizeof origin_names / sizeof *origin_names};

void loading_keep(struct loading *l, const char *shown, enum origin origin, const struct buf *bytes)
{
    json_t *text = json_stringn(buf_string(bytes), bytes->length);
    if (!l->documents || !text) {
        json_decref(l->documents);
        l->documents = NULL; /* no text: nor is it a document that loads */
        json_decref(text);
        return;
    }
    json_t *one = json_object();
    json_put(one, "file", json_string_or_null(shown));
    json_put(one, "origin", json_string(words_name(&origin_words, (int)origin)));
    json_put(one, "text", text);
    json_push(l->documents, one);
}

char *generation_documents(const struct generation *g)
{
    if (!g->documents)
        return NULL;
    char hex[DIGEST_HEX + 1];
    OWNED(json_decref) json_t *all = json_object();
    json_put(all, "v", json_integer(STORED_VERSION));
    json_put(all, "digest", json_string(digest_hex(&g->digest, hex)));
    json_put(all, "files", json_incref(g->documents));
    return json_canonical(all);
}

void generation_forget_documents(struct generation *g)
{
    json_decref(g->documents);
    g->documents = NULL;
}

/* ---- back ---- */

static int load_one(struct loading *l, const json_t *one, struct err *e)
{
    const char *file = json_get_string(one, "file", NULL);
    const json_t *text = json_object_get(one, "text");
    int origin = words_find(&origin_words, json_get_string(one, "origin", ""));
    if (!file || !strchr(file, '/') || !json_is_string(text) || origin < 0)
        return err_set(e, -EBADMSG, "an entry that is no document's file");
    struct buf bytes = {0};
    buf_add(&bytes, json_string_value(text), json_string_length(text));
    source_take_bytes(l, file, (enum origin)origin, &bytes);
    buf_fini(&bytes);
    return 0;
}

static json_t *read_files(const struct root *root, const char *path, const struct digest *wanted,
                          struct err *e)
{
    OWNED(buf_fini) struct buf text = {0};
    if (file_read(root, path, 0, STORED_BYTES_MAX, &text, e) < 0)
        return NULL;
    OWNED(json_decref) json_t *all = json_parse(buf_string(&text), text.length, e);
    json_t *files = json_object_get(all, "files");
    struct digest said;
    if (!all)
        return NULL;
    if (json_get_int(all, "v", 0) != STORED_VERSION || !json_is_array(files) ||
        digest_parse(json_get_string(all, "digest", ""), &said) < 0 || !digest_equal(&said, wanted))
        (void)err_set(e, -EBADMSG, "it isn't the stored documents of that digest");
    else
        return json_incref(files);
    return NULL;
}

/* One policy's file: that policy is to be in force. */
static void ask_policy(struct loading *l, const char *policy)
{
    if (!policy)
        return;
    l->policy_at = (struct yaml){.file = "--policy", .line = 1, .column = 1};
    l->policy = policy;
    if (!strchr(policy, '/') && !strstr(policy, ".yaml"))
        return;
    size_t before = l->entries.count;
    load_path(l, policy, ORIGIN_ASKED);
    for (size_t i = before; i < l->entries.count; i++)
        if (l->entries.at[i]->kind == DOCUMENT_POLICY)
            l->policy = l->entries.at[i]->meta.name;
}

int generation_load_stored(const struct root *root, const char *path, const struct digest *digest,
                           const struct generation_asked *asked, const struct catalog *catalog,
                           struct generation **ret, struct complaints *complaints, struct err *e)
{
    OWNED(json_decref) json_t *files = read_files(root, path, digest, e);
    if (!files)
        return err_wrap(e, -EBADMSG, "%s", path);
    struct loading_run run;
    struct loading *l = loading_begin(&run, catalog, complaints);
    int r = 0;
    for (size_t i = 0; i < json_array_size(files) && r >= 0; i++)
        r = load_one(l, json_array_get(files, i), e);
    if (r >= 0 && asked) {
        if (asked->playbooks)
            load_path(l, asked->playbooks, ORIGIN_ASKED);
        ask_policy(l, asked->policy);
    }
    OWNED(generation_unref) struct generation *g = loading_end(&run);
    if (r < 0)
        return err_wrap(e, r, "%s", path);
    if (!g)
        return err_set(e, -EINVAL, "%s: %s", path,
                       complaints->count ? complaints->at[0].text : "the documents don't load");
    if (!asked && !digest_equal(&g->digest, digest))
        return err_set(e, -EBADMSG, "%s: the documents in it have another digest than it says",
                       path);
    generation_forget_documents(g);
    *ret = TAKE(g);
    return 0;
}
