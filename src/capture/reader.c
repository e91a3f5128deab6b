#include "capture/reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/identify.h"

enum {
    FRAME_MAX_BYTES = 256 * 1024,
    FRAME_MAX_BYTES_EBHSCR = 8 * 1024 * 1024,
    FRAME_MAX_BYTES_BIG = 128 * 1024 * 1024,
};

static int refuse(struct unpack *bytes, struct error *error)
{
    const uint8_t *head;
    size_t len = unpack_peek(bytes, IDENTIFY_BYTES, &head);
    const char *name = unpack_name(bytes), *packing = unpack_packing(bytes);
    bool is_capture;
    const char *what = identify_describe(head, len, &is_capture);

    if (unpack_problem(bytes))
        return error_set(error, ERR_FORMAT, "%s cannot be read: %s%s%s", name, packing ? packing : "",
                         packing ? ": " : "", unpack_problem(bytes));
    if (is_capture)
        return error_set(error, ERR_UNSUPPORTED,
                         "%s is %s, which is not read here: convert it with \"editcap -F pcapng\"", name, what);
    if (packing)
        return error_set(error, ERR_FORMAT, "%s is not a capture: what it holds compressed (%s) is %s", name, packing,
                         what);
    return error_set(error, ERR_FORMAT, "%s is %s, not a capture (pcap or pcapng)", name, what);
}

struct reader *reader_open(const char *path, struct error *error)
{
    struct unpack *bytes = unpack_open(path, error);
    if (!bytes)
        return NULL;
    const uint8_t *head;
    /* no more than needed: of a pipe there may not be more yet */
    size_t len = unpack_peek(bytes, IDENTIFY_MAGIC_BYTES, &head);
    enum capture_format format = identify_format(head, len);
    if (format == FORMAT_NONE) {
        len = unpack_peek(bytes, IDENTIFY_BYTES, &head);
        format = identify_format(head, len);
    }
    struct reader *r = NULL;
    switch (format) {
    case FORMAT_PCAP: r = pcap_file_open(bytes, error); break;
    case FORMAT_PCAPNG: r = pcapng_file_open(bytes, error); break;
    case FORMAT_ERF: r = erf_file_open(bytes, error); break;
    case FORMAT_NONE: (void)refuse(bytes, error); break;
    }
    if (!r)
        unpack_free(bytes);
    return r;
}

void reader_free(struct reader *r)
{
    if (!r)
        return;
    struct unpack *bytes = r->bytes;
    r->ops->free(r);
    unpack_free(bytes);
}

enum source_status reader_fail_cut(struct reader *r, bool within_packet)
{
    const char *name = unpack_name(r->bytes), *why = unpack_problem(r->bytes), *packing = unpack_packing(r->bytes);
    if (why && packing)
        (void)error_set(&r->problem, ERR_INCOMPLETE,
                        "%s: its %s data is damaged or cut short after packet %" PRIu64
                        " (%s): what came before it was read",
                        name, packing, r->number, why);
    else if (why)
        (void)error_set(&r->problem, ERR_IO, "%s cannot be read beyond packet %" PRIu64 ": %s", name, r->number, why);
    else
        (void)error_set(&r->problem, ERR_INCOMPLETE,
                        "%s ends in the middle of %s %" PRIu64 " (byte %" PRIu64 "): what came before it was read",
                        name, within_packet ? "packet" : "a block after packet", r->number + (within_packet ? 1 : 0),
                        unpack_length(r->bytes));
    return SOURCE_FAILED;
}

enum source_status reader_fail_damaged(struct reader *r, const char *why, ...)
{
    char text[512];
    va_list args;
    va_start(args, why);
    (void)vsnprintf(text, sizeof text, why, args);
    va_end(args);
    (void)error_set(&r->problem, ERR_FORMAT, "%s is damaged after packet %" PRIu64 ": %s; what came before it was read",
                    unpack_name(r->bytes), r->number, text);
    return SOURCE_FAILED;
}

uint32_t reader_max_frame_bytes(uint16_t link_type)
{
    enum { LINKTYPE_DBUS = 231, LINKTYPE_USBPCAP = 249, LINKTYPE_EBHSCR = 279 };
    switch (link_type) {
    case LINKTYPE_DBUS:
    case LINKTYPE_USBPCAP: return FRAME_MAX_BYTES_BIG;
    case LINKTYPE_EBHSCR: return FRAME_MAX_BYTES_EBHSCR;
    default: return FRAME_MAX_BYTES;
    }
}

/* tcpdump.org/linktypes.html, "LINKTYPE_ values 100 to 106", and libpcap's pcap-common.c */
uint16_t reader_link_type(uint32_t in_file)
{
    static const uint16_t older[][2] = {
        {11, 100}, /* ATM_RFC1483 */
        {12, 101}, /* RAW, most systems */
        {14, 101}, /* RAW, OpenBSD */
        {19, 106}, /* ATM_CLIP, Linux */
    };
    for (size_t i = 0; i < sizeof older / sizeof *older; i++)
        if (in_file == older[i][0])
            return older[i][1];
    return in_file > UINT16_MAX ? UINT16_MAX : (uint16_t)in_file;
}
