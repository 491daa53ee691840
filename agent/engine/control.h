/* Between the control socket (control.c) and its answers (answers.c). */
#pragma once

#include "engine/engine.h"

struct client;

/* The answer to one question (a new reference), or NULL when it comes later. */
json_t *answer_question(struct engine *en, const json_t *question, struct client *k);
json_t *answer_error(const char *text);

/* The answer to this client comes later: its serial, for when it does. */
uint64_t control_defer(struct client *k);
/* Takes the answer's reference; the client may have gone meanwhile. */
void control_answer_later(struct control *c, uint64_t serial, json_t *answer);
