/* The stash's names: what a path is named gives the path again, and whatever lies in the stage
 * gives a plain absolute path or none. */
#include <stdlib.h>
#include <string.h>

#include "act/stash.h"
#include "fuzz.h"

static bool no_controls(const char *path)
{
    for (; *path; path++)
        if ((unsigned char)*path < 0x20 || *path == 0x7f)
            return false;
    return true;
}

static bool is_plain(const char *path)
{
    size_t length = strlen(path);
    return path[0] == '/' && no_controls(path) && !strstr(path, "//") && !strstr(path, "/../") &&
           !strstr(path, "/./") && length > 1 && path[length - 1] != '/' &&
           strcmp(path + length - (length > 2 ? 3 : 2), "/..") != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = fuzz_text(bytes, length), name[STASH_NAME], again[STASH_NAME];
    struct digest d = digest_of(bytes, length);
    struct stash s;
    struct err e;
    for (unsigned conflict = 0; conflict <= 1; conflict++) {
        if (stash_name(text, &d, conflict, name, &e) < 0)
            continue;
        fuzz_must(!strchr(name, '/') && strlen(name) <= NAME_MAX && is_plain(text));
        fuzz_must(stash_parse(name, &s) == 0 && !strcmp(s.target, text));
        fuzz_must(digest_equal(&s.digest, &d) && (s.state == STASH_CONFLICT) == (conflict > 0));
    }
    if (stash_parse(text, &s) == 0) {
        fuzz_must(is_plain(s.target));
        if (stash_name(s.target, &s.digest, s.state == STASH_CONFLICT, again, &e) == 0)
            fuzz_must(!strcmp(again, text)); /* one name for one thing */
    }
    free(text);
    return 0;
}
