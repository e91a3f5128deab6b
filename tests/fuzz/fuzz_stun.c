/* One STUN message or TURN ChannelData: see wire.h for the first byte. */
#include "wire.h"

#include "classify/stun.h"

static bool is_end(const struct endpoint *e)
{
    return e->addr.version == 0 || e->addr.version == 4 || e->addr.version == 6;
}

static void check_message(const struct stun_message *m, const uint8_t *bytes, size_t len, size_t wire)
{
    FUZZ_CHECK(m->message_bytes == wire);
    FUZZ_CHECK(m->method <= 0xfff && m->message_class <= STUN_ERROR);
    FUZZ_CHECK(is_end(&m->peer) && is_end(&m->relayed) && is_end(&m->mapped));
    FUZZ_CHECK(fuzz_within(m->data.at, m->data.len, bytes, len) && m->data.len <= m->data_wire_bytes);
    FUZZ_CHECK(m->data_wire_bytes < wire);
    FUZZ_CHECK(fuzz_within(m->software.at, m->software.len, bytes, len));
    FUZZ_CHECK(!m->classic || (m->method == STUN_BINDING && !m->is_turn));
}

static void check_stun(const struct fuzz_wire *w)
{
    struct stun_message whole, part;
    enum parse_status of_whole = stun_parse(fuzz_wire_whole(w), (uint32_t)w->len, &whole);
    enum parse_status of_part = stun_parse(fuzz_wire_part(w), (uint32_t)w->len, &part);
    fuzz_wire_check(of_whole, of_part);
    if (of_whole == PARSE_OK) {
        check_message(&whole, w->bytes, w->len, w->len);
        if (!whole.classic && w->len % 4 == 0)
            FUZZ_CHECK(stun_message_bytes(w->bytes, w->len) == w->len);
    }
    if (of_part == PARSE_OK)
        check_message(&part, w->part, w->part_len, w->len);
    if (of_whole == PARSE_OK && of_part == PARSE_OK)
        FUZZ_CHECK(whole.method == part.method && whole.classic == part.classic &&
                   memcmp(whole.transaction, part.transaction, sizeof whole.transaction) == 0);
}

static void check_channel(const struct fuzz_wire *w)
{
    struct turn_channel_data whole, part;
    enum parse_status of_whole = turn_channel_data_parse(fuzz_wire_whole(w), (uint32_t)w->len, &whole);
    enum parse_status of_part = turn_channel_data_parse(fuzz_wire_part(w), (uint32_t)w->len, &part);
    fuzz_wire_check(of_whole, of_part);
    if (of_whole == PARSE_OK) {
        FUZZ_CHECK(fuzz_within(whole.data.at, whole.data.len, w->bytes, w->len));
        FUZZ_CHECK(whole.data.len == whole.data_wire_bytes && whole.data.len + 4 <= w->len);
        FUZZ_CHECK(whole.channel >= 0x4000 && whole.channel <= 0x4fff);
    }
    if (of_part == PARSE_OK)
        FUZZ_CHECK(fuzz_within(part.data.at, part.data.len, w->part, w->part_len) &&
                   part.data.len <= part.data_wire_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_wire w;
    if (!fuzz_wire_take(data, size, &w))
        return 0;
    check_stun(&w);
    check_channel(&w);
    fuzz_wire_done(&w);
    return 0;
}
