/* The table's rows, by file. */
#pragma once

#include "world.h"

/* case_files.c */
extern const struct crash_case case_replace, case_create, case_move, case_remove, case_folder_make,
    case_folder_remove;
/* case_journal.c */
extern const struct crash_case case_journal_new, case_journal_append, case_journal_rotate,
    case_journal_torn;
/* case_state.c */
extern const struct crash_case case_state_save, case_state_unreadable, case_documents,
    case_keep_first, case_keep_third, case_stash, case_verb_recover;
/* case_steps.c */
extern const struct crash_case case_restart_manifest, case_restart_unrecorded,
    case_restart_container, case_restart_undo_out, case_restart_undo_lost, case_restore,
    case_restore_absent, case_restore_undo, case_restore_absent_undo, case_evidence, case_unit,
    case_unit_recover, case_wait;

/* Decodes the kind's arguments and plans the step, for act. */
void step_prepare(struct world *w, const struct step_kind *kind, const char *arguments);
/* Keeps `text` as the pod's last known good manifest. */
void keep(struct world *w, const char *text);
/* The service manager has one unit, which has failed. */
void unit_begin(struct world *w);
