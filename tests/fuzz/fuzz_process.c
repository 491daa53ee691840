/* What a process says of itself in /proc: the first line of the input is its argv, the rest its
 * stat. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "loop/proc.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static bool is_made;
    if (!is_made)
        fuzz_folder("/x/42");
    is_made = true;
    struct fuzz_input in = {bytes, length};
    size_t n = 0;
    char *argv = fuzz_line(&in, &n);
    fuzz_write("/x/42/cmdline", argv ? argv : "", n);
    fuzz_write("/x/42/stat", in.at, in.left);
    char *proc = mem_strdup(fuzz_path("/x"));
    struct process found, looked;
    struct err e = {0};
    int one = process_find(proc, "etcd", &found, &e), other = process_look(proc, 42, &looked, &e);
    if (one == 1)
        fuzz_must(other == 1 && found.pid == 42 && found.start_ticks == looked.start_ticks);
    if (other == 1)
        fuzz_must(looked.pid == 42 && looked.state != 'Z' && process_is(proc, &looked));
    free(argv);
    free(proc);
    return 0;
}
