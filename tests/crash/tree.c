#include "tree.h"

#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* nftw(3) has no context. */
static struct {
    struct tree *tree;
    size_t folder_length;
} taking;

static struct digest digest_of_file(const char *path)
{
    char part[16384];
    struct digest_run *run = digest_begin();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert(fd >= 0);
    ssize_t got;
    while ((got = read(fd, part, sizeof part)) > 0)
        digest_add(run, part, (size_t)got);
    assert(got == 0);
    (void)close(fd);
    return digest_end(run);
}

static int take_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)type, (void)where;
    const char *below = path + taking.folder_length;
    struct entry e = {.path = mem_strdup(*below ? below : "/"),
                      .mode = st->st_mode,
                      .uid = st->st_uid,
                      .gid = st->st_gid};
    if (S_ISREG(st->st_mode)) {
        e.size_bytes = st->st_size;
        e.digest = digest_of_file(path);
    }
    *mem_push(taking.tree->at, taking.tree->count, taking.tree->room) = e;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

void tree_take(const char *folder, struct tree *ret)
{
    *ret = (struct tree){0};
    taking.tree = ret;
    taking.folder_length = strlen(folder);
    assert(nftw(folder, take_one, 16, FTW_PHYS) == 0);
    qsort(ret->at, ret->count, sizeof *ret->at, compare);
}

void tree_fini(struct tree *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->at[i].path);
    free(t->at);
    *t = (struct tree){0};
}

const struct entry *tree_find(const struct tree *t, const char *path)
{
    struct entry key = {.path = (char *)(uintptr_t)path};
    return t->count ? bsearch(&key, t->at, t->count, sizeof key, compare) : NULL;
}

bool entry_equal(const struct entry *a, const struct entry *b)
{
    return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
           a->size_bytes == b->size_bytes &&
           (!S_ISREG(a->mode) || digest_equal(&a->digest, &b->digest));
}

const char *tree_difference(const struct tree *before, const struct tree *after)
{
    static char text[512];
    for (size_t i = 0; i < before->count; i++) {
        const struct entry *now = tree_find(after, before->at[i].path);
        if (!now || !entry_equal(&before->at[i], now)) {
            (void)snprintf(text, sizeof text, "%s %s", before->at[i].path,
                           now ? "is another" : "is gone");
            return text;
        }
    }
    for (size_t i = 0; i < after->count; i++)
        if (!tree_find(before, after->at[i].path)) {
            (void)snprintf(text, sizeof text, "%s is new", after->at[i].path);
            return text;
        }
    return NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

void tree_remove(const char *folder)
{
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
