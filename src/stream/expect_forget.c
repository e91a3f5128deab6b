#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stream/dialog.h"

/*
 * What is over leaves the table. Every array is gone through once and closed up, with a new number for whatever stays;
 * nothing refers from one call to another, so that all references of what stays are to what stays.
 */

enum {
    DUE_MIN = 1024,         /* calls that came since, below which it is not worth it */
    DUE_MESSAGES_MIN = 4096, /* likewise, where a cap is near */
    VISITS_MAX = 2048,      /* of lines at one place: as many as the questions look at */
};

/* An answer to a BYE, or the next try of an INVITE that was refused, still belongs to the call: RFC 3261 §17 gives a
 * transaction 32 s, and a person needs as long again. */
#define OVER_NS   (120 * NS_PER_S)
/* A call of which nothing was heard for so long, no media and no re-INVITE, has ended unseen. */
#define SILENT_NS (4 * 3600 * NS_PER_S)
#define DUE_NS    (300 * NS_PER_S)

static bool is_near(size_t count, size_t cap)
{
    return count > cap - cap / 8;
}

static bool cap_is_near(const struct expect_table *t)
{
    return is_near(t->call_count, CALLS_MAX) || is_near(t->transaction_count, TRANSACTIONS_MAX) ||
           is_near(t->description_count, DESCRIPTIONS_MAX) || is_near(t->line_count, LINES_MAX) ||
           is_near(t->format_count, FORMATS_MAX) || is_near(t->ssrc_count, SSRCS_MAX);
}

bool expect_table_is_due(const struct expect_table *t, int64_t now_ns, bool small)
{
    bool many = t->call_count >= 2 * t->kept + DUE_MIN;
    bool long_ago = t->call_count >= DUE_MIN && silence_ns(now_ns, t->forgot_ns) >= DUE_NS;
    return (small && (many || long_ago)) ||
           (cap_is_near(t) && t->messages - t->messages_before >= DUE_MESSAGES_MIN);
}

/* --- what is needed ----------------------------------------------------------------------------------------------- */

static void use_line(const struct expect_table *t, const struct expect_query *q, uint32_t number, uint8_t *used)
{
    const struct expect_line *line = &t->lines[number];
    uint32_t call = t->descriptions[line->description].call;
    if (!(used[call / 8] >> call % 8 & 1) && expect_line_overlaps(t, q, line))
        used[call / 8] = (uint8_t)(used[call / 8] | 1u << call % 8);
}

static void use_lines(const struct expect_table *t, const struct expect_query *q, const struct multimap *m, uint64_t hash,
                      uint32_t values_of_a_line, uint8_t *used)
{
    uint32_t value = 0, place = multimap_first(m, hash, &value);
    for (int visits = 0; place && visits < VISITS_MAX; visits++) {
        use_line(t, q, value / values_of_a_line, used);
        place = multimap_next(m, place, &value);
    }
}

void expect_table_use(const struct expect_table *t, const struct expect_query *q, uint8_t *used)
{
    use_lines(t, q, &t->by_endpoint, expect_hash_endpoint(t, &q->src), ROLE_COUNT, used);
    use_lines(t, q, &t->by_endpoint, expect_hash_endpoint(t, &q->dst), ROLE_COUNT, used);
    use_lines(t, q, &t->by_port_pair, expect_hash_port_pair(t, q->src.port, q->dst.port), 1, used);
    if (q->has_ssrc)
        use_lines(t, q, &t->by_ssrc, expect_hash(t, KEY_SSRC, &q->ssrc, sizeof q->ssrc), 1, used);
}

/* --- what is over ------------------------------------------------------------------------------------------------- */

/* When a call was heard of last, or ended; `*ret_open` while it goes on as far as is known. */
static int64_t call_last(const struct expect_table *t, const struct expect_call *c, bool *ret_open)
{
    int64_t last = cards_at(&t->cards, c->card)->last_ns;
    *ret_open = false;
    for (uint32_t r = c->first_description; r; r = t->descriptions[r - 1].next_in_call) {
        int64_t until = t->descriptions[r - 1].until_ns;
        if (until == OPEN_NS)
            *ret_open = true;
        else if (until > last)
            last = until;
    }
    return last;
}

