#include "stream/expect_candidates.h"

#include "model/packet.h"

enum { NO_PORT = 0 };

/* One end of the stream, and the m-lines announced there. */
struct hit {
    const struct expect_line *line;
    enum line_role role;
};
struct hits {
    struct hit at[HITS_MAX];
    size_t count;
    bool too_many; /* then there are none */
};

static const struct expect_line *line_at(const struct expect_table *t, uint32_t reference, uint8_t place)
{
    const struct expect_description *d = &t->descriptions[reference - 1];
    return place < d->line_count ? &t->lines[d->lines + place] : NULL;
}

/* The m-lines that this one was negotiated with: the offer's, or each answer's. */
static size_t peers_of(const struct expect_table *t, const struct expect_line *line,
                       const struct expect_line *ret[OFFER_ANSWERS_MAX])
{
    const struct expect_description *d = description_of(t, line);
    size_t n = 0;
    if (d->offer) {
        ret[n] = line_at(t, d->offer, line->place);
        return ret[n] ? 1 : 0;
    }
    for (uint32_t r = d->first_answer; r && n < OFFER_ANSWERS_MAX; r = t->descriptions[r - 1].next_answer)
        if ((ret[n] = line_at(t, r, line->place)))
            n++;
    return n;
}

/* When an m-line held by itself. An offered one that all answers refused ends with the first of them (RFC 3264 §6). */
static void line_window(const struct expect_table *t, const struct expect_line *line, int64_t *from, int64_t *until)
{
    const struct expect_description *d = description_of(t, line);
    const struct expect_line *peers[OFFER_ANSWERS_MAX];
    size_t n = peers_of(t, line, peers);
    int64_t first_refusal = OPEN_NS;
    bool taken = n == 0;
    for (size_t i = 0; i < n; i++) {
        int64_t at = description_of(t, peers[i])->from_ns;
        if (!peers[i]->refused)
            taken = true;
        else if (at < first_refusal)
            first_refusal = at;
    }
    *from = d->from_ns;
    *until = taken || first_refusal > d->until_ns ? d->until_ns : first_refusal;
}

static bool overlaps(const struct expect_query *q, int64_t from, int64_t until)
{
    return q->last_ns >= from - EARLY_NS && (until == OPEN_NS || q->first_ns <= until + LATE_NS);
}

/* Its answers can only end an m-line earlier: of thousands on one port, those of calls long over are passed by first. */
bool expect_line_overlaps(const struct expect_table *t, const struct expect_query *q, const struct expect_line *line)
{
    const struct expect_description *d = description_of(t, line);
    int64_t from, until;
    if (!overlaps(q, d->from_ns, d->until_ns))
        return false;
    line_window(t, line, &from, &until);
    return overlaps(q, from, until);
}

static bool carries(const struct expect_line *line, uint8_t proto)
{
    return line->transport == SDP_TRANSPORT_UNKNOWN ||
           (proto == PROTO_TCP ? line->transport == SDP_TRANSPORT_TCP : line->transport == SDP_TRANSPORT_UDP);
}

/* Bundling was only proposed until an answer takes it up. */
static bool bundle_refused(const struct expect_table *t, const struct expect_line *line)
{
    const struct expect_line *peers[OFFER_ANSWERS_MAX];
    size_t n = peers_of(t, line, peers);
    for (size_t i = 0; i < n; i++)
        if (peers[i]->bundled)
            return false;
    return n > 0;
}

static bool role_fits(const struct expect_table *t, const struct expect_query *q, const struct expect_line *line,
                      enum line_role role)
{
    switch (role) {
    case ROLE_RTCP:
        return q->rtcp && carries(line, q->proto);
    case ROLE_BUNDLE:
        return !bundle_refused(t, line);
    case ROLE_MEDIA:
        return carries(line, q->proto);
    case ROLE_CANDIDATE: /* may be TCP's whatever the m-line says (RFC 6544 §4.1) */
    case ROLE_COUNT:
    default:
        return true;
    }
}

