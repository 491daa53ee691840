/* What can strike at a simulated system call: the agent is killed there, or one hand of it, or the
 * power goes; a call fails; a disk is slow; a write is short. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim.h"

enum strike { STRIKE_NONE, STRIKE_AGENT, STRIKE_HAND, STRIKE_POWER };

struct faults {
    struct stream_random tempt, disk, slow, moment;
    enum strike strike;
    unsigned left;                /* calls until it strikes */
    uint64_t bad_usec;            /* the disk is bad until then */
    struct stream_random numbers; /* what getrandom gives */
};
static struct faults all[MASTERS_MAX];

static const uint64_t day_usec = 24 * USEC_PER_HOUR;

uint64_t kernel_random(void)
{
    return random_next(&all[task_master(task_current())->index].numbers);
}

size_t kernel_write_length(size_t length)
{
    struct faults *f = &all[task_master(task_current())->index];
    if (task_master(task_current())->is_scratch || length < 2 || schedule_now() >= f->bad_usec ||
        !random_one_in(&f->disk, 4))
        return length;
    reach("fault", "short write");
    return (size_t)random_between(&f->disk, 1, length - 1);
}

static const char *role_word(enum task_role role)
{
    static const char *const words[] = {"agent", "hand", "dead-man", "recover"};
    return words[role];
}

static void strike(struct master *m, struct faults *f, const char *call)
{
    enum strike what = f->strike;
    enum task_role role = task_role_of(task_current());
    char where[64];
    f->strike = STRIKE_NONE;
    (void)snprintf(where, sizeof where, "%s:%s", role_word(role), call);
    if (what == STRIKE_POWER) {
        reach("power-cut-at", where);
        life_power_cut(m, where);
    } else if (what == STRIKE_HAND && role != TASK_AGENT) {
        reach("killed-at", where);
        sim_say(m, "killed: %s", where);
        task_kill(task_current());
    } else if (m->agent) {
        reach("killed-at", where);
        life_kill_agent(m, where);
    }
}

static int failure(struct faults *f, const char *call)
{
    static const int errnos[] = {EIO, ENOSPC, EMFILE, ENOMEM, EROFS, EACCES};
    int errnum = errnos[random_below(&f->disk, sizeof errnos / sizeof *errnos)];
    char which[64];
    (void)snprintf(which, sizeof which, "%s:%s", call, strerrorname_np(errnum));
    reach("errno", which);
    return errnum;
}

int kernel_point(const char *call, bool changes, const char *path)
{
    struct master *m = task_master(task_current());
    struct faults *f = &all[m->index];
    (void)path;
    if (m->is_scratch)
        return 0;
    if (f->strike != STRIKE_NONE && changes && f->left-- == 0)
        strike(m, f, call);
    if (changes && schedule_now() < f->bad_usec && random_one_in(&f->disk, 15))
        return failure(f, call);
    if (!strcmp(call, "fdatasync") && sim_has("slow-disk") && random_one_in(&f->slow, 300)) {
        reach("fault", "slow fsync");
        task_sleep_until(schedule_now() + random_between(&f->slow, 10, 8000) * USEC_PER_MSEC);
    }
    return 0;
}

static void arm(struct faults *f, unsigned most)
{
    static const enum strike kinds[] = {STRIKE_AGENT, STRIKE_AGENT, STRIKE_HAND, STRIKE_POWER};
    f->strike = kinds[random_below(&f->tempt, sizeof kinds / sizeof *kinds)];
    f->left = (unsigned)random_below(&f->tempt, most);
    if ((f->strike == STRIKE_POWER && !sim_has("power-cut")) ||
        (f->strike != STRIKE_POWER && !sim_has("agent-crash")))
        f->strike = STRIKE_NONE;
}

/* Somebody mends the manifest at the very moment. */
static void on_edit(void *context)
{
    struct master *m = context;
    if (sim.is_calm || m->life != LIFE_UP)
        return;
    reach("fault", "edit under a hand");
    world_edit(sim.world, m->index);
}

void faults_tempt(struct master *m)
{
    struct faults *f = &all[m->index];
    if (sim.is_calm)
        return;
    if (random_one_in(&f->tempt, 5))
        arm(f, 80);
    if (sim_has("bad-disk") && random_one_in(&f->moment, 12)) {
        f->bad_usec = schedule_now() + random_between(&f->moment, 5, 120) * USEC_PER_SEC;
        sim_say(m, "the disk is bad while a hand is at work");
        reach("fault", "bad disk under a hand");
    }
    if (sim_has("good-edit") && random_one_in(&f->moment, 12))
        (void)schedule_at(schedule_now() + random_between(&f->moment, 1, 3000) * USEC_PER_MSEC,
                          on_edit, m);
}

bool faults_disk_was_good(const struct master *m, uint64_t at_usec, uint64_t for_usec)
{
    return all[m->index].bad_usec + for_usec < at_usec;
}

static void on_strike(void *context)
{
    struct master *m = context;
    struct faults *f = &all[m->index];
    if (sim.is_calm)
        return;
    arm(f, 30);
    (void)schedule_at(schedule_now() + random_wait(&f->tempt, 4 * day_usec), on_strike, m);
}

static void on_bad_disk(void *context)
{
    struct master *m = context;
    struct faults *f = &all[m->index];
    if (sim.is_calm)
        return;
    if (sim_has("bad-disk")) {
        f->bad_usec = schedule_now() + random_between(&f->disk, 10, 1200) * USEC_PER_SEC;
        sim_say(m, "the disk is bad for a while");
    }
    (void)schedule_at(schedule_now() + random_wait(&f->disk, 6 * day_usec), on_bad_disk, m);
}

void faults_start(void)
{
    for (unsigned i = 0; i < sim.master_count; i++) {
        struct faults *f = &all[i];
        f->tempt = random_stream(sim.seed, "tempt", i);
        f->disk = random_stream(sim.seed, "disk", i);
        f->slow = random_stream(sim.seed, "slow", i);
        f->moment = random_stream(sim.seed, "moment", i);
        f->numbers = random_stream(sim.seed, "numbers", i);
        (void)schedule_at(random_wait(&f->tempt, 4 * day_usec), on_strike, &sim.masters[i]);
        (void)schedule_at(random_wait(&f->disk, 6 * day_usec), on_bad_disk, &sim.masters[i]);
    }
}

void faults_calm(void)
{
    for (unsigned i = 0; i < sim.master_count; i++) {
        all[i].strike = STRIKE_NONE;
        all[i].bad_usec = 0;
    }
}
