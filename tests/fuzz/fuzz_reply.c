/*
 * What real servers answer to `qosmark probe --service`, and what a capture shows of the connection.
 *
 * Input: way 1, length of the host's name 1, the name; then, with the highest bit of the way, segments of the
 * connection (options 1, sequence number 4, length 2), else the answer, which is read as it grows.
 */
#include "fuzz.h"
#include "outputs.h"
#include "probe/service.h"
#include "probe/service_watch.h"

enum { WAY_WATCH = 0x80, SEGMENTS_MAX = 600, OPTION_CLIENT = 1, OPTION_OTHER_PORT = 2 };

static const struct endpoint client = {.addr = {.version = 4, .bytes = {10, 0, 0, 1}}, .port = 40000};
static const struct endpoint server = {.addr = {.version = 4, .bytes = {10, 0, 0, 2}}, .port = 5061};

static void check_words(const char *text)
{
    size_t len = strnlen(text, SERVICE_TEXT_MAX);
    FUZZ_CHECK(len < SERVICE_TEXT_MAX);
    for (size_t i = 0; i < len; i++)
        FUZZ_CHECK(text[i] >= 0x20 && text[i] < 0x7f);
}

static void run_answer(const struct service_request *r, struct cursor *c)
{
    size_t len;
    uint8_t *bytes = fuzz_block(c, SERVICE_ANSWER_MAX, &len);
    size_t step = len / 16 + 1;
    for (size_t n = 0; n <= len; n += step) {
        /* exactly sized: as much as came so far */
        uint8_t *part = malloc(n);
        FUZZ_CHECK(part || n == 0);
        if (n)
            memcpy(part, bytes, n);
        char text[SERVICE_TEXT_MAX] = "";
        enum service_reply reply = service_reply_read(r, slice_make(part, n), text);
        FUZZ_CHECK(reply <= REPLY_FOREIGN);
        FUZZ_CHECK(reply != REPLY_DONE || n > 0);
        check_words(text);
        free(part);
    }
    free(bytes);
}

static void run_watch(struct cursor *c)
{
    struct service_watch w;
    service_watch_init(&w, &client, &server);
    uint64_t fed = 0, taken = 0;
    while (cur_left(c) >= 7 && fed < SEGMENTS_MAX) {
        uint8_t options = cur_u8(c);
        struct packet p = {.frame = ++fed, .proto = PROTO_TCP, .src = server, .dst = client, .ports_known = true};
        if (options & OPTION_CLIENT) {
            p.src = client;
            p.dst = server;
        }
        if (options & OPTION_OTHER_PORT)
            p.dst.port++;
        p.tcp_flags = options >> 2;
        p.tos = options;
        p.tcp_seq = cur_u32(c);
        p.payload_wire_bytes = cur_u16(c);
        bool ours = service_watch_packet(&w, &p);
        FUZZ_CHECK(ours == !(options & OPTION_OTHER_PORT));
        taken += ours;
    }
    FUZZ_CHECK(w.seen_count <= SERVICE_SEEN_MAX && w.seen_count + w.beyond + w.sent_packets == taken);
    uint64_t sent = 0;
    for (int i = 0; i < DSCP_COUNT; i++)
        sent += w.sent[i];
    FUZZ_CHECK(sent == w.sent_packets);
    for (size_t i = 0; i < w.seen_count; i++)
        FUZZ_CHECK(service_watch_phase(&w, i, 300) < PHASE_COUNT && service_watch_phase(&w, i, 0) != PHASE_TLS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    uint8_t way = cur_u8(&c), name_len = cur_u8(&c);
    if (c.failed)
        return 0;
    if (way & WAY_WATCH) {
        run_watch(&c);
        return 0;
    }
    struct service_request r = {.way = &service_ways[way % SERVICE_WAYS],
                                .local = client,
                                .port = 5061,
                                .token = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    size_t len;
    uint8_t *name = fuzz_block(&c, name_len, &len);
    slice_copy(slice_make(name, len), r.host, sizeof r.host);
    free(name);
    uint8_t request[SERVICE_REQUEST_MAX];
    size_t n = service_request_write(&r, request);
    FUZZ_CHECK(n > 0 && n <= sizeof request);
    /* whatever the name, one request: no line of its own comes from it */
    if (r.way->service != SERVICE_STUN)
        fuzz_check_text((const char *)request, n, false, true);
    run_answer(&r, &c);
    return 0;
}
