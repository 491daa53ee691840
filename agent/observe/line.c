#include "observe/line.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/secret.h"

/* What a program logs about its own failure may hold what has no business here. */
static bool is_secret(const char *line, size_t length)
{
    OWNED(buf_fini) struct buf redacted = {0};
    secret_redact(line, length, &redacted);
    return strcmp(buf_string(&redacted), line) != 0;
}

char *line_clean(const char *bytes, size_t length, char line[LINE_TEXT])
{
    size_t n = 0;
    for (size_t i = 0; i < length && n < LINE_TEXT - 1; i++) {
        char c = bytes[i];
        if (c == '\t' || c == '\n' || c == '\r')
            c = ' ';
        line[n++] = c < ' ' || c > '~' ? '?' : c;
    }
    while (n && line[n - 1] == ' ')
        n--;
    line[n] = '\0';
    if (is_secret(line, n))
        memcpy(line, SECRET_WITHHELD, sizeof SECRET_WITHHELD);
    return line;
}

void line_add_word(struct buf *list, size_t *count, const char *word)
{
    if (*count > LIST_WORDS)
        return;
    if ((*count)++)
        buf_text(list, " ");
    if (*count > LIST_WORDS) {
        buf_text(list, "...");
        return;
    }
    for (; *word; word++)
        buf_add(list, *word <= ' ' || *word > '~' ? "?" : word, 1);
}
