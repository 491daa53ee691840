/* sim SEED [--days N] [--masters N] [--without NAME,...] [--documents DIR] [--trace]
 *
 * One run. On standard output one line of JSON: what was reached, or which invariant failed. With
 * --trace what happened goes to standard error, with the agents' own log. Exit 0 held, 1 failed.
 *
 * --dump DIR: the masters' journals and state, as they are at the end, each a root for `planeguard
 * --root`.
 * --at USEC WHAT: something more that happens then (life_plan in sim.h; several times).
 * --transitions: all incidents' transitions, in the answer.
 *
 * sim troubles: the names of all that can go wrong, for --without. */
#include "sim.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "engine/engine.h"

struct simulation sim;

static FILE *answer; /* what was standard output: the agents' own goes nowhere */
static double days = 30;
static json_t *counts;

static const uint64_t calm_usec = 8 * USEC_PER_HOUR;

bool sim_has(const char *trouble)
{
    size_t length = strlen(trouble);
    for (const char *at = sim.without; at && (at = strstr(at, trouble)); at += length)
        if ((at == sim.without || at[-1] == ',') && (!at[length] || at[length] == ','))
            return false;
    return true;
}

void sim_count(const char *what, uint64_t more)
{
    json_put(counts, what, json_integer(json_get_int(counts, what, 0) + (json_int_t)more));
}

/* ---- telling ---- */

static void say_head(int master)
{
    uint64_t now = schedule_now();
    (void)fprintf(stderr, "%3" PRIu64 "d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64 " ",
                  now / USEC_PER_HOUR / 24, now / USEC_PER_HOUR % 24, now / USEC_PER_MINUTE % 60,
                  now / USEC_PER_SEC % 60, now / USEC_PER_MSEC % 1000);
    (void)fprintf(stderr, master < 0 ? "cluster:  " : "master-%d: ", master);
}