/* An end that more lines announce than are looked at says nothing: among those left out may be the one that is right,
 * and whoever sends many forged ones would decide. */
static void find_hits(const struct expect_table *t, const struct expect_query *q, const struct endpoint *e,
                      struct hits *ret)
{
    uint32_t value = 0;
    ret->count = 0;
    ret->too_many = false;
    if (e->port == NO_PORT)
        return;
    uint32_t place = multimap_first(&t->by_endpoint, expect_hash_endpoint(t, e), &value);
    for (int visits = 0; place && visits < VISITS_MAX && ret->count < HITS_MAX; visits++) {
        const struct expect_line *line = &t->lines[value / ROLE_COUNT];
        enum line_role role = (enum line_role)(value % ROLE_COUNT);
        if (expect_line_overlaps(t, q, line) && role_fits(t, q, line, role))
            ret->at[ret->count++] = (struct hit){line, role};
        place = multimap_next(&t->by_endpoint, place, &value);
    }
    ret->too_many = place != 0;
    if (place)
        ret->count = 0;
}

static const struct hit *hit_on(const struct hits *hits, const struct expect_line *line)
{
    for (size_t i = 0; i < hits->count; i++)
        if (hits->at[i].line == line)
            return &hits->at[i];
    return NULL;
}

static void add_candidate(const struct expect_table *t, struct candidates *all, struct candidate c)
{
    all->too_many = all->too_many || all->count == CANDIDATES_MAX;
    if (all->count == CANDIDATES_MAX)
        return;
    const struct expect_line *lines[] = {c.sender, c.receiver};
    c.from_ns = OPEN_NS;
    c.until_ns = OPEN_NS;
    for (size_t i = 0; i < 2; i++) {
        int64_t from, until;
        if (!lines[i])
            continue;
        line_window(t, lines[i], &from, &until);
        c.from_ns = from < c.from_ns ? from : c.from_ns;
        c.until_ns = until < c.until_ns ? until : c.until_ns;
    }
    all->at[all->count++] = c;
}

static const struct expect_line *live_peer(const struct expect_table *t, const struct expect_query *q,
                                           const struct expect_line *line)
{
    const struct expect_line *peers[OFFER_ANSWERS_MAX];
    size_t n = peers_of(t, line, peers);
    for (size_t i = 0; i < n; i++) {
        const struct expect_description *d = description_of(t, peers[i]);
        if (!peers[i]->refused && overlaps(q, d->from_ns, d->until_ns))
            return peers[i];
    }
    return NULL;
}

static void candidates_by_ends(const struct expect_table *t, const struct expect_query *q, struct candidates *all)
{
    struct hits at_dst, at_src;
    find_hits(t, q, &q->dst, &at_dst);
    find_hits(t, q, &q->src, &at_src);
    all->too_many = at_dst.too_many || at_src.too_many;
    for (size_t i = 0; i < at_dst.count; i++) {
        const struct hit *receiver = &at_dst.at[i];
        const struct expect_line *peers[OFFER_ANSWERS_MAX];
        size_t n = peers_of(t, receiver->line, peers);
        bool both = false;
        for (size_t k = 0; k < n; k++) {
            if (!hit_on(&at_src, peers[k]))
                continue;
            both = true;
            add_candidate(
                t, all,
                (struct candidate){
                    .sender = peers[k], .receiver = receiver->line, .rank = RANK_BOTH, .role = receiver->role});
        }
        if (!both)
            add_candidate(t, all,
                          (struct candidate){.sender = live_peer(t, q, receiver->line),
                                             .receiver = receiver->line,
                                             .rank = RANK_RECEIVER,
                                             .role = receiver->role});
    }
    for (size_t i = 0; i < at_src.count; i++) {
        const struct hit *sender = &at_src.at[i];
        const struct expect_line *peers[OFFER_ANSWERS_MAX];
        size_t n = peers_of(t, sender->line, peers);
        bool both = false;
        for (size_t k = 0; k < n && !both; k++)
            both = hit_on(&at_dst, peers[k]) != NULL;
        if (!both)
            add_candidate(t, all,
                          (struct candidate){.sender = sender->line,
                                             .receiver = live_peer(t, q, sender->line),
                                             .rank = RANK_SENDER,
                                             .role = sender->role});
    }
}

