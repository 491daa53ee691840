/* Ownership: a local that owns something is declared OWNED(destructor) and is
 * destroyed when it leaves its scope; TAKE() hands it on. Destructors take NULL
 * and half-built objects. This is the program's only cleanup idiom. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

/* Defines the cleanup function behind OWNED(fn) for a destructor `void fn(type *)`. */
#define OWNER(type, fn)                                                                            \
    static inline void fn##_owned(type **owned)                                                    \
    {                                                                                              \
        if (*owned)                                                                                \
            fn(*owned);                                                                            \
    }                                                                                              \
    struct own_semicolon_

#define OWNED(fn) __attribute__((cleanup(fn##_owned)))

/* Moves the value out of `p`, leaving NULL behind: the way to return an owned local. */
#define TAKE(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

/* The same for descriptors; -1 is "none". */
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int taken_fd_ = (fd);                                                                      \
        (fd) = -1;                                                                                 \
        taken_fd_;                                                                                 \
    })

static inline void free_owned(void *owned)
{
    free(*(void **)owned);
}

static inline void fd_close_owned(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
