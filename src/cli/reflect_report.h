#ifndef QOSMARK_CLI_REFLECT_REPORT_H
#define QOSMARK_CLI_REFLECT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/address.h"
#include "probe/reflector.h"
#include "probe/reflector_loop.h"

/* What `qosmark reflect` says at its end and on SIGUSR1. */
struct reflect_report {
    const struct endpoint *listening;
    size_t listening_count;
    bool stateful, authenticated;
    int64_t ran_ns;
    struct reflector_counts counts;
    struct reflector_table_counts sessions;
    struct reflector_loop_counts loop;
};

void reflect_report_text(const struct reflect_report *r, struct strbuf *to);
void reflect_report_json(const struct reflect_report *r, struct strbuf *to); /* one line; schema qosmark.reflect/1 */

#endif
