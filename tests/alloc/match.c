/* The core through a story, read as tests/unit/test_decide.c reads it: what leaves must be what the
 * story says, also when memory was short: or nothing may leave at all. */
int test_decide_main(void);
#define main test_decide_main
#include "../unit/test_decide.c"
#undef main

#include "driver.h"
#include "fail.h"

int match_story(const char *path)
{
    struct story s = {0};
    OWNED(free) char *expected = read_all(path);
    OWNED(free) char *text = mem_strdup(expected);
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        if (rest || *line)
            tell_line(&s, line);
        if (s.core && alloc_begin)
            alloc_begin(); /* from the first event on */
    }
    if (alloc_end)
        alloc_end();
    (void)fputs(buf_string(&s.seen), stdout);
    bool same = !strcmp(expected, buf_string(&s.seen));
    buf_fini(&s.seen);
    core_free(s.core);
    for (size_t i = 0; i < s.generation_count; i++)
        generation_unref(s.generations[i]);
    return same ? EXIT_RIGHT : EXIT_SETUP;
}
