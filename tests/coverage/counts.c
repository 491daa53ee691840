/* Linked into each program of V=coverage: the file that holds its counters. The name is the
 * program's own: two programs that differ can have the same signature (%m), and only processes of
 * one share. */
char __llvm_profile_filename[] = COUNTS;
