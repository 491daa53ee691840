/* Open files: descriptions, as fork shares them, and each task's numbers for them. A number is
 * never given twice, so that a descriptor used after its close is always EBADF. */
#pragma once

#include <dirent.h>
#include <stdbool.h>

#include "kernel/inside.h"

enum { FIRST_DESCRIPTOR = 1000000 };

struct description {
    struct files *files;
    struct inode *inode; /* NULL: lost in a power cut */
    int flags;           /* open(2)'s */
    uint64_t position;
    unsigned refs;
    int lock;             /* LOCK_SH, LOCK_EX; 0: none */
    char *text;           /* instead of an inode's bytes (/proc) */
    struct table *listed; /* as it was when reading the folder began */
    size_t listed_count;
    struct description *next;
};

/* Opens it for the present task. Takes `text` (NULL: none). */
int descriptor_open(struct files *f, struct inode *i, int flags, char *text);
/* The present task's; NULL: EBADF. */
struct description *descriptor_find(int fd);
int descriptor_dup(struct description *d);
bool descriptor_close(int fd); /* false: EBADF */

/* A power cut: nothing of `f` is open any more. */
void descriptions_drop(struct files *f);
/* The copy has no descriptors: takes their references off its inodes. */
void descriptions_uncount(const struct files *from, struct files *copy);
/* The first of all open descriptions, for looking for locks. */
struct description *descriptions_first(void);

/* ---- folders being read ---- */

struct folder_reader {
    int fd;
    struct task *task;
    size_t at;
    struct dirent entry;
    struct folder_reader *next;
};
struct folder_reader *reader_open(int fd);
/* NULL: it is a real one. */
struct folder_reader *reader_find(DIR *d);
void reader_close(struct folder_reader *r);

/* ---- locks (locks.c) ---- */

/* 0 or an errno; may block. */
int lock_take(int fd, int operation);
void lock_give(struct description *d);
void lock_task_ended(struct task *t);
