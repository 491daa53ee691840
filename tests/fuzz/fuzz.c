#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/catalog.h"

static char folder[128];
static struct root *root;

void fuzz_broken(const char *property, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: this must hold and doesn't: %s\n", file, line, property);
    abort();
}

/* First thing, as in main. */
__attribute__((constructor)) static void begin(void)
{
    json_setup();
}

/* ---- input ---- */

uint8_t fuzz_byte(struct fuzz_input *in)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->at++;
}

char *fuzz_line(struct fuzz_input *in, size_t *ret_length)
{
    if (!in->left)
        return NULL;
    const uint8_t *end = memchr(in->at, '\n', in->left);
    size_t length = end ? (size_t)(end - in->at) : in->left;
    char *line = fuzz_text(in->at, length);
    for (size_t i = 0; i < length; i++)
        if (!line[i])
            line[i] = ' ';
    in->at += length + (end != NULL);
    in->left -= length + (end != NULL);
    if (ret_length)
        *ret_length = length;
    return line;
}

char *fuzz_text(const uint8_t *bytes, size_t length)
{
    char *text = mem_alloc(length + 1);
    if (length)
        memcpy(text, bytes, length);
    return text;
}

bool fuzz_is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

bool fuzz_is_harmless(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at < ' ' || *at == 0x7f)
            return false;
        if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
            return false;
        if (*at == 0xe2 && at[1] == 0x80 &&
            ((at[2] >= 0xaa && at[2] <= 0xae) || at[2] == 0x8e || at[2] == 0x8f))
            return false;
        if (*at == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9)
            return false;
    }
    return true;
}

/* ---- a folder ---- */

static void end(void)
{
    (void)folder_remove(root, "/var", NULL);
    (void)folder_remove(root, "/etc", NULL);
    (void)folder_remove(root, "/x", NULL);
    (void)rmdir(folder);
    root_free(root);
}

const struct root *fuzz_root(void)
{
    if (root)
        return root;
    struct err e;
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/planeguard-fuzz-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder) || root_open(folder, &root, &e) < 0)
        fuzz_broken("a folder can be made", folder, 0);
    (void)atexit(end);
    return root;
}

const char *fuzz_path(const char *path)
{
    static char text[512];
    (void)snprintf(text, sizeof text, "%s%s", fuzz_root()->path, path);
    return text;
}

void fuzz_folder(const char *path)
{
    struct err e = {0};
    fuzz_must(folder_make(fuzz_root(), path, 0700, &e) == 0);
}

void fuzz_write(const char *path, const void *bytes, size_t length)
{
    int fd = open(fuzz_path(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    fuzz_must(fd >= 0);
    fuzz_must(!length || write(fd, bytes, length) == (ssize_t)length);
    (void)close(fd);
}

void fuzz_empty(const char *path)
{
    DIR *d = opendir(fuzz_path(path));
    if (!d)
        return;
    for (const struct dirent *one; (one = readdir(d));)
        if (one->d_name[0] != '.')
            (void)unlinkat(dirfd(d), one->d_name, 0);
    (void)closedir(d);
}

/* ---- documents ---- */

const struct catalog *fuzz_catalog(void)
{
    static struct catalog all;
    all = catalog_of_rooms();
    return &all;
}

struct generation *fuzz_generation(void)
{
    static struct generation *g;
    static const char configuration[] =
        "apiVersion: planeguard/v1\nkind: Configuration\nmetadata: {name: planeguard}\n"
        "spec: {policy: enforce}\n";
    if (g)
        return g;
    struct complaints c = {0};
    const char *paths[] = {"tests/decide/policy-enforce.yaml", NULL, NULL};
    fuzz_folder("/etc/planeguard");
    fuzz_write("/etc/planeguard/planeguard.yaml", configuration, sizeof configuration - 1);
    paths[1] = fuzz_path("/etc/planeguard/planeguard.yaml");
    (void)generation_load(fuzz_root(), ".", paths, fuzz_catalog(), &g, &c);
    for (size_t i = 0; i < c.count; i++)
        (void)fprintf(stderr, "%s\n", c.at[i].text);
    fuzz_must(g);
    complaints_fini(&c);
    return g;
}

int fuzz_next_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    (void)close(fd);
    return fd;
}