static void candidates_by_ssrc(const struct expect_table *t, const struct expect_query *q, struct candidates *all)
{
    uint32_t value = 0;
    uint32_t place =
        q->has_ssrc ? multimap_first(&t->by_ssrc, expect_hash(t, KEY_SSRC, &q->ssrc, sizeof q->ssrc), &value) : 0;
    for (int visits = 0; place && visits < VISITS_MAX; visits++) {
        const struct expect_line *line = &t->lines[value];
        if (!line->refused && expect_line_overlaps(t, q, line))
            add_candidate(t, all,
                          (struct candidate){.sender = line, .receiver = live_peer(t, q, line), .rank = RANK_SSRC});
        place = multimap_next(&t->by_ssrc, place, &value);
    }
    all->too_many = all->too_many || place;
}

/* Behind a NAT the ports often stay while the addresses do not. */
static void candidates_by_ports(const struct expect_table *t, const struct expect_query *q, struct candidates *all)
{
    uint32_t value = 0;
    uint32_t place = multimap_first(&t->by_port_pair, expect_hash_port_pair(t, q->src.port, q->dst.port), &value);
    for (int visits = 0; place && visits < VISITS_MAX;
         visits++, place = multimap_next(&t->by_port_pair, place, &value)) {
        const struct expect_line *answer = &t->lines[value];
        const struct expect_line *offer = line_at(t, description_of(t, answer)->offer, answer->place);
        int64_t from, until, unused;
        line_window(t, answer, &unused, &until);
        line_window(t, offer, &from, &unused);
        if (!overlaps(q, from, until < unused ? until : unused) || !carries(answer, q->proto))
            continue;
        if (q->src.port == offer->port && q->dst.port == answer->port)
            add_candidate(t, all, (struct candidate){.sender = offer, .receiver = answer, .rank = RANK_PORTS});
        if (q->src.port == answer->port && q->dst.port == offer->port)
            add_candidate(t, all, (struct candidate){.sender = answer, .receiver = offer, .rank = RANK_PORTS});
    }
    all->too_many = all->too_many || place;
}

void expect_candidates_find(const struct expect_table *t, const struct expect_query *q, struct candidates *ret)
{
    ret->count = 0;
    ret->too_many = false;
    candidates_by_ends(t, q, ret);
    if (ret->count == 0)
        candidates_by_ssrc(t, q, ret);
    if (ret->count == 0 && !q->rtcp)
        candidates_by_ports(t, q, ret);
}

bool expect_table_announced(const struct expect_table *t, uint8_t proto, const struct endpoint *src,
                            const struct endpoint *dst, int64_t now_ns, enum kind *ret_kind)
{
    /* asked of RTCP as well, so that both roles count */
    struct expect_query q = {
        .proto = proto, .src = *src, .dst = *dst, .rtcp = true, .first_ns = now_ns, .last_ns = now_ns};
    const struct endpoint *ends[] = {dst, src};
    struct hits hits;
    bool found = false, found_media = false;
    enum kind kind = KIND_OTHER;
    for (size_t e = 0; e < 2; e++) {
        find_hits(t, &q, ends[e], &hits);
        for (size_t i = 0; i < hits.count; i++) {
            const struct expect_line *line = hits.at[i].line;
            if (hits.at[i].role == ROLE_RTCP || line->kind == KIND_OTHER) {
                found |= hits.at[i].role == ROLE_RTCP;
                continue;
            }
            kind = !found_media || kind == (enum kind)line->kind ? (enum kind)line->kind : KIND_RTP_UNKNOWN;
            found_media = true;
        }
    }
    if (!found && !found_media)
        return false;
    *ret_kind = found_media ? kind : KIND_RTCP;
    return true;
}