static bool is_used(const uint8_t *used, size_t call)
{
    return used[call / 8] >> call % 8 & 1;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The new numbers of what stays; POOL_NONE for the rest. */
struct renumbering {
    uint32_t *calls, *transactions, *descriptions, *lines;
};

/* Near a cap the older half of what is not needed goes, over or not: those who come now are calls as well. */
static bool older_half_goes(const struct expect_table *t, const uint8_t *used, uint32_t *calls, size_t *ret_gone)
{
    size_t n = 0, gone = 0;
    bool open;
    int64_t *last = malloc((t->call_count + 1) * sizeof *last);
    if (!last)
        return false;
    for (size_t i = 0; i < t->call_count; i++)
        if (calls[i] != POOL_NONE && !is_used(used, i))
            last[n++] = call_last(t, &t->calls[i], &open);
    if (n)
        qsort(last, n, sizeof *last, by_time);
    int64_t newest = n ? last[n / 2] : 0;
    for (size_t i = 0; i < t->call_count && n; i++)
        if (calls[i] != POOL_NONE && !is_used(used, i) && call_last(t, &t->calls[i], &open) <= newest) {
            calls[i] = POOL_NONE;
            gone++;
        }
    free(last);
    *ret_gone = gone;
    return true;
}

/* `*ret_gone`: how many go before they are over. */
static bool choose(const struct expect_table *t, int64_t now_ns, const uint8_t *used, uint32_t *calls, size_t *ret_gone)
{
    uint32_t kept = 0;
    for (size_t i = 0; i < t->call_count; i++) {
        bool open;
        int64_t silent = silence_ns(now_ns, call_last(t, &t->calls[i], &open));
        calls[i] = is_used(used, i) || silent < (open ? SILENT_NS : OVER_NS) ? 0 : POOL_NONE;
    }
    if (cap_is_near(t) && !older_half_goes(t, used, calls, ret_gone))
        return false;
    for (size_t i = 0; i < t->call_count; i++)
        if (calls[i] != POOL_NONE)
            calls[i] = kept++;
    return true;
}

/* --- closing up --------------------------------------------------------------------------------------------------- */

static uint32_t renumbered(const uint32_t *numbers, uint32_t reference)
{
    return reference ? numbers[reference - 1] + 1 : 0;
}

static void number_all(const struct expect_table *t, struct renumbering *n)
{
    uint32_t kept = 0;
    for (size_t i = 0; i < t->transaction_count; i++)
        n->transactions[i] = n->calls[t->transactions[i].call] != POOL_NONE ? kept++ : POOL_NONE;
    kept = 0;
    for (size_t i = 0; i < t->description_count; i++)
        n->descriptions[i] = n->calls[t->descriptions[i].call] != POOL_NONE ? kept++ : POOL_NONE;
    kept = 0;
    for (size_t i = 0; i < t->line_count; i++)
        n->lines[i] = n->descriptions[t->lines[i].description] != POOL_NONE ? kept++ : POOL_NONE;
}

static void close_calls(struct expect_table *t, const struct renumbering *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->call_count; i++) {
        struct expect_call c = t->calls[i];
        if (n->calls[i] == POOL_NONE) {
            cards_let_go(&t->cards, c.card);
            continue;
        }
        c.first_transaction = renumbered(n->transactions, c.first_transaction);
        c.first_description = renumbered(n->descriptions, c.first_description);
        t->calls[kept++] = c;
    }
    t->call_count = kept;
}

