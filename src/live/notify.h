#ifndef QOSMARK_LIVE_NOTIFY_H
#define QOSMARK_LIVE_NOTIFY_H

#include <stdint.h>

#include "base/error.h"
#include "model/live.h"

/*
 * A structured message for the system's log when a finding opens and when it closes: to systemd's journal in its native
 * protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), or else to the local syslog socket, as syslog(3) has it, with an
 * element of structured data (RFC 5424 §6.3) before the sentence. The socket is our own, so that nothing of openlog(3)
 * is shared. Nothing waits: what the log does not take at once is counted as lost.
 *
 * Fields in the journal: MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER, QOSMARK_STATE (open, closed), QOSMARK_CODE,
 * QOSMARK_SUBJECT, QOSMARK_PACKETS, QOSMARK_POINT, QOSMARK_CONFIDENCE, QOSMARK_ADVICE. For syslog the same in lower
 * case without the prefix, in the element qosmark@32473.
 */
struct notify;

enum notify_kind { NOTIFY_AUTO = 0, NOTIFY_JOURNAL, NOTIFY_SYSLOG };

struct notify_options {
    enum notify_kind kind;    /* NOTIFY_AUTO: the journal where there is one, or else syslog */
    const char *journal_path; /* NULL: /run/systemd/journal/socket */
    const char *syslog_path;  /* NULL: /dev/log */
};

/* To be called before privileges are dropped. ERR_IO where there is no such log here; ERR_MEMORY. */
int notify_open(const struct notify_options *options, struct notify **ret, struct error *error);

/* One message for each finding that opened or closed since the last look; of more than NOTIFY_LOOK_MAX in one look the
 * rest are one message with their number. */
enum { NOTIFY_LOOK_MAX = 20 };
void notify_view(struct notify *n, const struct live_view *view);

uint64_t notify_lost(const struct notify *n);        /* messages that the log did not take */
const char *notify_destination(const struct notify *n); /* "the journal", "syslog (/dev/log)" */
void notify_close(struct notify *n);                 /* NULL is fine */

#endif
