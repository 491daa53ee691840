#include "base/version.h"

/* The Makefile's word. */
const char planeguard_version[] = PLANEGUARD_VERSION;
