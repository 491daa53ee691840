/* Memory. These functions never return NULL: out of memory ends the process.
 *
 * That is a decision, not laziness. The agent must survive being killed between
 * any two system calls (intent on disk first, recovery at the next start), so an
 * end at an allocation is one more point of a kind that is recovered and tested
 * everywhere, where a thousand branches that handle NULL would each be a path
 * that nobody has ever walked. The service manager starts the agent again. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Makes OpenSSL allocate by these rules, too: left alone it follows NULL where it sets itself up,
 * and takes a certificate that it had no memory for for one that can't be read. Call once, first
 * thing in main. */
void mem_setup(void);

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *mem_resize(void *old, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *text, size_t length) __attribute__((malloc, returns_nonnull));
char *mem_printf(const char *format, ...)
    __attribute__((format(printf, 1, 2), malloc, returns_nonnull));

/* For results of foreign allocating calls: NULL ends the process. */
void *mem_must(void *p) __attribute__((returns_nonnull));

#define mem_new(type) ((type *)mem_alloc(sizeof(type)))
#define mem_array(type, count) ((type *)mem_alloc(sizeof(type) * (count)))

/* Makes room for one more element in the growing array `array` (with `count`
 * used and `room` allocated) and gives a pointer to it, zeroed; counts it. */
#define mem_push(array, count, room)                                                               \
    ((array) = mem_push_room((array), (count), &(room), sizeof *(array)), &(array)[(count)++])

void *mem_push_room(void *array, size_t count, size_t *room, size_t element_size);
