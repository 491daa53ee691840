/* Against a D-Bus daemon of the test's own and a stand-in for systemd on it, both children of
 * the test; nothing of the host is touched. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/duration.h"
#include "loop/bus.h"
#include "loop/clock.h"

#define MANAGER "org.freedesktop.systemd1.Manager"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define UNIT_PATH "/org/freedesktop/systemd1/unit"
#define KUBELET_PATH UNIT_PATH "/kubelet_2eservice"

static const char daemon_program[] = "/usr/bin/dbus-daemon";

/* --- the stand-in */

static char active_state[32];
static unsigned resets;

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)bus;
    (void)interface;
    (void)userdata;
    (void)error;
    bool known = !strcmp(path, KUBELET_PATH);
    const char *text = "success";
    if (!strcmp(property, "LoadState"))
        text = known ? "loaded" : "not-found";
    else if (!strcmp(property, "ActiveState"))
        text = known ? active_state : "inactive";
    else if (!strcmp(property, "SubState"))
        text = known && !strcmp(active_state, "active") ? "running" : "dead";
    return sd_bus_message_append(reply, "s", text);
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)bus;
    (void)path;
    (void)interface;
    (void)userdata;
    (void)error;
    if (!strcmp(property, "MainPID"))
        return sd_bus_message_append(reply, "u", 4242);
    if (!strcmp(property, "NRestarts"))
        return sd_bus_message_append(reply, "u", 3);
    if (!strcmp(property, "ExecMainStatus"))
        return sd_bus_message_append(reply, "i", -7);
    return sd_bus_message_append(reply, "t", UINT64_C(12345678901));
}

static int get_id(sd_bus *bus, const char *path, const char *interface, const char *property,
                  sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)userdata;
    (void)error;
    static const uint8_t id[16] = {0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xcd};
    return sd_bus_message_append_array(reply, 'y', id, sizeof id);
}

static int job_removed(sd_bus *bus, uint32_t id, const char *unit, const char *result)
{
    char path[64];
    (void)snprintf(path, sizeof path, MANAGER_PATH "/job/%u", id);
    return sd_bus_emit_signal(bus, MANAGER_PATH, MANAGER, "JobRemoved", "uoss", id, path, unit,
                              result);
}

/* The unit's name says how its job ends: "done.service", "failed.service", "never.service";
 * "early.service": before the call's answer. */
static int run_job(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)userdata;
    static uint32_t last;
    const char *unit, *mode;
    if (sd_bus_message_read(m, "ss", &unit, &mode) < 0 || strcmp(mode, "replace") != 0)
        return -EINVAL;
    if (!strcmp(unit, "unknown.service"))
        return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not found.",
                                 unit);
    sd_bus *bus = sd_bus_message_get_bus(m);
    uint32_t id = ++last;
    char path[64];
    (void)snprintf(path, sizeof path, MANAGER_PATH "/job/%u", id);
    (void)job_removed(bus, id + 1000, unit, "canceled"); /* somebody else's */
    bool early = !strcmp(unit, "early.service");
    if (early)
        (void)job_removed(bus, id, unit, "done");
    int r = sd_bus_reply_method_return(m, "o", path);
    if (!strcmp(unit, "die.service"))
        _exit(0);
    if (!early && strcmp(unit, "never.service") != 0) {
        char result[32];
        (void)snprintf(result, sizeof result, "%.*s", (int)strcspn(unit, "."), unit);
        (void)job_removed(bus, id, unit, result);
    }
    return r;
}

static int subscribe(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)userdata;
    (void)error;
    return sd_bus_reply_method_return(m, "");
}

static int reset_failed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)userdata;
    (void)error;
    resets++;
    return sd_bus_reply_method_return(m, "");
}

/* For the test: the kubelet's state, and what systemd says about that. */
static int set_state(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)userdata;
    (void)error;
    const char *state;
    if (sd_bus_message_read(m, "s", &state) < 0)
        return -EINVAL;
    (void)snprintf(active_state, sizeof active_state, "%s", state);
    sd_bus *bus = sd_bus_message_get_bus(m);
    (void)sd_bus_emit_properties_changed(bus, KUBELET_PATH, "org.freedesktop.systemd1.Unit",
                                         "ActiveState", NULL);
    return sd_bus_reply_method_return(m, "u", resets);
}

