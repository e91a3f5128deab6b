#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/policy_internal.h"

/* A file's name or an argument may be long; the end of a comment is no place for it. */
enum { ORIGIN_MAX = 120 };

const char *policy_origin(struct policy *p, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct strbuf b = {0};
    text_printable(&b, text, strlen(text));
    size_t shown = text_fit(strbuf_text(&b), ORIGIN_MAX);
    const char *copy = !strbuf_ok(&b)  ? NULL
                       : shown < b.len ? arena_printf(&p->arena, "%.*s...", (int)shown, b.at)
                                       : arena_copy(&p->arena, strbuf_text(&b), b.len);
    strbuf_done(&b);
    p->no_memory = p->no_memory || !copy;
    return copy;
}

int policy_settle(const struct policy *p, int r, struct error *error)
{
    return r < 0 || !p->no_memory ? r : error_set(error, ERR_MEMORY, "%s", error_name(ERR_MEMORY));
}

const char *policy_origin_at(struct policy *p, const struct place *at)
{
    return policy_origin(p, "%s:%u", at->file, at->line);
}

const char *policy_origin_join(struct policy *p, const char *a, const char *b)
{
    if (a && b && strstr(a, b))
        return a;
    return policy_origin(p, "%s, %s", a ? a : "built in", b ? b : "built in");
}
