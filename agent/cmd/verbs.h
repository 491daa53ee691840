/* The verbs' functions, one file each in cmd/. Each returns the exit code that its page and the
 * README state. */
#pragma once

#include "cmd/verb.h"

int cmd_explain(const struct options *o);
int cmd_incidents(const struct options *o);
int cmd_journal(const struct options *o);
int cmd_kinds(const struct options *o);
int cmd_lint(const struct options *o);
int cmd_plan(const struct options *o);
int cmd_recover(const struct options *o);
int cmd_replay(const struct options *o);
int cmd_run(const struct options *o);
int cmd_show(const struct options *o);
int cmd_signals(const struct options *o);
int cmd_status(const struct options *o);
