#include "fleet/crossing.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

enum { BUCKETS_A_DOUBLING = 4 };

#define BUCKET_LEAST_NS 10000.0

bool crossing_add(struct crossing *c, dscp_t before, dscp_t after, uint64_t packets)
{
    size_t i = 0;
    while (i < c->cell_count &&
           (c->cells[i].before < before || (c->cells[i].before == before && c->cells[i].after < after)))
        i++;
    bool there = i < c->cell_count && c->cells[i].before == before && c->cells[i].after == after;
    if (!there) {
        if (c->cell_count == CROSSING_CELLS_MAX)
            return false;
        memmove(&c->cells[i + 1], &c->cells[i], (c->cell_count - i) * sizeof c->cells[0]);
        c->cells[i] = (struct crossing_cell){before, after, 0};
        c->cell_count++;
    }
    c->cells[i].packets += packets;
    return true;
}

size_t crossing_bucket(double delay_ns)
{
    if (!(delay_ns > BUCKET_LEAST_NS))
        return 0;
    double at = log2(delay_ns / BUCKET_LEAST_NS) * BUCKETS_A_DOUBLING;
    return at >= CROSSING_DELAYS - 1 ? CROSSING_DELAYS - 1 : (size_t)at;
}

double crossing_bucket_ms(size_t bucket)
{
    return bucket == 0 ? 0 : BUCKET_LEAST_NS / 1e6 * exp2(((double)bucket + 0.5) / BUCKETS_A_DOUBLING);
}

void crossing_cells_text(const struct crossing *c, struct strbuf *to)
{
    for (size_t i = 0; i < c->cell_count; i++)
        strbuf_addf(to, "%s%u>%u:%llu", i ? " " : "", c->cells[i].before, c->cells[i].after,
                    (unsigned long long)c->cells[i].packets);
}

bool crossing_cells_parse(struct slice text, struct crossing *ret)
{
    while (text.len) {
        struct slice word = slice_next(&text, ' ');
        uint64_t before, after, packets;
        if (!slice_number(slice_next(&word, '>'), DSCP_COUNT - 1, &before) ||
            !slice_number(slice_next(&word, ':'), DSCP_COUNT - 1, &after) ||
            !slice_number(word, UINT64_MAX, &packets) || !crossing_add(ret, (dscp_t)before, (dscp_t)after, packets))
            return false;
    }
    return true;
}

void crossing_counts_text(const uint64_t *counts, size_t n, struct strbuf *to)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        if (counts[i]) {
            strbuf_addf(to, "%s%zu:%llu", any ? " " : "", i, (unsigned long long)counts[i]);
            any = true;
        }
}

bool crossing_counts_parse(struct slice text, uint64_t *counts, size_t n)
{
    while (text.len) {
        struct slice word = slice_next(&text, ' ');
        uint64_t index, count;
        if (n == 0 || !slice_number(slice_next(&word, ':'), n - 1, &index) || !slice_number(word, UINT64_MAX, &count))
            return false;
        counts[index] += count;
    }
    return true;
}

/* ---- slices ---- */

void crossing_slice_add(struct crossing *c, int64_t near_ns, uint64_t sent, uint64_t lost)
{
    int64_t at = c->slice_ns > 0 ? (near_ns - c->window_ns) / c->slice_ns : 0;
    struct crossing_slice *s = &c->slices[at < 0 ? 0 : at >= CROSSING_SLICES ? CROSSING_SLICES - 1 : at];
    s->sent += (uint32_t)sent;
    s->lost += (uint32_t)lost;
}

struct crossing_slice crossing_sent(const struct crossing *c)
{
    struct crossing_slice sum = {0, 0};
    for (size_t i = 0; i < CROSSING_SLICES; i++) {
        sum.sent += c->slices[i].sent;
        sum.lost += c->slices[i].lost;
    }
    return sum;
}

void crossing_slices_text(const struct crossing *c, struct strbuf *to)
{
    if (crossing_sent(c).sent == 0)
        return;
    strbuf_addf(to, "%lld", (long long)c->slice_ns);
    for (size_t i = 0; i < CROSSING_SLICES; i++) {
        if (c->slices[i].sent)
            strbuf_addf(to, " %zu:%u", i, c->slices[i].sent);
        if (c->slices[i].lost)
            strbuf_addf(to, "/%u", c->slices[i].lost);
    }
}

bool crossing_slices_parse(struct slice text, struct crossing *ret)
{
    uint64_t length;
    if (text.len == 0)
        return true;
    if (!slice_number(slice_next(&text, ' '), INT64_MAX, &length))
        return false;
    ret->slice_ns = (int64_t)length;
    while (text.len) {
        struct slice word = slice_next(&text, ' ');
        uint64_t index, sent, lost = 0;
        if (!slice_number(slice_next(&word, ':'), CROSSING_SLICES - 1, &index) ||
            !slice_number(slice_next(&word, '/'), UINT32_MAX, &sent) || (word.len && !slice_number(word, sent, &lost)))
            return false;
        ret->slices[index] = (struct crossing_slice){(uint32_t)sent, (uint32_t)lost};
    }
    return true;
}

