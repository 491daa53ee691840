#include "kernel/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

bool call_is_simulated(int fd)
{
    return fd >= FIRST_DESCRIPTOR && task_current();
}

bool call_is_simulated_at(int fd, const char *path)
{
    return task_current() && (fd >= FIRST_DESCRIPTOR || path[0] == '/');
}

static const char *description_path(const struct description *d, char *text)
{
    return d && inode_path(d->files, d->inode, text) ? text : NULL;
}

int call_enter(const char *call, bool changes, int fd, struct description **ret)
{
    char text[PATH_TEXT];
    int code = kernel_point(call, changes, description_path(descriptor_find(fd), text));
    /* Time may have passed. */
    *ret = descriptor_find(fd);
    return *ret ? code : EBADF;
}

/* Only for telling what a call is about: not resolved. */
static const char *path_text(int fd, const char *path, char *text)
{
    if (path[0] == '/' && fd < FIRST_DESCRIPTOR)
        return path;
    if (!description_path(descriptor_find(fd), text))
        return NULL;
    size_t length = strlen(text);
    if (length == 1)
        length = 0;
    path += strspn(path, "/");
    if (length + strlen(path) + 2 > PATH_TEXT)
        return NULL;
    text[length] = '/';
    memcpy(text + length + 1, path, strlen(path) + 1);
    return text;
}

int call_start(int fd, const char *path, struct files **ret_files, struct inode **ret_start)
{
    const struct description *d = descriptor_find(fd);
    if (!d && path[0] != '/')
        return path[0] == '\0' ? ENOENT : EBADF;
    *ret_files = d ? d->files : master_files(task_master(task_current()));
    *ret_start = d ? d->inode : inode_at(*ret_files, ROOT_INODE);
    return 0;
}

int call_enter_at(const char *call, bool changes, int fd, const char *path,
                  struct files **ret_files, struct inode **ret_start)
{
    char text[PATH_TEXT];
    int code = kernel_point(call, changes, path_text(fd, path, text));
    /* Time may have passed. */
    int start = call_start(fd, path, ret_files, ret_start);
    return code ? code : start;
}

int call_end(int code)
{
    if (code == 0)
        return 0;
    errno = code;
    return -1;
}
