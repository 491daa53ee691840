/* Effects, as hand_effect() takes them: what was just changed. */
#pragma once

#include "base/json.h"
#include "loop/command.h"

/* {"what": what, "path", "to" (unless NULL), "before", "after"}; takes both digests (json null or
 * hex). */
json_t *effect_file(const char *what, const char *path, const char *to, json_t *before,
                    json_t *after);
/* {"what": "ran", "argv", "exit", "output"}: the output bounded, secrets withheld. */
json_t *effect_ran(const char *const *argv, const struct command_result *r);
/* A command's array of strings. */
json_t *effect_argv(const char *const *argv);
