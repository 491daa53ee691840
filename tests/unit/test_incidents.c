/* `planeguard incidents` and `planeguard show`: what the journal says of them, also what a crash
 * made the agent forget. */
#include "journal_fixture.h"

#include "verb_case.h"

static void transition(struct journal *j, const char *id, const char *from, const char *to)
{
    json_t *one = json_object();
    json_put(one, "incident", json_string(id));
    json_put(one, "failure", json_string("apiserver-hung"));
    json_put(one, "from", json_string(from));
    json_put(one, "to", json_string(to));
    json_put(one, "why", json_string("because\x1b[2J"));
    if (!strcmp(to, "running"))
        json_put(one, "playbook", json_string("restart-hung-apiserver"));
    journal_add(j, RECORD_INCIDENT, one);
}

/* The agent starts with this incident, or with none. */
static void start(struct journal *j, const char *id)
{
    json_t *body = json_object(), *state = json_object(), *all = json_array();
    if (id) {
        json_t *one = json_object();
        json_put(one, "id", json_string(id));
        json_push(all, one);
    }
    json_put(state, "incidents", all);
    json_put(body, "state", state);
    journal_add(j, RECORD_START, body);
}

static void none(void **state)
{
    struct fixture *f = *state;
    static const struct verb_row without[] = {
        {"incidents", 1, "planeguard: "},
        {"show x", 1, "planeguard: "},
        {"--root /nowhere incidents", 1, "root /nowhere: can't be opened"},
        {"--root /nowhere show x", 1, "root /nowhere: can't be opened"},
    };
    VERB_ROWS(f->path, without);
    journal_close(journal_must_open(f, NULL));
    static const struct verb_row rows[] = {
        {"incidents", 0, "no incidents\n"},
        {"-o json incidents", 0, "{\"incidents\":[]}\n"},
        {"show x", 1, "the journal has no incident x; `planeguard incidents` lists them\n"},
        {"-o json show x", 1, "the journal has no incident x"},
    };
    VERB_ROWS(f->path, rows);
}

static void each_of_them(void **state)
{
    struct fixture *f = *state;
    struct journal *j = journal_must_open(f, NULL);
    transition(j, "r1-1", "none", "suspected");
    transition(j, "r1-1", "suspected", "running");
    transition(j, "r1-1", "running", "verifying");
    transition(j, "r1-2", "none", "suspected");
    transition(j, "r1-2", "suspected", "cleared");
    must_sync(f, j);
    journal_close(j);
    static const struct verb_row rows[] = {
        {"incidents", 0, "  r1-1         verifying  apiserver-hung             restart-hung-apis"},
        {"incidents", 0, "      because?[2J\n"},
        {"incidents", 0, "  r1-2         cleared    apiserver-hung             \n"},
        {"-o json incidents", 0, "\"playbook\":\"restart-hung-apiserver\",\"state\":\"verifying\""},
        {"show r1-1", 0, "running"},
        {"-o json show r1-2", 0, "\"to\":\"cleared\""},
    };
    VERB_ROWS(f->path, rows);
}

/* Killed when the record was durable and the state wasn't. What the agent went on with, and what
 * was closed, is not lost. */
static void lost(void **state)
{
    struct fixture *f = *state;
    static const char words[] = "the agent ended before it could keep this incident; nothing had "
                                "been done for it";
    struct journal *j = journal_must_open(f, NULL);
    start(j, NULL);
    transition(j, "r1-1", "none", "suspected");
    transition(j, "r1-2", "none", "suspected");
    transition(j, "r1-2", "suspected", "cleared");
    transition(j, "r1-3", "none", "suspected");
    start(j, "r1-3");
    start(j, "r1-3");
    must_sync(f, j);
    journal_close(j);
    static const struct verb_row rows[] = {
        {"incidents", 0, "  r1-1         lost       apiserver-hung"},
        {"incidents", 0, words},
        {"incidents", 0, "  r1-2         cleared    "},
        {"incidents", 0, "  r1-3         suspected  "},
        {"-o json incidents", 0, "\"state\":\"lost\""},
        {"show r1-1", 0, words},
        {"-o json show r1-1", 0, "\"incident\":\"r1-1\""},
    };
    VERB_ROWS(f->path, rows);
    int status;
    const char *once = strstr(verb_run(f->path, "show r1-1", &status), words);
    assert_non_null(once);
    assert_null(strstr(once + 1, words));
    assert_null(strstr(verb_run(f->path, "show r1-2", &status), words));
    assert_null(strstr(verb_run(f->path, "show r1-3", &status), words));
}

/* The newest thousand. */
static void very_many(void **state)
{
    struct fixture *f = *state;
    struct journal *j = journal_must_open(f, NULL);
    for (int i = 0; i < 1001; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "r1-%04d", i);
        transition(j, id, "none", "suspected");
        if (i % 100 == 0)
            must_sync(f, j);
    }
    must_sync(f, j);
    journal_close(j);
    int status;
    const char *out = verb_run(f->path, "incidents", &status);
    assert_int_equal(status, 0);
    assert_non_null(strstr(out, "r1-1000 "));
    assert_non_null(strstr(out, "r1-0001 "));
    assert_null(strstr(out, "r1-0000 "));
}

int main(void)
{
    json_setup();
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {A_TEST(none), A_TEST(each_of_them), A_TEST(lost),
                                       A_TEST(very_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
