#ifndef QOSMARK_CAPTURE_WRITER_H
#define QOSMARK_CAPTURE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/frame.h"

/*
 * Writes capture files: pcap (libpcap's format with times in nanoseconds, magic a1b23c4d) and pcapng
 * (draft-ietf-opsawg-pcapng: one section, interfaces with names, packets with comments). Always little-endian, so that
 * the same frames give the same bytes on any machine. The bytes go to a sink; who opens and closes the file is the
 * caller's business, so that it can be whole or not there.
 *
 *     struct capture_writer *w = capture_writer_new(CAPTURE_PCAPNG, "qosmark", output_write, &output);
 *     capture_writer_interface(w, &(struct capture_interface){.name = "eth0", .link_type = 1}, &index);
 *     capture_writer_frame(w, index, &frame, "marked 0 where EF is expected");
 *     r = capture_writer_finish(w, &error);
 *     capture_writer_free(w);
 */
enum capture_format { CAPTURE_PCAP, CAPTURE_PCAPNG };

/* "pcap" or "pcapng". */
bool capture_format_parse(struct slice text, enum capture_format *ret);
/* By the name of a file: pcap for ".pcap" and ".cap", in any case; pcapng for everything else. */
enum capture_format capture_format_of_name(const char *path);
const char *capture_format_name(enum capture_format f);

/* Takes bytes; false where they could not be written. Has the shape of a report_sink. */
typedef bool (*capture_sink)(void *user, const char *bytes, size_t len);

struct capture_interface {
    const char *name;        /* if_name; NULL or "" for none */
    const char *description; /* if_description; NULL or "" for none */
    uint16_t link_type;      /* LINKTYPE_ value (tcpdump.org/linktypes.html) */
    uint32_t snap_bytes;     /* most bytes kept of a frame; 0: no limit is stated */
};

struct capture_writer;

/* `application` (UTF-8, may be NULL) is what a pcapng file says it was written by. Nothing is written yet. NULL without
 * memory. */
struct capture_writer *capture_writer_new(enum capture_format format, const char *application, capture_sink sink,
                                          void *user);

/*
 * Describes an interface before frames of it come; *ret is what capture_writer_frame() calls it by, from 0 in the order
 * of the calls. A pcap file has one: ERR_USAGE for a second of another link type; for one of the same link type *ret is
 * 0 again. ERR_MEMORY, ERR_IO.
 */
int capture_writer_interface(struct capture_writer *w, const struct capture_interface *i, uint32_t *ret);

/*
 * Writes a frame: its bytes, lengths and time; number, input and link type are not looked at. Times before 1970, and in
 * pcap after 2106, are ERR_USAGE, as is an interface that was not described. `comment` (UTF-8, cut at 64 KiB) goes
 * into pcapng as opt_comment, where Wireshark shows it (frame.comment); a pcap file has no place for it. NULL or "" for
 * none. ERR_IO where the sink failed, now or before.
 */
int capture_writer_frame(struct capture_writer *w, uint32_t interface, const struct frame *f, const char *comment);

/* Hands all that is buffered to the sink, so that what was written so far can be read as it is. ERR_IO. */
int capture_writer_flush(struct capture_writer *w);

/* The bytes that capture_writer_frame() would add for such a frame. */
size_t capture_writer_frame_bytes(const struct capture_writer *w, const struct frame *f, const char *comment);

/* Hands all that is buffered to the sink; without an interface a pcap file is given Ethernet, so that it can be read.
 * ERR_IO, with a sentence, where anything could not be written. */
int capture_writer_finish(struct capture_writer *w, struct error *error);

void capture_writer_free(struct capture_writer *w);

#endif
