#ifndef QOSMARK_CLASSIFY_DNS_H
#define QOSMARK_CLASSIFY_DNS_H

#include <stdbool.h>

#include "base/cursor.h"

/* The head and first question of a DNS message (RFC 1035 §4.1), as far as it takes to know it for one. */
struct dns_message {
    bool response;
    bool has_question; /* its name, type and class were sound: without one a message is only a header that fits */
};

/* The message without the length that goes before it in TCP. */
enum parse_status dns_parse(struct cursor c, struct dns_message *ret);

#endif
