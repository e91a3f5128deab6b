#ifndef QOSMARK_CLASSIFY_RTCP_H
#define QOSMARK_CLASSIFY_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/text.h"

#define RTCP_REPORTS_MAX 8

/* What a compound RTCP packet tells (RFC 3550 §6, RFC 5506 reduced size; SRTCP leaves the first 8 bytes in clear). */
struct rtcp_packet {
    uint8_t first_type;     /* 200 SR, 201 RR, 202 SDES, 203 BYE, 204 APP, 205 RTPFB, 206 PSFB, 207 XR */
    uint32_t sender_ssrc;
    bool encrypted;         /* the rest makes no sense as RTCP: SRTCP */
    bool has_sender_report; /* not encrypted */
    uint64_t ntp;           /* 32.32 */
    uint32_t rtp_timestamp;
    uint32_t packet_count;
    uint32_t reports[RTCP_REPORTS_MAX]; /* SSRCs reported on */
    uint8_t report_count;
    struct slice cname;     /* of sender_ssrc; empty where not there */
    bool bye;
};

/* PARSE_MALFORMED for what cannot be RTCP: version, packet type, the lengths of a compound that do not add up (save
 * that SRTCP's trailer, 4 + 4..16 bytes, may follow). */
enum parse_status rtcp_parse(struct cursor c, uint32_t wire_bytes, struct rtcp_packet *ret);

#endif
