#ifndef QOSMARK_CLASSIFY_LDAP_H
#define QOSMARK_CLASSIFY_LDAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

/* The head of an LDAPMessage (RFC 4511 §4.1.1), as far as it takes to know it for one. */
struct ldap_message {
    uint8_t operation; /* the tag of protocolOp: 0x60 bindRequest, 0x61 bindResponse, 0x63 searchRequest... */
    bool from_client;  /* a request */
    bool certain;      /* a bindRequest of version 2 or 3, or an extended operation with an OID */
    bool start_tls;    /* extendedReq 1.3.6.1.4.1.1466.20037 (RFC 4511 §4.14) */
};
enum parse_status ldap_parse(struct cursor c, struct ldap_message *ret);

/* SNMP versions 1, 2c, 3 (RFC 3416, RFC 3412 §6): the outer sequence, version and community or header data. */
enum parse_status snmp_parse(struct cursor c, uint8_t *ret_version);

#endif
