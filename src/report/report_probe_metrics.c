#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "report/report_metrics_text.h"
#include "report/report_probe.h"

/* Of one class of one target: sums over all intervals, and the figures of the last one. */
struct total {
    char *target, *class_name;
    uint64_t sent, answered, late, duplicates, lost_forward, lost_reverse;
    struct probe_marks arrived, returned;
    struct probe_spread rtt_ms;
    double jitter_ms[2];
    enum probe_change change[2];
    enum probe_benefit benefit;
    bool violating;
    int64_t at_ns;
};

struct probe_totals {
    struct total *rows;
    size_t count, cap;
    uint64_t intervals, failed;
};

struct probe_totals *probe_totals_new(void)
{
    return calloc(1, sizeof(struct probe_totals));
}

void probe_totals_free(struct probe_totals *t)
{
    for (size_t i = 0; t && i < t->count; i++) {
        free(t->rows[i].target);
        free(t->rows[i].class_name);
    }
    if (t)
        free(t->rows);
    free(t);
}

static struct total *row_of(struct probe_totals *t, const char *target, const char *class_name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->rows[i].target, target) == 0 && strcmp(t->rows[i].class_name, class_name) == 0)
            return &t->rows[i];
    void *rows = t->rows;
    if (!grow(&rows, &t->cap, t->count, sizeof *t->rows))
        return NULL;
    t->rows = rows;
    struct total *row = &t->rows[t->count];
    *row = (struct total){.target = strdup(target), .class_name = strdup(class_name)};
    if (!row->target || !row->class_name) {
        free(row->target);
        free(row->class_name);
        return NULL;
    }
    t->count++;
    return row;
}

static void add_marks(struct probe_marks *to, const struct probe_marks *m)
{
    for (size_t i = 0; i < DSCP_COUNT; i++)
        to->packets[i] += m->packets[i];
    to->unknown += m->unknown;
}

int probe_totals_add(struct probe_totals *t, const struct probe_document *d)
{
    t->intervals++;
    t->failed += d->verdict == SUMMARY_FAIL;
    for (size_t i = 0; i < d->class_count; i++) {
        const struct probe_class *c = &d->classes[i];
        char target[ENDPOINT_TEXT_MAX];
        endpoint_format(&d->target.endpoint, target);
        struct total *row = row_of(t, target, c->name);
        if (!row)
            return ERR_MEMORY;
        row->sent += c->sent;
        row->answered += c->answered;
        row->late += c->late;
        row->duplicates += c->duplicates;
        row->lost_forward += c->lost.forward > 0 ? (uint64_t)c->lost.forward : 0;
        row->lost_reverse += c->lost.reverse > 0 ? (uint64_t)c->lost.reverse : 0;
        add_marks(&row->arrived, &c->arrived);
        add_marks(&row->returned, &c->returned);
        row->rtt_ms = c->rtt_ms;
        row->jitter_ms[0] = c->forward_jitter_ms;
        row->jitter_ms[1] = c->reverse_jitter_ms;
        row->change[0] = c->forward;
        row->change[1] = c->reverse;
        row->benefit = c->benefit;
        row->violating = c->violating;
        row->at_ns = d->end_ns;
    }
    return 0;
}

static void begin_sample(struct strbuf *to, const char *name, const struct total *row)
{
    strbuf_addf(to, "%s{target=\"", name);
    metrics_label(to, row->target);
    strbuf_adds(to, "\",class=\"");
    metrics_label(to, row->class_name);
    strbuf_adds(to, "\"");
}

typedef double value_of(const struct total *row);

static double value_sent(const struct total *row)
{
    return (double)row->sent;
}
static double value_answered(const struct total *row)
{
    return (double)row->answered;
}
static double value_late(const struct total *row)
{
    return (double)row->late;
}
static double value_duplicates(const struct total *row)
{
    return (double)row->duplicates;
}
static double value_violating(const struct total *row)
{
    return row->violating;
}
static double value_at(const struct total *row)
{
    return (double)row->at_ns / (double)NS_PER_S;
}

static const struct {
    const char *name, *type, *help;
    value_of *value;
} simple[] = {
    {"qosmark_probe_sent_packets_total", "counter", "Probes sent.", value_sent},
    {"qosmark_probe_answered_packets_total", "counter", "Probes answered.", value_answered},
    {"qosmark_probe_late_packets_total", "counter", "Replies that came after the time allowed.", value_late},
    {"qosmark_probe_duplicate_packets_total", "counter", "Further replies to the same probe.", value_duplicates},
    {"qosmark_probe_violating", "gauge", "1 where the last interval changed the mark or broke a limit.",
     value_violating},
    {"qosmark_probe_last_interval_timestamp_seconds", "gauge", "End of the last interval.", value_at},
};

