/*
 * What comes back to a trace: ICMP errors with their quotes, extensions and MPLS labels; echo replies; TCP segments.
 *
 * Input: options 1 (bits 0 and 1: the protocol of the trace, bit 2: IPv6, bit 3: cut), the message. With bit 4 a probe
 * of this trace is put behind the first 8 bytes, so that the match is reached; the rest of the input lies over it.
 */
#include "base/bytes.h"
#include "packets.h"
#include "probe/trace_wire.h"

enum { OPTION_IP6 = 4, OPTION_CUT = 8, OPTION_PROBE = 16, FLOWS = 4 };

static const struct trace_probe probe = {.number = 7, .flow = 1, .ttl = 3, .dscp = 46};

static struct trace_wire *wire_new(uint8_t options)
{
    static const uint8_t protos[] = {PROTO_UDP, PROTO_TCP, PROTO_ICMP, PROTO_UDP};
    bool ip6 = options & OPTION_IP6;
    uint8_t proto = protos[options & 3];
    struct trace_wire_config config = {.proto = ip6 && proto == PROTO_ICMP ? PROTO_ICMPV6 : proto,
                                       .source = {.version = ip6 ? 6 : 4, .bytes = {192, 0, 2, 1}},
                                       .target = {.version = ip6 ? 6 : 4, .bytes = {198, 51, 100, 7}},
                                       .port = 34904,
                                       .source_port = 40000,
                                       .flows = FLOWS,
                                       .cookie = 0xFEDCBA98FFF01234};
    struct trace_wire *w = NULL;
    struct error error = {0};
    int r = trace_wire_new(&config, &w, &error);
    FUZZ_CHECK(r == 0 || r == ERR_UNSUPPORTED); /* built without libnet */
    return r == 0 ? w : NULL;
}

static void check_quote(const struct quote *q, const uint8_t *bytes, size_t len, uint8_t version)
{
    FUZZ_CHECK(q->version == 4 || q->version == 6);
    FUZZ_CHECK(q->version == version);
    FUZZ_CHECK(q->src.addr.version == q->version && q->dst.addr.version == q->version);
    FUZZ_CHECK(q->kind <= QUOTE_OTHER && q->depth <= QUOTE_TRANSPORT);
    FUZZ_CHECK(q->label_count <= QUOTE_LABELS_MAX && (!q->label_count || q->has_extensions));
    for (unsigned i = 0; i < q->label_count; i++)
        FUZZ_CHECK(q->labels[i].label < 1U << 20 && q->labels[i].tc < 8);
    FUZZ_CHECK(!q->labels_left_out || q->label_count == QUOTE_LABELS_MAX);
    FUZZ_CHECK(q->depth == QUOTE_TRANSPORT || (q->src.port == 0 && q->dst.port == 0 && !q->payload));
    FUZZ_CHECK(!q->later_fragment || q->depth == QUOTE_IP);
    FUZZ_CHECK(q->payload || q->payload_bytes == 0);
    FUZZ_CHECK(fuzz_within(q->payload, q->payload_bytes, bytes, len));
    FUZZ_CHECK(q->flow_label < 1U << 20);
    fuzz_touch(q->payload, q->payload_bytes);
}

static void run_message(struct trace_wire *w, const uint8_t *bytes, size_t len, uint8_t version, bool cut)
{
    struct cursor c = cur_make(bytes, len, cut);
    struct quote q;
    enum parse_status status = quote_parse(c, version, &q);
    FUZZ_CHECK(status <= PARSE_UNSUPPORTED);
    if (status == PARSE_OK) {
        check_quote(&q, bytes, len, version);
        bool translated = false;
        uint16_t number = w ? trace_wire_match_quote(w, &q, &translated) : 0;
        FUZZ_CHECK(number <= probe.number && (!translated || number));
    }
    (void)quote_checksum_is_right(bytes, len);
    if (!w)
        return;
    FUZZ_CHECK(trace_wire_match_echo(w, c) <= probe.number);
    enum trace_answer answer = TRACE_ANSWER_COUNT;
    uint16_t number = trace_wire_match_tcp(w, c, &answer);
    FUZZ_CHECK(number <= probe.number);
    FUZZ_CHECK(!number || answer == TRACE_SYN_ACK || answer == TRACE_RESET);
}

/* A message with a probe of this trace quoted in it, changed by what is left of the input; free() it. */
static uint8_t *quote_own(struct trace_wire *w, struct cursor *c, size_t *ret_len)
{
    uint8_t packet[CRAFT_PACKET_MAX];
    int n = trace_wire_build(w, &probe, packet, sizeof packet, NULL);
    FUZZ_CHECK(n > 0);
    size_t quoted = cur_u16(c) % ((size_t)n + 1);
    uint8_t *message = calloc(1, 8 + quoted);
    FUZZ_CHECK(message);
    const uint8_t *header = cur_take(c, 8);
    if (header)
        memcpy(message, header, 8);
    memcpy(message + 8, packet, quoted);
    while (cur_left(c) >= 3) {
        size_t at = cur_u16(c);
        uint8_t value = cur_u8(c);
        if (at < 8 + quoted)
            message[at] = value;
    }
    *ret_len = 8 + quoted;
    return message;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    uint8_t options = cur_u8(&c);
    if (c.failed)
        return 0;
    struct trace_wire *w = wire_new(options);
    size_t len;
    uint8_t *message = options & OPTION_PROBE && w ? quote_own(w, &c, &len) : fuzz_block(&c, cur_left(&c), &len);
    run_message(w, message, len, options & OPTION_IP6 ? 6 : 4, options & OPTION_CUT);
    free(message);
    trace_wire_free(w);
    return 0;
}
