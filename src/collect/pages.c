#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collect/internal.h"
#include "report/report_compare.h"
#include "report/report_metrics_text.h"

/*
 *     /metrics           for Prometheus, new at each writing
 *     /healthz           200 while the bus answers and the history is written
 *     /                  the report as a page
 *     /api/fleet         qosmark.fleet/1
 */

enum { FRESH_MS = 5000, STALE_LOOKS = 6 };

static const struct {
    const char *path, *type;
    enum report_format format;
} pages[] = {{"/", "text/html; charset=utf-8", REPORT_HTML}, {"/api/fleet", "application/json", REPORT_JSON}};

enum { PAGE_COUNT = sizeof pages / sizeof pages[0] };

int collect_pages_start(struct collect *c)
{
    int status = http_server_start(c->options->listen, &c->http, c->error);
    for (size_t i = 0; status == 0 && i < PAGE_COUNT; i++) {
        const struct http_offer offer = {.path = pages[i].path, .fresh_ms = FRESH_MS};
        status = http_server_offer(c->http, &offer);
    }
    return status;
}

/* ---- /metrics ---- */

static void add_plain(struct strbuf *to, const char *name, const char *type, const char *help, uint64_t value)
{
    metrics_head(to, name, type, help);
    metrics_sample(to, name, NULL, 0);
    metrics_count(to, value);
}

static void add_sums(struct strbuf *to, const struct collect *c, const char *name, const char *help, size_t offset)
{
    metrics_head(to, name, "counter", help);
    for (size_t i = 0; i < c->sum_count; i++) {
        const struct collect_sum *s = &c->sums[i];
        const struct metrics_pair labels[] = {
            {"before", s->before}, {"after", s->after}, {"class", compare_class_name(s->traffic_class)}};
        uint64_t value;
        memcpy(&value, (const char *)s + offset, sizeof value);
        metrics_sample(to, name, labels, 3);
        metrics_count(to, value);
    }
}

/* Of the buckets that rows have, those that a graph needs. */
static void add_delays(struct strbuf *to, const struct collect *c)
{
    static const struct {
        double ms;
        const char *seconds;
    } least[] = {{1, "0.001"}, {2, "0.002"}, {5, "0.005"}, {10, "0.01"}, {20, "0.02"},
                 {50, "0.05"}, {100, "0.1"}, {200, "0.2"}, {500, "0.5"}, {HUGE_VAL, "+Inf"}};
    metrics_head(to, "qosmark_segment_delay_seconds", "histogram",
                 "delay in the segment above the least one; one packet in 256 is timed");
    for (size_t i = 0; i < c->sum_count; i++) {
        const struct collect_sum *s = &c->sums[i];
        struct metrics_pair labels[] = {
            {"before", s->before}, {"after", s->after}, {"class", compare_class_name(s->traffic_class)}, {"le", ""}};
        uint64_t passed = 0;
        double sum = 0;
        size_t k = 0;
        for (size_t b = 0; b < sizeof least / sizeof least[0]; b++) {
            for (; k < CROSSING_DELAYS && crossing_bucket_ms(k) <= least[b].ms; k++) {
                passed += s->delays[k];
                sum += (double)s->delays[k] * crossing_bucket_ms(k) / 1000;
            }
            labels[3].value = least[b].seconds;
            metrics_sample(to, "qosmark_segment_delay_seconds_bucket", labels, 4);
            metrics_count(to, passed);
        }
        metrics_sample(to, "qosmark_segment_delay_seconds_sum", labels, 3);
        metrics_number(to, sum);
        metrics_sample(to, "qosmark_segment_delay_seconds_count", labels, 3);
        metrics_count(to, passed);
    }
}

