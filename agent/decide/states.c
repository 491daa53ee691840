#include "decide/incident.h"

#include <assert.h>

const struct words state_words =
    WORDS("state", "none", "suspected", "confirmed", "suppressed", "preparing", "planned",
          "looking", "held", "rehearsed", "running", "verifying", "undoing", "recovering", "failed",
          "escalated", "resolved", "cleared", "withdrawn");

const struct words change_words =
    WORDS("change", "gone", "due", "explained", "unexplained", "chosen", "none-left", "prepared",
          "unplannable", "needed", "looked", "denied", "spent", "released", "allowed",
          "allowed-dry", "step-done", "steps-done", "step-failed", "step-left", "verified",
          "unverified", "unverified-left", "undone", "undo-failed", "recovered", "recover-failed",
          "next", "withdrawn", "restarted");

/* An omitted pair is STATE_NONE: it can't happen. While a plan is at work (running to undoing) the
 * failure's condition may come and go as it likes: the plan is finished or undone, and only then
 * is it looked at again. */
static const enum state table[STATE_COUNT_][CHANGE_COUNT_] = {
    [STATE_SUSPECTED] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_DUE] = STATE_CONFIRMED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_SUSPECTED,
        },
    [STATE_CONFIRMED] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_EXPLAINED] = STATE_SUPPRESSED,
            [CHANGE_CHOSEN] = STATE_PREPARING,
            [CHANGE_NONE_LEFT] = STATE_ESCALATED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_CONFIRMED,
        },
    [STATE_SUPPRESSED] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_UNEXPLAINED] = STATE_CONFIRMED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_SUPPRESSED,
        },
    [STATE_PREPARING] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_EXPLAINED] = STATE_SUPPRESSED,
            [CHANGE_PREPARED] = STATE_PLANNED,
            [CHANGE_UNPLANNABLE] = STATE_FAILED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_CONFIRMED,
        },
    [STATE_PLANNED] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_EXPLAINED] = STATE_SUPPRESSED,
            [CHANGE_NEEDED] = STATE_LOOKING,
            [CHANGE_DENIED] = STATE_HELD,
            [CHANGE_SPENT] = STATE_FAILED,
            [CHANGE_ALLOWED] = STATE_RUNNING,
            [CHANGE_ALLOWED_DRY] = STATE_REHEARSED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_CONFIRMED,
        },
    [STATE_LOOKING] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_EXPLAINED] = STATE_SUPPRESSED,
            [CHANGE_LOOKED] = STATE_PLANNED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_CONFIRMED,
        },
    [STATE_HELD] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_EXPLAINED] = STATE_SUPPRESSED,
            [CHANGE_SPENT] = STATE_FAILED,
            [CHANGE_RELEASED] = STATE_CONFIRMED,
            [CHANGE_NONE_LEFT] = STATE_ESCALATED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_CONFIRMED,
        },
    [STATE_REHEARSED] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_EXPLAINED] = STATE_SUPPRESSED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_CONFIRMED,
        },
    [STATE_RUNNING] =
        {
            [CHANGE_STEP_DONE] = STATE_RUNNING,
            [CHANGE_STEPS_DONE] = STATE_VERIFYING,
            [CHANGE_STEP_FAILED] = STATE_UNDOING,
            [CHANGE_STEP_LEFT] = STATE_FAILED,
            [CHANGE_RESTARTED] = STATE_RECOVERING,
        },
    [STATE_VERIFYING] =
        {
            [CHANGE_VERIFIED] = STATE_RESOLVED,
            [CHANGE_UNVERIFIED] = STATE_UNDOING,
            [CHANGE_UNVERIFIED_LEFT] = STATE_FAILED,
            [CHANGE_RESTARTED] = STATE_VERIFYING,
        },
    [STATE_UNDOING] =
        {
            [CHANGE_UNDONE] = STATE_FAILED,
            [CHANGE_UNDO_FAILED] = STATE_ESCALATED,
            [CHANGE_RESTARTED] = STATE_UNDOING,
        },
    [STATE_RECOVERING] =
        {
            [CHANGE_RECOVERED] = STATE_VERIFYING,
            [CHANGE_RECOVER_FAILED] = STATE_ESCALATED,
            [CHANGE_RESTARTED] = STATE_RECOVERING,
        },
    [STATE_FAILED] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_NEXT] = STATE_CONFIRMED,
            [CHANGE_NONE_LEFT] = STATE_ESCALATED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_FAILED,
        },
    [STATE_ESCALATED] =
        {
            [CHANGE_GONE] = STATE_CLEARED,
            [CHANGE_RELEASED] = STATE_CONFIRMED,
            [CHANGE_WITHDRAWN] = STATE_WITHDRAWN,
            [CHANGE_RESTARTED] = STATE_ESCALATED,
        },
};

enum state states_next(enum state from, enum change change)
{
    assert(from < STATE_COUNT_ && change < CHANGE_COUNT_);
    return table[from][change];
}

bool state_is_closed(enum state s)
{
    return s == STATE_RESOLVED || s == STATE_CLEARED || s == STATE_WITHDRAWN;
}

bool state_is_at_work(enum state s)
{
    switch (s) {
    case STATE_PREPARING:
    case STATE_PLANNED:
    case STATE_LOOKING:
    case STATE_RUNNING:
    case STATE_VERIFYING:
    case STATE_UNDOING:
    case STATE_RECOVERING:
        return true;
    default:
        return false;
    }
}
