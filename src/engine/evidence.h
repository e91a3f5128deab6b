#ifndef QOSMARK_ENGINE_EVIDENCE_H
#define QOSMARK_ENGINE_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/document.h"
#include "model/frame.h"
#include "model/packet.h"

/*
 * The wrong packets themselves, in pcapng files, each with a comment that says what it is, what was expected and what
 * was seen. A packet is wrong that its stream's record counts among violating_packets, of a stream whose verdict is
 * violating; of a fragmented datagram each frame by itself.
 *
 * This is the live form: nothing is known yet of a packet when it comes. Those that may turn out to be wrong are copied
 * into a buffer; each look decides about them. Packets of streams that the last look found right, with a mark that is
 * right for them, are not even copied. What an audit does, which can read its files twice, is in engine/wrong_frames.h.
 *
 *     evidence_frame()     of each frame that was a packet by itself, after stream_table_packets_to() gave its token
 *     evidence_fragment()  of each frame that the decoder holds as a fragment
 *     evidence_datagram()  of each packet that has parts
 *     evidence_look()      after the document was judged and diagnosed, before anything ends in the table
 *
 * A token (stream/table.h) stays its stream's while that is in the table, so streams are not to end within `keep_ns` of
 * their last packet; that another stream took its number is noticed by the ends of the packet.
 */
struct evidence;
struct anonymizer;
struct stream_table;

struct evidence_options {
    const char *path;          /* FILE.pcapng: the newest packets; older ones in FILE.1.pcapng, FILE.2.pcapng... */
    uint64_t max_bytes;        /* of each file; 0: 64 MiB */
    unsigned files;            /* kept at most, the newest included; 0: 4 */
    size_t buffer_bytes;       /* for packets not decided about; 0: 64 MiB */
    int64_t keep_ns;           /* how long one may wait for a verdict on its stream; 0: 5 s */
    const char *const *points; /* names of the inputs, by frame.input; borrowed */
    size_t point_count;
    struct anonymizer *anonymizer; /* NULL: packets as they are; else without identities. Borrowed */
};

/*
 * Makes the first file, which what a run before left there is moved out of the way of. Each file is complete after each
 * look, and can be read while it grows. ERR_IO with a sentence, ERR_USAGE, ERR_MEMORY.
 */
int evidence_open(const struct evidence_options *options, struct evidence **ret, struct error *error);

void evidence_frame(struct evidence *e, const struct frame *frame, const struct packet *packet, uint32_t token);
void evidence_fragment(struct evidence *e, const struct frame *frame);
void evidence_datagram(struct evidence *e, const struct packet *packet, uint32_t token);

/* Writes what has turned out to be wrong, forgets what has turned out to be right. ERR_IO with a sentence where a file
 * cannot be written: said once, and nothing is written from then on. */
int evidence_look(struct evidence *e, const struct stream_table *table, const struct document *document,
                  struct error *error);

struct evidence_stats {
    uint64_t written;   /* frames */
    uint64_t not_kept;  /* wrong ones for which there was no room in the buffer */
    uint64_t not_known; /* more for which there was none, of which some may have been wrong */
    uint64_t bytes;     /* written */
    uint64_t rotated;   /* files that were begun after the first */
    uint64_t removed;   /* files that were removed to keep to their number */
    bool failed;        /* writing failed */
};
struct evidence_stats evidence_stats(const struct evidence *e);
/* Why writing failed; its text is "" while nothing did. */
const struct error *evidence_problem(const struct evidence *e);

void evidence_close(struct evidence *e); /* takes NULL */

#endif
