#ifndef QOSMARK_DECODE_TAGS_H
#define QOSMARK_DECODE_TAGS_H

#include <stdbool.h>
#include <stdint.h>

/* Priorities that stand outside the IP header; the outermost of each is kept. */
struct walk_tags {
    bool has_vlan, has_mpls;
    uint8_t vlan_pcp, mpls_tc;
    uint16_t vlan_id;
};

#endif
