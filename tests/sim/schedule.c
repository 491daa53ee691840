#include "schedule.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/mem.h"
#include "kernel/kernel.h"

enum { STACK_BYTES = 512 * 1024 };

struct entry {
    uint64_t at_usec, serial;
    void (*fire)(void *context);
    void *context;
    size_t place; /* in the heap */
};

struct task {
    struct master *master;
    enum task_role role;
    int (*work)(void *context);
    void *context;
    void (*ended)(void *context, int code);
    void *ended_context;
    ucontext_t here;
    void *stack;
    struct task *parent; /* it dies with it */
    struct task *next;   /* of all that live */
    struct entry *wake;
    bool is_alive, is_sleeping, is_blocked, is_woken, is_over;
    int code;
};

static struct {
    uint64_t now_usec, serial;
    struct entry **heap;
    size_t count, room;
    bool stopped;
    struct task *alive, *current;
    ucontext_t here; /* the scheduler's own */
    void **stacks;   /* to be used again */
    size_t stack_count, stack_room;
    struct task **ending; /* ended, not yet told */
    size_t ending_count, ending_room;
} s;

/* ---- the heap ---- */

static bool before(const struct entry *a, const struct entry *b)
{
    return a->at_usec != b->at_usec ? a->at_usec < b->at_usec : a->serial < b->serial;
}

static void put(size_t place, struct entry *e)
{
    s.heap[place] = e;
    e->place = place;
}

static void rise(size_t place)
{
    struct entry *e = s.heap[place];
    for (size_t up; place > 0 && before(e, s.heap[up = (place - 1) / 2]); place = up)
        put(place, s.heap[up]);
    put(place, e);
}

static void sink(size_t place)
{
    struct entry *e = s.heap[place];
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= s.count)
            break;
        if (child + 1 < s.count && before(s.heap[child + 1], s.heap[child]))
            child++;
        if (!before(s.heap[child], e))
            break;
        put(place, s.heap[child]);
        place = child;
    }
    put(place, e);
}

static void take_out(struct entry *e)
{
    size_t place = e->place;
    struct entry *last = s.heap[--s.count];
    if (last == e)
        return;
    put(place, last);
    rise(place);
    sink(last->place);
}

struct entry *schedule_at(uint64_t at_usec, void (*fire)(void *context), void *context)
{
    struct entry *e = mem_new(struct entry);
    *e = (struct entry){.at_usec = at_usec < s.now_usec ? s.now_usec : at_usec,
                        .serial = s.serial++,
                        .fire = fire,
                        .context = context};
    *mem_push(s.heap, s.count, s.room) = e;
    e->place = s.count - 1;
    rise(e->place);
    return e;
}

void schedule_cancel(struct entry *e)
{
    if (!e)
        return;
    take_out(e);
    free(e);
}

uint64_t schedule_now(void)
{
    return s.now_usec;
}

void schedule_stop(void)
{
    s.stopped = true;
}

/* ---- tasks ---- */

static void *stack_take(void)
{
    if (s.stack_count)
        return s.stacks[--s.stack_count];
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    assert(stack != MAP_FAILED);
    return stack;
}

static void stack_give(void *stack)
{
    *mem_push(s.stacks, s.stack_count, s.stack_room) = stack;
}

static void task_main(void)
{
    struct task *t = s.current;
    t->code = t->work(t->context);
    t->is_over = true;
    (void)swapcontext(&t->here, &s.here);
    abort(); /* nobody switches to what is over */
}

static void forget(struct task *t)
{
    for (struct task **at = &s.alive; *at; at = &(*at)->next) {
        if (*at == t) {
            *at = t->next;
            break;
        }
    }
    t->is_alive = false;
    schedule_cancel(t->wake);
    t->wake = NULL;
    *mem_push(s.ending, s.ending_count, s.ending_room) = t;
}

