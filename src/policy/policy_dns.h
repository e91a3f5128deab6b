#ifndef QOSMARK_POLICY_POLICY_DNS_H
#define QOSMARK_POLICY_POLICY_DNS_H

/* The few questions that policy_discover.c asks the DNS; the only header that libldns is behind. Answers are from
 * strangers: every record is checked against the question, names that no host can have are left out, all is bounded. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address.h"

#define DNS_RECORDS_MAX 64 /* of one answer */
#define DNS_NAME_MAX    256

struct dns;

enum dns_status {
    DNS_FOUND = 0,
    DNS_NOTHING, /* no such name, or no such record of it */
    DNS_FAILED,  /* no answer in time, a server that refuses, an answer that is not one: see dns_why() */
};

struct dns_srv {               /* RFC 2782 */
    char target[DNS_NAME_MAX]; /* in small letters, without the final dot */
    uint16_t port;
};

/* `resolver` is "ADDR", "ADDR:PORT", "[ADDR6]:PORT", or NULL for the system's. ERR_USAGE, ERR_IO, ERR_MEMORY. */
int dns_new(const char *resolver, struct dns **ret, struct error *error);
void dns_free(struct dns *d);

/* The records of `name`, CNAMEs followed. `*unusable` counts those that were left out. */
enum dns_status dns_find_srv(struct dns *d, const char *name, struct dns_srv ret[static DNS_RECORDS_MAX], size_t *count,
                             size_t *unusable);
/* Both its A and AAAA records, sorted and each once. */
enum dns_status dns_find_addresses(struct dns *d, const char *name, struct addr ret[static DNS_RECORDS_MAX],
                                   size_t *count, size_t *unusable);

/* A clause about the last DNS_FAILED: "no answer from 10.0.0.1 within 4 s". */
const char *dns_why(const struct dns *d);

#endif
