/* Names and their likeness: a distance is one, and what is a path, a name, a URL is that. Two lines
 * are the two texts. */
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "config/document.h"
#include "config/text.h"
#include "fuzz.h"

static void look(const char *text)
{
    if (text_is_path(text))
        fuzz_must(text[0] == '/' && !strstr(text, "//") && !strstr(text, "/../") &&
                  !strpbrk(text, "\n\r\033\177"));
    if (text_is_name(text))
        fuzz_must(*text && strlen(text) <= 63 && fuzz_is_printable(text));
    if (text_is_url(text))
        fuzz_must(!strncmp(text, "http", 4) && fuzz_is_printable(text) &&
                  !memchr(strchr(text, ':') + 3, '@', strcspn(strchr(text, ':') + 3, "/?#")));
    if (text_is_one_line(text))
        fuzz_must(!strpbrk(text, "\n\r\033\177"));
    if (text_is_integer(text))
        fuzz_must(strspn(text, "-0123456789") == strlen(text) && text_is_other_type(text));
    int found = words_find(&reason_words, text);
    fuzz_must(found < 0 || !strcmp(words_name(&reason_words, found), text));
    const char *nearest = words_nearest(&reason_words, text);
    fuzz_must(!nearest || words_find(&reason_words, nearest) >= 0);
    fuzz_must(found < 0 || !strcmp(nearest, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input in = {bytes, length};
    char *a = fuzz_line(&in, NULL), *b = fuzz_line(&in, NULL);
    if (a && b && length < 512) {
        size_t there = text_distance(a, b, 8), back = text_distance(b, a, 8);
        fuzz_must(there == back && there <= 9 && (there == 0) == !strcmp(a, b));
    }
    if (a)
        look(a);
    if (b)
        look(b);
    free(a);
    free(b);
    return 0;
}
