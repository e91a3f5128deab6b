#ifndef QOSMARK_CAPTURE_READER_H
#define QOSMARK_CAPTURE_READER_H

#include <stdint.h>

#include "base/error.h"
#include "capture/source.h"
#include "capture/unpack.h"
#include "model/frame.h"

/*
 * One open file of one format: what source.c reads frames from. A format's own structure begins with a struct reader,
 * which its opener fills in.
 */
struct reader;

struct reader_ops {
    /* The next frame, without its input number, and with bytes borrowed until the next call. On SOURCE_FAILED a
     * sentence is in `problem`; there is nothing more to be had then. */
    enum source_status (*next)(struct reader *r, struct frame *ret);
    /* Further frames, at most `max`, for as long as they are in memory already and nothing is to be said of them; how
     * many. NULL where there is no quicker way than next(). Only with frames_stay. */
    uint32_t (*more)(struct reader *r, struct frame *to, uint32_t max);
    void (*free)(struct reader *r);
    bool frames_stay; /* their bytes lie in unpack_chunk() of r->bytes, and stay there as long as that is held */
};

struct reader {
    const struct reader_ops *ops;
    struct unpack *bytes; /* owned: reader_free() frees it after ops->free() */
    uint64_t number;      /* of the last frame, as Wireshark counts */
    uint64_t unsupported; /* as in struct source_input */
    uint64_t dropped;     /* as in struct source_input */
    struct error problem;
};

/* Opens `path`, finds out its format, and gives it to that format's opener. NULL with a sentence in `error`. */
struct reader *reader_open(const char *path, struct error *error);
void reader_free(struct reader *r); /* takes NULL */

/* The openers of the formats. They take over `bytes` on success only; else NULL with a sentence in `error`. */
struct reader *pcap_file_open(struct unpack *bytes, struct error *error);
struct reader *pcap_odd_open(struct unpack *bytes, uint16_t link_type, struct error *error); /* by the former */
struct reader *pcapng_file_open(struct unpack *bytes, struct error *error);
struct reader *erf_file_open(struct unpack *bytes, struct error *error);

/*
 * For formats: leaves the sentence for an end in the wrong place in r->problem and returns SOURCE_FAILED.
 * `within_packet` says that the next packet had begun. Where the bytes ended because compressed data is damaged, the
 * sentence says so.
 */
enum source_status reader_fail_cut(struct reader *r, bool within_packet);

/* Likewise for content that contradicts the format; `why` is a clause such as "it claims to be 4 GiB long". */
enum source_status reader_fail_damaged(struct reader *r, const char *why, ...) __attribute__((format(printf, 2, 3)));

/* No frame is longer than this but for a few link types whose specifications say more; who claims so lies. The figures
 * are libpcap's and Wireshark's, so that the same files are readable. */
uint32_t reader_max_frame_bytes(uint16_t link_type);

/* LINKTYPE_ value for what stands in a file. Old files hold the DLT_ value of the system that wrote them where
 * LINKTYPE_ has another number for it (raw IP as 12 or 14...). */
uint16_t reader_link_type(uint32_t in_file);

#endif
