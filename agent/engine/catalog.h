/* The rooms' tables, put together in one place: config knows no room, and the rooms don't know each
 * other. */
#pragma once

#include "config/document.h"

/* All kinds of probes, steps and guards that this program has. */
struct catalog catalog_of_rooms(void);
