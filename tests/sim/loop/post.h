/* What an agent's simulated loop waits for: a call that becomes due at a time, or at once. It is
 * made in the agent's own task, by loop_run. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "schedule.h"

struct loop;

struct post {
    struct loop *loop;
    void (*fire)(void *context);
    void *context;
    struct entry *entry;     /* until it is due */
    struct post *next, **at; /* in the loop's queue, once it is */
};

void post_init(struct post *p, struct loop *l, void (*fire)(void *context), void *context);
/* At that true time; again: moves it. */
void post_at(struct post *p, uint64_t true_usec);
void post_now(struct post *p);
void post_cancel(struct post *p);

struct master *loop_master(const struct loop *l);
