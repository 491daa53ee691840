/* Records told to people: whatever a record holds, a few lines of printable ASCII come out. Each
 * line of the input is a record's body; each is told as it is, and with a hostile text in place of
 * every text that isn't a word of ours. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "record/story.h"
#include "record/tell.h"

enum { SENTENCE_MAX = 64 * 1024 };

static const char hostile[] = "\xe2\x80\xae\x1b]0;x\x07\n%s%n \\ \" \xc2\x9b\xf0\x9f\x92\xa9\x7f";

static bool is_word(const char *key)
{
    static const char *const words[] = {"type", "event", "of", "verdict", "from", "to", "what"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(key, words[i]))
            return true;
    return false;
}

static void make_hostile(json_t *v)
{
    const char *key;
    json_t *one;
    void *next;
    json_object_foreach_safe(v, next, key, one)
    {
        if (json_is_string(one) && !is_word(key))
            json_put(v, key, json_text(hostile, sizeof hostile - 1));
        else
            make_hostile(one);
    }
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        one = json_array_get(v, i);
        if (json_is_string(one))
            (void)json_array_set_new(v, i, json_text(hostile, sizeof hostile - 1));
        else
            make_hostile(one);
    }
}

static void tell_it(struct story *s, const json_t *body)
{
    struct buf out = {0}, sentence = {0};
    const char *word = tell(body, &sentence);
    fuzz_must(fuzz_is_printable(buf_string(&sentence)));
    fuzz_must(word || !sentence.length);
    fuzz_must(sentence.length < SENTENCE_MAX);
    const struct record r = {.seq = 1, .file = "f", .line = 1, .body = (json_t *)body};
    story_add(s, &r, &out);
    size_t lines = 0;
    for (size_t i = 0; i < out.length; i++) {
        lines += out.bytes[i] == '\n';
        fuzz_must(out.bytes[i] == '\n' || (out.bytes[i] >= ' ' && out.bytes[i] <= '~'));
    }
    fuzz_must(s->width || lines <= 3); /* a day's heading with a line before it, and the sentence */
    buf_fini(&out);
    buf_fini(&sentence);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input in = {bytes, length};
    struct story plain = {0}, narrow = {.width = 40, .one = true};
    size_t n;
    for (char *line; (line = fuzz_line(&in, &n)); free(line)) {
        json_t *body = json_parse(line, n, NULL);
        if (json_is_object(body)) {
            tell_it(&plain, body);
            tell_it(&narrow, body);
            make_hostile(body);
            tell_it(&plain, body);
            tell_it(&narrow, body);
        }
        json_decref(body);
    }
    return 0;
}
