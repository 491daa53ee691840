#include "observe/line.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"

/* A net for accidents: what a program logs about its own failure has no business here. */
static bool is_secret(const char *line)
{
    static const char *const marks[] = {
        "PRIVATE KEY-----", "bearer ", "password=",       "password:", "passwd=",        "token=",
        "token:",           "secret=", "client-key-data", "eyJhbGci",  "authorization: "};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcasestr(line, marks[i]))
            return true;
    return false;
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
    return is_secret(line) ? strcpy(line, "(withheld)") : line;
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
