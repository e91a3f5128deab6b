#ifndef QOSMARK_MODEL_ADDRESS_H
#define QOSMARK_MODEL_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* An IPv4 or IPv6 address. Bytes that are not used are 0, so that equal addresses are equal in memory. */
struct addr {
    uint8_t version; /* 4, 6, or 0 for none */
    uint8_t bytes[16];
};

struct endpoint {
    struct addr addr;
    uint16_t port;
};

struct prefix {
    struct addr addr;
    uint8_t len;
};

#define ADDR_TEXT_MAX 46
#define ENDPOINT_TEXT_MAX (ADDR_TEXT_MAX + 8)

struct addr addr_v4(const uint8_t bytes[4]);
struct addr addr_v6(const uint8_t bytes[16]); /* a v4-mapped address stays IPv6, as on the wire */
bool addr_equal(const struct addr *a, const struct addr *b);
int addr_compare(const struct addr *a, const struct addr *b); /* as memcmp: IPv4 before IPv6, then by value */
bool addr_is_multicast(const struct addr *a);
bool addr_is_unspecified(const struct addr *a); /* 0.0.0.0 or ::, or none */
/* What several networks may have each for themselves: RFC 1918, RFC 6598, RFC 4193, and link-local. */
bool addr_is_private(const struct addr *a);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
int endpoint_compare(const struct endpoint *a, const struct endpoint *b);

bool addr_parse(struct slice text, struct addr *ret);
void addr_format(const struct addr *a, char text[static ADDR_TEXT_MAX]);         /* RFC 5952; "" for none */
/* 10.0.0.1:5060, [2001:db8::1]:5060 */
void endpoint_format(const struct endpoint *e, char text[static ENDPOINT_TEXT_MAX]);

/* "10.0.0.1:5060", "[2001:db8::1]:5060"; where `default_port` is not 0 the port may be left out, and then the brackets
 * too. IPv6 with a port and without brackets is refused: the last number may be meant as part of the address. */
bool endpoint_parse(struct slice text, uint16_t default_port, struct endpoint *ret);

/* "10.2.0.0/16", "2001:db8::/32", or an address alone. False where bits below the prefix length are set too. */
bool prefix_parse(struct slice text, struct prefix *ret);
bool prefix_has(const struct prefix *p, const struct addr *a);

#endif
