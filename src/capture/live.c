#include "capture/live.h"

#include <pcap/pcap.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/frame_batch.h"
#include "capture/live_link.h"
#include "capture/reader.h"

enum {
    WHOLE_FRAME_BYTES = 262144, /* the largest frame that a capture can hold (libpcap's own limit) */
    INSTRUCTIONS_MAX = 4096,    /* of a filter that the kernel takes (BPF_MAXINSNS) */
};

struct live {
    pcap_t *pcap;
    char *name;
    char *filter; /* the one in force; NULL where there is none */
    uint64_t number;
    uint32_t number_of_input;
    struct source_input input;
    struct live_link link;
    uint64_t dropped_interface;
    uint32_t received;       /* by the ring, without those that it had no room for; counts round, as the kernel does */
    int64_t ns_per_fraction; /* of the time stamps' second half: nanoseconds or microseconds */
    uint16_t link_type;
    enum live_clock clock;
    struct frame_batch *batch; /* being read into */
    bool ran_out;              /* no memory for it */
};

/* libpcap's sentence, or its fixed text where it left none. */
static const char *reason(pcap_t *pcap, int status)
{
    const char *text = pcap_geterr(pcap);
    return text && text[0] ? text : pcap_statustostr(status);
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

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

static int compile(struct live *l, const char *filter, struct bpf_program *ret, struct error *error)
{
    if (pcap_compile(l->pcap, ret, filter, 1, PCAP_NETMASK_UNKNOWN) == 0)
        return 0;
    return error_set(error, ERR_USAGE, "the capture filter \"%s\" is wrong: %s", filter, pcap_geterr(l->pcap));
}

int live_check_filter(struct live *l, const char *filter, struct error *error)
{
    struct bpf_program program;
    int r = compile(l, filter, &program, error);
    if (r == 0)
        pcap_freecode(&program);
    return r;
}

static int set_filter(struct live *l, const char *filter, struct error *error)
{
    struct bpf_program program;
    int status = compile(l, filter, &program, error);
    if (status < 0)
        return status;
    /* libpcap would run it here instead, over frames that already took room in the ring */
    bool is_long = program.bf_len > INSTRUCTIONS_MAX;
    int r = is_long ? 0 : pcap_setfilter(l->pcap, &program);
    pcap_freecode(&program);
    if (is_long)
        return error_set(error, ERR_LIMIT, "the capture filter on %s is too long for the kernel", l->name);
    return r == 0 ? 0 : error_set(error, ERR_IO, "cannot filter on %s: %s", l->name, pcap_geterr(l->pcap));
}

int live_set_filter(struct live *l, const char *filter, struct error *error)
{
    const char *before = l->filter ? l->filter : "";
    /* libpcap lets nothing pass while it changes a filter, and nobody counts that */
    if (strcmp(before, filter ? filter : "") == 0)
        return 0;
    char *copy = strdup(filter ? filter : "");
    if (!copy)
        return error_set(error, ERR_MEMORY, "out of memory");
    int r = set_filter(l, copy, error);
    free(r == 0 ? l->filter : copy);
    if (r == 0)
        l->filter = copy;
    return r;
}

/* The card's own clock, best when it is set to the host's. Without one the host's stays. */
static void ask_hardware_time(struct live *l)
{
    static const struct {
        int type;
        enum live_clock clock;
    } wanted[] = {{PCAP_TSTAMP_ADAPTER, LIVE_CLOCK_ADAPTER},
                  {PCAP_TSTAMP_ADAPTER_UNSYNCED, LIVE_CLOCK_ADAPTER_UNSYNCED}};
    int *types = NULL;
    int n = pcap_list_tstamp_types(l->pcap, &types);
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0] && l->clock == LIVE_CLOCK_HOST; w++)
        for (int i = 0; i < n; i++)
            if (types[i] == wanted[w].type && pcap_set_tstamp_type(l->pcap, wanted[w].type) == 0)
                l->clock = wanted[w].clock;
    if (n > 0)
        pcap_free_tstamp_types(types);
}