static void add_all(struct strbuf *to, const struct collect *c)
{
    uint64_t held = 0, pending = 0, streams = 0;
    for (unsigned i = 0; i < c->options->partitions; i++) {
        const struct collect_part *p = &c->parts[i];
        held += p->held;
        pending += p->held ? p->pending : 0;
        streams += p->held ? join_streams_open(p->join) : 0;
    }
    add_plain(to, "qosmark_collect_connected", "gauge", "1 while a server of the message bus is connected",
              c->bus && bus_reader_connected(c->bus));
    add_plain(to, "qosmark_collect_members", "gauge", "collectors that share the partitions", (uint64_t)c->members);
    add_plain(to, "qosmark_collect_partitions", "gauge", "partitions that this collector reads", held);
    add_plain(to, "qosmark_collect_pending", "gauge", "messages that wait on the bus for it", pending);
    add_plain(to, "qosmark_collect_streams", "gauge", "streams at points, in windows that are open", streams);
    add_plain(to, "qosmark_collect_messages_total", "counter", "messages read", c->totals.messages);
    add_plain(to, "qosmark_collect_repeated_total", "counter", "messages that came again and counted once",
              c->totals.repeated);
    add_plain(to, "qosmark_collect_late_total", "counter", "messages that came when their window was closed",
              c->totals.late);
    add_plain(to, "qosmark_collect_malformed_total", "counter", "messages that could not be read", c->totals.malformed);
    add_plain(to, "qosmark_collect_left_out_total", "counter", "messages beyond a cap, or of a clock far ahead",
              c->totals.left_out);
    add_plain(to, "qosmark_collect_rows_total", "counter", "final rows written", c->totals.rows);
    add_sums(to, c, "qosmark_segment_packets_total", "packets that both points of a segment saw",
             offsetof(struct collect_sum, matched));
    add_sums(to, c, "qosmark_segment_changed_total", "packets that had another mark behind the segment",
             offsetof(struct collect_sum, changed));
    add_sums(to, c, "qosmark_segment_wanted_total", "of the changed packets, those that the topology wants so",
             offsetof(struct collect_sum, wanted));
    add_sums(to, c, "qosmark_segment_sent_total", "packets of which it is known whether they passed the segment",
             offsetof(struct collect_sum, sent));
    add_sums(to, c, "qosmark_segment_lost_total", "packets that were lost in the segment",
             offsetof(struct collect_sum, lost));
    add_delays(to, c);
}

void collect_pages_publish(struct collect *c)
{
    struct strbuf text = {0};
    if (!c->http)
        return;
    unsigned stale_ms = (unsigned)(c->options->look_ns / NS_PER_MS) * STALE_LOOKS;
    add_all(&text, c);
    if (strbuf_ok(&text)) {
        const struct http_page metrics = {
            "/metrics", "text/plain; version=0.0.4; charset=utf-8", 200, stale_ms, text.at, text.len};
        const struct http_page health = {"/healthz", "text/plain; charset=utf-8", 200, stale_ms, "ok\n", 3};
        (void)http_server_put(c->http, &metrics);
        (void)http_server_put(c->http, &health);
    }
    strbuf_done(&text);
}

/* ---- who waits ---- */

static bool to_strbuf(void *user, const char *bytes, size_t len)
{
    strbuf_add(user, bytes, len);
    return strbuf_ok(user);
}

static int64_t newest(const struct collect *c)
{
    int64_t now = 0;
    for (unsigned i = 0; i < c->options->partitions; i++)
        now = c->parts[i].held && c->parts[i].server_ns > now ? c->parts[i].server_ns : now;
    return now;
}

static void answer(struct collect *c, const struct http_want *want)
{
    struct compare_document *d = NULL;
    struct strbuf text = {0};
    struct error why = {.text = ""};
    const struct report_options o = {.verbose = 1};
    size_t i = 0;
    int64_t now = newest(c), from = now > c->options->report_ns ? now - c->options->report_ns : 0;
    while (i < PAGE_COUNT && strcmp(pages[i].path, want->path) != 0)
        i++;
    bool ok = i < PAGE_COUNT &&
              collect_document(c->options->history, from, INT64_MAX, c->options->policy, c->options->topology,
                               &c->options->key, &d, &why) == 0 &&
              report_compare_write(d, pages[i].format, &o, to_strbuf, &text, &why) == 0 && strbuf_ok(&text);
    (void)http_server_answer(c->http, want, ok ? pages[i].type : NULL, ok ? text.at : "", ok ? text.len : 0);
    compare_document_free(d);
    strbuf_done(&text);
}

void collect_pages_answer(struct collect *c)
{
    struct http_want want;
    while (c->http && http_server_wanted(c->http, &want))
        answer(c, &want);
}