/* ---- JSON: names of points are of few letters (delta_name_is_good()), all else is ours or a number ---- */

static void add_stream(const struct compare_stream *s, struct strbuf *to)
{
    static const char *const ends[2][2] = {{"src", "dst"}, {"src_after", "dst_after"}};
    int before = s->way == COMPARE_BACKWARD;
    for (int i = 0; i < 2; i++) {
        int at = i == 0 ? before : !before;
        const struct endpoint *both[2] = {&s->src[at], &s->dst[at]};
        for (int end = 0; end < 2; end++) {
            char text[ADDR_TEXT_MAX];
            addr_format(&both[end]->addr, text);
            strbuf_addf(to, ",\"%s\":\"%s\",\"%s_port\":%u", ends[i][end], text, ends[i][end], both[end]->port);
        }
    }
    strbuf_addf(to, ",\"proto\":%u,\"ssrc\":", s->proto);
    if (s->has_ssrc)
        strbuf_addf(to, "\"0x%08x\"", s->ssrc);
    else
        strbuf_adds(to, "null");
    strbuf_addf(to, ",\"kind\":\"%s\",\"class\":\"%s\"", kind_name(s->kind), compare_class_name(s->traffic_class));
}

static void add_time(const char *key, int64_t ns, struct strbuf *to)
{
    char text[CLOCK_TEXT_MAX];
    clock_format(ns, text);
    strbuf_addf(to, ",\"%s\":\"%s\"", key, text);
}

bool crossing_loss_is_known(const struct crossing *c)
{
    return c->loss_known && (c->stream.lost == 0 || c->appeared * 10 < c->stream.lost);
}

static void add_losses(const struct crossing *c, struct strbuf *to)
{
    if (crossing_loss_is_known(c))
        strbuf_addf(to, ",\"sent\":%u,\"lost\":%llu", crossing_sent(c).sent, (unsigned long long)c->stream.lost);
    else
        strbuf_adds(to, ",\"sent\":null,\"lost\":null");
}

/* Columns, as databases that are made of them take them. */
static void add_delays(const struct crossing *c, struct strbuf *to)
{
    const char *between = "";
    strbuf_adds(to, ",\"delays\":{\"ms\":[");
    for (size_t i = 0; i < CROSSING_DELAYS; i++)
        if (c->delays[i]) {
            strbuf_addf(to, "%s%.3f", between, crossing_bucket_ms(i));
            between = ",";
        }
    strbuf_adds(to, "],\"packets\":[");
    between = "";
    for (size_t i = 0; i < CROSSING_DELAYS; i++)
        if (c->delays[i]) {
            strbuf_addf(to, "%s%u", between, c->delays[i]);
            between = ",";
        }
    strbuf_adds(to, "]}");
}

static void add_marks(const struct crossing *c, struct strbuf *to)
{
    strbuf_adds(to, ",\"marks\":{\"before\":[");
    for (size_t i = 0; i < c->cell_count; i++)
        strbuf_addf(to, "%s%u", i ? "," : "", c->cells[i].before);
    strbuf_adds(to, "],\"after\":[");
    for (size_t i = 0; i < c->cell_count; i++)
        strbuf_addf(to, "%s%u", i ? "," : "", c->cells[i].after);
    strbuf_adds(to, "],\"packets\":[");
    for (size_t i = 0; i < c->cell_count; i++)
        strbuf_addf(to, "%s%llu", i ? "," : "", (unsigned long long)c->cells[i].packets);
    strbuf_adds(to, "]}");
}

void crossing_write_json(const struct crossing *c, struct strbuf *to)
{
    bool backward = c->stream.way == COMPARE_BACKWARD;
    uint64_t unresolved = 0;
    for (size_t i = 0; i < COMPARE_WHY_COUNT; i++)
        unresolved += c->unresolved[i];
    strbuf_addf(to, "{\"schema\":\"qosmark.crossing/1\",\"id\":\"%s\",\"stream\":\"%016llx\"", c->id,
                (unsigned long long)c->stream_id);
    add_time("window", c->window_ns, to);
    strbuf_addf(to, ",\"partition\":%u,\"final\":%s,\"before\":\"%s\",\"after\":\"%s\",\"order_by\":\"%s\"",
                c->partition, c->final ? "true" : "false", backward ? c->second : c->first,
                backward ? c->first : c->second, compare_way_by_name(c->stream.way_by));
    add_stream(&c->stream, to);
    add_time("first", c->first_ns, to);
    add_time("last", c->last_ns, to);
    strbuf_addf(to, ",\"matched\":%llu,\"changed\":%llu,\"not_compared\":%llu", (unsigned long long)c->stream.matched,
                (unsigned long long)c->stream.changed, (unsigned long long)unresolved);
    add_losses(c, to);
    add_marks(c, to);
    add_delays(c, to);
    strbuf_adds(to, "}\n");
}
