#include "stream/ended.h"

#include <stdlib.h>
#include <string.h>

#include "stream/flow.h"
#include "stream/varint.h"

/*
 * An entry: the head as it is, then what every record has, then words, which are read only
 * where somebody asks for them. What few records have is announced by a bit.
 */
enum { ENTRY_MAX = TAPE_ENTRY_MAX, MARK_BYTES_MAX = 80, CODEC_INLINE = ENDED_CODECS_MAX + 1, NAME_MAX_BYTES = 1024 };

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

struct writer {
    uint8_t bytes[ENTRY_MAX];
    size_t n;
};

static void put(struct writer *w, const void *bytes, size_t len)
{
    memcpy(w->bytes + w->n, bytes, len);
    w->n += len;
}

static void put_byte(struct writer *w, uint8_t byte)
{
    w->bytes[w->n++] = byte;
}

static void put_number(struct writer *w, uint64_t number)
{
    w->n += varint_write(w->bytes + w->n, number);
}

/* Relative to another one that is near. */
static void put_time(struct writer *w, int64_t time_ns, int64_t base_ns)
{
    put_number(w, varint_of_signed((int64_t)((uint64_t)time_ns - (uint64_t)base_ns)));
}

static void put_frame(struct writer *w, struct frame_ref frame, struct frame_ref base)
{
    put_number(w, varint_of_signed((int64_t)(frame.frame - base.frame)));
    put_number(w, varint_of_signed((int64_t)frame.input - (int64_t)base.input));
}

struct reader {
    const uint8_t *at;
};

static void get(struct reader *r, void *to, size_t len)
{
    memcpy(to, r->at, len);
    r->at += len;
}

static uint8_t get_byte(struct reader *r)
{
    return *r->at++;
}

static uint64_t get_number(struct reader *r)
{
    uint64_t number;
    r->at += varint_read(r->at, &number);
    return number;
}

static int64_t get_time(struct reader *r, int64_t base_ns)
{
    return (int64_t)((uint64_t)base_ns + (uint64_t)varint_to_signed(get_number(r)));
}

static struct frame_ref get_frame(struct reader *r, struct frame_ref base)
{
    uint64_t frame = base.frame + (uint64_t)varint_to_signed(get_number(r));
    return (struct frame_ref){frame, (uint32_t)((int64_t)base.input + varint_to_signed(get_number(r)))};
}

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

/* --- words -------------------------------------------------------------------------------------------------------- */

/* Codecs are few, unless somebody invents them: then theirs stand in the entry. */
static size_t codec_number(struct ended *e, const char *codec)
{
    if (codec[0] == '\0')
        return 0;
    for (size_t i = 0; i < e->codec_count; i++)
        if (strcmp(e->codecs[i], codec) == 0)
            return i + 1;
    if (e->codec_count == ENDED_CODECS_MAX || strlen(codec) >= ENDED_CODEC_BYTES)
        return CODEC_INLINE;
    memcpy(e->codecs[e->codec_count], codec, strlen(codec) + 1);
    return ++e->codec_count;
}

static const char *const repair_names[] = {"", "rtx", "fec"};
enum { REPAIR_NAMES = sizeof repair_names / sizeof *repair_names };

static void put_terminated(struct writer *w, const char *text)
{
    size_t len = strlen(text);
    len = len < NAME_MAX_BYTES ? len : NAME_MAX_BYTES;
    put(w, text, len);
    put_byte(w, 0);
}

static void put_words(struct ended *e, struct writer *w, const struct record *r)
{
    uint8_t repairs = REPAIR_NAMES - 1, text[ENDED_TEXT_MAX];
    while (repairs && strcmp(repair_names[repairs], r->repairs) != 0)
        repairs--;
    size_t codec = codec_number(e, r->codec);
    put(w, text, ended_text_write(e, r->evidence, text));
    put_number(w, codec);
    if (codec == CODEC_INLINE)
        put_terminated(w, r->codec);
    put_byte(w, repairs);
    put_terminated(w, r->server_name);
}

static const char *get_terminated(struct reader *from)
{
    const char *text = (const char *)from->at;
    from->at += strlen(text) + 1;
    return text;
}

static void get_words(const struct ended *e, struct reader *from, struct record_scratch *to)
{
    struct record *r = &to->record;
    from->at += ended_text_read(e, from->at, to->evidence, sizeof to->evidence);
    r->evidence = to->evidence;
    uint64_t codec = get_number(from);
    r->codec = codec == CODEC_INLINE ? get_terminated(from) : codec ? e->codecs[codec - 1] : "";
    r->repairs = repair_names[get_byte(from)];
    r->server_name = get_terminated(from);
}

