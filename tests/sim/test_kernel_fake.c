#include "test_kernel_fake.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake fake;

struct entry {
    uint64_t at_usec;
    void (*fire)(void *context);
    void *context;
    struct entry *next;
};

static struct entry *entries;

void fake_begin(struct task *t)
{
    fake = (struct fake){.current = t, .now_usec = 1000000};
}

uint64_t schedule_now(void)
{
    return fake.now_usec;
}

struct entry *schedule_at(uint64_t at_usec, void (*fire)(void *context), void *context)
{
    struct entry **at = &entries, *e = malloc(sizeof *e);
    assert(e);
    while (*at && (*at)->at_usec <= at_usec)
        at = &(*at)->next;
    *e = (struct entry){at_usec, fire, context, *at};
    return *at = e;
}

void schedule_cancel(struct entry *e)
{
    struct entry **at = &entries;
    while (e && *at != e)
        at = &(*at)->next;
    if (e)
        *at = e->next;
    free(e);
}

struct task *task_current(void)
{
    return fake.current;
}

struct master *task_master(const struct task *t)
{
    return (struct master *)t->files;
}

struct files *master_files(struct master *m)
{
    return (struct files *)m;
}

void task_sleep_until(uint64_t at_usec)
{
    assert(at_usec >= fake.now_usec);
    fake.now_usec = at_usec;
}

void task_block(void)
{
    if (fake.blocked) {
        fake.blocked();
        return;
    }
    struct entry *e = entries;
    assert(e); /* else it would block for ever */
    entries = e->next;
    fake.now_usec = e->at_usec;
    e->fire(e->context);
    free(e);
}

void task_wake(struct task *t)
{
    (void)t;
}

void kernel_changed(struct files *f, struct task *t, enum file_change what, const char *folder,
                    const char *name)
{
    assert(f && t == fake.current);
    fake.changes[what]++;
    (void)snprintf(fake.folder, sizeof fake.folder, "%s", folder);
    (void)snprintf(fake.name, sizeof fake.name, "%s", name);
}

int kernel_point(const char *call, bool changes, const char *path)
{
    (void)snprintf(fake.point_path, sizeof fake.point_path, "%s", path ? path : "(unknown)");
    if (changes && fake.points_left > 0 && --fake.points_left == 0)
        longjmp(fake.end, 1);
    if (!fake.failing || strcmp(fake.failing, call) != 0)
        return 0;
    fake.failing = NULL;
    return fake.failing_errno;
}

size_t kernel_write_length(size_t length)
{
    return fake.write_most && length > fake.write_most ? fake.write_most : length;
}

/* Three clocks that nobody can take for one another. */
uint64_t kernel_boot_usec(void)
{
    return fake.now_usec + 5000000;
}

int64_t kernel_wall_usec(void)
{
    return (int64_t)fake.now_usec + 1700000000000000;
}

uint64_t kernel_random(void)
{
    static uint64_t drawn;
    return drawn += 0x9e3779b97f4a7c15;
}

const char *kernel_boot_id(void)
{
    return "01234567-89ab-4def-8123-456789abcdef";
}
