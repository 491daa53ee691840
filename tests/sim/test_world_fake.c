#include "test_world_fake.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/field.h"
#include "config/node.h"
#include "loop/file.h"
#include "observe/probe.h"
#include "world/inside.h"

struct fake_world fake;
static struct master masters[MASTERS_MAX];
/* A world is for a process's life: none is freed, and none is lost. */
static struct world *worlds[256];
static size_t world_count;

uint64_t master_boot_usec(const struct master *m)
{
    return schedule_now() - m->booted_usec + 5 * USEC_PER_SEC;
}

uint64_t master_sleeps_until(const struct master *m)
{
    (void)m;
    return 0;
}

struct files *master_files(struct master *m)
{
    return m->files;
}

struct files *world_files(unsigned master)
{
    return masters[master].files;
}

void kernel_changed(struct files *f, struct task *t, enum file_change what, const char *folder,
                    const char *name)
{
    (void)t;
    for (unsigned i = 0; i < fake.masters; i++)
        if (masters[i].files == f && fake.world && what != CHANGED_SYNCED)
            world_file_changed(fake.world, i, folder, name);
}

int kernel_point(const char *call, bool changes, const char *path)
{
    (void)call;
    (void)changes;
    (void)path;
    return 0;
}

size_t kernel_write_length(size_t length)
{
    return length;
}

uint64_t kernel_boot_usec(void)
{
    return schedule_now();
}

int64_t kernel_wall_usec(void)
{
    return (int64_t)schedule_now() + INT64_C(1767225600000000);
}

uint64_t kernel_random(void)
{
    return 4;
}

const char *kernel_boot_id(void)
{
    return "00000000-0000-4000-8000-000000000000";
}

void world_changed(struct world *w, unsigned master)
{
    (void)w;
    (void)master;
    fake.changes++;
}

void world_acted(unsigned master, const char *what)
{
    (void)master;
    fake.acts++;
    (void)snprintf(fake.acted, sizeof fake.acted, "%s", what);
}

void world_say(unsigned master, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fake.trace = (fake.trace ^ text_hash(text, strlen(text)) ^ schedule_now()) * 0x100000001b3;
    if (fake.says)
        (void)fprintf(stderr, "%12.3f %u %s\n", (double)schedule_now() / 1e6, master, text);
}

void fake_begin(unsigned count, uint64_t seed, const char *without)
{
    struct master *at[MASTERS_MAX];
    OWNED(buf_fini) struct buf all = {0};
    for (size_t i = 0; !without && world_troubles[i]; i++)
        buf_printf(&all, "%s%s", i ? "," : "", world_troubles[i]);
    fake = (struct fake_world){.masters = count, .says = getenv("SAY") != NULL};
    for (unsigned i = 0; i < count; i++) {
        masters[i] = (struct master){.index = i,
                                     .files = files_new(),
                                     .booted_usec = schedule_now(),
                                     .wall_usec = INT64_C(1767225600000000)};
        at[i] = &masters[i];
    }
    char *names = mem_strdup(without ? without : buf_string(&all));
    fake.world = worlds[world_count++ % 256] = world_new(seed, count, at, names);
}

void fake_end(void)
{
    for (unsigned i = 0; i < fake.masters; i++)
        world_power_cut(fake.world, i);
    for (unsigned i = 0; i < fake.masters; i++) {
        struct host *n = &fake.world->nodes[i];
        while (n->alarms)
            alarm_cancel(n->alarms);
    }
    fake.world = NULL;
    for (unsigned i = 0; i < fake.masters; i++)
        files_free(masters[i].files);
}

void fake_run(double seconds)
{
    schedule_run(schedule_now() + (uint64_t)(seconds * 1e6));
}

void fake_trouble(unsigned master, const char *name)
{
    struct host *n = &fake.world->nodes[master];
    for (size_t i = 0; i < fake.world->trouble_count; i++) {
        struct trouble *t = n->troubles[i];
        if (t && !strcmp(t->kind->name, name))
            trouble_begin(t);
    }
}

static const void *arguments_of(struct pool *pool, const struct kind *kind, const char *text)
{
    struct yaml *y = NULL;
    struct err e = {""};
    void *args = pool_alloc(pool, kind->args_size + 1);
    if (yaml_parse(pool, "test", text, strlen(text), &y, &e) < 0 ||
        fields_decode(kind->fields, pool, y, args, &e) < 0)
        abort();
    return args;
}

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < probe_kind_count; i++)
        if (!strcmp(probe_kinds[i]->name, name))
            return probe_kinds[i];
    abort();
}

struct world_reading fake_look(unsigned master, const char *kind, const char *arguments)
{
    static struct world_reading last;
    struct pool *pool = pool_new();
    struct probe_document p = {.timeout_usec = 15 * USEC_PER_SEC, .kind = kind_of(kind)};
    p.args = arguments_of(pool, p.kind, arguments);
    uint64_t took_usec;
    json_decref(last.facts);
    world_look(fake.world, master, &p, &last, &took_usec);
    pool_free(pool);
    return last;
}

/* ---- the real kinds ---- */

static struct world_reading really;
static struct task *tasks[256]; /* the schedule frees none */
static size_t task_count;

static void on_reading(struct probe *p, const struct reading *r)
{
    (void)p;
    really = (struct world_reading){
        .verdict = r->verdict, .reason = r->reason, .facts = json_incref(r->facts)};
}

static int look_in_task(void *context)
{
    struct probe *p = context;
    struct root *root;
    struct node node = {.manifests = MANIFESTS};
    if (root_open("/", &root, NULL) < 0)
        return 1;
    const struct view view = {.root = root, .node = &node};
    p->view = &view;
    p->looking = true;
    p->report = on_reading;
    p->kind->look(p);
    root_free(root);
    return 0;
}

struct world_reading fake_look_really(unsigned master, const char *kind, const char *arguments)
{
    struct pool *pool = pool_new();
    const struct kind *k = kind_of(kind);
    struct probe p = {.kind = probe_kind_of(k),
                      .args = arguments_of(pool, k, arguments),
                      .timeout_usec = 15 * USEC_PER_SEC};
    tasks[task_count++ % 256] =
        task_start(&masters[master], TASK_AGENT, look_in_task, &p, NULL, NULL);
    schedule_run(schedule_now());
    pool_free(pool);
    return really;
}
