#ifndef QOSMARK_DSCP_H
#define QOSMARK_DSCP_H

#include <qosmark/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A DSCP is a number 0..63: the upper six bits of the IPv4 TOS byte or the IPv6 traffic class (RFC 2474 section 3). The
 * lower two are ECN (RFC 3168 section 5). A set of marks is a uint64_t: bit n is DSCP n.
 */

/* The name at IANA ("EF", "AF41", "CS3", "VOICE-ADMIT", "LE"), or the number in decimal where it has none. "" where
 * `dscp` is not 0..63. */
QOSMARK_API const char *qosmark_dscp_name(int dscp);

/* A mark as people write it: a name in any case ("BE" and "default" are CS0), decimal or 0x hex. Returns the DSCP, or
 * QOSMARK_E_USAGE where it is none; 0xB8 (EF as a TOS byte) is none. */
QOSMARK_API int qosmark_dscp_parse(const char *text);

/* The DSCP in a TOS or traffic class byte, of which only the lower eight bits are looked at; and the byte with that
 * DSCP and ECN 0, or QOSMARK_E_USAGE where `dscp` is not 0..63. */
QOSMARK_API int qosmark_dscp_of_tos(int tos);
QOSMARK_API int qosmark_dscp_to_tos(int dscp);

#ifdef __cplusplus
}
#endif

#endif
