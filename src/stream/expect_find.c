#include "stream/expect_candidates.h"

#include <stdio.h>

/*
 * The questions. A stream is matched with m-lines through its two ends; every m-line that fits is a candidate, and only
 * where the best of them agree is there an answer. Doubt is no answer: it would accuse somebody.
 */

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
    expect_candidates_find(t, q, &all);
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
