/* What operators do to planeguard itself: pull the kill switch and let it go, choose another
 * policy, write documents with a mistake and mend them, reload, stop and start the service. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

static const char switch_path[] = "/etc/planeguard/kill-switch";
static const char run_switch_path[] = "/run/planeguard/kill-switch";
static const char choice_path[] = "/etc/planeguard/planeguard.yaml";
static const char own_path[] = "/etc/planeguard/playbooks.d/own.yaml";
static const char mistake_path[] = "/etc/planeguard/playbooks.d/mine.yaml";

static const uint64_t day_usec = 24 * USEC_PER_HOUR;

struct people {
    struct stream_random switching, policy, mistake, own, service;
};
static struct people all[MASTERS_MAX];

static void choose_policy(struct master *m, const char *name)
{
    char text[160];
    int length = snprintf(text, sizeof text,
                          "apiVersion: planeguard/v1\nkind: Configuration\n"
                          "metadata: {name: planeguard}\nspec: {policy: %s}\n",
                          name);
    sim_say(m, "people choose the policy %s", name);
    files_put(m->files, choice_path, text, (size_t)length);
}

static void again(struct master *m, struct stream_random *r, uint64_t mean_usec,
                  void (*fire)(void *context))
{
    if (!sim.is_calm)
        (void)schedule_at(schedule_now() + random_wait(r, mean_usec), fire, m);
}

/* ---- the kill switch ---- */

static void let_go(void *context)
{
    struct master *m = context;
    sim_say(m, "people let the kill switch go");
    files_remove(m->files, switch_path);
    files_remove(m->files, run_switch_path);
}

static void pull(void *context)
{
    struct master *m = context;
    struct people *p = &all[m->index];
    if (sim_has("kill-switch") && !sim.is_calm) {
        sim_say(m, "people pull the kill switch");
        reach("people", "kill switch");
        files_put(m->files, random_one_in(&p->switching, 2) ? switch_path : run_switch_path, "", 0);
        (void)schedule_at(schedule_now() + random_between(&p->switching, 1, 360) * USEC_PER_MINUTE,
                          let_go, m);
    }
    again(m, &p->switching, 9 * day_usec, pull);
}

/* ---- documents ---- */

static void change_policy(void *context)
{
    struct master *m = context;
    struct people *p = &all[m->index];
    if (sim_has("policy") && !sim.is_calm && sim.master_count == 1) {
        reach("people", "another policy");
        choose_policy(m, random_one_in(&p->policy, 3) ? "default" : "unattended");
    }
    again(m, &p->policy, 7 * day_usec, change_policy);
}

static void mend(void *context)
{
    struct master *m = context;
    sim_say(m, "people mend their documents");
    files_remove(m->files, mistake_path);
}

static void mistake(void *context)
{
    static const char text[] = "apiVersion: planeguard/v1\nkind: Failure\nmetadata: {name: mine}\n";
    struct master *m = context;
    struct people *p = &all[m->index];
    if (sim_has("bad-documents") && !sim.is_calm) {
        sim_say(m, "people write a document with a mistake");
        reach("people", "bad documents");
        files_put(m->files, mistake_path, text, sizeof text - 1);
        (void)schedule_at(schedule_now() + random_between(&p->mistake, 1, 240) * USEC_PER_MINUTE,
                          mend, m);
    }
    again(m, &p->mistake, 14 * day_usec, mistake);
}

/* A failure of their own, taken away again, perhaps while it is open. */

static void take_away(void *context)
{
    struct master *m = context;
    sim_say(m, "people take their failure away");
    files_remove(m->files, own_path);
}

static void own_failure(void *context)
{
    static const char text[] =
        "apiVersion: planeguard/v1\nkind: Failure\nmetadata: {name: not-ready-here}\nspec:\n"
        "  summary: Not ready\n  severity: warning\n  layer: 20\n  for: 1m\n"
        "  when: {signal: apiserver-readyz, is: fail}\n";
    struct master *m = context;
    struct people *p = &all[m->index];
    if (sim_has("own-failure") && !sim.is_calm) {
        sim_say(m, "people write a failure of their own");
        reach("people", "own failure");
        files_put(m->files, own_path, text, sizeof text - 1);
        (void)schedule_at(schedule_now() + random_between(&p->own, 30, 4000) * USEC_PER_MINUTE,
                          take_away, m);
    }
    again(m, &p->own, 5 * day_usec, own_failure);
}

/* ---- the service ---- */

static void service(void *context)
{
    struct master *m = context;
    struct people *p = &all[m->index];
    if (sim_has("service") && m->loop && m->life == LIFE_UP && !sim.is_calm) {
        bool stop = !random_one_in(&p->service, 3);
        sim_say(m, "people %s the service", stop ? "restart" : "reload");
        reach("people", stop ? "restart" : "reload");
        loop_send_signal(m->loop, stop ? SIGTERM : SIGHUP);
    }
    again(m, &p->service, 6 * day_usec, service);
}

void people_start(void)
{
    for (unsigned i = 0; i < sim.master_count; i++) {
        struct master *m = &sim.masters[i];
        struct people *p = &all[i];
        p->switching = random_stream(sim.seed, "switching", i);
        p->policy = random_stream(sim.seed, "policy", i);
        p->mistake = random_stream(sim.seed, "mistake", i);
        p->service = random_stream(sim.seed, "service", i);
        p->own = random_stream(sim.seed, "own", i);
        again(m, &p->own, 5 * day_usec, own_failure);
        /* Masters don't know of each other yet: of several only one may act. */
        bool acts = i == 0 && !random_one_in(&p->policy, 6);
        choose_policy(m, acts ? "unattended" : "default");
        again(m, &p->switching, 9 * day_usec, pull);
        again(m, &p->policy, 7 * day_usec, change_policy);
        again(m, &p->mistake, 14 * day_usec, mistake);
        again(m, &p->service, 6 * day_usec, service);
    }
}

void people_calm(void)
{
    for (unsigned i = 0; i < sim.master_count; i++) {
        let_go(&sim.masters[i]);
        mend(&sim.masters[i]);
        take_away(&sim.masters[i]);
    }
}
