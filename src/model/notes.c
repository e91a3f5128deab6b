#include "model/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static bool add(const char ***notes, size_t *count, struct arena *arena, const char *text)
{
    const char **grown = text ? realloc(*notes, (*count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        arena->failed = true;
        return false;
    }
    *notes = grown;
    grown[(*count)++] = text;
    return true;
}

bool notes_add(const char ***notes, size_t *count, struct arena *arena, const char *format, va_list args)
{
    return add(notes, count, arena, arena_vprintf(arena, format, args));
}

bool notes_add_text(const char ***notes, size_t *count, struct arena *arena, const char *text)
{
    return add(notes, count, arena, arena_copy(arena, text, strlen(text)));
}
