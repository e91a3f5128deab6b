#ifndef QOSMARK_HAVE_NCURSES

#include "cli/screen/backend.h"

/* Built without ncurses: the live check writes lines instead. */

bool backend_available(void)
{
    return false;
}

int backend_open(bool color, struct error *error)
{
    (void)color;
    return error_set(error, ERR_UNSUPPORTED, "built without ncurses: there are lines instead of a screen");
}

void backend_size(size_t *ret_rows, size_t *ret_columns)
{
    *ret_rows = *ret_columns = 0;
}

void backend_resized(void) {}

void backend_draw(const struct canvas *c)
{
    (void)c;
}

int backend_key(void)
{
    return BACKEND_KEY_NONE;
}

void backend_close(void) {}

#else
/* ISO C wants something in a file */
typedef int backend_absent_is_empty;
#endif
