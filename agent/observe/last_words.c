#include "observe/last_words.h"

#include <string.h>

enum { VERY_LAST_LINES = 5 };

const struct words last_word_words =
    WORDS("last word", "none", "bad-flag", "bad-value", "file-missing", "bad-command",
          "pair-mismatch", "address-in-use", "etcd-unreachable", "etcd-certificate");

/* A line that has all these parts says this word. The first row that fits decides. */
static const struct pattern {
    enum last_word word;
    const char *parts[3];
} patterns[] = {
    {LAST_WORD_BAD_FLAG, {"unknown flag: -"}},
    {LAST_WORD_BAD_FLAG, {"unknown shorthand flag: "}},
    {LAST_WORD_BAD_FLAG, {"flag provided but not defined: -"}},
    {LAST_WORD_BAD_FLAG, {"unrecognized feature gate: "}},
    {LAST_WORD_BAD_FLAG, {"admission-control plugin ", " is unknown"}},
    {LAST_WORD_BAD_VALUE, {"invalid argument ", " for ", " flag"}},
    {LAST_WORD_BAD_VALUE, {"invalid value ", " for flag -"}},
    {LAST_WORD_PAIR_MISMATCH, {"private key does not match public key"}},
    {LAST_WORD_FILE_MISSING, {"open /", ": no such file or directory"}},
    {LAST_WORD_FILE_MISSING, {"stat /", ": no such file or directory"}},
    {LAST_WORD_PAIR_MISMATCH, {"invalid serving cert keypair"}},
    {LAST_WORD_ADDRESS_IN_USE, {"listen", "address already in use"}},
    {LAST_WORD_ETCD_CERTIFICATE, {"createTransport failed", "x509: "}},
    {LAST_WORD_ETCD_CERTIFICATE, {"createTransport failed", "tls: expired certificate"}},
    {LAST_WORD_ETCD_CERTIFICATE, {"createTransport failed", "tls: bad certificate"}},
    {LAST_WORD_ETCD_CERTIFICATE, {"createTransport failed", "tls: unknown certificate"}},
    {LAST_WORD_ETCD_CERTIFICATE, {":2379", "x509: certificate "}},
    {LAST_WORD_ETCD_CERTIFICATE, {":2379", "tls: expired certificate"}},
    {LAST_WORD_ETCD_CERTIFICATE, {":2379", "tls: bad certificate"}},
    {LAST_WORD_ETCD_UNREACHABLE, {"createTransport failed", "connection refused"}},
    {LAST_WORD_ETCD_UNREACHABLE, {"createTransport failed", "deadline exceeded"}},
    {LAST_WORD_ETCD_UNREACHABLE, {"createTransport failed", "i/o timeout"}},
    {LAST_WORD_ETCD_UNREACHABLE, {"createTransport failed", "error reading server preface"}},
    {LAST_WORD_ETCD_UNREACHABLE, {":2379", "connection refused"}},
    {LAST_WORD_ETCD_UNREACHABLE, {":2379", "deadline exceeded"}},
    {LAST_WORD_ETCD_UNREACHABLE, {"\"command failed\"", "err=\"context deadline exceeded\""}},
};

static bool has(const char *line, size_t length, const char *part)
{
    return memmem(line, length, part, strlen(part)) != NULL;
}

static bool fits(const struct pattern *p, const char *line, size_t length)
{
    for (size_t i = 0; i < sizeof p->parts / sizeof *p->parts; i++)
        if (p->parts[i] && !has(line, length, p->parts[i]))
            return false;
    return true;
}

static enum last_word word_of(const char *line, size_t length)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (fits(&patterns[i], line, length))
            return patterns[i].word;
    return LAST_WORD_NONE;
}

/* The text behind `time stream tag `, or NULL when that isn't there. */
static const char *text_of(const char *line, size_t length)
{
    static const char *const prefixes[] = {" stdout F ", " stdout P ", " stderr F ", " stderr P "};
    enum { PREFIX = sizeof " stdout F " - 1 };
    const char *space = memchr(line, ' ', length);
    if (!space || space == line || line[0] < '0' || line[0] > '9' ||
        (size_t)(line + length - space) < PREFIX)
        return NULL;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (!memcmp(space, prefixes[i], PREFIX))
            return space + PREFIX;
    return NULL;
}

/* Is the older word `w` to replace what the newer lines said? */
static bool is_better(enum last_word w, enum last_word newer)
{
    return newer == LAST_WORD_NONE ||
           (newer == LAST_WORD_ETCD_UNREACHABLE && w == LAST_WORD_ETCD_CERTIFICATE);
}

/* Programs warn of optional files that aren't there and live on: that kills only where it is said
 * as what kills, or last of all. `back`: lines counted from the end. */
static bool is_warning(enum last_word w, const char *line, size_t length, size_t back)
{
    return w == LAST_WORD_FILE_MISSING && back >= VERY_LAST_LINES &&
           !has(line, length, "\"command failed\"") && !has(line, length, "\"level\":\"fatal\"") &&
           !(length >= 7 && !memcmp(line, "Error: ", 7));
}

static void take_line(struct last_words *found, const char *line, size_t length, size_t back)
{
    const char *text = text_of(line, length);
    if (!text)
        return;
    size_t text_length = (size_t)(line + length - text);
    enum last_word w = word_of(text, text_length);
    if (is_warning(w, text, text_length, back))
        w = LAST_WORD_NONE;
    /* Without any known word, the last line that says something at all is for people. */
    bool first = !found->line && text_length;
    if (first || (w != LAST_WORD_NONE && is_better(w, found->word)))
        *found = (struct last_words){w, text, text_length};
}

struct last_words last_words_of(const char *log, size_t length)
{
    struct last_words found = {LAST_WORD_NONE, NULL, 0};
    const char *end = log + length;
    for (size_t lines = 0; lines < LAST_WORDS_LINES && end > log; lines++) {
        end -= end[-1] == '\n';
        const char *newline = memrchr(log, '\n', (size_t)(end - log));
        const char *line = newline ? newline + 1 : log;
        take_line(&found, line, (size_t)(end - line), lines);
        end = line;
    }
    return found;
}

bool last_words_bad_command(const char *reason, const char *message)
{
    if (strcmp(reason, "StartError") != 0 && strcmp(reason, "ContainerCannotRun") != 0)
        return false;
    /* A start can fail for the node's reasons too: no cgroup, no memory, nothing to mount. */
    return !message || !*message || strstr(message, "exec: \"") ||
           strstr(message, "executable file not found") || strstr(message, "exec format error");
}

bool last_word_blames_manifest(enum last_word w)
{
    return w == LAST_WORD_BAD_FLAG || w == LAST_WORD_BAD_VALUE || w == LAST_WORD_FILE_MISSING ||
           w == LAST_WORD_BAD_COMMAND;
}
