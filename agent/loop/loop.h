/* The loop: sd-event with our rules.
 *
 * One thread; nothing blocks in it but the journal's fsync; long work runs in child
 * processes. Callbacks return nothing: sd-event switches a source off, with only
 * a debug line, whose callback returns < 0, so no callback of ours can. Every
 * source is an object of its own; freeing the object cancels what it waits for.
 * Callbacks may free their own source. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h> /* EPOLLIN and the like, for io_new */
#include <sys/types.h>

#include "base/err.h"
#include "base/own.h"

struct loop;
struct timer;
struct io;

int loop_new(struct loop **ret, struct err *e);
void loop_free(struct loop *l);
/* Runs until loop_stop; returns the code given there, or a negative errno. */
int loop_run(struct loop *l, struct err *e);
void loop_stop(struct loop *l, int code);
/* The boot-clock time at which the present callbacks were woken. */
uint64_t loop_now_usec(const struct loop *l);
/* Feeds systemd's watchdog, if it asks for it, only while the loop turns; says READY=1. */
int loop_serve_manager(struct loop *l, struct err *e);

/* One-shot timer on CLOCK_BOOTTIME; may fire up to `slack_usec` late, so that wake-ups
 * coalesce. timer_set arms (again); a USEC_NEVER disarms. In a loop that has ended it does nothing.
 */
int timer_new(struct loop *l, void (*fire)(void *context), void *context, struct timer **ret,
              struct err *e);
void timer_set(struct timer *t, uint64_t at_usec, uint64_t slack_usec);
void timer_free(struct timer *t);

/* Readiness of a descriptor (not owned): events as in epoll(7). */
int io_new(struct loop *l, int fd, uint32_t events, void (*ready)(void *context, uint32_t events),
           void *context, struct io **ret, struct err *e);
void io_set(struct io *i, uint32_t events);
void io_free(struct io *i);

/* A signal (blocked by loop_new for the whole process: TERM, INT, HUP). */
int loop_on_signal(struct loop *l, int signo, void (*fire)(void *context), void *context,
                   struct err *e);

/* A child's end, by pidfd. `ended` gets waitpid's status. Freeing does not kill. */
struct reaper;
int reaper_new(struct loop *l, pid_t pid, void (*ended)(void *context, int status), void *context,
               struct reaper **ret, struct err *e);
void reaper_free(struct reaper *r);

/* sd-event itself, for loop/'s own files and net/. */
struct sd_event;
struct sd_event *loop_sd_event(struct loop *l);

OWNER(struct loop, loop_free);
OWNER(struct timer, timer_free);
OWNER(struct io, io_free);
OWNER(struct reaper, reaper_free);
