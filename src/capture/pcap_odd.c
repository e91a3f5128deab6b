#include <pcap/pcap.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/reader.h"

/*
 * pcap files that are not as every program writes them today, read by libpcap, which knows every variant: the other
 * byte order with pseudo-headers to be turned round, older versions, Kuznetzov's longer record headers, USB.
 */

enum {
    FILE_HEADER_BYTES = 24,
    SNAPSHOT_OFFSET = 16,
};

struct pcap_odd {
    struct reader base;
    pcap_t *pcap;
    uint16_t link_type;
};

/* Why libpcap gave up: it was its input that ended, or failed, or what it read makes no sense. */
static enum source_status explain(struct pcap_odd *f)
{
    if (unpack_problem(f->base.bytes) || feof(pcap_file(f->pcap)))
        return reader_fail_cut(&f->base, true);
    return reader_fail_damaged(&f->base, "%s", pcap_geterr(f->pcap));
}

static enum source_status pcap_odd_next(struct reader *r, struct frame *ret)
{
    struct pcap_odd *f = (struct pcap_odd *)r;
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

static void pcap_odd_free(struct reader *r)
{
    struct pcap_odd *f = (struct pcap_odd *)r;
    if (f->pcap)
        pcap_close(f->pcap); /* and with it the stream */
    free(f);
}

static const struct reader_ops ops = {.next = pcap_odd_next, .free = pcap_odd_free};

struct reader *pcap_odd_open(struct unpack *bytes, uint16_t link_type, struct error *error)
{
    const char *name = unpack_name(bytes);
    struct pcap_odd *f = calloc(1, sizeof *f);
    if (!f || !unpack_need(bytes, FILE_HEADER_BYTES)) {
        (void)error_set(error, ERR_MEMORY, "%s: out of memory", name);
        free(f);
        return NULL;
    }
    f->base.ops = &ops;
    f->link_type = link_type;
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
