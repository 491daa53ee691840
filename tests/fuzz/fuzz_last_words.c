/* The end of a container's log: a line of it, and one clean line of that for people. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "observe/last_words.h"
#include "observe/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *log = (const char *)bytes;
    struct last_words w = last_words_of(log, length);
    fuzz_must((size_t)w.word < last_word_words.count);
    fuzz_must(w.line || w.word == LAST_WORD_NONE);
    if (w.line)
        fuzz_must(w.line >= log && w.line + w.length <= log + length &&
                  !memchr(w.line, '\n', w.length));
    char line[LINE_TEXT], again[LINE_TEXT];
    (void)line_clean(log, length, line);
    fuzz_must(strlen(line) < LINE_TEXT && fuzz_is_printable(line));
    fuzz_must(!strcmp(line_clean(line, strlen(line), again), line));
    char *text = fuzz_text(bytes, length);
    struct buf words = {0};
    size_t count = 0;
    for (int i = 0; i < LIST_WORDS + 8 && length < 256; i++)
        line_add_word(&words, &count, text);
    fuzz_must(fuzz_is_printable(buf_string(&words)));
    buf_fini(&words);
    (void)last_words_bad_command("StartError", text);
    (void)last_words_bad_command(text, NULL);
    free(text);
    return 0;
}
