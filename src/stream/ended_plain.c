#include "stream/ended_plain.h"

#include "stream/flow.h"

/* What few records have is announced by a bit. */
enum ended_bit {
    BIT_FROM_INITIATOR = 1 << 0,
    BIT_SSRC = 1 << 1,
    BIT_OVER_TURN = 1 << 2,
    BIT_TURN_CHANNELS = 1 << 3,
    BIT_SHARES_CONNECTION = 1 << 4,
    BIT_WEBRTC = 1 << 5,
    BIT_FRAGMENTED = 1 << 6,
    BIT_RTP = 1 << 7,
    BIT_ONE_MARK = 1 << 8, /* one mark and one ECN: its counts are the record's */
    BIT_OUTER = 1 << 9,
    BIT_LAYERS = 1 << 10, /* tunnel_depth, judged_version, judged_at */
    BIT_PRIORITIES = 1 << 11,
    BIT_COPIES = 1 << 12,
    BIT_MEDIA_KINDS = 1 << 13,
    BIT_JITTER = 1 << 14,
    BIT_LOSS = 1 << 15, /* something was lost, reordered or duplicated */
    BIT_DATA_MARKS = 1 << 16,
    BIT_NO_DATA = 1 << 17,
};

/* --- ends --------------------------------------------------------------------------------------------------------- */

static void put_end(struct writer *w, const struct endpoint *e)
{
    put(w, e->addr.bytes, e->addr.version == 4 ? 4 : e->addr.version == 6 ? 16 : 0);
    put(w, &e->port, sizeof e->port);
}

static void get_end(struct reader *r, uint8_t version, struct endpoint *ret)
{
    *ret = (struct endpoint){.addr = {.version = version}};
    get(r, ret->addr.bytes, version == 4 ? 4 : version == 6 ? 16 : 0);
    get(r, &ret->port, sizeof ret->port);
}

/* Both versions are in one byte. */
static void put_ends(struct writer *w, const struct record *r)
{
    put_byte(w, (uint8_t)(r->src.addr.version | r->dst.addr.version << 4));
    put_end(w, &r->src);
    put_end(w, &r->dst);
}

static void get_ends(struct reader *from, struct record *r)
{
    uint8_t versions = get_byte(from);
    get_end(from, versions & 15, &r->src);
    get_end(from, versions >> 4, &r->dst);
}

/* --- marks -------------------------------------------------------------------------------------------------------- */

static void put_mark(struct writer *w, const struct record_mark *m, const struct record *r)
{
    put_byte(w, m->dscp);
    put_number(w, m->packets);
    put_number(w, m->bytes);
    put_frame(w, m->first, r->first);
    put_frame(w, m->last, m->first);
    put_time(w, m->first_ns, r->first_ns);
    put_time(w, m->last_ns, m->first_ns);
}

static void get_mark(struct reader *from, const struct record *r, struct record_mark *m)
{
    m->dscp = get_byte(from);
    m->packets = get_number(from);
    m->bytes = get_number(from);
    m->first = get_frame(from, r->first);
    m->last = get_frame(from, m->first);
    m->first_ns = get_time(from, r->first_ns);
    m->last_ns = get_time(from, m->first_ns);
}

static bool is_one_mark(const struct record *r)
{
    const struct record_mark *m = r->marks;
    bool one_ecn = false;
    for (int i = 0; i < 4; i++)
        one_ecn |= r->ecn[i] == r->packets;
    return r->mark_count == 1 && one_ecn && m->packets == r->packets && m->bytes == r->bytes &&
           m->first.frame == r->first.frame && m->first.input == r->first.input && m->first_ns == r->first_ns &&
           m->last_ns == r->last_ns && r->mark_changes == 0;
}

static void put_marks(struct writer *w, const struct record *r, bool one)
{
    if (one) {
        uint8_t ecn = 0;
        while (ecn < 3 && r->ecn[ecn] != r->packets)
            ecn++;
        put_byte(w, (uint8_t)(r->marks[0].dscp << 2 | ecn));
        put_frame(w, r->marks[0].last, r->first);
        return;
    }
    put_byte(w, (uint8_t)r->mark_count);
    for (uint32_t i = 0; i < r->mark_count; i++)
        put_mark(w, &r->marks[i], r);
    put_number(w, r->mark_changes);
    for (int i = 0; i < 4; i++)
        put_number(w, r->ecn[i]);
}

