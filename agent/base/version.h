/* Which build this is: in every record of the journal, in `planeguard version`. */
#pragma once

extern const char planeguard_version[]; /* "0.1.0" */
