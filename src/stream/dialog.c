#include "stream/dialog.h"

#include <string.h>

#include "base/grow.h"

/* From SIP messages to offers and answers (RFC 3264; RFC 3261 §13, §14; RFC 3262 §5; RFC 3311; RFC 6337). */

/* One message, with what is asked about it more than once. */
struct seen {
    const struct sip_message *m;
    const struct endpoint *src, *dst;
    uint64_t frame;
    int64_t time_ns;
    uint64_t hop, leg, from_tag, to_tag, sender; /* sender: the tag of the side that this message comes from */
    uint64_t body_hash;
    bool has_sdp;
    uint32_t call; /* index */
};

static bool method_is(const struct sip_message *m, const char *name)
{
    return slice_equal(m->method, slice_make(name, strlen(name)));
}

/* OPTIONS and REGISTER have Call-IDs and may have SDP, and set up no media. */
static bool is_about_media(const struct sip_message *m)
{
    static const char *const methods[] = {"INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (method_is(m, methods[i]))
            return true;
    return false;
}

/* The two hosts, whichever way the message goes; ports differ between a request and its answer (RFC 3261 §18.2.2). */
static uint64_t hop_of(const struct expect_table *t, const struct endpoint *a, const struct endpoint *b)
{
    struct addr pair[2];
    bool in_order = addr_compare(&a->addr, &b->addr) <= 0;
    pair[0] = in_order ? a->addr : b->addr;
    pair[1] = in_order ? b->addr : a->addr;
    return expect_hash(t, KEY_TRANSACTION, pair, sizeof pair);
}

static uint64_t tag_hash(const struct expect_table *t, struct slice tag)
{
    return tag.len ? expect_hash(t, KEY_TAG, tag.at, tag.len) : 0;
}

static bool find_call(const struct expect_table *t, struct slice call_id, uint32_t *ret)
{
    return multimap_first(&t->by_call_id, expect_hash(t, KEY_CALL_ID, call_id.at, call_id.len), ret) != 0;
}

static bool new_call(struct expect_table *t, const struct seen *s)
{
    const struct sip_message *m = s->m;
    bool by_caller = m->request && m->to_tag.len == 0;
    if (t->call_count >= CALLS_MAX || !expect_grow(t, (void **)&t->calls, &t->call_cap, t->call_count, sizeof *t->calls)) {
        t->stats.dropped_calls++;
        return false;
    }
    uint32_t card = cards_new(&t->cards, m->call_id, m->from, m->to, by_caller ? m->user_agent : slice_make("", 0));
    if (card == POOL_NONE ||
        !multimap_add(&t->by_call_id, expect_hash(t, KEY_CALL_ID, m->call_id.at, m->call_id.len),
                      (uint32_t)t->call_count)) {
        if (card != POOL_NONE)
            cards_let_go(&t->cards, card);
        t->stats.dropped_calls++;
        return false;
    }
    struct card *c = cards_at(&t->cards, card);
    c->first_ns = c->last_ns = s->time_ns;
    t->calls[t->call_count++] = (struct expect_call){.card = card, .caller = s->from_tag};
    t->stats.calls++;
    return true;
}

static bool take_call(struct expect_table *t, struct seen *s)
{
    if (!find_call(t, s->m->call_id, &s->call)) {
        if (!method_is(s->m, "INVITE") && !s->has_sdp)
            return false; /* the end of something that nothing is known of */
        if (!new_call(t, s))
            return false;
        s->call = (uint32_t)t->call_count - 1;
    }
    const struct expect_call *call = &t->calls[s->call];
    struct card *c = cards_at(&t->cards, call->card);
    if (s->time_ns > c->last_ns)
        c->last_ns = s->time_ns;
    if (c->user_agent[0] == '\0' && s->m->request && s->from_tag == call->caller && s->m->user_agent.len)
        (void)cards_set_user_agent(&t->cards, call->card, s->m->user_agent);
    return true;
}

static uint64_t transaction_hash(const struct expect_table *t, const struct seen *s, bool invite)
{
    /* not by the call's index, which changes */
    uint64_t key[4] = {cards_at(&t->cards, t->calls[s->call].card)->serial, s->m->cseq, invite, s->leg};
    return expect_hash(t, KEY_TRANSACTION, key, sizeof key);
}

/* The reference of the message's transaction on its hop; made where it is not there yet and `make` says so. */
static uint32_t take_transaction(struct expect_table *t, const struct seen *s, bool invite, bool make)
{
    uint64_t hash = transaction_hash(t, s, invite);
    uint32_t found;
    if (multimap_first(&t->by_transaction, hash, &found))
        return found + 1;
    struct expect_call *c = &t->calls[s->call];
    if (!make)
        return 0;
    if (t->transaction_count >= TRANSACTIONS_MAX || c->transaction_count >= CALL_TRANSACTIONS_MAX ||
        !expect_grow(t, (void **)&t->transactions, &t->transaction_cap, t->transaction_count, sizeof *t->transactions) ||
        !multimap_add(&t->by_transaction, hash, (uint32_t)t->transaction_count)) {
        t->stats.dropped_media += s->has_sdp ? t->sdp.media_count : 0;
        return 0;
    }
    t->transactions[t->transaction_count] = (struct expect_transaction){
        .call = s->call, .cseq = s->m->cseq, .invite = invite, .hop = s->hop, .next_in_call = c->first_transaction};
    c->first_transaction = (uint32_t)++t->transaction_count;
    c->transaction_count++;
    return c->first_transaction;
}

static uint32_t describe(struct expect_table *t, const struct seen *s, uint32_t transaction)
{
    struct expect_description d = {.call = s->call,
                                   .transaction = transaction - 1,
                                   .body_hash = s->body_hash,
                                   .party = s->sender,
                                   .sent_from = s->src->addr,
                                   .sent_to = s->dst->addr,
                                   .frame = s->frame,
                                   .from_ns = s->time_ns,
                                   .until_ns = OPEN_NS};
    return expect_describe(t, &d);
}

static void end(struct expect_description *d, int64_t at_ns)
{
    if (d->until_ns > at_ns)
        d->until_ns = at_ns > d->from_ns ? at_ns : d->from_ns;
}

/* An exchange is complete: what the same two sides had agreed on before, on this hop, ends (RFC 3264 §8). */
static void supersede(struct expect_table *t, uint32_t offer, uint32_t answer, int64_t at_ns)
{
    const struct expect_description *a = &t->descriptions[answer - 1];
    const struct expect_description *o = offer ? &t->descriptions[offer - 1] : a;
    uint64_t hop = t->transactions[a->transaction].hop;
    for (uint32_t r = t->calls[a->call].first_description; r; r = t->descriptions[r - 1].next_in_call) {
        struct expect_description *d = &t->descriptions[r - 1];
        bool same_sides = d->party == a->party || d->party == o->party;
        if (d->confirmed && d->transaction != a->transaction && same_sides && d->from_ns <= o->from_ns &&
            t->transactions[d->transaction].hop == hop)
            end(d, at_ns);
    }
}

static void confirm(struct expect_table *t, uint32_t answer, int64_t at_ns)
{
    struct expect_description *a = &t->descriptions[answer - 1];
    struct expect_description *o = a->offer ? &t->descriptions[a->offer - 1] : NULL;
    if (a->confirmed)
        return;
    a->confirmed = true;
    struct expect_description *both[] = {a, o};
    for (size_t i = 0; i < 2; i++) {
        if (!both[i])
            continue;
        both[i]->confirmed = true;
        if (both[i]->cancelled)
            both[i]->until_ns = OPEN_NS;
        both[i]->cancelled = false;
    }
    supersede(t, a->offer, answer, at_ns);
}

/* The answers of a transaction: those to the request's SDP, or the responses' own offers. */
static uint32_t first_of(const struct expect_table *t, uint32_t transaction)
{
    const struct expect_transaction *x = &t->transactions[transaction - 1];
    return x->request ? t->descriptions[x->request - 1].first_answer : x->first_answer;
}

static uint32_t answer_from(const struct expect_table *t, uint32_t transaction, uint64_t party)
{
    for (uint32_t r = first_of(t, transaction); r; r = t->descriptions[r - 1].next_answer)
        if (t->descriptions[r - 1].party == party)
            return r;
    return 0;
}

/* SDP in a request. */
static void take_offer(struct expect_table *t, const struct seen *s, uint32_t transaction)
{
    uint32_t before = t->transactions[transaction - 1].request;
    if (before && t->descriptions[before - 1].body_hash == s->body_hash)
        return; /* sent again */
    if (before)
        return; /* two different bodies in one transaction: the first one was answered */
    uint32_t made = describe(t, s, transaction);
    if (made)
        t->transactions[transaction - 1].request = made;
}

/* SDP in a response: the answer to the request's, or an offer where the request had none. */
static uint32_t take_response_sdp(struct expect_table *t, const struct seen *s, uint32_t transaction)
{
    uint32_t before = answer_from(t, transaction, s->sender);
    if (before && t->descriptions[before - 1].body_hash == s->body_hash)
        return before;
    uint32_t made = describe(t, s, transaction);
    if (!made)
        return before;
    if (before)
        end(&t->descriptions[before - 1], s->time_ns);
    struct expect_transaction *x = &t->transactions[transaction - 1];
    if (x->request) {
        expect_pair(t, x->request, made);
    } else {
        t->descriptions[made - 1].next_answer = x->first_answer;
        x->first_answer = made;
    }
    return made;
}

/* The offer that a response of `party` made in an INVITE of this number, on this hop if there, or else on any: an ACK
 * for a 2xx may go another way than the INVITE went (RFC 3261 §13.2.2.4). */
static uint32_t late_offer(const struct expect_table *t, const struct seen *s, bool any_cseq, uint64_t party)
{
    uint32_t found = 0;
    for (uint32_t r = t->calls[s->call].first_transaction; r; r = t->transactions[r - 1].next_in_call) {
        const struct expect_transaction *x = &t->transactions[r - 1];
        if (!x->invite || x->request || (!any_cseq && x->cseq != s->m->cseq))
            continue;
        uint32_t offer = answer_from(t, r, party);
        if (offer && (x->hop == s->hop || !found))
            found = offer;
        if (offer && x->hop == s->hop)
            break;
    }
    return found;
}

/* SDP in an ACK, or in a PRACK for a response that made an offer. */
static bool take_late_answer(struct expect_table *t, const struct seen *s, bool prack)
{
    uint32_t offer = late_offer(t, s, prack, s->to_tag);
    if (!offer)
        return false;
    uint32_t transaction = t->descriptions[offer - 1].transaction + 1;
    for (uint32_t r = t->descriptions[offer - 1].first_answer; r; r = t->descriptions[r - 1].next_answer)
        if (t->descriptions[r - 1].body_hash == s->body_hash)
            return true;
    if (prack && t->descriptions[offer - 1].first_answer)
        return false; /* answered already: what a later PRACK brings is an offer (RFC 3262 §5) */
    uint32_t made = describe(t, s, transaction);
    if (!made)
        return true;
    expect_pair(t, offer, made);
    confirm(t, made, s->time_ns);
    return true;
}

static void take_ack(struct expect_table *t, const struct seen *s)
{
    if (!s->has_sdp || take_late_answer(t, s, false))
        return;
    /* the INVITE was before the capture, or had an offer: then this is no answer. What stands alone is still announced
     */
    uint32_t transaction = take_transaction(t, s, true, true);
    if (transaction && !t->transactions[transaction - 1].request && !first_of(t, transaction))
        take_offer(t, s, transaction);
}

static void end_transaction(struct expect_table *t, uint32_t transaction, int64_t at_ns, bool cancelled)
{
    const struct expect_transaction *x = &t->transactions[transaction - 1];
    for (uint32_t r = first_of(t, transaction); r; r = t->descriptions[r - 1].next_answer)
        if (t->descriptions[r - 1].confirmed)
            return; /* another branch of the fork has taken the call */
    for (uint32_t r = t->calls[x->call].first_description; r; r = t->descriptions[r - 1].next_in_call) {
        struct expect_description *d = &t->descriptions[r - 1];
        if (d->transaction != transaction - 1 || d->until_ns != OPEN_NS)
            continue;
        end(d, at_ns);
        d->cancelled = cancelled;
    }
}

/* RFC 3261 §15: the dialog between these two tags is over. The caller's side goes on where another fork lives. */
static void take_bye(struct expect_table *t, const struct seen *s)
{
    bool others = false;
    for (uint32_t r = t->calls[s->call].first_description; r; r = t->descriptions[r - 1].next_in_call) {
        const struct expect_description *d = &t->descriptions[r - 1];
        others |= d->confirmed && d->until_ns == OPEN_NS && d->party != s->from_tag && d->party != s->to_tag;
    }
    for (uint32_t r = t->calls[s->call].first_description; r; r = t->descriptions[r - 1].next_in_call) {
        struct expect_description *d = &t->descriptions[r - 1];
        bool ours = d->party == s->from_tag || d->party == s->to_tag;
        if (others ? ours && d->party != t->calls[s->call].caller : true)
            end(d, s->time_ns);
    }
}

static void take_request(struct expect_table *t, const struct seen *s)
{
    const struct sip_message *m = s->m;
    if (method_is(m, "BYE")) {
        take_bye(t, s);
    } else if (method_is(m, "CANCEL")) {
        uint32_t transaction = take_transaction(t, s, true, false);
        if (transaction)
            end_transaction(t, transaction, s->time_ns, true);
    } else if (method_is(m, "ACK")) {
        take_ack(t, s);
    } else if (!(method_is(m, "PRACK") && s->has_sdp && take_late_answer(t, s, true))) {
        uint32_t transaction = take_transaction(t, s, method_is(m, "INVITE"), true);
        if (transaction && s->has_sdp)
            take_offer(t, s, transaction);
    }
}

static void take_response(struct expect_table *t, const struct seen *s)
{
    const struct sip_message *m = s->m;
    bool invite = method_is(m, "INVITE");
    if (method_is(m, "BYE") || method_is(m, "CANCEL") || m->status <= 100)
        return;
    uint32_t transaction = take_transaction(t, s, invite, m->status < 300 && s->has_sdp);
    if (!transaction)
        return;
    if (m->status >= 300) {
        end_transaction(t, transaction, s->time_ns, false);
        return;
    }
    uint32_t answer = s->has_sdp ? take_response_sdp(t, s, transaction) : answer_from(t, transaction, s->sender);
    /* an offer in a 2xx waits for the ACK */
    if (answer && m->status >= 200 && t->transactions[transaction - 1].request)
        confirm(t, answer, s->time_ns);
}

void expect_table_message(struct expect_table *t, const struct sip_message *m, const struct endpoint *src,
                          const struct endpoint *dst, uint64_t frame, uint32_t input, int64_t time_ns)
{
    (void)input;
    if (m->call_id.len == 0 || !is_about_media(m))
        return;
    t->messages++;
    struct seen s = {.m = m, .src = src, .dst = dst, .frame = frame, .time_ns = time_ns};
    s.hop = hop_of(t, src, dst);
    /* a proxy and what it proxies for may share an address: the branch tells their hops apart (RFC 3261 §8.1.1.7) */
    s.leg = s.hop ^ (m->branch.len ? expect_hash(t, KEY_TRANSACTION, m->branch.at, m->branch.len) : 0);
    s.from_tag = tag_hash(t, m->from_tag);
    s.to_tag = tag_hash(t, m->to_tag);
    s.sender = m->request ? s.from_tag : s.to_tag;
    bool announces = slice_equal_nocase(m->content_type, SLICE("application/sdp")) && (m->request || m->status < 300);
    s.has_sdp =
        announces && m->body.len && sdp_parse(cur_make(m->body.at, m->body.len, m->body_cut), &t->sdp) == PARSE_OK;
    if (s.has_sdp)
        s.body_hash = expect_hash(t, KEY_BODY, m->body.at, m->body.len);
    if (!take_call(t, &s))
        return;
    if (m->request)
        take_request(t, &s);
    else
        take_response(t, &s);
}
