#include "stream/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "stream/dialog.h"

enum { DISCARD_PORT = 9 /* "not known yet": RFC 8829 §4.1.21, RFC 4145 §4.1 */ };

struct expect_table *expect_table_new(const struct hash_key *key)
{
    struct expect_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->key = *key;
    cards_init(&t->cards);
    return t;
}

void expect_table_free(struct expect_table *t)
{
    if (!t)
        return;
    multimap_done(&t->by_call_id);
    multimap_done(&t->by_transaction);
    multimap_done(&t->by_endpoint);
    multimap_done(&t->by_ssrc);
    multimap_done(&t->by_port_pair);
    multimap_done(&t->by_codec);
    free(t->calls);
    free(t->transactions);
    free(t->descriptions);
    free(t->lines);
    free(t->formats);
    free(t->ssrcs);
    free(t->codecs);
    cards_done(&t->cards);
    free(t);
}

bool expect_grow(struct expect_table *t, void **items, size_t *cap, size_t count, size_t item_bytes)
{
    bool grown = grow(items, cap, count, item_bytes);
    t->failed = t->failed || !grown;
    return grown;
}

uint64_t expect_hash(const struct expect_table *t, enum key_sort sort, const void *bytes, size_t len)
{
    struct hash_key key = {t->key.k0 ^ (uint64_t)sort, t->key.k1};
    return hash_bytes(&key, bytes, len);
}

uint64_t expect_hash_endpoint(const struct expect_table *t, const struct endpoint *e)
{
    uint8_t bytes[19];
    bytes[0] = e->addr.version;
    memcpy(bytes + 1, e->addr.bytes, 16);
    bytes[17] = (uint8_t)(e->port >> 8);
    bytes[18] = (uint8_t)e->port;
    return expect_hash(t, KEY_ENDPOINT, bytes, sizeof bytes);
}

uint64_t expect_hash_port_pair(const struct expect_table *t, uint16_t a, uint16_t b)
{
    uint16_t pair[2] = {a < b ? a : b, a < b ? b : a};
    return expect_hash(t, KEY_PORT_PAIR, pair, sizeof pair);
}

/* "opus/48000": each text once. The array has its full size from the beginning, for answers point into it. */
static uint16_t codec_intern(struct expect_table *t, const struct sdp_format *f)
{
    char text[CODEC_TEXT_MAX] = "", name[CODEC_TEXT_MAX - 8];
    slice_copy(f->encoding, name, sizeof name);
    for (char *p = name; *p; p++)
        if (*p <= ' ' || *p > '~')
            *p = '?';
    if (name[0] && f->clock_rate)
        (void)snprintf(text, sizeof text, "%s/%u", name, (unsigned)(f->clock_rate % 10000000));
    else if (name[0])
        (void)snprintf(text, sizeof text, "%s", name);
    uint64_t hash = expect_hash(t, KEY_CODEC, text, strlen(text));
    uint32_t found;
    if (multimap_first(&t->by_codec, hash, &found))
        return (uint16_t)found;
    if (t->codec_count == 0) { /* the first is the empty one, for those beyond the cap */
        t->codecs = calloc(CODECS_MAX, sizeof *t->codecs);
        t->codec_cap = t->codecs ? CODECS_MAX : 0;
        t->failed = t->failed || !t->codecs;
        t->codec_count = 1;
    }
    if (t->codec_count >= t->codec_cap || !multimap_add(&t->by_codec, hash, (uint32_t)t->codec_count))
        return 0;
    memcpy(t->codecs[t->codec_count], text, sizeof text);
    return (uint16_t)t->codec_count++;
}

static enum expect_repairs repairs_of(const struct sdp_format *f)
{
    if (slice_equal_nocase(f->encoding, SLICE("rtx")))
        return REPAIRS_RTX;
    return sdp_encoding_is_fec(f->encoding) ? REPAIRS_FEC : REPAIRS_NOTHING;
}

static void add_formats(struct expect_table *t, const struct sdp_media *m, struct expect_line *line)
{
    line->formats = (uint32_t)t->format_count;
    for (size_t i = 0; i < m->format_count && t->format_count < FORMATS_MAX; i++) {
        const struct sdp_format *f = &m->formats[i];
        if (!expect_grow(t, (void **)&t->formats, &t->format_cap, t->format_count, sizeof *t->formats))
            return;
        t->formats[t->format_count++] = (struct expect_format){.payload_type = f->payload_type,
                                                               .kind = (uint8_t)f->kind,
                                                               .repairs = (uint8_t)repairs_of(f),
                                                               .codec = codec_intern(t, f),
                                                               .clock_rate = f->clock_rate};
        line->format_count++;
    }
    t->stats.dropped_media += line->format_count < m->format_count;
}

