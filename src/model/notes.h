#ifndef QOSMARK_MODEL_NOTES_H
#define QOSMARK_MODEL_NOTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* The sentences for the reader that every document has: adds one, whose text is the document's arena's. Without memory
 * false, and the arena has failed: the document is not whole. */
bool notes_add(const char ***notes, size_t *count, struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

/* The same with a text that is ready. */
bool notes_add_text(const char ***notes, size_t *count, struct arena *arena, const char *text);

#endif
