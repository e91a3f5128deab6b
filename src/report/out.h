#ifndef QOSMARK_REPORT_OUT_H
#define QOSMARK_REPORT_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "report/report.h"

/*
 * Bytes on their way to a sink, gathered into blocks. The first failure latches: the sink is not called again, what
 * follows is dropped, and out_finish() says why.
 */
struct out {
    report_sink sink;
    void *user;
    int status; /* 0, ERR_IO or ERR_MEMORY */
    size_t used;
    char bytes[32 * 1024];
};

void out_init(struct out *o, report_sink sink, void *user);
void out_add(struct out *o, const char *bytes, size_t len);
void out_adds(struct out *o, const char *text);
void out_fail(struct out *o, int code); /* keeps the first code */
bool out_ok(const struct out *o);
int out_finish(struct out *o); /* hands over what is left; 0, ERR_IO or ERR_MEMORY */

#endif
