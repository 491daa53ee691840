/* A unit's name becomes a D-Bus object path, or is refused; an address that is no Unix socket's
 * begins no connection. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "loop/bus_unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *name = fuzz_text(bytes, length), *path = NULL, *back = NULL;
    struct err e = {0};
    if (unit_path(name, &path, &e) == 0) {
        fuzz_must(sd_bus_object_path_is_valid(path));
        fuzz_must(sd_bus_path_decode(path, SYSTEMD_PATH "/unit", &back) == 1);
        fuzz_must(!strcmp(back, name) && !strchr(name, '/'));
    } else {
        fuzz_must(!path && *e.text);
    }
    sd_bus *bus = NULL;
    if (strncmp(name, "unix:", 5) != 0)
        fuzz_must(bus_begin(name, &bus, &e) < 0 && !bus);
    free(path);
    free(back);
    free(name);
    return 0;
}
