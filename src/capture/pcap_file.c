#include <pcap/pcap.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "capture/reader.h"

/*
 * pcap files, read by libpcap: every variant that it knows. Only the link type is taken from the file header, because
 * libpcap translates it into the DLT_ value of the platform.
 */

enum {
    FILE_HEADER_BYTES = 24,
    SNAPSHOT_OFFSET = 16,
    LINK_TYPE_OFFSET = 20,
    LINK_TYPE_MASK = 0x03ffffff, /* the bits above tell the length of the frame check sequence */
};

struct pcap_file {
    struct reader base;
    pcap_t *pcap;
    uint16_t link_type;
};

/* Why libpcap gave up: it was its input that ended, or failed, or what it read makes no sense. */
static enum source_status explain(struct pcap_file *f)
{
    if (unpack_problem(f->base.bytes) || feof(pcap_file(f->pcap)))
        return reader_fail_cut(&f->base, true);
    return reader_fail_damaged(&f->base, "%s", pcap_geterr(f->pcap));
}

static enum source_status pcap_file_next(struct reader *r, struct frame *ret)
{
    struct pcap_file *f = (struct pcap_file *)r;
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int got = pcap_next_ex(f->pcap, &header, &bytes);
    if (got == PCAP_ERROR_BREAK)
        return SOURCE_END;
    if (got != 1)
        return explain(f);
    ret->bytes = bytes;
    ret->captured_bytes = header->caplen;
    ret->wire_bytes = header->len < header->caplen ? header->caplen : header->len;
    /* seconds are unsigned 32 bits in the file, and the "microseconds" are nanoseconds as asked for at opening */
    ret->time_ns = (int64_t)(uint32_t)header->ts.tv_sec * NS_PER_S + (int64_t)header->ts.tv_usec;
    ret->number = ++r->number;
    ret->link_type = f->link_type;
    return SOURCE_FRAME;
}

static void pcap_file_free(struct reader *r)
{
    struct pcap_file *f = (struct pcap_file *)r;
    if (f->pcap)
        pcap_close(f->pcap); /* and with it the stream */
    free(f);
}

static const struct reader_ops ops = {pcap_file_next, pcap_file_free};

static uint16_t header_link_type(const uint8_t *header)
{
    struct cursor c = cur_make(header, FILE_HEADER_BYTES, false);
    bool big_endian = cur_u8(&c) == 0xa1;
    cur_skip(&c, LINK_TYPE_OFFSET - 1);
    uint32_t value = big_endian ? cur_u32(&c) : cur_le32(&c);
    return reader_link_type(value & LINK_TYPE_MASK);
}

struct reader *pcap_file_open(struct unpack *bytes, struct error *error)
{
    const char *name = unpack_name(bytes);
    const uint8_t *header = unpack_need(bytes, FILE_HEADER_BYTES);
    if (!header) {
        (void)error_set(error, ERR_INCOMPLETE, "%s is cut within its file header: it holds no packet", name);
        return NULL;
    }
    struct pcap_file *f = calloc(1, sizeof *f);
    if (!f) {
        (void)error_set(error, ERR_MEMORY, "%s: out of memory", name);
        return NULL;
    }
    f->base.ops = &ops;
    f->link_type = header_link_type(header);
    /* Packets longer than the snapshot length of the header exist (offloads, tools that write a wrong one), and libpcap
     * would cut them to it. 0 means the largest there is; what a packet itself claims is checked all the same. */
    static const uint8_t no_limit[4] = {0};
    unpack_replace(bytes, SNAPSHOT_OFFSET, no_limit, sizeof no_limit);

    FILE *stream = unpack_stream(bytes);
    char why[PCAP_ERRBUF_SIZE] = "out of memory";
    if (stream)
        f->pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!f->pcap) {
        (void)error_set(error, ERR_FORMAT, "%s cannot be read as a pcap file: %s", name, why);
        if (stream)
            (void)fclose(stream);
        free(f);
        return NULL;
    }
    f->base.bytes = bytes;
    return &f->base;
}
