/* A master's life: it boots, what a crash left out is put back, units and agent start; agents are
 * killed and stop, power fails, the machine is suspended, its wall clock is set. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/verbs.h"
#include "engine/catalog.h"
#include "engine/engine.h"
#include "sim.h"

/* The boot clock of a booted machine doesn't begin at 0. */
static const uint64_t clock_head_usec = 5 * USEC_PER_SEC;

struct life_chances {
    struct stream_random crash, power, suspend, wall, outage;
};
static struct life_chances chances[MASTERS_MAX];

static struct life_chances *chance(const struct master *m)
{
    return &chances[m->index];
}

/* ---- clocks ---- */

uint64_t master_boot_usec(const struct master *m)
{
    return schedule_now() - m->booted_usec + clock_head_usec;
}

uint64_t boot_true_usec(const char *boot_id, uint64_t boot_usec)
{
    const char *start = strrchr(boot_id, '-');
    uint64_t since_boot = boot_usec > clock_head_usec ? boot_usec - clock_head_usec : 0;
    return (start ? strtoull(start + 1, NULL, 16) : 0) + since_boot;
}

uint64_t master_sleeps_until(const struct master *m)
{
    return m->life == LIFE_SUSPENDED ? m->resumes_usec : 0;
}

uint64_t kernel_boot_usec(void)
{
    return master_boot_usec(task_master(task_current()));
}

int64_t kernel_wall_usec(void)
{
    return (int64_t)schedule_now() + task_master(task_current())->wall_usec;
}

const char *kernel_boot_id(void)
{
    return task_master(task_current())->boot_id;
}

/* ---- agent ---- */

const struct catalog *life_catalog(void)
{
    static struct catalog all;
    all = catalog_of_rooms();
    return &all;
}

static int agent_main(void *context)
{
    (void)context;
    const struct engine_options o = {
        .root = "/", .catalog = life_catalog(), .observer = "/usr/libexec/planeguard-observer"};
    return engine_run(&o);
}

static void agent_start(struct master *m);

static void on_restart(void *context)
{
    struct master *m = context;
    if (m->life == LIFE_SUSPENDED)
        (void)schedule_at(m->resumes_usec + USEC_PER_SEC, on_restart, m);
    else if (m->life == LIFE_UP && !m->agent)
        agent_start(m);
}

static void restart_later(struct master *m, int code)
{
    /* Restart=always, RestartSec=5; now and then nobody starts it again for hours. With documents
     * that have errors it isn't restarted until somebody has looked. */
    uint64_t pause = code == ENGINE_CONFIGURATION ? 10 * USEC_PER_MINUTE : 5 * USEC_PER_SEC;
    if (!sim.is_calm && sim_has("outage") && random_one_in(&chance(m)->outage, 25))
        pause = random_between(&chance(m)->outage, 1, 6 * 60) * USEC_PER_MINUTE;
    (void)schedule_at(schedule_now() + pause, on_restart, m);
}

static int recover_main(void *context)
{
    (void)context;
    const struct options o = {.root = "/", .catalog = life_catalog()};
    return cmd_recover(&o);
}

static void on_agent_ended(void *context, int code)
{
    struct master *m = context;
    sim_say(m, "the agent ended: %d", code);
    if (m->loop)
        watch_forget(m->loop);
    m->loop = NULL;
    m->agent = NULL;
    observe_forget(m);
    if (m->life != LIFE_UP && m->life != LIFE_SUSPENDED)
        return;
    invariants_ended(m, code);
    /* The unit's stop hook. */
    if (m->hooks_work)
        (void)task_start(m, TASK_RECOVER, recover_main, NULL, NULL, NULL);
    restart_later(m, code);
}

static void agent_start(struct master *m)
{
    sim_say(m, "the agent starts");
    world_agent_began(sim.world, m->index);
    m->agent = task_start(m, TASK_AGENT, agent_main, NULL, on_agent_ended, m);
}

void life_kill_agent(struct master *m, const char *why)
{
    sim_say(m, "the agent is killed: %s", why);
    if (m->agent)
        task_kill(m->agent);
}

/* ---- boot and power ---- */

static void on_agent_due(void *context)
{
    on_restart(context);
}

static void boot_done(void *context, int code)
{
    struct master *m = context;
    if (m->life != LIFE_BOOTING)
        return;
    if (code != 0)
        sim_say(m, "recovery at boot ended with %d", code);
    m->life = LIFE_UP;
    m->awake_usec = schedule_now();
    world_boot(sim.world, m->index);
    uint64_t pause = random_between(&chance(m)->power, 1, 20) * USEC_PER_SEC;
    (void)schedule_at(schedule_now() + pause, on_agent_due, m);
}

static void on_boot(void *context)
{
    struct master *m = context;
    m->life = LIFE_BOOTING;
    m->booted_usec = schedule_now();
    (void)snprintf(m->boot_id, sizeof m->boot_id, "%08x-0000-4000-8000-%012" PRIx64, m->index,
                   m->booted_usec);
    sim_say(m, "boots");
    if (m->hooks_work)
        (void)task_start(m, TASK_RECOVER, recover_main, NULL, boot_done, m);
    else
        boot_done(m, 0);
}

static void on_power_back(void *context)
{
    on_boot(context);
}

