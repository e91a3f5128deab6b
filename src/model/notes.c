#include "model/notes.h"

#include <stdlib.h>

#include "base/arena.h"

bool notes_add(const char ***notes, size_t *count, struct arena *arena, const char *format, va_list args)
{
    const char *text = arena_vprintf(arena, format, args);
    const char **grown = text ? realloc(*notes, (*count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        arena->failed = true;
        return false;
    }
    *notes = grown;
    grown[(*count)++] = text;
    return true;
}
