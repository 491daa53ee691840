/* Foreign bytes as one line for people and as words in facts. */
#pragma once

#include <stddef.h>

enum { LINE_TEXT = 201 };

/* At most LINE_TEXT - 1 characters of printable ASCII: all else becomes '?', white space a space,
 * what looks like a key, a token or a password makes the whole line "(withheld)". Returns `line`.
 */
char *line_clean(const char *bytes, size_t length, char line[LINE_TEXT]);

/* A list of words in one text, separated by spaces, of at most LIST_WORDS words (then " ..."). */
enum { LIST_WORDS = 32 };
struct buf;
/* Adds `word`, its characters outside printable ASCII and its spaces as '?'. `count` is the
 * caller's count of words so far. */
void line_add_word(struct buf *list, size_t *count, const char *word);