/* For the test: a signal of the manager's, by name. */
static int announce(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)userdata;
    (void)error;
    const char *member, *unit;
    if (sd_bus_message_read(m, "ss", &member, &unit) < 0)
        return -EINVAL;
    sd_bus *bus = sd_bus_message_get_bus(m);
    if (!strcmp(member, "Reloading"))
        (void)sd_bus_emit_signal(bus, MANAGER_PATH, MANAGER, member, "b", 0);
    else
        (void)sd_bus_emit_signal(bus, MANAGER_PATH, MANAGER, member, "so", unit, KUBELET_PATH);
    return sd_bus_reply_method_return(m, "");
}

static const sd_bus_vtable manager_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Subscribe", "", "", subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StartUnit", "ss", "o", run_job, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StopUnit", "ss", "o", run_job, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("RestartUnit", "ss", "o", run_job, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ResetFailedUnit", "s", "", reset_failed, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("TestSet", "s", "u", set_state, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("TestAnnounce", "ss", "", announce, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable unit_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("LoadState", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("ActiveState", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("SubState", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("ActiveEnterTimestampMonotonic", "t", get_number, 0, 0),
    SD_BUS_PROPERTY("InvocationID", "ay", get_id, 0, 0),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable service_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Result", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("MainPID", "u", get_number, 0, 0),
    SD_BUS_PROPERTY("ExecMainStatus", "i", get_number, 0, 0),
    SD_BUS_PROPERTY("NRestarts", "u", get_number, 0, 0),
    SD_BUS_VTABLE_END,
};

static int find_unit(sd_bus *bus, const char *path, const char *interface, void *userdata,
                     void **ret_found, sd_bus_error *error)
{
    (void)bus;
    (void)interface;
    (void)userdata;
    (void)error;
    if (strstr(path, "silent"))
        clock_sleep(2 * USEC_PER_SEC); /* a manager that hangs */
    *ret_found = NULL;
    return 1;
}

static sd_bus *connect_to(const char *address)
{
    sd_bus *bus = NULL;
    for (int i = 0; i < 100; i++) {
        if (sd_bus_new(&bus) >= 0 && sd_bus_set_address(bus, address) >= 0 &&
            sd_bus_set_bus_client(bus, 1) >= 0 && sd_bus_start(bus) >= 0)
            return bus;
        bus = sd_bus_unref(bus);
        clock_sleep(20 * USEC_PER_MSEC);
    }
    return NULL;
}

static _Noreturn void stand_in(const char *address, int ready)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)strcpy(active_state, "active");
    sd_bus *bus = connect_to(address);
    if (!bus ||
        sd_bus_add_object_vtable(bus, NULL, MANAGER_PATH, MANAGER, manager_table, NULL) < 0 ||
        sd_bus_add_fallback_vtable(bus, NULL, UNIT_PATH, "org.freedesktop.systemd1.Unit",
                                   unit_table, find_unit, NULL) < 0 ||
        sd_bus_add_fallback_vtable(bus, NULL, UNIT_PATH, "org.freedesktop.systemd1.Service",
                                   service_table, find_unit, NULL) < 0 ||
        sd_bus_request_name(bus, "org.freedesktop.systemd1", 0) < 0 || write(ready, "x", 1) != 1)
        _exit(1);
    int r;
    while ((r = sd_bus_process(bus, NULL)) >= 0)
        if (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0)
            break;
    _exit(0);
}

/* --- the bench */

struct bench {
    char folder[64], address[128], socket[96], config[96];
    pid_t daemon, systemd;
    struct loop *loop;
    struct bus *bus;
    struct unit_watch *watch, *other;
    struct unit_look *look;
    int changes, looks;
    struct unit_state state;
    struct err why;
};

static bool is_installed(void)
{
    return access(daemon_program, X_OK) == 0;
}

static void start_daemon(struct bench *b)
{
    char config[128];
    (void)snprintf(config, sizeof config, "--config-file=%s", b->config);
    char *argv[] = {(char[]){"dbus-daemon"}, config, (char[]){"--nofork"}, NULL};
    char *environment[] = {NULL};
    (void)unlink(b->socket);
    assert_int_equal(posix_spawn(&b->daemon, daemon_program, NULL, NULL, argv, environment), 0);
    for (int i = 0; access(b->socket, F_OK) < 0; i++) {
        assert_true(i < 500);
        clock_sleep(10 * USEC_PER_MSEC);
    }
}

static void start_systemd(struct bench *b)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    b->systemd = fork();
    assert_true(b->systemd >= 0);
    if (b->systemd == 0)
        stand_in(b->address, ends[1]);
    (void)close(ends[1]);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    (void)close(ends[0]);
}

static void end(pid_t *pid)
{
    if (*pid > 0) {
        (void)kill(*pid, SIGKILL);
        (void)waitpid(*pid, NULL, 0);
    }
    *pid = 0;
}

static int set_up(void **state)
{
    if (!is_installed())
        return 0;
    struct bench *b = calloc(1, sizeof *b);
    struct err e;
    if (!b)
        return -1;
    *state = b;
    strcpy(b->folder, "/tmp/planeguard-bus-XXXXXX");
    if (!mkdtemp(b->folder))
        return -1;
    (void)snprintf(b->socket, sizeof b->socket, "%s/bus", b->folder);
    (void)snprintf(b->config, sizeof b->config, "%s/bus.conf", b->folder);
    (void)snprintf(b->address, sizeof b->address, "unix:path=%s", b->socket);
    FILE *f = fopen(b->config, "we");
    if (!f)
        return -1;
    (void)fprintf(f,
                  "<busconfig><type>custom</type><listen>%s</listen><auth>EXTERNAL</auth>"
                  "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
                  "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n",
                  b->address);
    (void)fclose(f);
    start_daemon(b);
    start_systemd(b);
    return loop_new(&b->loop, &e);
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    if (!b)
        return 0;
    unit_look_free(b->look);
    unit_watch_free(b->watch);
    unit_watch_free(b->other);
    bus_free(b->bus);
    loop_free(b->loop);
    end(&b->systemd);
    end(&b->daemon);
    (void)unlink(b->config);
    (void)unlink(b->socket);
    (void)rmdir(b->folder);
    free(b);
    *state = NULL;
    return 0;
}

static struct bench *bench(void **state)
{
    if (!*state) {
        print_message("skipped: %s is not installed\n", daemon_program);
        skip();
    }
    return *state;
}

static void turn_for(struct bench *b, uint64_t usec)
{
    uint64_t until = clock_boot_usec() + usec, now;
    while ((now = clock_boot_usec()) < until)
        (void)sd_event_run(loop_sd_event(b->loop), until - now);
}

static bool turn_until(struct bench *b, const int *count, int least)
{
    uint64_t until = clock_boot_usec() + 10 * USEC_PER_SEC;
    while (*count < least && clock_boot_usec() < until)
        (void)sd_event_run(loop_sd_event(b->loop), 50 * USEC_PER_MSEC);
    return *count >= least;
}

/* Calls the stand-in as the test itself. */
static unsigned tell_stand_in(struct bench *b, const char *method, const char *first,
                              const char *second)
{
    sd_bus *bus = connect_to(b->address);
    sd_bus_message *answer = NULL;
    unsigned n = 0;
    int r = second ? sd_bus_call_method(bus, "org.freedesktop.systemd1", MANAGER_PATH, MANAGER,
                                        method, NULL, &answer, "ss", first, second)
                   : sd_bus_call_method(bus, "org.freedesktop.systemd1", MANAGER_PATH, MANAGER,
                                        method, NULL, &answer, "s", first);
    assert_true(r >= 0);
    (void)sd_bus_message_read(answer, "u", &n);
    sd_bus_message_unref(answer);
    sd_bus_close_unref(bus);
    return n;
}

static void on_change(void *context)
{
    struct bench *b = context;
    b->changes++;
}

static void on_look(void *context, const struct unit_state *s, const struct err *e)
{
    struct bench *b = context;
    assert_true(!s != !e);
    b->looks++;
    b->state = s ? *s : (struct unit_state){0};
    b->why = e ? *e : (struct err){0};
    unit_look_free(TAKE(b->look)); /* as owners do */
}

static void begin_bus(struct bench *b)
{
    struct err e;
    assert_int_equal(bus_new(b->loop, b->address, &b->bus, &e), 0);
}

static void look_at(struct bench *b, const char *unit, uint64_t timeout_usec)
{
    struct err e;
    int before = b->looks;
    if (unit_look_start(b->bus, unit, timeout_usec, on_look, b, &b->look, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(b->looks, before); /* later */
    assert_true(turn_until(b, &b->looks, before + 1));
}

static void check_kubelet(const struct unit_state *s)
{
    assert_string_equal(s->load_state, "loaded");
    assert_string_equal(s->active_state, "active");
    assert_string_equal(s->sub_state, "running");
    assert_string_equal(s->result, "success");
    assert_int_equal(s->main_pid, 4242);
    assert_int_equal(s->exec_main_status, -7);
    assert_int_equal(s->restarts, 3);
    assert_true(s->active_enter_usec == UINT64_C(12345678901));
    assert_string_equal(s->invocation_id, "ab0102030405060708090a0b0c0d0ecd");
}

/* --- the tests */

static void look_gives_the_unit_s_state(void **state)
{
    struct bench *b = bench(state);
    begin_bus(b);
    look_at(b, "kubelet.service", 5 * USEC_PER_SEC);
    assert_string_equal(b->why.text, "");
    check_kubelet(&b->state);
    look_at(b, "no-such@a\\x2db.service", 5 * USEC_PER_SEC);
    assert_string_equal(b->state.load_state, "not-found");
    look_at(b, "silent.service", 100 * USEC_PER_MSEC);
    assert_non_null(strstr(b->why.text, "within 100ms"));
}

static void odd_unit_names_are_refused(void **state)
{
    struct bench *b = bench(state);
    static const char *const names[] = {"",         "kubelet",  "a b.service",       "x'y.service",
                                        ".service", "kubelet.", "../kubelet.service"};
    begin_bus(b);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct err e;
        struct unit_state s;
        assert_int_equal(unit_watch_new(b->bus, names[i], on_change, b, &b->watch, &e), -EINVAL);
        assert_int_equal(unit_look_start(b->bus, names[i], USEC_PER_SEC, on_look, b, &b->look, &e),
                         -EINVAL);
        assert_int_equal(unit_state_now(b->address, names[i], &s, &e), -EINVAL);
        assert_int_equal(unit_job(b->address, "StartUnit", names[i], USEC_PER_SEC, &e), -EINVAL);
    }
}

static void watch_hears_changes(void **state)
{
    struct bench *b = bench(state);
    struct err e;
    begin_bus(b);
    assert_int_equal(unit_watch_new(b->bus, "kubelet.service", on_change, b, &b->watch, &e), 0);
    assert_true(turn_until(b, &b->changes, 1)); /* subscribed */
    turn_for(b, 100 * USEC_PER_MSEC);
    b->changes = 0;
    (void)tell_stand_in(b, "TestSet", "failed", NULL);
    assert_true(turn_until(b, &b->changes, 1));
    (void)tell_stand_in(b, "TestAnnounce", "Reloading", "");
    assert_true(turn_until(b, &b->changes, 2));
    (void)tell_stand_in(b, "TestAnnounce", "UnitNew", "kubelet.service");
    assert_true(turn_until(b, &b->changes, 3));
    (void)tell_stand_in(b, "TestAnnounce", "UnitNew", "other.service");
    turn_for(b, 100 * USEC_PER_MSEC);
    assert_int_equal(b->changes, 3);
}

/* systemd loads a unit that is looked at and drops it again, and announces both. */
static void own_look_is_no_news(void **state)
{
    struct bench *b = bench(state);
    struct err e;
    begin_bus(b);
    assert_int_equal(unit_watch_new(b->bus, "kubelet.service", on_change, b, &b->watch, &e), 0);
    assert_true(turn_until(b, &b->changes, 1));
    look_at(b, "kubelet.service", USEC_PER_SEC);
    turn_for(b, 50 * USEC_PER_MSEC);
    b->changes = 0;
    (void)tell_stand_in(b, "TestAnnounce", "UnitRemoved", "kubelet.service");
    turn_for(b, 100 * USEC_PER_MSEC);
    assert_int_equal(b->changes, 0);
    (void)tell_stand_in(b, "TestSet", "failed", NULL); /* but this always is */
    assert_true(turn_until(b, &b->changes, 1));
    turn_for(b, USEC_PER_SEC);
    b->changes = 0;
    (void)tell_stand_in(b, "TestAnnounce", "UnitNew", "kubelet.service");
    assert_true(turn_until(b, &b->changes, 1));
}

static void connection_comes_back(void **state)
{
    struct bench *b = bench(state);
    struct err e;
    begin_bus(b);
    assert_int_equal(unit_watch_new(b->bus, "kubelet.service", on_change, b, &b->watch, &e), 0);
    assert_true(turn_until(b, &b->changes, 1));
    for (int i = 0; i < 2; i++) {
        /* A look under way when the bus dies is told so. */
        turn_for(b, 100 * USEC_PER_MSEC);
        b->changes = b->looks = 0;
        assert_int_equal(
            unit_look_start(b->bus, "silent.service", 30 * USEC_PER_SEC, on_look, b, &b->look, &e),
            0);
        turn_for(b, 50 * USEC_PER_MSEC);
        end(&b->daemon);
        assert_true(turn_until(b, &b->looks, 1));
        assert_true(strlen(b->why.text) > 0);
        assert_true(turn_until(b, &b->changes, 1));
        assert_int_equal(
            unit_look_start(b->bus, "kubelet.service", USEC_PER_SEC, on_look, b, &b->look, &e),
            -ENOTCONN);
        assert_non_null(strstr(e.text, b->address));
        turn_for(b, 600 * USEC_PER_MSEC); /* tries in vain meanwhile */
        end(&b->systemd);
        start_daemon(b);
        start_systemd(b);
        turn_for(b, 3 * USEC_PER_SEC);
        look_at(b, "kubelet.service", 5 * USEC_PER_SEC);
        assert_string_equal(b->why.text, "");
        check_kubelet(&b->state);
        b->changes = 0;
        (void)tell_stand_in(b, "TestSet", "failed", NULL);
        assert_true(turn_until(b, &b->changes, 1));
        (void)tell_stand_in(b, "TestSet", "active", NULL);
    }
}

static void manager_comes_back(void **state)
{
    struct bench *b = bench(state);
    struct err e;
    begin_bus(b);
    assert_int_equal(unit_watch_new(b->bus, "kubelet.service", on_change, b, &b->watch, &e), 0);
    assert_true(turn_until(b, &b->changes, 1));
    turn_for(b, 100 * USEC_PER_MSEC);
    b->changes = 0;
    end(&b->systemd);
    assert_true(turn_until(b, &b->changes, 1));
    look_at(b, "kubelet.service", USEC_PER_SEC);
    assert_non_null(strstr(b->why.text, "kubelet.service"));
    b->changes = 0;
    start_systemd(b);
    assert_true(turn_until(b, &b->changes, 1));
    look_at(b, "kubelet.service", 5 * USEC_PER_SEC);
    check_kubelet(&b->state);
    b->changes = 0;
    (void)tell_stand_in(b, "TestSet", "failed", NULL);
    assert_true(turn_until(b, &b->changes, 1));
}

static void nobody_there_at_first(void **state)
{
    struct bench *b = bench(state);
    struct err e;
    end(&b->systemd);
    end(&b->daemon);
    begin_bus(b);
    assert_int_equal(unit_watch_new(b->bus, "kubelet.service", on_change, b, &b->watch, &e), 0);
    assert_int_equal(
        unit_look_start(b->bus, "kubelet.service", USEC_PER_SEC, on_look, b, &b->look, &e),
        -ENOTCONN);
    start_daemon(b); /* a bus without systemd on it, for a while */
    turn_for(b, 500 * USEC_PER_MSEC);
    start_systemd(b);
    turn_for(b, 4 * USEC_PER_SEC);
    assert_true(b->changes >= 1);
    look_at(b, "kubelet.service", 5 * USEC_PER_SEC);
    check_kubelet(&b->state);
    static const char *const addresses[] = {
        "",          "nonsense", "unixexec:path=/bin/false", "tcp:host=localhost,port=1",
        "unix:path", "unix:"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct bus *never = NULL;
        assert_int_equal(bus_new(b->loop, addresses[i], &never, &e), -EINVAL);
        assert_null(never);
    }
}

static void free_all(void *context)
{
    struct bench *b = context;
    b->changes++;
    unit_watch_free(TAKE(b->watch));
    unit_watch_free(TAKE(b->other));
    unit_look_free(TAKE(b->look));
    bus_free(TAKE(b->bus));
}

static void callbacks_free_everything(void **state)
{
    struct bench *b = bench(state);
    struct err e;
    begin_bus(b);
    assert_int_equal(unit_watch_new(b->bus, "kubelet.service", free_all, b, &b->watch, &e), 0);
    assert_int_equal(unit_watch_new(b->bus, "kubelet.service", free_all, b, &b->other, &e), 0);
    assert_int_equal(
        unit_look_start(b->bus, "silent.service", USEC_PER_SEC, on_look, b, &b->look, &e), 0);
    assert_true(turn_until(b, &b->changes, 1));
    turn_for(b, 50 * USEC_PER_MSEC);
    assert_int_equal(b->changes, 1);
    assert_int_equal(b->looks, 0);
}

static void free_bus_after_look(void *context, const struct unit_state *s, const struct err *e)
{
    struct bench *b = context;
    on_look(context, s, e);
    bus_free(TAKE(b->bus));
}

/* Objects that outlive their bus are silent and can still be freed. */
static void bus_goes_first(void **state)
{
    struct bench *b = bench(state);
    struct err e;
    struct unit_look *left = NULL;
    begin_bus(b);
    assert_int_equal(unit_watch_new(b->bus, "kubelet.service", on_change, b, &b->watch, &e), 0);
    assert_int_equal(unit_look_start(b->bus, "silent.service", USEC_PER_SEC, on_look, b, &left, &e),
                     0);
    assert_int_equal(unit_look_start(b->bus, "kubelet.service", 5 * USEC_PER_SEC,
                                     free_bus_after_look, b, &b->look, &e),
                     0);
    assert_true(turn_until(b, &b->looks, 1));
    turn_for(b, 100 * USEC_PER_MSEC);
    assert_int_equal(b->looks, 1);
    unit_look_free(left);
}

static void jobs_end_as_systemd_says(void **state)
{
    struct bench *b = bench(state);
    static const struct {
        const char *verb, *unit;
        int code;
        const char *says;
    } cases[] = {
        {"RestartUnit", "done.service", 0, ""},
        {"StartUnit", "early.service", 0, ""},
        {"StopUnit", "done.service", 0, ""},
        {"RestartUnit", "failed.service", -EIO, "\"failed\""},
        {"RestartUnit", "timeout.service", -EIO, "\"timeout\""},
        {"RestartUnit", "dependency.service", -EIO, "\"dependency\""},
        {"RestartUnit", "never.service", -ETIMEDOUT, "not ended in time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        uint64_t timeout = cases[i].code == -ETIMEDOUT ? 200 * USEC_PER_MSEC : 10 * USEC_PER_SEC;
        assert_int_equal(unit_job(b->address, cases[i].verb, cases[i].unit, timeout, &e),
                         cases[i].code);
        assert_non_null(strstr(e.text, cases[i].says));
    }
    struct err e = {0};
    assert_true(unit_job(b->address, "StartUnit", "unknown.service", USEC_PER_SEC, &e) < 0);
    assert_non_null(strstr(e.text, "Unit unknown.service not found."));
}

static void hands_look_and_reset(void **state)
{
    struct bench *b = bench(state);
    struct err e;
    struct unit_state s;
    assert_int_equal(unit_state_now(b->address, "kubelet.service", &s, &e), 0);
    check_kubelet(&s);
    assert_int_equal(unit_reset_failed(b->address, "kubelet.service", &e), 0);
    assert_int_equal(tell_stand_in(b, "TestSet", "active", NULL), 1);
    end(&b->systemd);
    assert_true(unit_state_now(b->address, "kubelet.service", &s, &e) < 0);
    end(&b->daemon);
    assert_true(unit_job(b->address, "StartUnit", "done.service", USEC_PER_SEC, &e) < 0);
    assert_non_null(strstr(e.text, b->address));
}

/* Something that listens and never says a word: the time is kept all the same. */
static void mute_bus_is_not_waited_for(void **state)
{
    struct bench *b = bench(state);
    end(&b->systemd);
    end(&b->daemon);
    (void)unlink(b->socket);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", b->socket);
    int mute = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(mute, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(mute, 8), 0);
    struct err e;
    uint64_t began = clock_boot_usec();
    assert_int_equal(unit_job(b->address, "StartUnit", "done.service", 300 * USEC_PER_MSEC, &e),
                     -ETIMEDOUT);
    assert_true(clock_boot_usec() - began < 3 * USEC_PER_SEC);
    begin_bus(b);
    look_at(b, "kubelet.service", 200 * USEC_PER_MSEC);
    assert_non_null(strstr(b->why.text, "within 200ms"));
    (void)close(mute);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(look_gives_the_unit_s_state),
        CASE(odd_unit_names_are_refused),
        CASE(watch_hears_changes),
        CASE(own_look_is_no_news),
        CASE(connection_comes_back),
        CASE(manager_comes_back),
        CASE(nobody_there_at_first),
        CASE(callbacks_free_everything),
        CASE(bus_goes_first),
        CASE(jobs_end_as_systemd_says),
        CASE(hands_look_and_reset),
        CASE(mute_bus_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