static void get_marks(struct reader *from, bool one, struct record_scratch *to)
{
    struct record *r = &to->record;
    r->marks = to->marks;
    if (one) {
        uint8_t tos = get_byte(from);
        r->mark_count = 1;
        r->ecn[tos & 3] = r->packets;
        to->marks[0] = (struct record_mark){.dscp = tos >> 2,
                                            .packets = r->packets,
                                            .bytes = r->bytes,
                                            .first = r->first,
                                            .last = get_frame(from, r->first),
                                            .first_ns = r->first_ns,
                                            .last_ns = r->last_ns};
        return;
    }
    r->mark_count = get_byte(from);
    for (uint32_t i = 0; i < r->mark_count; i++)
        get_mark(from, r, &to->marks[i]);
    r->mark_changes = (uint32_t)get_number(from);
    for (int i = 0; i < 4; i++)
        r->ecn[i] = get_number(from);
}

static void put_outer(struct writer *w, const struct record *r)
{
    put_byte(w, (uint8_t)r->outer_count);
    for (uint32_t i = 0; i < r->outer_count; i++)
        put_mark(w, &r->outer[i], r);
    put_number(w, r->outer_differs);
    put_frame(w, r->outer_differs_first, r->first);
}

static void get_outer(struct reader *from, struct record_scratch *to)
{
    struct record *r = &to->record;
    r->outer = to->outer;
    r->outer_count = get_byte(from);
    for (uint32_t i = 0; i < r->outer_count; i++)
        get_mark(from, r, &to->outer[i]);
    r->outer_differs = get_number(from);
    r->outer_differs_first = get_frame(from, r->first);
}

/* --- RTP ---------------------------------------------------------------------------------------------------------- */

static bool has_loss(const struct rtp_figures *f)
{
    return f->lost || f->reordered || f->duplicates;
}

static void put_rtp(struct writer *w, const struct record *r)
{
    const struct rtp_figures *f = r->rtp;
    put_byte(w, r->payload_type_count);
    put(w, r->payload_types, r->payload_type_count);
    put_number(w, r->decided_after_packets);
    put_number(w, f->clock_rate);
    put_time(w, (int64_t)f->expected, (int64_t)r->packets);
    if (has_loss(f)) {
        put_number(w, f->lost);
        put_number(w, f->reordered);
        put_number(w, f->duplicates);
    }
    if (f->jitter_ms >= 0)
        put(w, &f->jitter_ms, sizeof f->jitter_ms);
    put(w, &f->max_gap_ms, sizeof f->max_gap_ms);
}

