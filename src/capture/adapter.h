#ifndef QOSMARK_CAPTURE_ADAPTER_H
#define QOSMARK_CAPTURE_ADAPTER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What the system says of its network interfaces, as far as it matters to who captures there. */

enum adapter_offload {
    ADAPTER_RX_CHECKSUM = 1,
    ADAPTER_TX_CHECKSUM = 2, /* packets that are sent are captured before their checksums are filled in */
    ADAPTER_TSO = 4,         /* TCP that is sent is captured in pieces of up to 64 kB, which the card splits */
    ADAPTER_GSO = 8,         /* the same, split by the kernel behind the capture */
    ADAPTER_GRO = 16,        /* segments that arrive are joined before the capture; never with unlike marks */
    ADAPTER_LRO = 32,        /* the same by the card, which may pass over what differs */
};

struct adapter {
    char name[IF_NAMESIZE];
    char driver[32]; /* "" where it has none to say */
    bool up, link, loopback;
    unsigned mtu;
    int64_t mbit_per_s; /* -1: not known */
    uint32_t offloads;  /* enum adapter_offload, or-ed */
    bool hardware_time; /* time stamps by the card for all packets that arrive */
    unsigned ring, ring_most; /* descriptors of its receive ring, and how many it could have; 0: not known */
    uint64_t received, dropped; /* packets since it is there; dropped as live_link_count() counts */
};

/* All interfaces by their numbers, to be freed with free(). Questions that the system or a driver does not answer leave
 * their fields as "not known". ERR_IO, ERR_MEMORY. */
int adapter_list(struct adapter **ret, size_t *ret_count, struct error *error);

#endif
