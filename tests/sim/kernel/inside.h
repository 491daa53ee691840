/* The simulated file system from inside: for the files of this folder only.
 *
 * What a power cut would leave is kept as the difference to what reads see. Of a file: the list of
 * its changes since the last sync, each with what it overwrote, so that they can be taken back from
 * the end; a sync only forgets the list, and no bytes are copied. Of folders: each has two tables
 * of names, the one that is seen and the one on the disk, and the file system has the list of the
 * steps that lead from these to those. A step depends on earlier ones (files_steps.c); whoever
 * takes one takes what it depends on, and so no rename is ever half done. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/kernel.h"

enum { NAME_LENGTH_MAX = 255, PATH_TEXT = 4096 };

/* ---- bytes of a file (content.c) ---- */

struct bytes; /* counted, copied when written to while shared */

/* A write, or where `is_cut` a change of the length to `offset`. */
struct change {
    bool is_cut;
    uint64_t offset, length, length_before;
    char *old; /* what was at `offset`, as far as there was something */
    size_t old_count;
};

struct changes {
    struct change *at;
    size_t count, room;
};

struct content {
    struct bytes *bytes; /* NULL: none yet */
    uint64_t length;
    uint64_t allocated; /* what is taken of the disk's room, from the beginning on */
    struct changes pending;
    struct changes
        lost; /* a sync failed: the kernel calls them clean, the disk may not have them */
};

const char *content_at(const struct content *c);
void content_write(struct content *c, uint64_t offset, const void *bytes, size_t length);
void content_set_length(struct content *c, uint64_t length);
/* All that is pending is durable: true when there was something. */
bool content_sync(struct content *c);
/* The device failed: what was pending seems clean from now on but may not be on the disk. */
void content_sync_failed(struct content *c);
void content_power_cut(struct content *c, struct stream_random *r);
/* How many bytes from the beginning on any power cut would leave as they are. */
uint64_t content_sure(const struct content *c);
struct content content_copy(const struct content *c);
void content_fini(struct content *c);

/* ---- names of a folder (table.c) ---- */

struct name {
    unsigned refs;
    size_t length;
    char text[];
};
struct name *name_new(const char *text, size_t length);
struct name *name_ref(struct name *n);
void name_unref(struct name *n); /* NULL: nothing */

struct item {
    struct name *name;
    uint32_t inode;
};

/* Sorted by strcmp; counted, copied when changed while shared. NULL is an empty one. */
struct table {
    unsigned refs;
    size_t count, room;
    struct item at[];
};
uint32_t table_get(const struct table *t, const char *name); /* 0: not there */
void table_put(struct table **t, struct name *name, uint32_t inode);
void table_remove(struct table **t, const char *name);
struct table *table_ref(struct table *t);
void table_unref(struct table *t); /* NULL: nothing */
static inline size_t table_count(const struct table *t)
{
    return t ? t->count : 0;
}

/* ---- inodes (inode.c) ---- */

enum inode_kind { INODE_FILE, INODE_FOLDER, INODE_LINK };

struct dress {
    mode_t mode;
    uid_t uid;
    gid_t gid;
    char *label; /* security.selinux; NULL: none */
    size_t label_length;
};

struct inode {
    uint32_t number;
    enum inode_kind kind;
    unsigned refs;   /* names that are seen, names on the disk, steps, descriptions */
    unsigned opened; /* descriptions */
    uint32_t parent; /* where it is seen; 0: nowhere */
    uint32_t former; /* a removed folder's parent: its ".."; 0: it isn't removed */
    struct name *name;
    struct dress dress, kept_dress; /* seen, on the disk */
    uint64_t changed_usec;
    struct table *seen, *kept; /* a folder's */
    struct content content;    /* a file's */
    char *target;              /* a link's */
};

/* A name given, taken away, or both (a rename). */
struct step {
    uint32_t from, to; /* folders; 0: none */
    struct name *from_name, *to_name;
    uint32_t inode, replaced; /* `replaced`: what had `to_name`; 0: nothing */
};

struct files {
    struct inode **inodes; /* by number; 0 is none, 1 the root */
    size_t inode_count, inode_room;
    size_t free_from; /* no free number is below */
    struct step *steps;
    size_t step_count, step_room;
    uint64_t space; /* how much room is left; UINT64_MAX: no end */
    bool read_only;
    uint64_t wall_ahead_usec; /* of the true time, when a task last looked */
};

enum { ROOT_INODE = 1 };

static inline struct inode *inode_at(const struct files *f, uint32_t number)
{
    return number ? f->inodes[number] : NULL;
}
/* With no name and no references yet. */
struct inode *inode_new(struct files *f, enum inode_kind kind, mode_t mode);
void inode_ref(struct inode *i);
/* Freed, with its room given back, with the last one. */
void inode_unref(struct files *f, struct inode *i);
void inode_free(struct files *f, struct inode *i);
struct inode *inode_child(const struct files *f, const struct inode *folder, const char *name);
void inode_touch(struct files *f, struct inode *i);
void dress_copy(struct dress *to, const struct dress *from);
bool dress_equal(const struct dress *a, const struct dress *b);
/* "/a/b"; false: it is nowhere any more. `text` has PATH_TEXT bytes. */
bool inode_path(const struct files *f, const struct inode *i, char *text);
/* Tells the others; the inode must have a name (else nothing). */
void inode_tell(struct files *f, const struct inode *i, enum file_change what);
void folder_tell(struct files *f, const struct inode *folder, const char *name,
                 enum file_change what);

/* Takes room for `bytes` more at the end; what there is of it. */
uint64_t space_take(struct files *f, uint64_t bytes);
void space_give(struct files *f, uint64_t bytes);
/* Gives all back when it has no name and isn't open, though a power cut may bring it back. */
void space_forget(struct files *f, struct inode *i);
/* Gives back what a file no longer has beyond `length`. */
void space_trim(struct files *f, struct inode *i, uint64_t length);

/* ---- names given and taken (files_steps.c) ---- */

/* Seen at once, on the disk when a folder is synced; nobody is told. Targets that are there are
 * replaced. */
void step_add(struct files *f, struct inode *folder, const char *name, struct inode *i);
void step_remove(struct files *f, struct inode *folder, const char *name);
void step_rename(struct files *f, struct inode *from, const char *from_name, struct inode *to,
                 const char *to_name);
/* fsync of a folder. */
void steps_sync_folder(struct files *f, const struct inode *folder);
/* As if all folders were synced as far as this name needs it. */
void steps_sync_name(struct files *f, const struct inode *folder, const char *name);
bool steps_touch(const struct files *f, const struct inode *folder, const char *name);
void steps_power_cut(struct files *f, struct stream_random *r);
void step_fini(struct files *f, struct step *s);

/* ---- paths (walk.c) ---- */

enum walk_flags {
    WALK_FOLLOW = 1,   /* the last name, if it is a link */
    WALK_IN_ROOT = 2,  /* the start is the root */
    WALK_NO_LINKS = 4, /* ELOOP where one would be followed */
    WALK_PARENT = 8,   /* ends at the last name, be it there or not; never follows it */
};

enum last_kind { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct place {
    struct inode *folder; /* the last name's; NULL: not reached, or no such last name */
    char name[NAME_LENGTH_MAX + 1];
    struct inode *inode; /* NULL: not there */
    enum last_kind last;
    bool has_slash; /* behind the last name */
    bool is_long;   /* with WALK_PARENT: no such name can be */
};

/* 0 or an errno. ENOENT with `folder` set: only the last name isn't there. */
int walk(const struct files *f, struct inode *start, const char *path, unsigned flags,
         struct place *ret);
