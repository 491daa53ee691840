/* A journal of any bytes (journal.h): reading, verifying and opening it agree. */
#include <errno.h>

#include "fuzz.h"
#include "journal.h"
#include "record/journal.h"

static int count(void *context, const struct record *r)
{
    uint64_t *n = context;
    fuzz_must(json_is_object(r->body) && r->line >= 1 && r->file);
    ++*n;
    return 0;
}

static struct journal_check verified(void)
{
    struct journal_check c;
    journal_verify(fuzz_root(), FUZZ_AUDIT, &c);
    fuzz_must(c.verdict == JOURNAL_WHOLE || (*c.why && fuzz_is_harmless(c.why)));
    return c;
}

/* What opening makes of it, and what is then written behind it. */
static void open_it(const struct journal_check *before)
{
    struct journal *j = NULL;
    struct journal_opened opened = {0};
    struct err e = {0};
    int code = journal_open(fuzz_root(), "n", &j, &opened, &e);
    fuzz_must(code == 0 || (code == -EBADMSG && *e.text && fuzz_is_harmless(e.text)));
    if (before->verdict == JOURNAL_WHOLE) {
        fuzz_must(code == 0 && !opened.torn_bytes && opened.next_seq == before->records);
    } else if (before->verdict == JOURNAL_TORN_TAIL) {
        fuzz_must(code == 0 && opened.next_seq >= before->records);
    } else if (before->segments <= 1) {
        fuzz_must(code < 0 || verified().verdict != JOURNAL_WHOLE);
    }
    if (code == 0) {
        json_t *fields = json_object();
        json_put(fields, "why", json_string("fuzz"));
        journal_add(j, RECORD_STOP, fields);
        fuzz_must(journal_sync(j, &e) == 0);
    }
    journal_close(j);
    struct journal_check after = verified();
    bool was_good = before->verdict == JOURNAL_WHOLE || before->verdict == JOURNAL_TORN_TAIL;
    fuzz_must((after.verdict == JOURNAL_WHOLE) == was_good);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_journal(bytes, length);
    uint64_t read = 0;
    struct err e = {0};
    struct journal_check c = verified();
    int code = journal_read(fuzz_root(), FUZZ_AUDIT, count, &read, &e);
    fuzz_must(code == 0 || (code == -EBADMSG && *e.text && fuzz_is_harmless(e.text)));
    if (c.verdict == JOURNAL_WHOLE || c.verdict == JOURNAL_TORN_TAIL)
        fuzz_must(code == 0 && read == c.records);
    open_it(&c);
    return 0;
}