static void add_ssrcs(struct expect_table *t, const struct sdp_media *m, uint32_t number, struct expect_line *line)
{
    line->ssrcs = (uint32_t)t->ssrc_count;
    for (size_t i = 0; i < m->ssrc_count && t->ssrc_count < SSRCS_MAX; i++) {
        uint64_t hash = expect_hash(t, KEY_SSRC, &m->ssrcs[i], sizeof m->ssrcs[i]);
        if (!expect_grow(t, (void **)&t->ssrcs, &t->ssrc_cap, t->ssrc_count, sizeof *t->ssrcs) ||
            !multimap_add(&t->by_ssrc, hash, number))
            return;
        t->ssrcs[t->ssrc_count++] = m->ssrcs[i];
        line->ssrc_count++;
    }
    t->stats.dropped_media += line->ssrc_count < m->ssrc_count;
}

static void index_endpoint(struct expect_table *t, const struct endpoint *e, uint32_t number, enum line_role role)
{
    if (e->port == 0 || e->port == DISCARD_PORT || addr_is_unspecified(&e->addr))
        return;
    (void)multimap_add(&t->by_endpoint, expect_hash_endpoint(t, e), number * ROLE_COUNT + role);
}

static void index_line(struct expect_table *t, const struct sdp_media *m, const struct sdp_media *tagged,
                       uint32_t number)
{
    if (m->refused)
        return;
    index_endpoint(t, &m->at, number, ROLE_MEDIA);
    for (size_t i = 0; i < m->candidate_count; i++)
        if (!endpoint_equal(&m->candidates[i], &m->at))
            index_endpoint(t, &m->candidates[i], number, ROLE_CANDIDATE);
    if (m->rtp && !endpoint_equal(&m->rtcp, &m->at))
        index_endpoint(t, &m->rtcp, number, ROLE_RTCP);
    /* with rtcp-mux refused RTCP is one port up (RFC 5761 §5.1.1) */
    struct endpoint above = {m->at.addr, (uint16_t)(m->at.port + 1)};
    if (m->rtp && m->rtcp_mux && !m->rtcp_explicit && above.port)
        index_endpoint(t, &above, number, ROLE_RTCP);
    if (!m->bundled || !tagged || tagged == m)
        return;
    if (!endpoint_equal(&tagged->at, &m->at))
        index_endpoint(t, &tagged->at, number, ROLE_BUNDLE);
    for (size_t i = 0; i < tagged->candidate_count; i++)
        index_endpoint(t, &tagged->candidates[i], number, ROLE_BUNDLE);
}

static enum line_type type_of(const struct sdp_media *m)
{
    static const struct {
        const char *name;
        enum line_type type;
    } types[] = {{"audio", LINE_AUDIO},
                 {"video", LINE_VIDEO},
                 {"application", LINE_APPLICATION},
                 {"text", LINE_TEXT},
                 {"image", LINE_IMAGE}};
    if (m->kind == KIND_RTP_SLIDES)
        return LINE_SLIDES;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_equal_nocase(m->type, slice_make(types[i].name, strlen(types[i].name))))
            return types[i].type;
    return LINE_OTHER;
}

static const struct sdp_media *first_bundled(const struct sdp_session *s)
{
    for (size_t i = 0; i < s->media_count; i++)
        if (s->media[i].bundled && !s->media[i].refused)
            return &s->media[i];
    return NULL;
}

uint32_t expect_describe(struct expect_table *t, const struct expect_description *d)
{
    const struct sdp_session *sdp = &t->sdp;
    t->stats.dropped_media += sdp->media_dropped + sdp->lists_dropped;
    if (t->description_count >= DESCRIPTIONS_MAX || t->line_count + sdp->media_count > LINES_MAX ||
        t->calls[d->call].description_count >= CALL_DESCRIPTIONS_MAX ||
        !expect_grow(t, (void **)&t->descriptions, &t->description_cap, t->description_count, sizeof *t->descriptions)) {
        t->stats.dropped_media += sdp->media_count;
        return 0;
    }
    uint32_t number = (uint32_t)t->description_count++;
    struct expect_description *made = &t->descriptions[number];
    *made = *d;
    made->lines = (uint32_t)t->line_count;
    made->next_in_call = t->calls[d->call].first_description;
    t->calls[d->call].first_description = number + 1;
    t->calls[d->call].description_count++;
    const struct sdp_media *tagged = first_bundled(sdp);
    for (size_t i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *m = &sdp->media[i];
        if (!expect_grow(t, (void **)&t->lines, &t->line_cap, t->line_count, sizeof *t->lines)) {
            t->stats.dropped_media += sdp->media_count - i;
            break;
        }
        uint32_t line_number = (uint32_t)t->line_count;
        struct expect_line line = {.description = number,
                                   .place = (uint8_t)i,
                                   .kind = (uint8_t)m->kind,
                                   .type = (uint8_t)type_of(m),
                                   .transport = (uint8_t)m->transport,
                                   .rtp = m->rtp,
                                   .mux = m->rtcp_mux,
                                   .bundled = m->bundled,
                                   .refused = m->refused,
                                   .port = m->at.port};
        add_formats(t, m, &line);
        add_ssrcs(t, m, line_number, &line);
        t->lines[t->line_count++] = line;
        made->line_count++;
        index_line(t, m, tagged, line_number);
    }
    t->generation++;
    return number + 1;
}

