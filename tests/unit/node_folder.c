#include "node_folder.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

void node_folder_make(struct node_folder *f)
{
    struct err e;
    (void)strcpy(f->path, "/tmp/planeguard-folder-XXXXXX");
    assert(mkdtemp(f->path));
    assert(root_open(f->path, &f->root, &e) == 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

void node_folder_remove(struct node_folder *f)
{
    root_free(f->root);
    (void)nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void node_folder_write(struct node_folder *f, const char *path, const void *bytes, size_t length)
{
    OWNED(free) char *full = mem_printf("%s%s", f->path, path);
    for (char *slash = full + strlen(f->path) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        (void)mkdir(full, 0755);
    }
    FILE *file = fopen(full, "we");
    assert(file);
    assert(fwrite(bytes, 1, length, file) == length);
    assert(fclose(file) == 0);
}

void node_folder_write_text(struct node_folder *f, const char *path, const char *text)
{
    node_folder_write(f, path, text, strlen(text));
}

void node_folder_drop(struct node_folder *f, const char *path)
{
    OWNED(free) char *full = mem_printf("%s%s", f->path, path);
    assert(remove(full) == 0);
}
