/* The agent's end of the observer, with an observer that says anything. Each line of the input is a
 * frame; two probes have a look under way (numbers 1 and 2), a third was cancelled (3), a ping is
 * out (1). A look is answered at most once, with flat facts; nonsense is counted and ends it at the
 * third; no descriptor stays open.
 *
 * The file itself is included: only inside is there a way in that starts no process. */
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "fuzz.h"
#include "observe/remote.c"

enum { PROBES = 3, NO_PROCESS = 0x3ffffff0 /* beyond the kernel's pid_max: nobody is killed */ };

struct world {
    struct probe probes[PROBES];
    unsigned reports[PROBES], senses;
};

static void on_report(struct probe *p, const struct reading *r)
{
    struct world *w = p->owner;
    const char *key;
    json_t *fact;
    w->reports[p - w->probes]++;
    fuzz_must(r->verdict <= SIGNAL_FAIL && r->reason < REASON_COUNT_);
    json_object_foreach (r->facts, key, fact)
        fuzz_must(json_is_integer(fact) || json_string_length(fact) <= FACT_LENGTH_MAX);
    fuzz_must(!r->detail || strlen(r->detail) <= FRAME_BYTES_MAX);
    w->senses++;
}

static struct remote *begin(struct loop *loop, struct world *w, int socket)
{
    struct remote *r = mem_new(struct remote);
    struct err e = {0};
    r->loop = loop;
    r->root = fuzz_root();
    r->socket = socket;
    r->backoff_usec = backoff_first_usec;
    r->argv = mem_array(const char *, 1);
    r->health.pid = NO_PROCESS;
    r->pings = 1;
    r->pinged = true;
    fuzz_must(timer_new(loop, on_restart, r, &r->restart, &e) == 0 &&
              timer_new(loop, on_silence, r, &r->silence, &e) == 0 &&
              io_new(loop, socket, EPOLLIN, on_frame, r, &r->io, &e) == 0);
    for (size_t i = 0; i < PROBES; i++) {
        struct sent *s = mem_new(struct sent);
        w->probes[i] =
            (struct probe){.name = "p", .report = on_report, .owner = w, .looking = true};
        *s = (struct sent){r->sent, i < 2 ? &w->probes[i] : NULL, i + 1, clock_boot_usec()};
        r->sent = s;
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct loop *loop;
    struct fuzz_input in = {bytes, length};
    struct world w = {0};
    struct err e = {0};
    int pair[2];
    if (!loop)
        fuzz_must(loop_new(&loop, &e) == 0);
    (void)fuzz_root();
    int before = fuzz_next_descriptor();
    fuzz_must(socket_pair(pair, &e) == 0);
    struct remote *r = begin(loop, &w, pair[1]);
    size_t n;
    for (char *line; r->socket >= 0 && (line = fuzz_line(&in, &n)); free(line)) {
        unsigned nonsense = r->health.nonsense;
        (void)send(pair[0], line, n, MSG_NOSIGNAL);
        (void)sd_event_run(loop_sd_event(loop), 0);
        fuzz_must(r->health.nonsense <= nonsense + 1 && r->health.nonsense <= NONSENSE_MAX);
        fuzz_must((r->health.nonsense < NONSENSE_MAX) || r->socket < 0);
    }
    for (size_t i = 0; i < PROBES; i++)
        fuzz_must(w.reports[i] <= (i < 2));
    fuzz_must(r->socket >= 0 || (w.reports[0] == 1 && w.reports[1] == 1 && !r->health.alive));
    r->health.pid = 0;
    remote_free(r);
    (void)close(pair[0]);
    fuzz_must(fuzz_next_descriptor() == before);
    return 0;
}
