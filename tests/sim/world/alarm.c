#include "inside.h"

static void unlink_alarm(struct alarm *a)
{
    for (struct alarm **at = &a->node->alarms; *at; at = &(*at)->next) {
        if (*at == a) {
            *at = a->next;
            return;
        }
    }
}

static void on_entry(void *context)
{
    struct alarm *a = context;
    a->entry = NULL;
    a->is_set = false;
    unlink_alarm(a);
    a->fire(a->context);
}

void alarm_init(struct alarm *a, struct host *n, void (*fire)(void *context), void *context)
{
    *a = (struct alarm){.node = n, .fire = fire, .context = context};
}

void alarm_set(struct alarm *a, uint64_t in_usec)
{
    alarm_cancel(a);
    a->is_set = true;
    a->next = a->node->alarms;
    a->node->alarms = a;
    a->left_usec = in_usec;
    if (!a->node->stands_still)
        a->entry = schedule_at(schedule_now() + in_usec, on_entry, a);
    a->due_usec = schedule_now() + in_usec;
}

void alarm_set_earlier(struct alarm *a, uint64_t in_usec)
{
    uint64_t left = !a->is_set              ? UINT64_MAX
                    : a->node->stands_still ? a->left_usec
                                            : a->due_usec - schedule_now();
    if (in_usec < left)
        alarm_set(a, in_usec);
}

void alarm_cancel(struct alarm *a)
{
    if (!a->is_set)
        return;
    schedule_cancel(a->entry);
    a->entry = NULL;
    a->is_set = false;
    unlink_alarm(a);
}

void alarms_hold(struct host *n)
{
    for (struct alarm *a = n->alarms; a; a = a->next) {
        schedule_cancel(a->entry);
        a->entry = NULL;
        a->left_usec = a->due_usec - schedule_now();
    }
}

void alarms_go_on(struct host *n)
{
    for (struct alarm *a = n->alarms; a; a = a->next) {
        a->due_usec = schedule_now() + a->left_usec;
        a->entry = schedule_at(a->due_usec, on_entry, a);
    }
}

void alarms_power_cut(struct host *n)
{
    for (struct alarm *a = n->alarms, *next; a; a = next) {
        next = a->next;
        if (!a->for_life)
            alarm_cancel(a);
    }
}
