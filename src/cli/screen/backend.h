#ifndef QOSMARK_CLI_SCREEN_BACKEND_H
#define QOSMARK_CLI_SCREEN_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/screen/canvas.h"

/* The one terminal of this process, through ncurses. Whatever ends the process, the terminal gets back what it was. */

/* Beyond all letters of Unicode. */
enum backend_key {
    BACKEND_KEY_NONE = 0,
    BACKEND_KEY_UP = 0x200000,
    BACKEND_KEY_DOWN,
    BACKEND_KEY_PAGE_UP,
    BACKEND_KEY_PAGE_DOWN,
    BACKEND_KEY_HOME,
    BACKEND_KEY_END,
    BACKEND_KEY_ENTER,
    BACKEND_KEY_ESCAPE,
    BACKEND_KEY_BACKSPACE,
    BACKEND_KEY_HELP,
    BACKEND_KEY_REDRAW,
};

bool backend_available(void); /* built with ncurses */

/* ERR_UNSUPPORTED where it is not available, or the terminal cannot be driven (TERM). Signals are left alone, but that
 * Ctrl-Z does nothing: a capture that is stopped loses packets. */
int backend_open(bool color, struct error *error);
void backend_size(size_t *ret_rows, size_t *ret_columns);
void backend_resized(void); /* after SIGWINCH */
void backend_draw(const struct canvas *c);
int backend_key(void);    /* the next key, a letter of Unicode or an enum backend_key; does not wait */
void backend_close(void); /* also when it was not opened */

#endif
