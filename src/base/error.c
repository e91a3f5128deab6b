#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *e, int code, const char *format, ...)
{
    if (e) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(e->text, sizeof e->text, format, args);
        va_end(args);
        e->code = code;
    }
    return code;
}

const char *error_name(int code)
{
    switch (code) {
    case ERR_NONE: return "no error";
    case ERR_MEMORY: return "out of memory";
    case ERR_IO: return "input or output failed";
    case ERR_FORMAT: return "unknown format";
    case ERR_INCOMPLETE: return "incomplete input";
    case ERR_USAGE: return "usage error";
    case ERR_UNSUPPORTED: return "not supported";
    case ERR_LIMIT: return "limit reached";
    default: return "unknown error";
    }
}