static void write_marks(const struct probe_totals *t, struct strbuf *to)
{
    static const char name[] = "qosmark_probe_marks_total";
    metrics_head(to, name, "counter", "Probes by the mark that arrived (forward) and that came back (reverse).");
    for (size_t i = 0; i < t->count; i++) {
        const struct probe_marks *both[] = {&t->rows[i].arrived, &t->rows[i].returned};
        for (size_t way = 0; way < 2; way++) {
            const char *direction = way ? "reverse" : "forward";
            for (unsigned m = 0; m < DSCP_COUNT; m++) {
                if (!both[way]->packets[m])
                    continue;
                begin_sample(to, name, &t->rows[i]);
                strbuf_addf(to, ",direction=\"%s\",dscp=\"%u\"} %llu\n", direction, m,
                            (unsigned long long)both[way]->packets[m]);
            }
            begin_sample(to, name, &t->rows[i]);
            strbuf_addf(to, ",direction=\"%s\",dscp=\"unknown\"} %llu\n", direction,
                        (unsigned long long)both[way]->unknown);
        }
    }
}

static void write_by_direction(const struct probe_totals *t, struct strbuf *to)
{
    static const char *const directions[] = {"forward", "reverse"};
    metrics_head(to, "qosmark_probe_lost_packets_total", "counter",
                 "Probes lost, by direction where the reflector tells.");
    for (size_t i = 0; i < t->count; i++) {
        for (size_t way = 0; way < 2; way++) {
            begin_sample(to, "qosmark_probe_lost_packets_total", &t->rows[i]);
            strbuf_addf(to, ",direction=\"%s\"} %llu\n", directions[way],
                        (unsigned long long)(way ? t->rows[i].lost_reverse : t->rows[i].lost_forward));
        }
    }
    metrics_head(to, "qosmark_probe_mark_preserved", "gauge",
         "Last interval: 1 kept, 0 changed; no sample where it is unknown.");
    for (size_t i = 0; i < t->count; i++) {
        for (size_t way = 0; way < 2; way++) {
            if (t->rows[i].change[way] == PROBE_CHANGE_UNKNOWN)
                continue;
            begin_sample(to, "qosmark_probe_mark_preserved", &t->rows[i]);
            strbuf_addf(to, ",direction=\"%s\"} %d\n", directions[way],
                        t->rows[i].change[way] == PROBE_CHANGE_PRESERVED);
        }
    }
    metrics_head(to, "qosmark_probe_jitter_seconds", "gauge", "Last interval, RFC 3550.");
    for (size_t i = 0; i < t->count; i++) {
        for (size_t way = 0; way < 2; way++) {
            if (t->rows[i].jitter_ms[way] < 0)
                continue;
            begin_sample(to, "qosmark_probe_jitter_seconds", &t->rows[i]);
            strbuf_addf(to, ",direction=\"%s\"} %.9g\n", directions[way], t->rows[i].jitter_ms[way] / 1000);
        }
    }
}

static void write_rtt(const struct probe_totals *t, struct strbuf *to)
{
    metrics_head(to, "qosmark_probe_rtt_seconds", "gauge", "Round trip of the last interval, by quantile.");
    for (size_t i = 0; i < t->count; i++) {
        const struct probe_spread *s = &t->rows[i].rtt_ms;
        const struct {
            const char *quantile;
            double ms;
        } values[] = {{"0", s->min}, {"0.5", s->median}, {"0.95", s->p95}, {"0.99", s->p99}, {"1", s->max}};
        for (size_t q = 0; s->count && q < sizeof values / sizeof values[0]; q++) {
            begin_sample(to, "qosmark_probe_rtt_seconds", &t->rows[i]);
            strbuf_addf(to, ",quantile=\"%s\"} %.9g\n", values[q].quantile, values[q].ms / 1000);
        }
    }
}

bool probe_totals_write(const struct probe_totals *t, struct strbuf *to)
{
    metrics_head(to, "qosmark_probe_intervals_total", "counter", "Intervals measured, of all targets.");
    strbuf_addf(to, "qosmark_probe_intervals_total %llu\n", (unsigned long long)t->intervals);
    metrics_head(to, "qosmark_probe_failed_intervals_total", "counter", "Intervals whose verdict was fail.");
    strbuf_addf(to, "qosmark_probe_failed_intervals_total %llu\n", (unsigned long long)t->failed);
    for (size_t s = 0; s < sizeof simple / sizeof simple[0]; s++) {
        metrics_head(to, simple[s].name, simple[s].type, simple[s].help);
        for (size_t i = 0; i < t->count; i++) {
            begin_sample(to, simple[s].name, &t->rows[i]);
            strbuf_addf(to, "} %.15g\n", simple[s].value(&t->rows[i]));
        }
    }
    write_marks(t, to);
    write_by_direction(t, to);
    write_rtt(t, to);
    return strbuf_ok(to);
}