void expect_pair(struct expect_table *t, uint32_t offer, uint32_t answer)
{
    struct expect_description *o = &t->descriptions[offer - 1], *a = &t->descriptions[answer - 1];
    size_t answers = 1;
    for (uint32_t r = o->first_answer; r && answers <= OFFER_ANSWERS_MAX; r = t->descriptions[r - 1].next_answer)
        answers++;
    t->stats.dropped_media += answers > OFFER_ANSWERS_MAX;
    a->offer = offer;
    a->next_answer = o->first_answer;
    o->first_answer = answer;
    for (uint32_t i = 0; i < o->line_count && i < a->line_count; i++) {
        const struct expect_line *mine = &t->lines[o->lines + i], *theirs = &t->lines[a->lines + i];
        if (!mine->refused && !theirs->refused && mine->port != DISCARD_PORT && theirs->port != DISCARD_PORT)
            (void)multimap_add(&t->by_port_pair, expect_hash_port_pair(t, mine->port, theirs->port), a->lines + i);
    }
}

uint64_t expect_table_generation(const struct expect_table *t)
{
    return t->generation;
}

size_t expect_table_call_count(const struct expect_table *t)
{
    return t->call_count;
}

static bool card_call(const struct card *c, struct arena *arena, struct call *ret)
{
    struct call made = {.first_ns = c->first_ns, .last_ns = c->last_ns};
    made.call_id = arena_copy(arena, c->call_id, strlen(c->call_id));
    made.from = arena_copy(arena, c->from, strlen(c->from));
    made.to = arena_copy(arena, c->to, strlen(c->to));
    made.user_agent = arena_copy(arena, c->user_agent, strlen(c->user_agent));
    if (!made.call_id || !made.from || !made.to || !made.user_agent)
        return false;
    *ret = made;
    return true;
}

bool expect_table_call(const struct expect_table *t, size_t i, struct arena *arena, struct call *ret)
{
    struct call made;
    if (i >= t->call_count || !card_call(cards_at(&t->cards, t->calls[i].card), arena, &made) ||
        !(made.id = arena_printf(arena, "call-%zu", i + 1)))
        return false;
    *ret = made;
    return true;
}

uint32_t expect_table_card(const struct expect_table *t, size_t i)
{
    return t->calls[i].card;
}

struct cards *expect_table_cards(struct expect_table *t)
{
    return &t->cards;
}

bool expect_card_call(const struct cards *c, uint32_t card, struct arena *arena, struct call *ret)
{
    return card_call(cards_at(c, card), arena, ret);
}

size_t expect_table_bytes(const struct expect_table *t)
{
    const struct multimap *maps[] = {&t->by_call_id, &t->by_transaction, &t->by_endpoint,
                                     &t->by_ssrc,    &t->by_port_pair,   &t->by_codec};
    size_t bytes = sizeof *t + t->call_cap * sizeof *t->calls + t->transaction_cap * sizeof *t->transactions +
                   t->description_cap * sizeof *t->descriptions + t->line_cap * sizeof *t->lines +
                   t->format_cap * sizeof *t->formats + t->ssrc_cap * sizeof *t->ssrcs +
                   t->codec_cap * sizeof *t->codecs + pool_bytes(&t->cards.pool) + t->cards.text_bytes;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        bytes += maps[i]->head_count * sizeof *maps[i]->heads + maps[i]->cap * sizeof *maps[i]->nodes;
    return bytes;
}

struct expect_stats expect_table_stats(const struct expect_table *t)
{
    const struct multimap *maps[] = {&t->by_call_id, &t->by_transaction, &t->by_endpoint,
                                     &t->by_ssrc,    &t->by_port_pair,   &t->by_codec};
    struct expect_stats stats = t->stats;
    stats.failed = t->failed || t->cards.failed || t->cards.pool.failed;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        stats.failed = stats.failed || maps[i]->failed;
    return stats;
}
