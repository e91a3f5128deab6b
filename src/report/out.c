#include "report/out.h"

#include <string.h>

void out_init(struct out *o, report_sink sink, void *user)
{
    o->sink = sink;
    o->user = user;
    o->status = 0;
    o->used = 0;
}

void out_fail(struct out *o, int code)
{
    if (o->status == 0)
        o->status = code;
}

bool out_ok(const struct out *o)
{
    return o->status == 0;
}

static void out_flush(struct out *o)
{
    if (o->status == 0 && o->used && !o->sink(o->user, o->bytes, o->used))
        o->status = ERR_IO;
    o->used = 0;
}

void out_add_slowly(struct out *o, const char *bytes, size_t len)
{
    while (len && o->status == 0) {
        size_t room = sizeof o->bytes - o->used;
        size_t n = len < room ? len : room;
        memcpy(o->bytes + o->used, bytes, n);
        o->used += n;
        bytes += n;
        len -= n;
        if (o->used == sizeof o->bytes)
            out_flush(o);
    }
}

char *out_room(struct out *o, size_t bytes)
{
    if (bytes > sizeof o->bytes - o->used)
        out_flush(o);
    return o->bytes + o->used;
}

void out_used(struct out *o, size_t bytes)
{
    if (o->status == 0)
        o->used += bytes;
    if (o->used == sizeof o->bytes)
        out_flush(o);
}

void out_adds(struct out *o, const char *text)
{
    out_add(o, text, strlen(text));
}

int out_finish(struct out *o)
{
    out_flush(o);
    return o->status;
}

int out_conclude(struct out *out, struct error *error)
{
    int r = out_finish(out);
    if (r == ERR_IO)
        return error_set(error, r, "the report could not be written");
    if (r < 0)
        return error_set(error, r, "the report could not be made: %s", error_name(r));
    return 0;
}