static void close_transactions(struct expect_table *t, const struct renumbering *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->transaction_count; i++) {
        struct expect_transaction x = t->transactions[i];
        if (n->transactions[i] == POOL_NONE)
            continue;
        x.call = n->calls[x.call];
        x.request = renumbered(n->descriptions, x.request);
        x.first_answer = renumbered(n->descriptions, x.first_answer);
        x.next_in_call = renumbered(n->transactions, x.next_in_call);
        t->transactions[kept++] = x;
    }
    t->transaction_count = kept;
}

static void close_descriptions(struct expect_table *t, const struct renumbering *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->description_count; i++) {
        struct expect_description d = t->descriptions[i];
        if (n->descriptions[i] == POOL_NONE)
            continue;
        d.call = n->calls[d.call];
        d.transaction = n->transactions[d.transaction];
        d.lines = d.line_count ? n->lines[d.lines] : 0;
        d.offer = renumbered(n->descriptions, d.offer);
        d.first_answer = renumbered(n->descriptions, d.first_answer);
        d.next_answer = renumbered(n->descriptions, d.next_answer);
        d.next_in_call = renumbered(n->descriptions, d.next_in_call);
        t->descriptions[kept++] = d;
    }
    t->description_count = kept;
}

static void close_lines(struct expect_table *t, const struct renumbering *n)
{
    size_t kept = 0, formats = 0, ssrcs = 0;
    for (size_t i = 0; i < t->line_count; i++) {
        struct expect_line line = t->lines[i];
        if (n->lines[i] == POOL_NONE)
            continue;
        line.description = n->descriptions[line.description];
        if (line.format_count)
            memmove(&t->formats[formats], &t->formats[line.formats], line.format_count * sizeof *t->formats);
        if (line.ssrc_count)
            memmove(&t->ssrcs[ssrcs], &t->ssrcs[line.ssrcs], line.ssrc_count * sizeof *t->ssrcs);
        line.formats = (uint32_t)formats;
        line.ssrcs = (uint32_t)ssrcs;
        formats += line.format_count;
        ssrcs += line.ssrc_count;
        t->lines[kept++] = line;
    }
    t->line_count = kept;
    t->format_count = formats;
    t->ssrc_count = ssrcs;
}

static bool number_of(const void *numbers, uint32_t *value)
{
    *value = ((const uint32_t *)numbers)[*value];
    return *value != POOL_NONE;
}

static bool place_of(const void *lines, uint32_t *value)
{
    uint32_t role = *value % ROLE_COUNT, line = *value / ROLE_COUNT;
    if (!number_of(lines, &line))
        return false;
    *value = line * ROLE_COUNT + role;
    return true;
}

static void close_up(struct expect_table *t, const struct renumbering *n)
{
    multimap_renumber(&t->by_call_id, number_of, n->calls);
    multimap_renumber(&t->by_transaction, number_of, n->transactions);
    multimap_renumber(&t->by_endpoint, place_of, n->lines);
    multimap_renumber(&t->by_ssrc, number_of, n->lines);
    multimap_renumber(&t->by_port_pair, number_of, n->lines);
    close_lines(t, n);
    close_descriptions(t, n);
    close_transactions(t, n);
    close_calls(t, n);
}

bool expect_table_forget(struct expect_table *t, int64_t now_ns, const uint8_t *used)
{
    struct renumbering n = {.calls = malloc((t->call_count + 1) * sizeof *n.calls),
                            .transactions = malloc((t->transaction_count + 1) * sizeof *n.transactions),
                            .descriptions = malloc((t->description_count + 1) * sizeof *n.descriptions),
                            .lines = malloc((t->line_count + 1) * sizeof *n.lines)};
    size_t gone = 0;
    bool ok = n.calls && n.transactions && n.descriptions && n.lines && choose(t, now_ns, used, n.calls, &gone);
    if (ok) {
        number_all(t, &n);
        close_up(t, &n);
        t->stats.forgotten_calls += gone;
        t->kept = t->call_count;
        t->forgot_ns = now_ns;
        t->messages_before = t->messages;
    }
    free(n.calls);
    free(n.transactions);
    free(n.descriptions);
    free(n.lines);
    return ok;
}
