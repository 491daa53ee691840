/* Replay of a journal of any bytes (journal.h): a verdict with its reason, the same each time. `@`
 * in the input stands for the digest of the documents that are stored beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/replay.h"
#include "fuzz.h"
#include "journal.h"

static void store_documents(char hex[DIGEST_HEX + 1])
{
    static bool is_done;
    struct generation *g = fuzz_generation();
    (void)digest_hex(&g->digest, hex);
    if (is_done)
        return;
    is_done = true;
    OWNED(free) char *path = documents_path(FUZZ_AUDIT, &g->digest);
    OWNED(free) char *folder = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
    OWNED(free) char *text = generation_documents(g);
    fuzz_folder(folder);
    fuzz_write(path, text, strlen(text));
}

static void look(const struct replay_result *r, const struct err *e)
{
    fuzz_must(r->verdict == REPLAY_SAME || r->verdict == REPLAY_DIFFERS ||
              r->verdict == REPLAY_UNREADABLE);
    fuzz_must(r->verdict != REPLAY_UNREADABLE || (*e->text && fuzz_is_harmless(e->text)));
    fuzz_must(r->verdict != REPLAY_DIFFERS || (r->what && *r->what));
    for (size_t i = 0; i < r->gap_count; i++)
        fuzz_must(r->gaps[i].why && r->gaps[i].where && r->gaps[i].count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char hex[DIGEST_HEX + 1];
    OWNED(buf_fini) struct buf all = {0};
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '@')
            buf_add(&all, &bytes[i], 1);
        else if (all.length < 64 * 1024)
            buf_text(&all, fuzz_generation() ? digest_hex(&fuzz_generation()->digest, hex) : "");
    }
    fuzz_journal((const uint8_t *)buf_string(&all), all.length);
    store_documents(hex);
    struct replay_result first = {0}, second = {0};
    struct err e = {0};
    fuzz_must(replay_journal(fuzz_root(), FUZZ_AUDIT, fuzz_catalog(), &first, &e) == first.verdict);
    look(&first, &e);
    if (length % 8 == 0) { /* not always: it takes its time */
        (void)replay_journal(fuzz_root(), FUZZ_AUDIT, fuzz_catalog(), &second, &e);
        fuzz_must(first.verdict == second.verdict && first.events == second.events &&
                  first.decisions == second.decisions && first.gap_count == second.gap_count);
    }
    replay_result_fini(&first);
    replay_result_fini(&second);
    return 0;
}
