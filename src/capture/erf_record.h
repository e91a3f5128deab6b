#ifndef QOSMARK_CAPTURE_ERF_RECORD_H
#define QOSMARK_CAPTURE_ERF_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

/* The record header of Endace's Extensible Record Format (ERF Types Reference Guide, "Generic ERF header"). */
#define ERF_HEADER_BYTES 16

enum erf_type {
    ERF_ETH = 2,
    ERF_COLOR_ETH = 11,
    ERF_DSM_COLOR_ETH = 16,
    ERF_COLOR_HASH_ETH = 20,
    ERF_IPV4 = 22,
    ERF_IPV6 = 23,
    ERF_META = 27,
    ERF_PAD = 48,
};

struct erf_record {
    uint64_t timestamp;    /* seconds since 1970 in the upper 32 bits, their fraction in the lower */
    uint8_t type;          /* enum erf_type or another; without the flag for extension headers */
    uint32_t header_bytes; /* with extension headers, and with the padding that Ethernet types have before the frame */
    uint32_t record_bytes; /* the whole record, headers included */
    uint32_t wire_bytes;   /* length of the frame on the wire */
};

/* Reads all headers of the record at the cursor. PARSE_MALFORMED where they do not fit into the record. */
enum parse_status erf_record_parse(struct cursor c, struct erf_record *ret);

/* Whether the guide lists the type. */
bool erf_type_is_known(uint8_t type);

#endif