static int activate(struct live *l, const struct live_options *o, struct error *error)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    (void)pcap_set_snaplen(l->pcap, o->snap_bytes ? (int)o->snap_bytes : WHOLE_FRAME_BYTES);
    (void)pcap_set_promisc(l->pcap, o->promiscuous);
    (void)pcap_set_immediate_mode(l->pcap, o->gather_ms == 0);
    (void)pcap_set_timeout(l->pcap, o->gather_ms ? (int)o->gather_ms : 1);
    if (o->buffer_bytes)
        (void)pcap_set_buffer_size(l->pcap, o->buffer_bytes < INT_MAX ? (int)o->buffer_bytes : INT_MAX);
    if (o->hardware_time)
        ask_hardware_time(l);
    bool nano = pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
    l->ns_per_fraction = nano ? 1 : 1000;

    int status = pcap_activate(l->pcap);
    if (status < 0)
        return explain_activation(l, status, error);
    if (status == PCAP_WARNING_PROMISC_NOTSUP)
        return error_set(error, ERR_USAGE, "%s cannot be made promiscuous", l->name);
    if (status == PCAP_WARNING_TSTAMP_TYPE_NOTSUP)
        l->clock = LIVE_CLOCK_HOST;
    /* SLL2 says which interface a frame of "any" came by; where libpcap does not know it, SLL will do */
    if (strcmp(l->name, "any") == 0)
        (void)pcap_set_datalink(l->pcap, DLT_LINUX_SLL2);
    int link_type = pcap_datalink(l->pcap);
    if (link_type < 0)
        return error_set(error, ERR_IO, "cannot capture on %s: %s", l->name, reason(l->pcap, link_type));
    l->link_type = reader_link_type((uint32_t)link_type);
    if (o->filter) {
        int r = live_set_filter(l, o->filter, error);
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
    live_link_init(&l->link, options->interface);
    l->name = strdup(options->interface);
    l->pcap = l->name ? pcap_create(l->name, why) : NULL;
    int r = !l->name  ? error_set(error, ERR_MEMORY, "out of memory")
            : l->pcap ? activate(l, options, error)
                      : error_set(error, ERR_IO, "cannot capture on %s: %s", l->name, why);
    if (r < 0) {
        live_free(l);
        return r;
    }
    live_link_begin(&l->link);
    l->number_of_input = options->input;
    l->input.name = l->name;
    l->input.complete = true;
    *ret = l;
    return 0;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    if (l->pcap)
        pcap_close(l->pcap);
    live_link_done(&l->link);
    free(l->filter);
    free(l->name);
    free(l);
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

int live_fd(const struct live *l)
{
    return pcap_get_selectable_fd(l->pcap);
}

static void frame_make(const struct live *l, const struct pcap_pkthdr *header, const uint8_t *bytes, struct frame *ret)
{
    *ret = (struct frame){
        .bytes = bytes,
        .captured_bytes = header->caplen,
        .wire_bytes = header->len < header->caplen ? header->caplen : header->len,
        .time_ns = (int64_t)header->ts.tv_sec * NS_PER_S + (int64_t)header->ts.tv_usec * l->ns_per_fraction,
        .number = l->number + 1,
        .input = l->number_of_input,
        .link_type = l->link_type,
    };
}

static void frame_count(struct live *l, const struct frame *f)
{
    l->number++;
    if (l->input.frames++ == 0)
        l->input.first_ns = f->time_ns;
    l->input.last_ns = f->time_ns;
    l->input.bytes += f->wire_bytes;
}

static enum source_status fail(struct live *l, int status)
{
    l->input.complete = false;
    (void)error_set(&l->input.problem, ERR_IO, "the capture on %s ended: %s", l->name, reason(l->pcap, status));
    return SOURCE_FAILED;
}

enum source_status live_next(struct live *l, struct frame *ret)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int got = pcap_next_ex(l->pcap, &header, &bytes);
    if (got == 0)
        return SOURCE_END;
    if (got != 1)
        return fail(l, got);
    frame_make(l, header, bytes, ret);
    frame_count(l, ret);
    return SOURCE_FRAME;
}

/* libpcap gives a block back to the kernel as soon as its last frame was shown, and goes on with the next one in the
 * same call: what is to outlive it has to be copied here. */
static void take(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct live *l = (struct live *)(void *)user;
    struct frame f;
    frame_make(l, header, bytes, &f);
    if (frame_batch_add(l->batch, &f, NULL))
        frame_count(l, &f);
    else
        l->ran_out = true;
    /* large frames fill it before it has as many as were asked for */
    if (l->ran_out || !frame_batch_has_room(l->batch))
        pcap_breakloop(l->pcap);
}

enum source_status live_read(struct live *l, struct frame_batch *b)
{
    int got = 1;
    frame_batch_clear(b);
    l->batch = b;
    l->ran_out = false;
    while (got > 0 && frame_batch_has_room(b))
        got = pcap_dispatch(l->pcap, (int)(FRAME_BATCH_MAX - b->count), take, (u_char *)l);
    if (l->ran_out) {
        l->input.complete = false;
        (void)error_set(&l->input.problem, ERR_MEMORY, "out of memory for the frames of %s", l->name);
        return SOURCE_FAILED;
    }
    if (b->count)
        return SOURCE_FRAME;
    enum live_state state = got < 0 ? live_state(l) : LIVE_STATE_UP;
    if (got == 0 || state == LIVE_STATE_DOWN || state == LIVE_STATE_NO_LINK)
        return SOURCE_END;
    return fail(l, got);
}

/* --- state -------------------------------------------------------------------------------------------------------- */

enum live_state live_state(const struct live *l)
{
    return live_link_state(&l->link);
}

const struct source_input *live_input(struct live *l)
{
    struct pcap_stat counts;
    if (pcap_stats(l->pcap, &counts) == 0) {
        l->received = counts.ps_recv - counts.ps_drop;
        l->dropped_interface = live_link_dropped(&l->link);
        l->input.dropped = (uint64_t)counts.ps_drop + l->dropped_interface;
    }
    return &l->input;
}

uint64_t live_dropped_interface(const struct live *l)
{
    return l->dropped_interface;
}

uint64_t live_waiting(const struct live *l)
{
    uint32_t waiting = l->received - (uint32_t)l->number;
    return waiting < UINT32_MAX / 2 ? waiting : 0; /* else it has read on since */
}

enum live_clock live_time(const struct live *l)
{
    return l->clock;
}
