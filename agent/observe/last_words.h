/* A container's last words: what the end of its log says about why it died. Pure: bytes in, a word
 * out.
 *
 * The log is CRI's: `RFC3339Nano stdout|stderr F|P text`, a line each (what is not is passed over;
 * the first one may be cut). The last line that says something known decides, for programs say last
 * what killed them; only within etcd's family the more special word wins, because a certificate
 * that etcd refuses ends in the same "context deadline exceeded" as an etcd that is away. The lines
 * are those of kube-apiserver, etcd, controller manager and scheduler, seen on real nodes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"

enum last_word {
    LAST_WORD_NONE,
    LAST_WORD_BAD_FLAG,      /* a flag, feature gate or plugin that this version doesn't have */
    LAST_WORD_BAD_VALUE,     /* a flag's value that can't be read */
    LAST_WORD_FILE_MISSING,  /* a file that isn't there */
    LAST_WORD_BAD_COMMAND,   /* the command itself can't be started (no log: the runtime says so) */
    LAST_WORD_PAIR_MISMATCH, /* a certificate and a key that don't belong together */
    LAST_WORD_ADDRESS_IN_USE,   /* somebody else listens there */
    LAST_WORD_ETCD_UNREACHABLE, /* etcd refuses or doesn't answer */
    LAST_WORD_ETCD_CERTIFICATE, /* etcd's or the client's certificate isn't good */
};
extern const struct words last_word_words;

enum { LAST_WORDS_LINES = 200, LAST_WORDS_BYTES = 64 * 1024 };

struct last_words {
    enum last_word word;
    const char *line; /* the line's text, without CRI's prefix; in the caller's bytes; NULL: none */
    size_t length;
};

/* Looks at the last LAST_WORDS_LINES lines. */
struct last_words last_words_of(const char *log, size_t length);

/* When the log says nothing: did the runtime fail to start the command, for the command's sake?
 * `reason` and `message` are CRI's ("StartError" of containerd, "ContainerCannotRun" of others;
 * message may be NULL). */
bool last_words_bad_command(const char *reason, const char *message);

/* Is it the manifest that such words blame? */
bool last_word_blames_manifest(enum last_word w);
