#include "stream/dialog.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/packet.h"

/*
 * The questions. A stream is matched with m-lines through its two ends; every m-line that fits is a candidate, and only
 * where the best of them agree is there an answer. Doubt is no answer: it would accuse somebody.
 */

enum { HITS_MAX = 64, CANDIDATES_MAX = 128, VISITS_MAX = 2048, NO_PORT = 0 };

/* Media may be captured a little before the SDP that announces it, and runs on a little after the BYE. */
#define EARLY_NS (2 * NS_PER_S)
#define LATE_NS  (5 * NS_PER_S)

enum rank { RANK_NONE = 0, RANK_PORTS, RANK_SSRC, RANK_SENDER, RANK_RECEIVER, RANK_BOTH };

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

struct candidate {
    const struct expect_line *sender, *receiver; /* one may be NULL */
    enum rank rank;
    enum line_role role;
    int64_t from_ns, until_ns;
    const struct expect_format *format; /* of the most frequent payload type; NULL without */
    bool by_receiver;                   /* the format is in the receiver's list, as RFC 3264 §5.1 wants it */
    bool all_listed;                    /* and so are the other payload types */
};

struct candidates {
    struct candidate at[CANDIDATES_MAX];
    size_t count;
    bool too_many; /* some were not looked at */
};

static const struct expect_description *description_of(const struct expect_table *t, const struct expect_line *line)
{
    return &t->descriptions[line->description];
}

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

static const struct expect_format *format_in(const struct expect_table *t, const struct expect_line *line,
                                             uint8_t payload_type)
{
    for (uint8_t i = 0; line && i < line->format_count; i++)
        if (t->formats[line->formats + i].payload_type == payload_type)
            return &t->formats[line->formats + i];
    return NULL;
}

/* The receiver's list says what a number means (RFC 3264 §5.1); some senders use their own. */
static const struct expect_format *meaning_of(const struct expect_table *t, const struct candidate *c,
                                              uint8_t payload_type, bool *ret_by_receiver)
{
    const struct expect_format *f = format_in(t, c->receiver, payload_type);
    *ret_by_receiver = f != NULL;
    if (!f)
        f = format_in(t, c->sender, payload_type);
    *ret_by_receiver |= f && !c->receiver;
    return f;
}

static const struct expect_line *line_of(const struct candidate *c)
{
    return c->receiver && (c->rank != RANK_SENDER) ? c->receiver : c->sender ? c->sender : c->receiver;
}

static enum kind kind_of(const struct candidate *c)
{
    return c->format ? (enum kind)c->format->kind : (enum kind)line_of(c)->kind;
}

/* Whether what was seen can be what the m-line announces. */
static bool content_fits(const struct expect_table *t, const struct expect_query *q, struct candidate *c)
{
    const struct expect_line *line = line_of(c);
    if (q->rtcp)
        return line->rtp;
    if (q->has_ssrc && !line->rtp)
        return false;
    if (q->payload_type_count == 0)
        return true;
    c->format = meaning_of(t, c, q->payload_types[0], &c->by_receiver);
    c->all_listed = true;
    for (size_t i = 1; i < q->payload_type_count; i++) {
        bool ignored;
        c->all_listed &= meaning_of(t, c, q->payload_types[i], &ignored) != NULL;
    }
    return c->format != NULL;
}

typedef bool (*candidate_test)(const struct expect_table *t, const struct expect_query *q, const struct candidate *c,
                               int64_t number);

static size_t keep(const struct expect_table *t, const struct expect_query *q, struct candidates *all,
                   candidate_test test, int64_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++)
        if (test(t, q, &all->at[i], number))
            all->at[kept++] = all->at[i];
    return all->count = kept;
}

static bool any(const struct expect_table *t, const struct expect_query *q, const struct candidates *all,
                candidate_test test, int64_t number)
{
    for (size_t i = 0; i < all->count; i++)
        if (test(t, q, &all->at[i], number))
            return true;
    return false;
}

static bool has_rank(const struct expect_table *t, const struct expect_query *q, const struct candidate *c,
                     int64_t rank)
{
    (void)t, (void)q;
    return (int64_t)c->rank == rank;
}

static bool has_format_of_receiver(const struct expect_table *t, const struct expect_query *q,
                                   const struct candidate *c, int64_t unused)
{
    (void)t, (void)q, (void)unused;
    return c->by_receiver;
}