static void get_rtp(struct reader *from, unsigned bits, struct record_scratch *to)
{
    struct record *r = &to->record;
    struct rtp_figures *f = &to->rtp;
    r->payload_type_count = get_byte(from);
    get(from, r->payload_types, r->payload_type_count);
    r->decided_after_packets = (uint32_t)get_number(from);
    *f = (struct rtp_figures){.clock_rate = (uint32_t)get_number(from), .jitter_ms = -1.0};
    f->expected = (uint64_t)get_time(from, (int64_t)r->packets);
    if (bits & BIT_LOSS) {
        f->lost = get_number(from);
        f->reordered = get_number(from);
        f->duplicates = get_number(from);
    }
    if (bits & BIT_JITTER)
        get(from, &f->jitter_ms, sizeof f->jitter_ms);
    get(from, &f->max_gap_ms, sizeof f->max_gap_ms);
    r->rtp = f;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static unsigned bits_of(const struct record *r)
{
    const struct {
        bool is;
        enum ended_bit bit;
    } bits[] = {{r->from_initiator, BIT_FROM_INITIATOR},
                {r->has_ssrc, BIT_SSRC},
                {r->over_turn, BIT_OVER_TURN},
                {r->turn_channels, BIT_TURN_CHANNELS},
                {r->shares_connection, BIT_SHARES_CONNECTION},
                {r->webrtc, BIT_WEBRTC},
                {r->fragmented, BIT_FRAGMENTED},
                {r->rtp != NULL, BIT_RTP},
                {is_one_mark(r), BIT_ONE_MARK},
                {r->outer_count > 0, BIT_OUTER},
                {r->tunnel_depth || r->judged_version || r->judged_at, BIT_LAYERS},
                {r->vlan_pcp >= 0 || r->mpls_tc >= 0, BIT_PRIORITIES},
                {r->copies_differ > 0, BIT_COPIES},
                {r->media_kinds > 0, BIT_MEDIA_KINDS},
                {r->data_marks != 0, BIT_DATA_MARKS},
                {r->no_data, BIT_NO_DATA},
                {r->rtp && r->rtp->jitter_ms >= 0, BIT_JITTER},
                {r->rtp && has_loss(r->rtp), BIT_LOSS}};
    unsigned all = 0;
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        all |= bits[i].is ? (unsigned)bits[i].bit : 0;
    return all;
}

void ended_plain_put(struct writer *w, const struct record *r)
{
    unsigned bits = bits_of(r);
    put_number(w, bits);
    put_byte(w, r->proto);
    put_ends(w, r);
    if (bits & BIT_SSRC)
        put(w, &r->ssrc, sizeof r->ssrc);
    put_number(w, r->packets);
    put_number(w, r->bytes);
    put_time(w, r->last_ns, r->first_ns);
    put_marks(w, r, bits & BIT_ONE_MARK);
    if (bits & BIT_OUTER)
        put_outer(w, r);
    if (bits & BIT_LAYERS)
        put(w, (const uint8_t[]){r->tunnel_depth, r->judged_version, r->judged_at}, 3);
    if (bits & BIT_PRIORITIES)
        put(w, (const uint8_t[]){(uint8_t)(r->vlan_pcp + 1), (uint8_t)(r->mpls_tc + 1)}, 2);
    if (bits & BIT_COPIES) {
        put_number(w, r->copies_differ);
        put(w,
            (const uint8_t[]){r->copies.before, r->copies.after, r->copies.in_order, r->copies.before_hops,
                              r->copies.after_hops},
            5);
    }
    if (bits & BIT_DATA_MARKS)
        put(w, &r->data_marks, sizeof r->data_marks);
    if (bits & BIT_MEDIA_KINDS)
        put_number(w, r->media_kinds);
    if (bits & BIT_RTP)
        put_rtp(w, r);
}

void ended_plain_get(struct reader *from, const struct ended_head *head, struct record_scratch *to)
{
    struct record *r = &to->record;
    unsigned bits = (unsigned)get_number(from);
    r->first_ns = head->first_ns;
    r->first = frame_unpack(head->first);
    r->input = r->first.input;
    r->proto = get_byte(from);
    get_ends(from, r);
    if ((r->has_ssrc = bits & BIT_SSRC))
        get(from, &r->ssrc, sizeof r->ssrc);
    r->packets = get_number(from);
    r->bytes = get_number(from);
    r->last_ns = get_time(from, r->first_ns);
    get_marks(from, bits & BIT_ONE_MARK, to);
    if (bits & BIT_OUTER)
        get_outer(from, to);
    if (bits & BIT_LAYERS) {
        r->tunnel_depth = get_byte(from);
        r->judged_version = get_byte(from);
        r->judged_at = get_byte(from);
    }
    r->vlan_pcp = (int16_t)((bits & BIT_PRIORITIES ? get_byte(from) : 0) - 1);
    r->mpls_tc = (int16_t)((bits & BIT_PRIORITIES ? get_byte(from) : 0) - 1);
    if (bits & BIT_COPIES) {
        r->copies_differ = get_number(from);
        r->copies.before = get_byte(from);
        r->copies.after = get_byte(from);
        r->copies.in_order = get_byte(from) != 0;
        r->copies.before_hops = get_byte(from);
        r->copies.after_hops = get_byte(from);
    }
    if (bits & BIT_DATA_MARKS)
        get(from, &r->data_marks, sizeof r->data_marks);
    r->media_kinds = bits & BIT_MEDIA_KINDS ? (uint32_t)get_number(from) : 0;
    r->no_data = bits & BIT_NO_DATA;
    r->from_initiator = bits & BIT_FROM_INITIATOR;
    r->over_turn = bits & BIT_OVER_TURN;
    r->turn_channels = bits & BIT_TURN_CHANNELS;
    r->shares_connection = bits & BIT_SHARES_CONNECTION;
    r->webrtc = bits & BIT_WEBRTC;
    r->fragmented = bits & BIT_FRAGMENTED;
    if (bits & BIT_RTP)
        get_rtp(from, bits, to);
}

void ended_plain_get_ends(struct reader *from, struct record *r)
{
    (void)get_number(from); /* which bits there are */
    r->proto = get_byte(from);
    get_ends(from, r);
}
