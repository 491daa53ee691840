#include "cases.h"

/* A step kind without a row here fails the suite by its name. */
const struct crash_case *const crash_cases[] = {
    &case_replace,
    &case_create,
    &case_move,
    &case_remove,
    &case_folder_make,
    &case_folder_remove,
    &case_journal_new,
    &case_journal_append,
    &case_journal_rotate,
    &case_journal_torn,
    &case_state_save,
    &case_state_unreadable,
    &case_keep_first,
    &case_keep_third,
    &case_stash,
    &case_verb_recover,
    &case_restart_manifest,
    &case_restart_container,
    &case_restart_undo_out,
    &case_restart_undo_lost,
    &case_restore,
    &case_restore_absent,
    &case_restore_undo,
    &case_restore_absent_undo,
    &case_evidence,
    &case_unit,
    &case_unit_recover,
    &case_wait,
};
const size_t crash_case_count = sizeof crash_cases / sizeof *crash_cases;
