#include "act/effect.h"

#include "base/secret.h"

enum { OUTPUT_BYTES_MAX = 8 * 1024 };

json_t *effect_file(const char *what, const char *path, const char *to, json_t *before,
                    json_t *after)
{
    json_t *effect = json_object();
    json_put(effect, "what", json_string_or_null(what));
    json_put(effect, "path", json_string_or_null(path));
    if (to)
        json_put(effect, "to", json_string_or_null(to));
    json_put(effect, "before", before);
    json_put(effect, "after", after);
    return effect;
}

json_t *effect_argv(const char *const *argv)
{
    json_t *array = json_array();
    for (size_t i = 0; argv[i]; i++)
        json_push(array, json_string_or_null(argv[i]));
    return array;
}

json_t *effect_ran(const char *const *argv, const struct command_result *r)
{
    OWNED(buf_fini) struct buf output = {.limit = OUTPUT_BYTES_MAX};
    secret_redact(buf_string(&r->out), r->out.length, &output);
    secret_redact(buf_string(&r->err), r->err.length, &output);
    json_t *effect = json_object();
    json_put(effect, "what", json_string_or_null("ran"));
    json_put(effect, "argv", effect_argv(argv));
    json_put(effect, "exit", json_integer(r->exit_code));
    json_put(effect, "output", json_text(buf_string(&output), output.length));
    return effect;
}
