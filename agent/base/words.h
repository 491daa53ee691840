/* Words: the one table between an enum and its names, for states, verdicts,
 * reasons, modes, severities. words_name and words_find are each other's inverse
 * (a test walks every table). */
#pragma once

#include <stddef.h>

struct words {
    const char *what;         /* "severity": for messages */
    const char *const *names; /* indexed by the enum's value; no gaps */
    size_t count;
};

#define WORDS(what_, ...)                                                                          \
    {                                                                                              \
        .what = (what_), .names = (const char *const[]){__VA_ARGS__},                              \
        .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),                      \
    }

/* The value's name; asserts that there is one. */
const char *words_name(const struct words *w, int value);
/* The value, or -1. */
int words_find(const struct words *w, const char *name);
/* The name nearest to `name` by edit distance, or NULL when none is near. */
const char *words_nearest(const struct words *w, const char *name);

/* Edit distance (Levenshtein with transpositions), at most `limit` + 1. */
size_t text_distance(const char *a, const char *b, size_t limit);
/* The nearest of `count` names to `name`, or NULL when none is near: at most a
 * third of its length away. */
const char *text_nearest(const char *name, const char *const *names, size_t count);
