#include "capture/writer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BUFFER_BYTES = 256 * 1024,
    LINK_ETHERNET = 1,

    PCAP_SNAP_BYTES = 262144, /* what tcpdump states for "no limit" */

    SECTION_CODE = 0x0a0d0d0a,
    ORDER_MAGIC = 0x1a2b3c4d,
    INTERFACE_CODE = 1,
    PACKET_CODE = 6,
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_APPLICATION = 4, /* of the section */
    OPTION_NAME = 2,        /* of an interface */
    OPTION_DESCRIPTION = 3,
    OPTION_RESOLUTION = 9,
    OPTION_BYTES_MAX = 65532, /* a multiple of four below what a length can say */
    PACKET_FIXED_BYTES = 32,  /* of an Enhanced Packet Block, both lengths included */
};

#define PCAP_MAGIC_NS 0xa1b23c4dU /* times in nanoseconds */
#define NS_PER_SECOND 1000000000LL

struct capture_writer {
    enum capture_format format;
    char *application;
    capture_sink sink;
    void *user;
    uint32_t interfaces;
    uint16_t link_type; /* of the first */
    bool begun, failed;
    size_t used;
    uint8_t buffer[BUFFER_BYTES];
};

/* ---- bytes ---- */

static void flush(struct capture_writer *w)
{
    if (w->used && !w->failed)
        w->failed = !w->sink(w->user, (const char *)w->buffer, w->used);
    w->used = 0;
}

static void put(struct capture_writer *w, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    while (n) {
        size_t room = BUFFER_BYTES - w->used, now = n < room ? n : room;
        memcpy(w->buffer + w->used, at, now);
        w->used += now;
        at += now;
        n -= now;
        if (w->used == BUFFER_BYTES)
            flush(w);
    }
}

static uint8_t *store_le32(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)v;
    to[1] = (uint8_t)(v >> 8);
    to[2] = (uint8_t)(v >> 16);
    to[3] = (uint8_t)(v >> 24);
    return to + 4;
}

static uint8_t *store_le16(uint8_t *to, unsigned v)
{
    to[0] = (uint8_t)v;
    to[1] = (uint8_t)(v >> 8);
    return to + 2;
}

static void put_le32(struct capture_writer *w, uint32_t v)
{
    uint8_t bytes[4];
    put(w, bytes, (size_t)(store_le32(bytes, v) - bytes));
}

static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static void put_padding(struct capture_writer *w, size_t n)
{
    static const uint8_t zeros[4];
    put(w, zeros, padded(n) - n);
}

/* ---- pcapng ---- */

