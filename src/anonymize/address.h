#ifndef QOSMARK_ANONYMIZE_ADDRESS_H
#define QOSMARK_ANONYMIZE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address.h"

/*
 * Crypto-PAn (Xu, Fan, Ammar and Moon, "Prefix-Preserving IP Address Anonymization", ICNP 2002), over 32 bits for IPv4
 * and 128 for IPv6: bit i of an address is flipped or not by a keyed function of the i bits before it. So two addresses
 * that have k bits in common have exactly k in common afterwards, and no two become one.
 *
 * With `plain` it is that and nothing else, as the reference implementation has it. Otherwise whether a bit is flipped
 * has nothing to do with whether its neighbours are (in the reference it has), and a bit is never flipped
 * where that would move one of the ranges below: what is private, link-local, loopback or multicast stays so, which
 * decides what a report means. It is still one-to-one and prefix-preserving. The price: of an address outside these
 * ranges the leading bits that it shares with one of them, and the bit after those, stay as they are: of an IPv4
 * address at most 8, save in 100.0.0.0/8 (10), 172.0.0.0/8 (12), 169.0.0.0/8 and 192.0.0.0/8 (16).
 *
 * In the five private and shared ranges of IPv4 the first bit that is not kept is always flipped, so that in so little
 * room no address is its own replacement, nor that of a neighbour.
 *
 *     kept whole            0.0.0.0/8 127.0.0.0/8 224.0.0.0/24 255.255.255.255 :: ::1 ff01::/112 ff02::/112 ff05::/112
 *     prefix kept           10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 169.254.0.0/16 224.0.0.0/4
 *                           232.0.0.0/8 239.0.0.0/8 2000::/3 fc00::/8 fd00::/8 fe80::/64 ff00::/8 with flags and scope
 *     the IPv4 address in   ::ffff:0:0/96 64:ff9b::/96 becomes what it becomes by itself
 */
struct address_map;

#define ADDRESS_MAP_KEY_BYTES 32 /* 16 for AES-128, 16 that are encrypted to become the pad */

/* ERR_UNSUPPORTED without OpenSSL, ERR_MEMORY. */
int address_map_new(const uint8_t key[static ADDRESS_MAP_KEY_BYTES], bool plain, struct address_map **ret,
                    struct error *error);
void address_map_free(struct address_map *m); /* takes NULL */

struct addr address_map_get(struct address_map *m, const struct addr *a);

/* The first `len` bits of a prefix; those after them are 0. */
struct prefix address_map_prefix(struct address_map *m, const struct prefix *p);

/* The same of the bytes of an address in a packet, in place: 4 or 16 of them. */
void address_map_bytes(struct address_map *m, uint8_t *bytes, size_t len);

#endif
