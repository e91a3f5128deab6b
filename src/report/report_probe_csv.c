#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/csv.h"
#include "report/report_probe.h"

/* One row a target and class. */
struct row {
    const struct probe_document *d;
    const struct probe_class *c;
    struct strbuf text;
};

static void add(struct row *row, const char *text)
{
    csv_add_text(&row->text, text);
}

static void add_count(struct row *row, int64_t n)
{
    if (n >= 0)
        strbuf_addf(&row->text, "%lld", (long long)n);
}

static void add_ms(struct row *row, bool known, double ms)
{
    if (known)
        strbuf_addf(&row->text, "%.3f", ms);
}

static void add_marks(struct row *row, const struct probe_marks *m)
{
    bool any = false;
    for (dscp_t i = 0; i < DSCP_COUNT; i++) {
        if (m->packets[i])
            strbuf_addf(&row->text, "%s%u:%llu", any ? " " : "", i, (unsigned long long)m->packets[i]);
        any |= m->packets[i] > 0;
    }
    if (m->unknown)
        strbuf_addf(&row->text, "%sunknown:%llu", any ? " " : "", (unsigned long long)m->unknown);
}

static void add_addr(struct row *row, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];
    addr_format(a, text);
    add(row, text);
}

static void col_begin(struct row *r)
{
    char text[CLOCK_TEXT_MAX];
    clock_format(r->d->begin_ns, text);
    if (r->d->begin_ns)
        add(r, text);
}
static void col_target(struct row *r)
{
    add(r, r->d->target.name);
}
static void col_addr(struct row *r)
{
    add_addr(r, &r->d->target.endpoint.addr);
}
static void col_port(struct row *r)
{
    add_count(r, r->d->target.endpoint.port);
}
static void col_node(struct row *r)
{
    add(r, r->d->target.node);
}
static void col_method(struct row *r)
{
    add(r, r->d->method);
}
static void col_engine(struct row *r)
{
    add(r, r->d->engine);
}
static void col_class(struct row *r)
{
    add(r, r->c->name);
}
static void col_dscp(struct row *r)
{
    add_count(r, r->c->sent_dscp);
}
static void col_sent(struct row *r)
{
    add_count(r, (int64_t)r->c->sent);
}
static void col_answered(struct row *r)
{
    add_count(r, (int64_t)r->c->answered);
}
static void col_arrived(struct row *r)
{
    add_marks(r, &r->c->arrived);
}
static void col_returned(struct row *r)
{
    add_marks(r, &r->c->returned);
}
static void col_forward(struct row *r)
{
    add(r, probe_change_name(r->c->forward));
}
static void col_reverse(struct row *r)
{
    add(r, probe_change_name(r->c->reverse));
}
static void col_lost_forward(struct row *r)
{
    add_count(r, r->c->lost.forward);
}
static void col_lost_reverse(struct row *r)
{
    add_count(r, r->c->lost.reverse);
}
static void col_lost(struct row *r)
{
    add_count(r, r->c->lost.round_trip);
}
static void col_rtt_min(struct row *r)
{
    add_ms(r, r->c->rtt_ms.count > 0, r->c->rtt_ms.min);
}
static void col_rtt_median(struct row *r)
{
    add_ms(r, r->c->rtt_ms.count > 0, r->c->rtt_ms.median);
}
static void col_rtt_p95(struct row *r)
{
    add_ms(r, r->c->rtt_ms.count > 0, r->c->rtt_ms.p95);
}
static void col_rtt_p99(struct row *r)
{
    add_ms(r, r->c->rtt_ms.count > 0, r->c->rtt_ms.p99);
}
static void col_rtt_max(struct row *r)
{
    add_ms(r, r->c->rtt_ms.count > 0, r->c->rtt_ms.max);
}
static void col_jitter_forward(struct row *r)
{
    add_ms(r, r->c->forward_jitter_ms >= 0, r->c->forward_jitter_ms);
}
static void col_jitter_reverse(struct row *r)
{
    add_ms(r, r->c->reverse_jitter_ms >= 0, r->c->reverse_jitter_ms);
}
static void col_benefit(struct row *r)
{
    add(r, probe_benefit_name(r->c->benefit));
}
static void col_violating(struct row *r)
{
    add(r, r->c->violating ? "yes" : "no");
}
static void col_behaviour_forward(struct row *r)
{
    add(r, r->d->forward_behaviour);
}
static void col_behaviour_reverse(struct row *r)
{
    add(r, r->d->reverse_behaviour);
}

/* The order is part of the format: columns may be added at the end. */
static const struct {
    const char *name;
    void (*add)(struct row *row);
} columns[] = {
    {"begin", col_begin},
    {"target", col_target},
    {"addr", col_addr},
    {"port", col_port},
    {"node", col_node},
    {"method", col_method},
    {"engine", col_engine},
    {"class", col_class},
    {"sent_dscp", col_dscp},
    {"sent", col_sent},
    {"answered", col_answered},
    {"arrived", col_arrived},
    {"returned", col_returned},
    {"forward", col_forward},
    {"reverse", col_reverse},
    {"lost_forward", col_lost_forward},
    {"lost_reverse", col_lost_reverse},
    {"lost_round_trip", col_lost},
    {"rtt_min_ms", col_rtt_min},
    {"rtt_median_ms", col_rtt_median},
    {"rtt_p95_ms", col_rtt_p95},
    {"rtt_p99_ms", col_rtt_p99},
    {"rtt_max_ms", col_rtt_max},
    {"jitter_forward_ms", col_jitter_forward},
    {"jitter_reverse_ms", col_jitter_reverse},
    {"benefit", col_benefit},
    {"violating", col_violating},
    {"behaviour_forward", col_behaviour_forward},
    {"behaviour_reverse", col_behaviour_reverse},
};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

void report_probe_csv(struct out *out, const struct probe_report *r)
{
    struct row row = {0};
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        out_adds(out, c ? "," : "");
        out_adds(out, columns[c].name);
    }
    out_adds(out, "\r\n");
    for (size_t i = 0; i < r->count; i++) {
        row.d = r->documents[i];
        for (size_t k = 0; k < row.d->class_count && out_ok(out); k++) {
            row.c = &row.d->classes[k];
            for (size_t c = 0; c < COLUMN_COUNT; c++) {
                row.text.len = 0;
                columns[c].add(&row);
                out_adds(out, c ? "," : "");
                csv_put(out, &row.text);
            }
            out_adds(out, "\r\n");
        }
    }
    if (!strbuf_ok(&row.text))
        out_fail(out, ERR_MEMORY);
    strbuf_done(&row.text);
}