/* How long an option may be without a letter of UTF-8 cut in two. */
static size_t option_fit(const char *text)
{
    size_t n = text ? strlen(text) : 0;
    if (n <= OPTION_BYTES_MAX)
        return n;
    n = OPTION_BYTES_MAX;
    while (n && ((uint8_t)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static size_t option_bytes(size_t len)
{
    return len ? 4 + padded(len) : 0;
}

static void put_option(struct capture_writer *w, unsigned code, const void *value, size_t len)
{
    uint8_t head[4];
    if (len == 0)
        return;
    (void)store_le16(store_le16(head, code), (unsigned)len);
    put(w, head, sizeof head);
    put(w, value, len);
    put_padding(w, len);
}

static void put_section(struct capture_writer *w)
{
    size_t application = option_fit(w->application);
    size_t total = 28 + option_bytes(application) + 4;
    uint8_t version[4];
    put_le32(w, SECTION_CODE);
    put_le32(w, (uint32_t)total);
    put_le32(w, ORDER_MAGIC);
    (void)store_le16(store_le16(version, 1), 0);
    put(w, version, sizeof version);
    put_le32(w, UINT32_MAX); /* section length: not stated */
    put_le32(w, UINT32_MAX);
    put_option(w, OPTION_APPLICATION, w->application, application);
    put_le32(w, OPTION_END);
    put_le32(w, (uint32_t)total);
}

static void put_interface(struct capture_writer *w, const struct capture_interface *i)
{
    static const uint8_t nanoseconds = 9;
    size_t name = option_fit(i->name), description = option_fit(i->description);
    size_t total = 20 + option_bytes(name) + option_bytes(description) + option_bytes(1) + 4;
    put_le32(w, INTERFACE_CODE);
    put_le32(w, (uint32_t)total);
    put_le32(w, i->link_type); /* and two reserved bytes */
    put_le32(w, i->snap_bytes);
    put_option(w, OPTION_NAME, i->name, name);
    put_option(w, OPTION_DESCRIPTION, i->description, description);
    put_option(w, OPTION_RESOLUTION, &nanoseconds, 1);
    put_le32(w, OPTION_END);
    put_le32(w, (uint32_t)total);
}

static size_t packet_bytes(const struct frame *f, size_t said)
{
    return PACKET_FIXED_BYTES + padded(f->captured_bytes) + (said ? option_bytes(said) + 4 : 0);
}

static void put_packet(struct capture_writer *w, uint32_t interface, const struct frame *f, const char *comment)
{
    size_t said = option_fit(comment);
    uint32_t total = (uint32_t)packet_bytes(f, said);
    uint64_t ns = (uint64_t)f->time_ns;
    uint8_t head[28], *at = head;
    at = store_le32(at, PACKET_CODE);
    at = store_le32(at, total);
    at = store_le32(at, interface);
    at = store_le32(at, (uint32_t)(ns >> 32));
    at = store_le32(at, (uint32_t)ns);
    at = store_le32(at, f->captured_bytes);
    at = store_le32(at, f->wire_bytes);
    put(w, head, (size_t)(at - head));
    put(w, f->bytes, f->captured_bytes);
    put_padding(w, f->captured_bytes);
    if (said) {
        put_option(w, OPTION_COMMENT, comment, said);
        put_le32(w, OPTION_END);
    }
    put_le32(w, total);
}

/* ---- pcap ---- */

static void put_pcap_header(struct capture_writer *w, const struct capture_interface *i)
{
    uint8_t head[24], *at = head;
    at = store_le32(at, PCAP_MAGIC_NS);
    at = store_le16(at, 2);
    at = store_le16(at, 4);
    at = store_le32(at, 0); /* zone and accuracy: not used by anybody */
    at = store_le32(at, 0);
    at = store_le32(at, i->snap_bytes ? i->snap_bytes : PCAP_SNAP_BYTES);
    at = store_le32(at, i->link_type);
    put(w, head, (size_t)(at - head));
}

static void put_pcap_packet(struct capture_writer *w, const struct frame *f)
{
    uint8_t head[16], *at = head;
    at = store_le32(at, (uint32_t)(f->time_ns / NS_PER_SECOND));
    at = store_le32(at, (uint32_t)(f->time_ns % NS_PER_SECOND));
    at = store_le32(at, f->captured_bytes);
    at = store_le32(at, f->wire_bytes);
    put(w, head, (size_t)(at - head));
    put(w, f->bytes, f->captured_bytes);
}

/* ---- what the header says ---- */

static const char *const format_names[] = {[CAPTURE_PCAP] = "pcap", [CAPTURE_PCAPNG] = "pcapng"};

bool capture_format_parse(struct slice text, enum capture_format *ret)
{
    for (unsigned i = 0; i < sizeof format_names / sizeof format_names[0]; i++) {
        if (slice_equal(text, slice_make(format_names[i], strlen(format_names[i])))) {
            *ret = (enum capture_format)i;
            return true;
        }
    }
    return false;
}

enum capture_format capture_format_of_name(const char *path)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    return dot && (strcasecmp(dot, ".pcap") == 0 || strcasecmp(dot, ".cap") == 0) ? CAPTURE_PCAP : CAPTURE_PCAPNG;
}

const char *capture_format_name(enum capture_format f)
{
    return format_names[f];
}

struct capture_writer *capture_writer_new(enum capture_format format, const char *application, capture_sink sink,
                                          void *user)
{
    struct capture_writer *w = malloc(sizeof *w);
    if (!w)
        return NULL;
    memset(w, 0, offsetof(struct capture_writer, buffer));
    w->format = format;
    w->sink = sink;
    w->user = user;
    w->application = strdup(application ? application : "");
    if (!w->application) {
        free(w);
        return NULL;
    }
    return w;
}

int capture_writer_interface(struct capture_writer *w, const struct capture_interface *i, uint32_t *ret)
{
    bool pcap = w->format == CAPTURE_PCAP;
    if (pcap && w->interfaces) {
        *ret = 0;
        return w->link_type == i->link_type ? 0 : ERR_USAGE;
    }
    if (!w->begun && !pcap)
        put_section(w);
    if (pcap)
        put_pcap_header(w, i);
    else
        put_interface(w, i);
    if (!w->begun)
        w->link_type = i->link_type;
    w->begun = true;
    *ret = w->interfaces++;
    return w->failed ? ERR_IO : 0;
}

int capture_writer_frame(struct capture_writer *w, uint32_t interface, const struct frame *f, const char *comment)
{
    if (interface >= w->interfaces || f->time_ns < 0)
        return ERR_USAGE;
    if (w->format == CAPTURE_PCAP && f->time_ns / NS_PER_SECOND > UINT32_MAX)
        return ERR_USAGE;
    if (w->format == CAPTURE_PCAP)
        put_pcap_packet(w, f);
    else
        put_packet(w, interface, f, comment);
    return w->failed ? ERR_IO : 0;
}

size_t capture_writer_frame_bytes(const struct capture_writer *w, const struct frame *f, const char *comment)
{
    return w->format == CAPTURE_PCAP ? 16 + (size_t)f->captured_bytes : packet_bytes(f, option_fit(comment));
}

int capture_writer_flush(struct capture_writer *w)
{
    if (!w->begun && w->format == CAPTURE_PCAPNG) {
        put_section(w);
        w->begun = true;
    }
    flush(w);
    return w->failed ? ERR_IO : 0;
}

int capture_writer_finish(struct capture_writer *w, struct error *error)
{
    if (!w->begun && w->format == CAPTURE_PCAP)
        put_pcap_header(w, &(struct capture_interface){.link_type = LINK_ETHERNET});
    else if (!w->begun)
        put_section(w);
    w->begun = true;
    flush(w);
    return w->failed ? error_set(error, ERR_IO, "the capture could not be written whole") : 0;
}

void capture_writer_free(struct capture_writer *w)
{
    if (w)
        free(w->application);
    free(w);
}
