#include "capture/live.h"

#include <pcap/pcap.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/reader.h"

/* The largest frame that a capture can hold (libpcap's own limit). */
enum { WHOLE_FRAME_BYTES = 262144 };

struct live {
    pcap_t *pcap;
    char *name;
    uint64_t number;
    struct source_input input;
    int64_t ns_per_fraction; /* of the time stamps' second half: nanoseconds or microseconds */
    uint16_t link_type;
};

/* libpcap's sentence, or its fixed text where it left none. */
static const char *reason(pcap_t *pcap, int status)
{
    const char *text = pcap_geterr(pcap);
    return text && text[0] ? text : pcap_statustostr(status);
}

static int explain_activation(struct live *l, int status, struct error *error)
{
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return error_set(error, ERR_UNSUPPORTED,
                         "capturing on %s needs CAP_NET_RAW: run it as root, or give it the capability with "
                         "`setcap cap_net_raw+ep` on the program",
                         l->name);
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return error_set(error, ERR_USAGE, "there is no interface %s", l->name);
    case PCAP_ERROR_IFACE_NOT_UP:
        return error_set(error, ERR_IO, "the interface %s is down", l->name);
    default:
        return error_set(error, ERR_IO, "cannot capture on %s: %s", l->name, reason(l->pcap, status));
    }
}

static int set_filter(struct live *l, const char *filter, struct error *error)
{
    struct bpf_program program;
    if (pcap_compile(l->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return error_set(error, ERR_USAGE, "the capture filter \"%s\" is wrong: %s", filter, pcap_geterr(l->pcap));
    int r = pcap_setfilter(l->pcap, &program);
    pcap_freecode(&program);
    return r == 0 ? 0 : error_set(error, ERR_IO, "cannot filter on %s: %s", l->name, pcap_geterr(l->pcap));
}

static int activate(struct live *l, const struct live_options *o, struct error *error)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    (void)pcap_set_snaplen(l->pcap, o->snap_bytes ? (int)o->snap_bytes : WHOLE_FRAME_BYTES);
    (void)pcap_set_promisc(l->pcap, 0);
    (void)pcap_set_immediate_mode(l->pcap, 1);
    if (o->buffer_bytes)
        (void)pcap_set_buffer_size(l->pcap, (int)o->buffer_bytes);
    bool nano = pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
    l->ns_per_fraction = nano ? 1 : 1000;

    int status = pcap_activate(l->pcap);
    if (status < 0)
        return explain_activation(l, status, error);
    /* SLL2 says which interface a frame of "any" came by; where libpcap does not know it, SLL will do */
    if (strcmp(l->name, "any") == 0)
        (void)pcap_set_datalink(l->pcap, DLT_LINUX_SLL2);
    int link_type = pcap_datalink(l->pcap);
    if (link_type < 0)
        return error_set(error, ERR_IO, "cannot capture on %s: %s", l->name, reason(l->pcap, link_type));
    l->link_type = reader_link_type((uint32_t)link_type);
    if (o->filter) {
        int r = set_filter(l, o->filter, error);
        if (r < 0)
            return r;
    }
    if (pcap_setnonblock(l->pcap, 1, why) != 0)
        return error_set(error, ERR_IO, "cannot capture on %s: %s", l->name, why);
    return 0;
}

int live_open(const struct live_options *options, struct live **ret, struct error *error)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return error_set(error, ERR_MEMORY, "out of memory");
    l->name = strdup(options->interface);
    l->pcap = l->name ? pcap_create(l->name, why) : NULL;
    int r = !l->name  ? error_set(error, ERR_MEMORY, "out of memory")
            : l->pcap ? activate(l, options, error)
                      : error_set(error, ERR_IO, "cannot capture on %s: %s", l->name, why);
    if (r < 0) {
        live_free(l);
        return r;
    }
    l->input.name = l->name;
    l->input.complete = true;
    *ret = l;
    return 0;
}

int live_fd(const struct live *l)
{
    return pcap_get_selectable_fd(l->pcap);
}

enum source_status live_next(struct live *l, struct frame *ret)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int got = pcap_next_ex(l->pcap, &header, &bytes);
    if (got == 0)
        return SOURCE_END;
    if (got != 1) {
        l->input.complete = false;
        (void)error_set(&l->input.problem, ERR_IO, "the capture on %s ended: %s", l->name, reason(l->pcap, got));
        return SOURCE_FAILED;
    }
    *ret = (struct frame){
        .bytes = bytes,
        .captured_bytes = header->caplen,
        .wire_bytes = header->len < header->caplen ? header->caplen : header->len,
        .time_ns = (int64_t)header->ts.tv_sec * NS_PER_S + (int64_t)header->ts.tv_usec * l->ns_per_fraction,
        .number = ++l->number,
        .link_type = l->link_type,
    };
    if (l->input.frames++ == 0)
        l->input.first_ns = ret->time_ns;
    l->input.last_ns = ret->time_ns;
    l->input.bytes += ret->wire_bytes;
    return SOURCE_FRAME;
}

const struct source_input *live_input(struct live *l)
{
    struct pcap_stat counts;
    if (pcap_stats(l->pcap, &counts) == 0)
        l->input.dropped = (uint64_t)counts.ps_drop + counts.ps_ifdrop;
    return &l->input;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    if (l->pcap)
        pcap_close(l->pcap);
    free(l->name);
    free(l);
}
