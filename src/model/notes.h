#ifndef QOSMARK_MODEL_NOTES_H
#define QOSMARK_MODEL_NOTES_H

#include <stdbool.h>
#include <stddef.h>

/* The sentences for the reader that every document has: adds one, which has to live as long as the list. False without
 * memory, also where `text` is NULL for want of it. */
bool notes_add(const char ***notes, size_t *count, const char *text);

#endif
