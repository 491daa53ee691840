/* A folder under /tmp that is a node's root, for tests: made with what stands in it, removed
 * afterwards. */
#pragma once

#include <stddef.h>

#include "loop/file.h"

struct node_folder {
    char path[64];
    struct root *root;
};

void node_folder_make(struct node_folder *f);
void node_folder_remove(struct node_folder *f);
/* Writes a file below it, its folders included. */
void node_folder_write(struct node_folder *f, const char *path, const void *bytes, size_t length);
void node_folder_write_text(struct node_folder *f, const char *path, const char *text);
/* Removes a file below it. */
void node_folder_drop(struct node_folder *f, const char *path);
