/* Asking the running agent, and saying the answer. */
#pragma once

#include "base/json.h"
#include "base/own.h"
#include "cmd/verb.h"

/* Exit codes of the asking verbs. */
enum { EXIT_NOT_RUNNING = 3 };

/* Asks and waits (at most 90 s) for the answer: a new reference, or NULL with *ret_exit set and the
 * reason on standard error (an `error` in the answer counts). `what` may be NULL. */
json_t *ask_agent(const struct options *o, const char *question, const char *what, int *ret_exit);

/* Prints canonical JSON and a newline on standard output. */
void say_json(const json_t *value);

/* A duration for people from one of the answer's usec keys; owned by `text`. */
const char *say_about(const json_t *obj, const char *key, char text[32]);

/* Standard output is a terminal, and NO_COLOR isn't set. */
bool say_is_colored(void);
/* On a terminal (and without NO_COLOR): the escape for a state or verdict, and its end; else "". */
const char *say_color(const char *word);
const char *say_plain(void);

/* Prints a foreign string with control characters made harmless. */
void say_text(const char *text);
