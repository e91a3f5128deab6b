/*
 * SIP messages, whole and in pieces. The first byte says how the text comes: bit 0 as a stream, bit 1 cut by a snapshot
 * length; the second how long the pieces of a TCP connection are.
 */
#include "fuzz.h"

#include "classify/sip.h"
#include "stream/sip_stream.h"

enum { MESSAGES_MAX = 64, COMPARED_BYTES_MAX = 8000, HEADER_BYTES = 2 };

/* What a connection gave: enough of each message to tell two readings apart. */
struct heard {
    size_t count;
    uint64_t frame;
    size_t certain; /* messages before the first whose end was guessed from the bytes at hand */
    bool guessed;
    size_t bytes[MESSAGES_MAX], bodies[MESSAGES_MAX], ids[MESSAGES_MAX];
};

static void check_message(const struct sip_message *m, const uint8_t *bytes, size_t len)
{
    const struct slice within[] = {m->method, m->request_uri, m->call_id, m->from,       m->to,  m->from_tag,
                                   m->to_tag, m->contact,     m->branch,  m->user_agent, m->body};
    for (size_t i = 0; i < sizeof within / sizeof within[0]; i++)
        FUZZ_CHECK(fuzz_within(within[i].at, within[i].len, bytes, len));
    FUZZ_CHECK(fuzz_within(m->content_type.at, m->content_type.len, bytes, len) ||
               slice_equal(m->content_type, SLICE("application/sdp")));
    FUZZ_CHECK(m->message_bytes <= len);
    FUZZ_CHECK(m->request ? m->method.len > 0 && m->request_uri.len > 0 && m->status == 0
                          : m->status >= 100 && m->status <= 699);
}

static void hear(void *user, const struct sip_message *m, uint64_t frame, int64_t time_ns)
{
    struct heard *h = user;
    FUZZ_CHECK(frame >= h->frame);
    FUZZ_CHECK(time_ns == (int64_t)frame * 1000);
    h->frame = frame;
    if (h->count < MESSAGES_MAX) {
        h->bytes[h->count] = m->message_bytes;
        h->bodies[h->count] = m->body.len;
        h->ids[h->count] = m->call_id.len;
    }
    h->guessed = h->guessed || m->body_guessed;
    h->certain += !h->guessed;
    h->count++;
}

/* Bytes of the connection in pieces of `piece` bytes, and each piece in a block of its own. */
static void feed(const uint8_t *text, size_t len, size_t piece, struct heard *h)
{
    struct sip_stream *s = sip_stream_new();
    struct cursor c = cur_make(text, len, false);
    FUZZ_CHECK(s);
    for (uint64_t frame = 1; cur_left(&c); frame++) {
        size_t n;
        uint8_t *block = fuzz_block(&c, piece, &n);
        sip_stream_bytes(s, block, n, false, frame, (int64_t)frame * 1000, hear, h);
        free(block);
    }
    sip_stream_free(s);
}

/* Pieces make no difference as far as each message says how long its body is. */
static void check_pieces(const uint8_t *text, size_t len, size_t piece)
{
    struct heard whole = {0}, pieces = {0};
    if (len > COMPARED_BYTES_MAX)
        piece += 64; /* many small pieces of a long text only cost time */
    feed(text, len, len ? len : 1, &whole);
    feed(text, len, piece, &pieces);
    FUZZ_CHECK(whole.count <= len / 12 && pieces.count <= len / 12);
    if (len > COMPARED_BYTES_MAX)
        return;
    FUZZ_CHECK(whole.certain == pieces.certain && whole.guessed == pieces.guessed);
    for (size_t i = 0; i < whole.certain && i < MESSAGES_MAX; i++)
        FUZZ_CHECK(whole.bytes[i] == pieces.bytes[i] && whole.bodies[i] == pieces.bodies[i] &&
                   whole.ids[i] == pieces.ids[i]);
}

/* What a snapshot length took away makes no sender wrong. */
static void check_cut(const uint8_t *text, size_t len, bool stream)
{
    struct sip_message m;
    struct cursor c = cur_make(text, len, false);
    size_t n;
    uint8_t *part = fuzz_block(&c, len / 2, &n);
    enum parse_status status = sip_parse(cur_make(part, n, true), stream, &m);
    FUZZ_CHECK(status == PARSE_OK || status == PARSE_TRUNCATED);
    if (status == PARSE_OK)
        check_message(&m, part, n);
    free(part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    uint8_t flags = cur_u8(&c), piece = cur_u8(&c);
    size_t len;
    if (size < HEADER_BYTES)
        return 0;
    uint8_t *text = fuzz_block(&c, cur_left(&c), &len);
    bool stream = flags & 1, cut = flags & 2;
    struct sip_message m;

    (void)sip_is_keep_alive(text, len);
    FUZZ_CHECK(sip_resync(text, len) <= len);
    struct slice value = sip_header(slice_make(text, len), "Via", 'v');
    FUZZ_CHECK(fuzz_within(value.at, value.len, text, len));
    enum parse_status status = sip_parse(cur_make(text, len, cut), stream, &m);
    FUZZ_CHECK(status != PARSE_TRUNCATED || stream || cut);
    if (status == PARSE_OK) {
        FUZZ_CHECK(sip_looks_like(text, len));
        check_message(&m, text, len);
        FUZZ_CHECK(!m.body_cut || !stream);
        check_cut(text, len, stream);
    }
    check_pieces(text, len, 1 + (size_t)piece % 97);
    free(text);
    return 0;
}
