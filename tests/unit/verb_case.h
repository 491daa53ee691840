/* A verb as a person starts it: the program itself below a folder, its exit status and its words.
 */
#pragma once

#include <stddef.h>

struct verb_row {
    const char *arguments; /* behind --root and --shipped; a shell reads them */
    int status;
    const char *says; /* somewhere in its output; NULL: it says nothing */
};

/* What it says on both outputs, lent until the next call. Skips the test where no program is built.
 */
const char *verb_run(const char *root, const char *arguments, int *ret_status);
/* Fails the test with the first row that isn't so. */
void verb_rows(const char *root, const struct verb_row *rows, size_t count);
#define VERB_ROWS(root, rows) verb_rows(root, rows, sizeof(rows) / sizeof *(rows))
/* Fails the test unless it says all of this, up to NULL. */
void verb_must_say(const char *said, const char *const *words);