static bool lists_ssrc(const struct expect_table *t, const struct expect_query *q, const struct candidate *c,
                       int64_t unused)
{
    (void)unused;
    for (uint8_t i = 0; c->sender && i < c->sender->ssrc_count; i++)
        if (t->ssrcs[c->sender->ssrcs + i] == q->ssrc)
            return true;
    return false;
}

static bool announced_at(const struct expect_table *t, const struct expect_query *q, const struct candidate *c,
                         int64_t from_ns)
{
    (void)t, (void)q;
    return c->from_ns == from_ns;
}

static int64_t overlap_ns(const struct expect_query *q, const struct candidate *c)
{
    int64_t begin = q->first_ns > c->from_ns ? q->first_ns : c->from_ns;
    int64_t end = q->last_ns < c->until_ns ? q->last_ns : c->until_ns;
    return end >= begin ? end - begin : -1;
}

/* At least `percent` of the stream lies within the time of this SDP, without any grace. */
static bool covers(const struct expect_table *t, const struct expect_query *q, const struct candidate *c,
                   int64_t percent)
{
    (void)t;
    int64_t overlap = overlap_ns(q, c);
    return overlap >= 0 && overlap / percent >= (q->last_ns - q->first_ns) / 100;
}

static bool agree(const struct candidates *all)
{
    for (size_t i = 1; i < all->count; i++)
        if (kind_of(&all->at[i]) != kind_of(&all->at[0]))
            return false;
    return all->count > 0;
}

/*
 * The same place announced for different things at different times: what was announced last before the stream began
 * holds for it, provided that nothing else was announced while it ran.
 */
static bool settle_by_time(const struct expect_table *t, const struct expect_query *q, struct candidates *all)
{
    int64_t newest = INT64_MIN;
    for (size_t i = 0; i < all->count; i++) {
        int64_t from = all->at[i].from_ns;
        if (from > q->first_ns + EARLY_NS)
            return false;
        newest = from > newest ? from : newest;
    }
    (void)keep(t, q, all, announced_at, newest);
    return agree(all);
}

/* The stream began while the SDP held, or ran for half of its time under it. */
static bool time_fits(const struct expect_query *q, const struct candidates *all, bool *ret_began_within)
{
    int64_t from = OPEN_NS, until = INT64_MIN;
    *ret_began_within = false;
    for (size_t i = 0; i < all->count; i++) {
        const struct candidate *c = &all->at[i];
        if (q->first_ns >= c->from_ns - EARLY_NS && (c->until_ns == OPEN_NS || q->first_ns <= c->until_ns + LATE_NS))
            *ret_began_within = true;
        from = c->from_ns < from ? c->from_ns : from;
        until = c->until_ns > until ? c->until_ns : until;
    }
    int64_t begin = q->first_ns > from ? q->first_ns : from;
    int64_t end = q->last_ns < until ? q->last_ns : until;
    return *ret_began_within || (end > begin && end - begin >= (q->last_ns - q->first_ns) / 2);
}

static bool is_same_address(const struct addr *a, const struct expect_query *q)
{
    return addr_equal(a, &q->src.addr) || addr_equal(a, &q->dst.addr);
}

/* Two ports alone are little to go by: the signalling of one side has to come from where its media does. */
static bool signalled_from_there(const struct expect_table *t, const struct expect_query *q, const struct candidate *c)
{
    const struct expect_line *lines[] = {c->sender, c->receiver};
    for (size_t i = 0; i < 2; i++) {
        const struct expect_description *d = lines[i] ? description_of(t, lines[i]) : NULL;
        if (d && (is_same_address(&d->sent_from, q) || is_same_address(&d->sent_to, q)))
            return true;
    }
    return false;
}

static enum confidence confidence_of(const struct expect_table *t, const struct expect_query *q,
                                     const struct candidate *c, bool by_time, bool began_within)
{
    if (c->rank == RANK_PORTS && !signalled_from_there(t, q, c))
        return CONFIDENCE_LOW;
    bool plain = c->rank >= RANK_SENDER && !by_time && began_within;
    if (c->format && (!c->by_receiver || !c->all_listed))
        plain = false;
    return plain ? CONFIDENCE_CERTAIN : CONFIDENCE_HIGH;
}

