/* What the simulation gives the simulated kernel, made of as little as the kernel's tests need:
 * tasks that are only names, one clock, and points that can end everything. */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"

struct task {
    struct files *files;
};

struct fake {
    struct task *current;
    uint64_t now_usec;
    /* Called by a task that blocks; NULL: the next entry of the schedule comes. */
    void (*blocked)(void);
    /* How many points that can change something are passed before the end (0: no end). */
    unsigned points_left;
    jmp_buf end;
    /* The errno of the next call of this name. */
    const char *failing;
    int failing_errno;
    /* Changes heard of, by kind, and the last one's place. */
    unsigned changes[CHANGED_SYNCED + 1];
    char folder[256], name[256];
    char point_path[256];
    size_t write_most; /* 0: all */
};
extern struct fake fake;

/* Forgets everything but the present task, which is `t`. */
void fake_begin(struct task *t);

int test_kernel_same(void);
int test_kernel_cut(void);