void sim_say(const struct master *m, const char *format, ...)
{
    va_list args;
    if (!sim.trace)
        return;
    say_head(m ? (int)m->index : -1);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

void world_say(unsigned master, const char *format, ...)
{
    va_list args;
    if (!sim.trace)
        return;
    say_head((int)master);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

/* ---- the journals, for a person to read ---- */

static const char *dump_folder; /* host path; NULL: not asked for */

struct dump {
    const struct master *master;
    const char *folder;
};

static void dump_file(void *context, const char *name)
{
    const struct dump *d = context;
    char from[512], to[1024];
    size_t length;
    (void)snprintf(from, sizeof from, "%s/%s", d->folder, name);
    (void)snprintf(to, sizeof to, "%s/master-%u%s", dump_folder, d->master->index, from);
    const char *bytes = files_get(d->master->files, from, &length);
    FILE *out = bytes ? fopen(to, "we") : NULL;
    if (out) {
        (void)fwrite(bytes, 1, length, out);
        (void)fclose(out);
    }
}

static void dump(void)
{
    static const char *const folders[] = {
        "/var/log/planeguard/audit", "/var/log/planeguard/audit/documents", "/var/lib/planeguard"};
    for (unsigned i = 0; dump_folder && i < sim.master_count; i++) {
        for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) {
            struct dump d = {&sim.masters[i], folders[k]};
            char *to = mem_printf("%s/master-%u%s", dump_folder, i, folders[k]);
            for (char *slash = to + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
                *slash = '\0';
                (void)mkdir(to, 0700);
            }
            (void)mkdir(to, 0700);
            free(to);
            files_list(d.master->files, d.folder, dump_file, &d);
        }
    }
}

static json_t *answer_head(void)
{
    json_t *all = json_object();
    json_put(all, "seed", json_integer((json_int_t)sim.seed));
    json_put(all, "masters", json_integer(sim.master_count));
    json_put(all, "minutes", json_integer((json_int_t)(schedule_now() / USEC_PER_MINUTE)));
    return all;
}

static void answer_write(json_t *all)
{
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    (void)fprintf(answer, "%s\n", text);
    (void)fflush(answer);
}

void sim_fail(const struct master *m, const char *invariant, const char *format, ...)
{
    char what[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    sim_say(m, "INVARIANT %s: %s", invariant, what);
    json_t *all = answer_head();
    json_put(all, "failed", json_string(invariant));
    json_put(all, "what", json_string_or_null(what));
    json_put(all, "master", json_integer(m ? (json_int_t)m->index : -1));
    json_put(all, "present",
             json_string(m && !m->is_scratch ? world_present(sim.world, m->index) : ""));
    answer_write(all);
    dump();
    _exit(1);
}

/* ---- what the parts ask of the simulation ---- */

struct files *master_files(struct master *m)
{
    return m->files;
}

struct files *world_files(unsigned master)
{
    return sim.masters[master].files;
}

void world_changed(struct world *w, unsigned master)
{
    if (!sim.world)
        return; /* it is being made */
    (void)w;
    invariants_world_changed(&sim.masters[master]);
    observe_world_changed(&sim.masters[master]);
}

void world_acted(unsigned master, const char *what)
{
    invariants_acted(&sim.masters[master], what);
}

void kernel_changed(struct files *f, struct task *t, enum file_change what, const char *folder,
                    const char *name)
{
    for (unsigned i = 0; i < sim.master_count; i++) {
        struct master *m = &sim.masters[i];
        if (m->files != f)
            continue;
        invariants_changed(m, t, what, folder, name);
        if (what == CHANGED_SYNCED || !sim.world)
            return;
        watch_tell(m, folder, name);
        world_file_changed(sim.world, i, folder, name);
    }
}

/* ---- the masters' files ---- */

static void copy_file(struct files *f, const char *from, const char *to)
{
    FILE *in = fopen(from, "re");
    char bytes[64 * 1024];
    size_t length = in ? fread(bytes, 1, sizeof bytes, in) : 0;
    if (!in || ferror(in) || !feof(in)) {
        (void)fprintf(stderr, "sim: %s can't be read\n", from);
        exit(2);
    }
    (void)fclose(in);
    files_put(f, to, bytes, length);
}

static void copy_folder(struct files *f, const char *from, const char *to)
{
    DIR *d = opendir(from);
    if (!d) {
        (void)fprintf(stderr, "sim: %s: %s\n", from, strerror(errno));
        exit(2);
    }
    for (const struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        char *source = mem_printf("%s/%s", from, entry->d_name);
        char *target = mem_printf("%s/%s", to, entry->d_name);
        struct stat st;
        if (stat(source, &st) == 0 && S_ISDIR(st.st_mode))
            copy_folder(f, source, target);
        else
            copy_file(f, source, target);
        free(source);
        free(target);
    }
    (void)closedir(d);
}

static void install(struct master *m)
{
    static const char *const folders[] = {"playbooks", "policy"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *from = mem_printf("%s/%s", sim.documents, folders[i]);
        char *to = mem_printf("/usr/share/planeguard/%s", folders[i]);
        copy_folder(m->files, from, to);
        free(from);
        free(to);
    }
    static const char *const there[] = {"/run", "/var/lib", "/var/log", "/etc/planeguard"};
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        files_make_folder(m->files, there[i]);
}

static void masters_new(void)
{
    struct stream_random r = random_stream(sim.seed, "cluster", 0);
    unsigned chance = (unsigned)random_below(&r, 20);
    unsigned size = chance == 0 ? 5 : chance <= 2 ? 3 : 1;
    if (!sim.master_count)
        sim.master_count = size;
    struct master *at[MASTERS_MAX];
    for (unsigned i = 0; i < sim.master_count; i++) {
        at[i] = &sim.masters[i];
        *at[i] = (struct master){.index = i,
                                 .files = files_new(),
                                 .wall_usec = INT64_C(1767225600000000), /* 2026-01-01 */
                                 .hooks_work = !random_one_in(&r, 4)};
    }
    for (unsigned i = 0; i < sim.master_count; i++)
        install(at[i]);
    sim.world = world_new(sim.seed, sim.master_count, at, sim.without);
}

/* ---- the run ---- */

static const char *const own_troubles[] = {
    "agent-crash",   "power-cut",   "suspend", "wall-clock", "bad-disk",
    "slow-disk",     "kill-switch", "policy",  "service",    "outage",
    "bad-documents", "own-failure", NULL};

static _Noreturn void list_troubles(void)
{
    for (const char *const *name = own_troubles; *name; name++)
        (void)puts(*name);
    for (const char *const *name = world_troubles; *name; name++)
        (void)puts(*name);
    exit(0);
}

static void usage(void)
{
    (void)fputs("usage: sim SEED [--days N] [--masters N] [--without NAME,...] [--documents DIR] "
                "[--at USEC WHAT]... [--transitions] [--trace] [--dump DIR]\n",
                stderr);
    exit(64);
}

static void arguments(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "troubles"))
        list_troubles();
    if (argc < 2 || argv[1][0] < '0' || argv[1][0] > '9')
        usage();
    sim.seed = strtoull(argv[1], NULL, 10);
    sim.documents = ".";
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--trace"))
            sim.trace = true;
        else if (!strcmp(argv[i], "--transitions"))
            sim.transitions = json_array();
        else if (!strcmp(argv[i], "--at") && i + 2 < argc &&
                 life_plan(argv[i + 2], strtoull(argv[i + 1], NULL, 10)))
            i += 2;
        else if (i + 1 == argc)
            usage();
        else if (!strcmp(argv[i], "--days"))
            days = strtod(argv[++i], NULL);
        else if (!strcmp(argv[i], "--masters"))
            sim.master_count = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--without"))
            sim.without = argv[++i];
        else if (!strcmp(argv[i], "--dump"))
            dump_folder = argv[++i];
        else if (!strcmp(argv[i], "--documents"))
            sim.documents = argv[++i];
        else
            usage();
    }
    if (sim.master_count > MASTERS_MAX || days <= 0)
        usage();
}