static const struct candidate *oldest_at_start(const struct expect_query *q, const struct candidates *all)
{
    const struct candidate *best = &all->at[0];
    for (size_t i = 1; i < all->count; i++) {
        const struct candidate *c = &all->at[i];
        bool c_holds = c->from_ns <= q->first_ns + EARLY_NS, best_holds = best->from_ns <= q->first_ns + EARLY_NS;
        if (c_holds != best_holds ? c_holds : c_holds ? c->from_ns > best->from_ns : c->from_ns < best->from_ns)
            best = c;
    }
    return best;
}

static void answer_fill(const struct expect_table *t, const struct candidate *c, enum confidence confidence,
                        struct expect_answer *ret)
{
    static const char *const types[] = {[LINE_OTHER] = "an m-line",
                                        [LINE_AUDIO] = "m=audio",
                                        [LINE_VIDEO] = "m=video",
                                        [LINE_SLIDES] = "m=video with content:slides",
                                        [LINE_APPLICATION] = "m=application",
                                        [LINE_TEXT] = "m=text",
                                        [LINE_IMAGE] = "m=image"};
    static const char *const ways[] = {[RANK_NONE] = "",
                                       [RANK_PORTS] = ", by its ports behind a NAT",
                                       [RANK_SSRC] = ", by its SSRC",
                                       [RANK_SENDER] = ", by its sender",
                                       [RANK_RECEIVER] = "",
                                       [RANK_BOTH] = ""};
    static const char *const repairs[] = {[REPAIRS_NOTHING] = "", [REPAIRS_RTX] = "rtx", [REPAIRS_FEC] = "fec"};
    const struct expect_line *line = line_of(c);
    const struct expect_description *d = description_of(t, line);
    *ret = (struct expect_answer){.judgement = {.kind = kind_of(c), .confidence = confidence},
                                  .codec = "",
                                  .repairs = "",
                                  .call = d->call + 1,
                                  .rtcp_on_own_port = c->role == ROLE_RTCP};
    (void)snprintf(ret->judgement.evidence, sizeof ret->judgement.evidence, "SDP %s, frame %llu%s", types[line->type],
                   (unsigned long long)d->frame, ways[c->rank]);
    if (!c->format)
        return;
    ret->codec = c->format->codec ? t->codecs[c->format->codec] : "";
    ret->repairs = repairs[c->format->repairs];
    ret->clock_rate = c->format->clock_rate;
}

/* The candidates of the best rank there is; weaker ones do not stand in where these do not fit. */
static enum rank keep_best_rank(const struct expect_table *t, const struct expect_query *q, struct candidates *all)
{
    enum rank best = RANK_NONE;
    for (size_t i = 0; i < all->count; i++)
        best = all->at[i].rank > best ? all->at[i].rank : best;
    (void)keep(t, q, all, has_rank, (int64_t)best);
    return best;
}

static void keep_fitting_content(const struct expect_table *t, const struct expect_query *q, struct candidates *all)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct candidate c = all->at[i];
        if (content_fits(t, q, &c))
            all->at[kept++] = c;
    }
    all->count = kept;
}

bool expect_table_find(const struct expect_table *t, const struct expect_query *q, struct expect_answer *ret)
{
    struct candidates all;
    ret->too_many = false;
    if (t->line_count == 0)
        return false;
    all.count = 0;
    all.too_many = false;
    candidates_by_ends(t, q, &all);
    if (all.count == 0)
        candidates_by_ssrc(t, q, &all);
    if (all.count == 0 && !q->rtcp)
        candidates_by_ports(t, q, &all);
    ret->too_many = all.too_many;
    if (all.count == CANDIDATES_MAX && all.too_many) /* the one that is right may be among those left out */
        return false;
    (void)keep_best_rank(t, q, &all);
    keep_fitting_content(t, q, &all);
    if (any(t, q, &all, has_format_of_receiver, 0))
        (void)keep(t, q, &all, has_format_of_receiver, 0);
    if (!agree(&all) && q->has_ssrc && any(t, q, &all, lists_ssrc, 0))
        (void)keep(t, q, &all, lists_ssrc, 0);
    /* around a re-INVITE both meanings are near: the one that the stream lies in counts, not the one it touches */
    if (!agree(&all) && any(t, q, &all, covers, 90))
        (void)keep(t, q, &all, covers, 10);
    bool by_time = !agree(&all);
    if (all.count == 0 || (by_time && !settle_by_time(t, q, &all)))
        return false;
    bool began_within;
    if (!time_fits(q, &all, &began_within))
        return false;
    const struct candidate *best = oldest_at_start(q, &all);
    answer_fill(t, best, confidence_of(t, q, best, by_time, began_within), ret);
    return true;
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
