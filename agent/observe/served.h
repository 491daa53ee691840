/* The observer's end: takes looks from the agent, runs the network kinds, answers with readings.
 * Knows nothing of documents; keeps each probe's decoded arguments until they change. */
#pragma once

#include "base/err.h"
#include "base/own.h"
#include "observe/probe.h"

struct served;

/* `socket` is lent; `ended` is called once when the agent is gone. */
int served_new(const struct view *view, int socket, void (*ended)(void *context), void *context,
               struct served **ret, struct err *e);
void served_free(struct served *s);
OWNER(struct served, served_free);