/* Agents log to standard error and print to standard output. */
static void redirect(void)
{
    answer = fdopen(dup(STDOUT_FILENO), "w");
    if (!answer || !freopen("/dev/null", "w", stdout) ||
        (!sim.trace && !freopen("/dev/null", "w", stderr)))
        exit(2);
}

static void run(void)
{
    sim.end_usec = (uint64_t)(days * 24 * (double)USEC_PER_HOUR);
    faults_start();
    life_start();
    people_start();
    schedule_run(sim.end_usec);
    sim_say(NULL, "from here on nothing breaks");
    sim.is_calm = true;
    faults_calm();
    world_calm(sim.world);
    people_calm();
    schedule_run(sim.end_usec + calm_usec);
    invariants_finish();
    schedule_run(sim.end_usec + calm_usec + USEC_PER_SEC);
}

static json_t *troubles(void)
{
    unsigned count;
    const struct world_count *c = world_counts(sim.world, &count);
    json_t *all = json_object();
    for (unsigned i = 0; i < count; i++) {
        json_t *one = json_array();
        json_push(one, json_integer((json_int_t)c[i].happened));
        json_push(one, json_integer((json_int_t)c[i].mended));
        json_put(all, c[i].name, one);
    }
    return all;
}

int main(int argc, char **argv)
{
    json_setup();
    arguments(argc, argv);
    redirect();
    counts = json_object();
    masters_new();
    run();
    json_t *all = answer_head();
    uint64_t digest = 0;
    for (unsigned i = 0; i < sim.master_count; i++)
        digest = digest * 31 + files_hash(sim.masters[i].files, "/");
    char hex[24];
    (void)snprintf(hex, sizeof hex, "%016" PRIx64, digest);
    json_put(all, "digest", json_string(hex)); /* the same seed gives the same */
    json_put(all, "troubles", troubles());
    json_put(all, "counts", counts);
    json_put(all, "reach", reach_take());
    if (sim.transitions)
        json_put(all, "transitions", sim.transitions);
    answer_write(all);
    dump();
    return 0;
}
