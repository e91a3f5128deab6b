#ifndef QOSMARK_REPORT_OUT_H
#define QOSMARK_REPORT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "report/report.h"

/*
 * Bytes on their way to a sink, gathered into blocks. The first failure latches: the sink is not called again, what
 * follows is dropped, and out_finish() says why.
 */
enum { OUT_ROOM_MAX = 1024 };

struct out {
    report_sink sink;
    void *user;
    int status; /* 0, ERR_IO or ERR_MEMORY */
    size_t used;
    char bytes[32 * 1024];
};

void out_init(struct out *o, report_sink sink, void *user);
void out_add_slowly(struct out *o, const char *bytes, size_t len);
/* Most pieces are a few bytes and fit. */
static inline void out_add(struct out *o, const char *bytes, size_t len)
{
    if (len && len < sizeof o->bytes - o->used && o->status == 0) {
        memcpy(o->bytes + o->used, bytes, len);
        o->used += len;
    } else {
        out_add_slowly(o, bytes, len);
    }
}
void out_adds(struct out *o, const char *text);
/* `bytes` of room (at most OUT_ROOM_MAX) to write into; what was written of it is added by out_used(). After a failure
 * there is room too, and nothing comes of it. */
char *out_room(struct out *o, size_t bytes);
void out_used(struct out *o, size_t bytes);
void out_fail(struct out *o, int code); /* keeps the first code */
bool out_ok(const struct out *o);
int out_conclude(struct out *out, struct error *error); /* out_finish(), with the sentence that goes with a failure */
int out_finish(struct out *o); /* hands over what is left; 0, ERR_IO or ERR_MEMORY */

#endif
