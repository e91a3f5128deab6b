#ifndef QOSMARK_REPORT_REPORT_HTML_MEND_H
#define QOSMARK_REPORT_REPORT_HTML_MEND_H

#include "report/report_html.h"

/*
 * What to type against a finding, to be copied: on the conferencing server, on a switch, on Windows. Only what can help
 * against that cause, and each under the condition on which it does: the finding says what is seen, not who is to
 * blame.
 */

enum { MEND_SENDERS = 12 };

/* One sender of wrong marks in one class. */
struct mend_sender {
    struct addr addr;
    uint32_t node; /* as in struct record; 0: no node */
    uint8_t proto;
    enum traffic_class traffic_class;
    dscp_t mark;         /* that it should have; 0 where nothing is expected */
    bool by_destination; /* the port that means something is the other end's */
    uint16_t first_port, last_port;
};

struct mend_facts {
    struct mend_sender senders[MEND_SENDERS];
    size_t sender_count;
    uint64_t left_out; /* streams of senders that had no room */
};

void mend_add(struct mend_facts *m, const struct record *r);

/* Writes the blocks, or nothing where there is nothing to type. */
void mend_write(struct page *p, enum finding_code code, const struct mend_facts *m);

#endif
