#ifndef QOSMARK_BASE_ERROR_H
#define QOSMARK_BASE_ERROR_H

#include <stddef.h>

/* Below cli/ nothing prints: a function that fails returns one of these (negative) and, where the cause needs words,
 * leaves one sentence for the user in a struct error. */
enum error_code {
    ERR_NONE = 0,
    ERR_MEMORY = -1,      /* out of memory */
    ERR_IO = -2,          /* a file or device could not be read or written */
    ERR_FORMAT = -3,      /* not in a format that is known here */
    ERR_INCOMPLETE = -4,  /* the input ended in the middle of something */
    ERR_USAGE = -5,       /* options or configuration that contradict or are wrong */
    ERR_UNSUPPORTED = -6, /* understood, but not built in or not possible here */
    ERR_LIMIT = -7,       /* a documented cap was reached */
};

struct error {
    char text[1024]; /* a sentence without a final newline; empty while nothing went wrong */
    int code;        /* an enum error_code: what error_set() was given */
};

/* Sets the sentence (printf format) and returns `code`, so that `return error_set(e, ERR_IO, ...)` reads well.
 * `e` may be NULL. */
int error_set(struct error *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A fixed short text for a code, for where no sentence was left. */
const char *error_name(int code);

#endif