void life_power_cut(struct master *m, const char *why)
{
    if (m->life == LIFE_OFF)
        return;
    sim_say(m, "the power is cut: %s", why);
    reach("life", "power cut");
    m->life = LIFE_OFF;
    files_power_cut(m->files, &chance(m)->power);
    world_power_cut(sim.world, m->index);
    if (m->loop)
        watch_forget(m->loop);
    m->loop = NULL;
    m->agent = NULL;
    observe_forget(m);
    invariants_power_cut(m);
    uint64_t off = sim.is_calm || random_one_in(&chance(m)->power, 2)
                       ? random_between(&chance(m)->power, 20, 200) * USEC_PER_SEC
                       : random_between(&chance(m)->power, 5, 300) * USEC_PER_MINUTE;
    (void)schedule_at(schedule_now() + off, on_power_back, m);
    task_kill_all(m); /* last: it doesn't come back where a call of the master's brought us here */
}

/* ---- what happens by itself ---- */

static void again(struct master *m, struct stream_random *r, uint64_t mean_usec,
                  void (*fire)(void *context))
{
    if (!sim.is_calm)
        (void)schedule_at(schedule_now() + random_wait(r, mean_usec), fire, m);
}

static const uint64_t day_usec = 24 * USEC_PER_HOUR;

static void on_crash(void *context)
{
    struct master *m = context;
    if (sim_has("agent-crash") && m->life == LIFE_UP && m->agent && !sim.is_calm)
        life_kill_agent(m, "at rest");
    again(m, &chance(m)->crash, 8 * day_usec, on_crash);
}

static void on_power(void *context)
{
    struct master *m = context;
    if (sim_has("power-cut") && m->life == LIFE_UP && !sim.is_calm)
        life_power_cut(m, "at rest");
    again(m, &chance(m)->power, 12 * day_usec, on_power);
}

static void on_resume(void *context)
{
    struct master *m = context;
    if (m->life != LIFE_SUSPENDED)
        return;
    m->life = LIFE_UP;
    m->awake_usec = schedule_now();
    sim_say(m, "resumes");
    world_resume(sim.world, m->index);
}

static void suspend(struct master *m, uint64_t usec)
{
    if (m->life != LIFE_UP)
        return;
    m->life = LIFE_SUSPENDED;
    m->resumes_usec = schedule_now() + usec;
    sim_say(m, "is suspended");
    reach("life", "suspended");
    world_suspend(sim.world, m->index);
    (void)schedule_at(m->resumes_usec, on_resume, m);
}

static void on_suspend(void *context)
{
    struct master *m = context;
    if (sim_has("suspend") && !sim.is_calm)
        suspend(m, random_between(&chance(m)->suspend, 5, 8 * 3600) * USEC_PER_SEC);
    again(m, &chance(m)->suspend, 20 * day_usec, on_suspend);
}

static void on_wall(void *context)
{
    static const int64_t jumps_usec[] = {
        (int64_t)365 * 24 * 3600 * 1000000,
        (int64_t)-365 * 24 * 3600 * 1000000,
        3600000000,
        -3600000000,
        5000000,
        -5000000,
    };
    struct master *m = context;
    if (sim_has("wall-clock") && !sim.is_calm) {
        m->wall_usec += jumps_usec[random_below(&chance(m)->wall, 6)];
        sim_say(m, "the wall clock is set");
        reach("life", "wall clock set");
        world_wall_set(sim.world, m->index);
    }
    again(m, &chance(m)->wall, 10 * day_usec, on_wall);
}

/* ---- what happens because a test says so ---- */

struct planned {
    char kind; /* '+', '-', '=': the wall clock; 's': suspend; 'r': reboot */
    int64_t seconds;
};

static void on_planned(void *context)
{
    const struct planned *p = context;
    for (unsigned i = 0; i < sim.master_count; i++) {
        struct master *m = &sim.masters[i];
        int64_t usec = p->seconds * (int64_t)USEC_PER_SEC;
        if (p->kind == 's')
            suspend(m, (uint64_t)usec);
        else if (p->kind == 'r')
            life_power_cut(m, "as planned");
        else if (p->kind == '=')
            m->wall_usec = usec - (int64_t)schedule_now();
        else
            m->wall_usec += p->kind == '+' ? usec : -usec;
        if (strchr("+-=", p->kind))
            world_wall_set(sim.world, i);
    }
    sim_say(NULL, "as planned: %c %lld s", p->kind, (long long)p->seconds);
}

bool life_plan(const char *what, uint64_t at_usec)
{
    struct planned p = {0};
    char end;
    if (!strcmp(what, "reboot"))
        p.kind = 'r';
    else if (sscanf(what, "suspend=%" SCNd64 "%c", &p.seconds, &end) == 1)
        p.kind = 's';
    else if (sscanf(what, "wall%c%" SCNd64 "%c", &p.kind, &p.seconds, &end) != 2 ||
             !strchr("+-=", p.kind) || p.seconds < 0)
        return false;
    struct planned *kept = mem_new(struct planned);
    *kept = p;
    (void)schedule_at(at_usec, on_planned, kept);
    return true;
}

static void master_start(struct master *m)
{
    struct life_chances *c = chance(m);
    c->crash = random_stream(sim.seed, "crash", m->index);
    c->power = random_stream(sim.seed, "power", m->index);
    c->suspend = random_stream(sim.seed, "suspend", m->index);
    c->wall = random_stream(sim.seed, "wall", m->index);
    c->outage = random_stream(sim.seed, "outage", m->index);
    again(m, &c->crash, 8 * day_usec, on_crash);
    again(m, &c->power, 12 * day_usec, on_power);
    again(m, &c->suspend, 20 * day_usec, on_suspend);
    again(m, &c->wall, 10 * day_usec, on_wall);
    on_boot(m);
}

void life_start(void)
{
    for (unsigned i = 0; i < sim.master_count; i++)
        master_start(&sim.masters[i]);
}