/* Told in the scheduler's context, where nothing of the task is on the stack any more. */
static void tell_ended(void)
{
    for (size_t i = 0; i < s.ending_count; i++) {
        struct task *t = s.ending[i];
        for (struct task *child = s.alive, *next; child; child = next) {
            next = child->next;
            if (child->parent == t)
                task_kill(child); /* grows the list that we walk */
        }
        kernel_task_ended(t);
        stack_give(t->stack);
        t->stack = NULL;
        if (t->ended)
            t->ended(t->ended_context, t->is_over ? t->code : -1);
    }
    s.ending_count = 0;
}

static void resume(struct task *t)
{
    assert(!s.current && t->is_alive);
    s.current = t;
    (void)swapcontext(&s.here, &t->here);
    s.current = NULL;
    if (t->is_over && t->is_alive)
        forget(t);
    tell_ended();
}

static void leave(struct task *t)
{
    (void)swapcontext(&t->here, &s.here);
}

static void on_wake(void *context)
{
    struct task *t = context;
    uint64_t until_usec = master_sleeps_until(t->master);
    t->wake = until_usec > s.now_usec ? schedule_at(until_usec, on_wake, t) : NULL;
    if (!t->wake)
        resume(t);
}

struct task *task_start(struct master *m, enum task_role role, int (*work)(void *context),
                        void *context, void (*ended)(void *context, int code), void *ended_context)
{
    struct task *t = mem_new(struct task);
    *t = (struct task){.master = m,
                       .role = role,
                       .work = work,
                       .context = context,
                       .ended = ended,
                       .ended_context = ended_context,
                       .stack = stack_take(),
                       .is_alive = true};
    int r = getcontext(&t->here);
    assert(r == 0);
    t->here.uc_stack.ss_sp = t->stack;
    t->here.uc_stack.ss_size = STACK_BYTES;
    t->here.uc_link = NULL;
    makecontext(&t->here, task_main, 0);
    t->next = s.alive;
    s.alive = t;
    t->wake = schedule_at(s.now_usec, on_wake, t);
    return t;
}

struct task *task_current(void)
{
    return s.current;
}

struct master *task_master(const struct task *t)
{
    return t->master;
}

enum task_role task_role_of(const struct task *t)
{
    return t->role;
}

bool task_is_alive(const struct task *t)
{
    return t->is_alive;
}

void task_dies_with(struct task *t, struct task *parent)
{
    t->parent = parent;
}

void task_kill(struct task *t)
{
    if (!t->is_alive)
        return;
    forget(t);
    if (t == s.current)
        leave(t);
    else if (s.current && s.current->is_alive && s.current->parent == t)
        task_kill(s.current); /* PR_SET_PDEATHSIG */
}

void task_kill_all(struct master *m)
{
    bool self = false;
    for (struct task *t = s.alive, *next; t; t = next) {
        next = t->next;
        if (t->master != m)
            continue;
        forget(t);
        self |= t == s.current;
    }
    if (self)
        leave(s.current);
    else if (!s.current)
        tell_ended();
}

void task_sleep_until(uint64_t at_usec)
{
    struct task *t = s.current;
    t->is_sleeping = true;
    t->wake = schedule_at(at_usec, on_wake, t);
    leave(t);
    t->is_sleeping = false;
}

void task_block(void)
{
    struct task *t = s.current;
    if (!t->is_woken) {
        t->is_blocked = true;
        leave(t);
        t->is_blocked = false;
    }
    t->is_woken = false;
}

void task_wake(struct task *t)
{
    if (!t->is_alive)
        return;
    t->is_woken = true;
    if (t->is_blocked && !t->wake)
        t->wake = schedule_at(s.now_usec, on_wake, t);
}

/* ---- a run ---- */

void schedule_run(uint64_t until_usec)
{
    s.stopped = false;
    tell_ended();
    while (!s.stopped && s.count && s.heap[0]->at_usec <= until_usec) {
        struct entry *e = s.heap[0];
        take_out(e);
        s.now_usec = e->at_usec;
        e->fire(e->context);
        free(e);
        tell_ended();
    }
    if (!s.stopped && s.now_usec < until_usec)
        s.now_usec = until_usec;
}
