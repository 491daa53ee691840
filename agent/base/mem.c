#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

/* EX_OSERR of sysexits.h: the service manager restarts on it. */
enum { EXIT_OUT_OF_MEMORY = 71 };

static _Noreturn void out_of_memory(void)
{
    static const char text[] = "planeguard: out of memory, ending\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(EXIT_OUT_OF_MEMORY);
    _exit(EXIT_OUT_OF_MEMORY);
}

void *mem_must(void *p)
{
    if (!p)
        out_of_memory();
    return p;
}

static void *crypto_alloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return mem_must(malloc(size ? size : 1));
}

static void *crypto_resize(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    if (size)
        return mem_must(realloc(old, size));
    free(old);
    return NULL;
}

static void crypto_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

void mem_setup(void)
{
    int r = CRYPTO_set_mem_functions(crypto_alloc, crypto_resize, crypto_free);
    assert(r == 1);
}

void *mem_alloc(size_t size)
{
    return mem_must(calloc(1, size ? size : 1));
}

void *mem_resize(void *old, size_t size)
{
    return mem_must(realloc(old, size ? size : 1));
}

char *mem_strdup(const char *text)
{
    return mem_must(strdup(text));
}

char *mem_strndup(const char *text, size_t length)
{
    return mem_must(strndup(text, length));
}

char *mem_printf(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    return mem_must(length < 0 ? NULL : text);
}

void *mem_push_room(void *array, size_t count, size_t *room, size_t element_size)
{
    if (count == *room) {
        *room = *room ? *room * 2 : 8;
        array = mem_must(reallocarray(array, *room, element_size));
    }
    memset((char *)array + count * element_size, 0, element_size);
    return array;
}
