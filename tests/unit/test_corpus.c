/* tests/corpus/malformed: each document there is wrong in one way (or in as many as it says), and
 * must be refused for that, at that place, and for nothing else. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/generation.h"
#include "fake_catalog.h"
#include "node_folder.h"

#define CORPUS "tests/corpus/malformed"
enum { DOCUMENTS_LEAST = 210 };

static inline void complaints_fini_owned(struct complaints *c)
{
    complaints_fini(c);
}

static void read_file(const char *path, struct buf *ret)
{
    char block[65536];
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    for (size_t n; (n = fread(block, 1, sizeof block, file));)
        buf_add(ret, block, n);
    (void)fclose(file);
}

/* The next "expect: " in `*at`: "line:column: text" into `ret`. */
static bool next_expectation(const char **at, char ret[512])
{
    const char *found = strstr(*at, "expect: ");
    if (!found)
        return false;
    found += strlen("expect: ");
    size_t length = strcspn(found, "\n");
    assert_true(length < 512);
    memcpy(ret, found, length);
    ret[length] = '\0';
    *at = found + length;
    return true;
}

/* Is `complaint` about file:line:column, and does it contain the text? */
static bool is_expected(const char *complaint, const char *file, const char *expected)
{
    unsigned line, column;
    int end = 0;
    if (sscanf(expected, "%u:%u: %n", &line, &column, &end) != 2 || !end)
        return false;
    OWNED(free) char *place = mem_printf("%s:%u:%u: ", file, line, column);
    return !strncmp(complaint, place, strlen(place)) && strstr(complaint, expected + end);
}

static size_t judge(const char *name, const char *file, const char *expectations,
                    const struct complaints *c)
{
    char expected[512];
    size_t count = 0, wrong = 0;
    while (next_expectation(&expectations, expected)) {
        const char *found = count < c->count ? c->at[count].text : "nothing";
        if (!is_expected(found, file, expected)) {
            print_error("%s:\n  expected %s\n  found    %s\n", name, expected, found);
            wrong++;
        }
        count++;
    }
    for (size_t i = count; i < c->count; i++, wrong++)
        print_error("%s:\n  expected nothing more\n  found    %s\n", name, c->at[i].text);
    if (!count)
        print_error("%s: says nothing of what is expected\n", name);
    return wrong + !count;
}

static size_t try_one(struct node_folder *f, const char *name)
{
    OWNED(buf_fini) struct buf bytes = {0}, sidecar = {0};
    OWNED(free) char *from = mem_printf(CORPUS "/%s", name);
    OWNED(free) char *beside = mem_printf("%.*s.expect", (int)strlen(from) - 5, from);
    const char *to = !strncmp(name + strlen("000"), "-configuration-", strlen("-configuration-"))
                         ? "/etc/planeguard/planeguard.yaml"
                         : "/etc/planeguard/playbooks.d/it.yaml";
    OWNED(free) char *file = mem_printf("%s%s", f->path, to);
    OWNED(complaints_fini) struct complaints c = {0};
    struct generation *g = NULL;
    read_file(from, &bytes);
    read_file(beside, &sidecar);
    node_folder_write(f, to, bytes.bytes, bytes.length);
    int r = generation_load(f->root, NULL, NULL, &fake_catalog, &g, &c);
    node_folder_drop(f, to);
    size_t wrong = judge(name, file, buf_string(sidecar.length ? &sidecar : &bytes), &c);
    if (r == 0) {
        print_error("%s: was loaded\n", name);
        generation_unref(g);
        wrong++;
    }
    return wrong;
}

static void refuses_each(void **state)
{
    (void)state;
    struct node_folder f;
    size_t count = 0, wrong = 0;
    node_folder_make(&f);
    node_folder_write_text(&f, "/usr/share/planeguard/playbooks/base.yaml", fake_documents);
    DIR *folder = opendir(CORPUS);
    if (!folder)
        fail_msg("%s is not here: run this in the project's folder", CORPUS);
    for (const struct dirent *d; (d = readdir(folder));) {
        size_t length = strlen(d->d_name);
        if (length < 5 || strcmp(d->d_name + length - 5, ".yaml") != 0)
            continue;
        count++;
        wrong += try_one(&f, d->d_name);
    }
    (void)closedir(folder);
    node_folder_remove(&f);
    print_message("%zu malformed documents\n", count);
    assert_true(count >= DOCUMENTS_LEAST);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses_each)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
