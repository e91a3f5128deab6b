#include "model/notes.h"

#include <stdlib.h>

bool notes_add(const char ***notes, size_t *count, const char *text)
{
    const char **grown = text ? realloc(*notes, (*count + 1) * sizeof *grown) : NULL;
    if (!grown)
        return false;
    *notes = grown;
    grown[(*count)++] = text;
    return true;
}
