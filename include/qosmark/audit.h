#ifndef QOSMARK_AUDIT_H
#define QOSMARK_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include <qosmark/error.h>
#include <qosmark/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Captured traffic on its way to a result. It takes either files or packets, not both. */
typedef struct qosmark_audit qosmark_audit;
typedef struct qosmark_result qosmark_result; /* qosmark/result.h */

enum qosmark_option {
    QOSMARK_OPTION_THREADS = 0,            /* to read files with, 1..1024; default 1: the result is the same */
    QOSMARK_OPTION_OUTER_LAYER = 1,        /* 1: the mark of the outermost IP header is judged, not the innermost's */
    QOSMARK_OPTION_IGNORE_SIGNALLING = 2,  /* 1: nothing is taken from SDP */
    QOSMARK_OPTION_MASK_PAYLOAD_TYPES = 3, /* 1: no RTP payload type has a meaning, not even those of RFC 3551 */
    QOSMARK_OPTION_MAX_STREAMS = 4,        /* at a time, 1..100,000,000; default 4,000,000. What is beyond is counted,
                                              said in a note, and makes the result incomplete */
    QOSMARK_OPTION_EXPLAIN = 5             /* 1: streams have an explanation of how their kind was found */
};

/* The policy is borrowed until the audit is freed, and not to be changed meanwhile. NULL without memory, or where the
 * system gives no random numbers (the key of the hash tables, so that nobody can choose the collisions). */
QOSMARK_API qosmark_audit *qosmark_audit_new(const qosmark_policy *policy, qosmark_error *error);
QOSMARK_API void qosmark_audit_free(qosmark_audit *audit); /* takes NULL; a result outlives its audit */

/* Before the first packet, and before qosmark_audit_finish(). QOSMARK_E_USAGE for a value that cannot be. */
QOSMARK_API int qosmark_audit_set(qosmark_audit *audit, enum qosmark_option option, int64_t value,
                                  qosmark_error *error);

/* Called now and then while files are read, in the thread that called qosmark_audit_finish(). `total_bytes` is 0 where
 * it is not known. */
typedef void (*qosmark_progress)(void *user, uint64_t done_bytes, uint64_t total_bytes);
QOSMARK_API void qosmark_audit_on_progress(qosmark_audit *audit, qosmark_progress progress, void *user);

/*
 * A capture: pcap, pcapng or ERF, plain or in gzip, zstd, bzip2, xz or lz4; "-" is standard input. It is read by
 * qosmark_audit_finish(); several are one capture in the order of time. QOSMARK_E_USAGE for a file that is there
 * already (its packets would count twice) and after a packet.
 */
QOSMARK_API int qosmark_audit_add_file(qosmark_audit *audit, const char *path, qosmark_error *error);

/*
 * One captured frame. `link_type` is a LINKTYPE_ number of tcpdump.org/linktypes.html (1: Ethernet, 101: IP without
 * anything before it, 228/229: IPv4/IPv6), which is not always what libpcap's pcap_datalink() returns. `time_ns` is in
 * nanoseconds since 1970, UTC. `bytes` are borrowed for this call; there are `captured_bytes` of them, of a frame that
 * had `wire_bytes` on the wire. Frames are to come in the order of time, more or less, and are numbered from 1.
 * QOSMARK_E_USAGE (an unknown link type, more bytes captured than there were, or a file was added), QOSMARK_E_MEMORY. A
 * frame that is cut or broken is no failure: it is counted in the result's input.
 */
QOSMARK_API int qosmark_audit_packet(qosmark_audit *audit, int link_type, int64_t time_ns, const void *bytes,
                                     uint32_t captured_bytes, uint32_t wire_bytes, qosmark_error *error);

/* 1 where packets of that link type can be judged, else 0. */
QOSMARK_API int qosmark_link_type_known(int link_type);

/*
 * Reads the files, judges, and says what is wrong and why. The audit can only be freed after it. NULL where no file
 * could be opened, or without memory. A file that failed on the way is in the result's inputs, with what was found
 * until then, and the result is not complete.
 */
QOSMARK_API qosmark_result *qosmark_audit_finish(qosmark_audit *audit, qosmark_error *error);

#ifdef __cplusplus
}
#endif

#endif
