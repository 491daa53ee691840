/* The control socket, with a client that asks anything: one line a frame. Each frame that is an
 * object gets one answer; what is no frame ends the client; nothing in the core changes.
 *
 * The two files themselves are included, with an engine that observes nothing and has no hands: its
 * few calls are answered here. */
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "engine/control.c"

#include "engine/answers.c"
#include "fuzz.h"

uint64_t engine_now(const struct engine *en)
{
    (void)en;
    return 1;
}

const char *perform_phase(const struct engine *en, const char *incident, uint64_t *ret_began_usec)
{
    (void)en, (void)incident, (void)ret_began_usec;
    return NULL;
}

/* What waits for its plan. */
static struct planning *pending;

void perform_plan(struct engine *en, int playbook,
                  void (*done)(void *context, const struct job_result *r), void *context)
{
    (void)en;
    fuzz_must(playbook >= 0 && done == on_planned && !pending);
    pending = context;
}

static void on_reading(void *context, int probe, const struct reading *r)
{
    (void)context, (void)probe, (void)r;
}

static struct engine *engine(void)
{
    static struct engine en;
    static const char *const none[] = {"/no/such/observer", NULL};
    struct err e = {0};
    if (en.loop)
        return &en;
    en.generation = fuzz_generation();
    en.root = (struct root *)(uintptr_t)fuzz_root();
    fuzz_must(loop_new(&en.loop, &e) == 0 && node_load(en.root, &en.node, &e) == 0);
    fuzz_must(remote_new(en.loop, en.root, none, NULL, &en.remote, &e) == 0);
    fuzz_must(journal_open(en.root, "n", &en.journal, &(struct journal_opened){0}, &e) == 0);
    en.view = (struct view){.loop = en.loop, .root = en.root, .node = en.node, .remote = en.remote};
    fuzz_must(observe_new(&en.view, en.generation, on_reading, NULL, &en.observe, &e) == 0);
    en.core = core_new(en.generation);
    return &en;
}

static size_t answers(int socket)
{
    size_t count = 0;
    json_t *m = NULL;
    struct err e = {0};
    for (; frame_receive(socket, &m, NULL, &e) == 1; json_decref(m))
        count++;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct engine *en = engine();
    struct control *c = mem_new(struct control);
    struct fuzz_input in = {bytes, length};
    struct err e = {0};
    int before = fuzz_next_descriptor(), pair[2];
    *c = (struct control){.engine = en, .socket = -1};
    en->control = c;
    fuzz_must(socket_pair(pair, &e) == 0);
    client_new(c, pair[1]);
    json_t *state = core_save(en->core);
    size_t n;
    for (char *line; c->client_count && (line = fuzz_line(&in, &n)); free(line)) {
        json_t *m = json_parse(line, n, NULL);
        bool is_question = json_is_object(m) && n <= FRAME_BYTES_MAX;
        json_decref(m);
        if (send(pair[0], line, n, MSG_NOSIGNAL) < 0)
            continue;
        on_frame(c->clients, EPOLLIN);
        if (pending)
            on_planned(TAKE(pending), &(struct job_result){.detail = "no hands here"});
        fuzz_must(answers(pair[0]) == is_question);
        fuzz_must(c->client_count == is_question);
    }
    json_t *after = core_save(en->core);
    fuzz_must(json_equal(state, after));
    json_decref(state);
    json_decref(after);
    control_free(c);
    (void)close(pair[0]);
    fuzz_must(fuzz_next_descriptor() == before);
    return 0;
}
