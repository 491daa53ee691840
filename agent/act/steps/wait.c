/* wait: lets time pass between two steps. */
#include "act/hand.h"
#include "act/kinds.h"
#include "base/duration.h"
#include "base/mem.h"

struct args {
    uint64_t for_usec;
};

static const struct field fields[] = {
    {.name = "for",
     .type = FIELD_DURATION,
     FIELD_AT(args, for_usec),
     .required = true,
     .min = 1,
     .max = 3600000000,
     .help = "how long"},
    {0},
};

static int plan(struct hand *h, const void *args, json_t *plan, struct err *e)
{
    const struct args *a = args;
    char text[DURATION_TEXT];
    (void)h;
    (void)e;
    OWNED(free) char *summary = mem_printf("waits %s", duration_format(a->for_usec, text));
    json_put(plan, "summary", json_string_or_null(summary));
    return 0;
}

static enum outcome run(struct hand *h, const void *args, const json_t *plan, struct err *detail)
{
    const struct args *a = args;
    (void)plan;
    if (hand_wait(h, a->for_usec))
        return OUTCOME_DONE;
    (void)err_set(detail, 0, "the step's timeout came first");
    return OUTCOME_FAILED;
}

const struct step_kind wait_step = {
    .kind = {.name = "wait",
             .summary = "lets time pass",
             .fields = fields,
             .args_size = sizeof(struct args)},
    .risk = RISK_LOW,
    .reversal = REVERSAL_NONE,
    .changes = false,
    .plan = plan,
    .run = run,
};
