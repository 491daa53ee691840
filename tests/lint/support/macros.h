/* jansson's loops, for cppcheck, which doesn't read the system's headers. Never built. */
#pragma once

#define json_array_foreach(array, index, value)                                                    \
    for (index = 0; (value = json_array_get(array, index)) != NULL; index++)
#define json_object_foreach(object, key, value)                                                    \
    for (key = json_first_key(object); (value = json_object_get(object, key)) != NULL;             \
         key = json_next_key(object))