/* --- an entry ----------------------------------------------------------------------------------------------------- */

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

static void put_plain(struct writer *w, const struct record *r)
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

static void get_plain(struct reader *from, const struct ended_head *head, struct record_scratch *to)
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

static uint8_t unknown_number(struct ended *e, const struct record *r)
{
    if (r->confidence != CONFIDENCE_NONE)
        return 0;
    for (size_t i = 0; i < e->unknown_count; i++)
        if (strcmp(e->unknown[i], r->unknown_reason) == 0)
            return (uint8_t)(i + 1);
    if (e->unknown_count == ENDED_UNKNOWN_MAX)
        return UNKNOWN_OTHER;
    memcpy(e->unknown[e->unknown_count], r->unknown_reason, strlen(r->unknown_reason) + 1);
    return (uint8_t)++e->unknown_count;
}

/* Where what every record has begins. */
static size_t plain_at(const struct ended_head *head)
{
    return sizeof *head + (head->flags & ENDED_CNAME ? sizeof(uint64_t) : 0);
}

bool ended_add(struct ended *e, const struct ended_head *given, const struct record *r, uint64_t cname)
{
    struct writer w;
    w.n = plain_at(given);
    struct ended_head head = *given;
    head.kind = (uint8_t)r->kind;
    head.confidence = (uint8_t)r->confidence;
    head.unknown = unknown_number(e, r);
    if (head.flags & ENDED_CNAME)
        memcpy(w.bytes + sizeof head, &cname, sizeof cname);
    put_plain(&w, r);
    head.words = (uint16_t)w.n;
    memcpy(w.bytes, &head, sizeof head);
    put_words(e, &w, r);
    return tape_add(&e->tape, w.bytes, w.n);
}

void ended_head_read(const struct ended *e, uint64_t place, struct ended_head *ret)
{
    size_t len;
    memcpy(ret, tape_at(&e->tape, place, &len), sizeof *ret);
}

void ended_head_session(struct ended *e, uint64_t place, uint32_t session)
{
    size_t len;
    memcpy(tape_at(&e->tape, place, &len) + offsetof(struct ended_head, session), &session, sizeof session);
}

void ended_read(const struct ended *e, uint64_t place, unsigned parts, struct record_scratch *to)
{
    struct ended_head head;
    size_t len;
    const uint8_t *at = tape_at(&e->tape, place, &len);
    memcpy(&head, at, sizeof head);
    struct record *r = &to->record;
    *r = (struct record){.kind = (enum kind)head.kind,
                         .confidence = (enum confidence)head.confidence,
                         .evidence = "",
                         .unknown_reason = "",
                         .codec = "",
                         .repairs = "",
                         .server_name = "",
                         .reason = ""};
    get_plain(&(struct reader){at + plain_at(&head)}, &head, to);
    if (head.unknown && head.unknown != UNKNOWN_OTHER)
        r->unknown_reason = e->unknown[head.unknown - 1];
    if (!(parts & RECORD_WORDS) && !((parts & RECORD_REASON) && head.unknown == UNKNOWN_OTHER))
        return;
    get_words(e, &(struct reader){at + head.words}, to);
    if (head.unknown == UNKNOWN_OTHER)
        r->unknown_reason = to->evidence;
}

void ended_name(const struct ended *e, uint64_t place, struct ended_name *ret)
{
    struct ended_head head;
    struct record ends;
    size_t len;
    const uint8_t *at = tape_at(&e->tape, place, &len);
    memcpy(&head, at, sizeof head);
    memcpy(&ret->cname, at + sizeof head, sizeof ret->cname);
    struct reader from = {at + plain_at(&head)};
    (void)get_number(&from);
    (void)get_byte(&from);
    get_ends(&from, &ends);
    bool side = head.flags & ENDED_SIDE;
    ret->hosts[side] = ends.src.addr;
    ret->hosts[!side] = ends.dst.addr;
}

size_t ended_whole(const struct ended *e, size_t n)
{
    struct ended_head head;
    uint64_t place;
    uint32_t group = 0;
    size_t i = 0;
    for (bool more = n && tape_first(&e->tape, &place); more; more = tape_next(&e->tape, &place), i++) {
        ended_head_read(e, place, &head);
        if (i >= n && head.group != group)
            break;
        group = head.group;
    }
    return i;
}

void ended_done(struct ended *e)
{
    tape_done(&e->tape);
    ended_text_done(e);
}

size_t ended_bytes(const struct ended *e)
{
    return tape_bytes(&e->tape) + ended_text_bytes(e);
}
