#ifndef QOSMARK_DECODE_TAGS_H
#define QOSMARK_DECODE_TAGS_H

#include <stdbool.h>
#include <stdint.h>

/* What stands outside the innermost IP header. Of priorities the outermost of each is kept. */
struct walk_tags {
    bool has_vlan, has_mpls;
    uint8_t vlan_pcp, mpls_tc;
    uint16_t vlan_id;
    uint8_t mirror_layers; /* IP headers that only bring a mirrored frame here (ERSPAN, TZSP) */
};

#endif
