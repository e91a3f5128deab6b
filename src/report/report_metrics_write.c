#include "report/report_metrics.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/report_metrics_internal.h"
#include "report/report_metrics_text.h"
#include "report/view.h"

#define PAIRS(p) (p), sizeof(p) / sizeof((p)[0])

static double seconds(int64_t ns)
{
    return ns > 0 ? (double)ns / (double)NS_PER_S : 0;
}

/* The point of a counter; "" where it is of all of them. */
static const char *point_name(const struct live_view *v, uint16_t point)
{
    return point < v->point_count ? v->points[point].name : "";
}

static void write_counters(const struct live_metrics *m, const struct live_view *v, enum metric_what what,
                           const char *name, struct strbuf *to)
{
    for (size_t i = 0; i < m->counter_count; i++) {
        const struct metric_counter *c = &m->counters[i];
        if (c->key.what != what)
            continue;
        char dscp[8] = "other";
        if (c->key.dscp != DSCP_OTHER)
            (void)snprintf(dscp, sizeof dscp, "%u", (unsigned)c->key.dscp);
        const char *class_text = c->key.traffic_class == CLASS_NONE ? "none" : class_names[c->key.traffic_class];
        const struct metrics_pair labels[] = {{"class", class_text},
                                              {"direction", direction_name((enum direction)c->key.direction)},
                                              {"node", m->nodes[c->key.node]},
                                              {"dscp", what == METRIC_PACKETS ? dscp : NULL},
                                              {"point", point_name(v, c->key.point)}};
        metrics_sample(to, name, PAIRS(labels));
        metrics_count(to, c->gain.total);
    }
}

static void write_packets(const struct live_metrics *m, const struct live_view *v, struct strbuf *to)
{
    metrics_head(to, "qosmark_packets_total", "counter",
                 "Packets of streams that have a class in the policy, by the mark they carried.");
    write_counters(m, v, METRIC_PACKETS, "qosmark_packets_total", to);
    metrics_head(to, "qosmark_violating_packets_total", "counter",
                 "Packets with a wrong mark, of streams with more of them than the policy tolerates.");
    write_counters(m, v, METRIC_VIOLATING, "qosmark_violating_packets_total", to);
    metrics_head(to, "qosmark_checked_packets_total", "counter", "Packets of streams with a verdict, right or wrong.");
    metrics_sample(to, "qosmark_checked_packets_total", NULL, 0);
    metrics_count(to, m->checked.total);
}

static void write_streams(const struct live_metrics *m, const struct live_view *v, struct strbuf *to)
{
    metrics_head(to, "qosmark_streams_active", "gauge", "Streams at present, by verdict.");
    for (size_t i = 0; i < LIVE_VERDICTS; i++) {
        const struct metrics_pair labels[] = {{"verdict", verdict_name((enum verdict)i)}};
        metrics_sample(to, "qosmark_streams_active", PAIRS(labels));
        metrics_count(to, v->active_by_verdict[i]);
    }
    metrics_head(to, "qosmark_streams_ended_total", "counter", "Streams that have ended, by their last verdict.");
    for (size_t i = 0; i < LIVE_VERDICTS; i++) {
        const struct metrics_pair labels[] = {{"verdict", verdict_name((enum verdict)i)}};
        metrics_sample(to, "qosmark_streams_ended_total", PAIRS(labels));
        metrics_count(to, m->ended[i].total);
    }
}

static void write_findings(const struct live_metrics *m, const struct live_view *v, struct strbuf *to)
{
    uint64_t open[FINDING_CODE_COUNT] = {0};
    for (size_t i = 0; i < v->finding_count; i++)
        if (v->findings[i].closed_ns == 0 && (unsigned)v->findings[i].finding.code < FINDING_CODE_COUNT)
            open[v->findings[i].finding.code]++;
    metrics_head(to, "qosmark_findings_open", "gauge", "Findings whose wrong packets keep coming, by code.");
    for (size_t i = 0; i < FINDING_CODE_COUNT; i++) {
        const struct metrics_pair labels[] = {{"code", finding_code_name((enum finding_code)i)}};
        metrics_sample(to, "qosmark_findings_open", PAIRS(labels));
        metrics_count(to, open[i]);
    }
    metrics_head(to, "qosmark_findings_opened_total", "counter", "Findings that opened, by code.");
    for (size_t i = 0; i < FINDING_CODE_COUNT; i++) {
        const struct metrics_pair labels[] = {{"code", finding_code_name((enum finding_code)i)}};
        metrics_sample(to, "qosmark_findings_opened_total", PAIRS(labels));
        metrics_count(to, m->opened[i]);
    }
}

static uint64_t point_up(const struct metric_point *p, const struct live_point *l)
{
    (void)p;
    return l->state == LIVE_POINT_UP;
}
static uint64_t point_packets(const struct metric_point *p, const struct live_point *l)
{
    (void)l;
    return p->packets.total;
}
static uint64_t point_bytes(const struct metric_point *p, const struct live_point *l)
{
    (void)l;
    return p->bytes.total;
}
static uint64_t point_kernel(const struct metric_point *p, const struct live_point *l)
{
    (void)l;
    return p->dropped_kernel.total;
}
static uint64_t point_interface(const struct metric_point *p, const struct live_point *l)
{
    (void)l;
    return p->dropped_interface.total;
}

static const struct {
    const char *name, *type, *help;
    uint64_t (*value)(const struct metric_point *p, const struct live_point *l);
} of_points[] = {
    {"qosmark_point_up", "gauge", "1 while packets can be captured there, 0 while the interface is down or gone.",
     point_up},
    {"qosmark_point_packets_total", "counter", "Packets captured, of any kind.", point_packets},
    {"qosmark_point_bytes_total", "counter", "Bytes of them, on the wire.", point_bytes},
    {"qosmark_point_kernel_dropped_packets_total", "counter",
     "Packets that the kernel dropped before they were seen: verdicts are incomplete.", point_kernel},
    {"qosmark_point_interface_dropped_packets_total", "counter",
     "Packets that the interface dropped before they were seen: verdicts are incomplete.", point_interface},
};

static void write_points(const struct live_metrics *m, const struct live_view *v, struct strbuf *to)
{
    for (size_t k = 0; k < sizeof of_points / sizeof of_points[0]; k++) {
        metrics_head(to, of_points[k].name, of_points[k].type, of_points[k].help);
        for (size_t i = 0; i < v->point_count && i < m->point_count; i++) {
            const struct metrics_pair labels[] = {{"point", v->points[i].name}};
            metrics_sample(to, of_points[k].name, PAIRS(labels));
            metrics_count(to, of_points[k].value(&m->points[i], &v->points[i]));
        }
    }
}

/* Only of classes that the policy expects a mark of: of the others nothing is said. */
static void write_classes(const struct live_metrics *m, const struct live_view *v, struct strbuf *to)
{
    metrics_head(to, "qosmark_class_seen", "gauge", "1 once a packet of the class was seen, in this run.");
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
        const struct metrics_pair labels[] = {{"class", class_names[c]}};
        if (!v->document->expect[c].marks)
            continue;
        metrics_sample(to, "qosmark_class_seen", PAIRS(labels));
        metrics_count(to, m->class_seen[c]);
    }
    metrics_head(to, "qosmark_class_silence_seconds", "gauge",
                 "Since the last packet of the class, or since the beginning where there was none.");
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
        const struct metrics_pair labels[] = {{"class", class_names[c]}};
        if (!v->document->expect[c].marks)
            continue;
        metrics_sample(to, "qosmark_class_silence_seconds", PAIRS(labels));
        metrics_number(to, seconds(v->clock_ns - m->class_last_ns[c]));
    }
}

/* Whoever changed a policy and looks away has to learn that it is not in force. */
static void write_policy(const struct live_view *v, struct strbuf *to)
{
    metrics_head(to, "qosmark_policy_last_reload_successful", "gauge",
                 "0 where the policy could not be read again (SIGHUP) and the one of before stayed in force.");
    metrics_sample(to, "qosmark_policy_last_reload_successful", NULL, 0);
    metrics_count(to, !v->policy_refused);
    metrics_head(to, "qosmark_policy_reloads_total", "counter", "How often another policy came into force.");
    metrics_sample(to, "qosmark_policy_reloads_total", NULL, 0);
    metrics_count(to, v->policy_reloads);
    metrics_head(to, "qosmark_policy_reloads_refused_total", "counter",
                 "How often a policy was to be read again and was not, because something is wrong with it.");
    metrics_sample(to, "qosmark_policy_reloads_refused_total", NULL, 0);
    metrics_count(to, v->policy_refusals);
}

static void write_process(const struct live_metrics *m, const struct live_view *v, const struct live_process *process,
                          struct strbuf *to)
{
    const struct metrics_pair build[] = {{"version", process->version ? process->version : ""}};
    metrics_head(to, "qosmark_build_info", "gauge", "Always 1; the version is its label.");
    metrics_sample(to, "qosmark_build_info", PAIRS(build));
    metrics_count(to, 1);
    metrics_head(to, "qosmark_start_time_seconds", "gauge", "When this run began, in seconds since 1970.");
    metrics_sample(to, "qosmark_start_time_seconds", NULL, 0);
    metrics_number(to, seconds(v->began_ns));
    metrics_head(to, "qosmark_looks_total", "counter", "How often the streams were judged.");
    metrics_sample(to, "qosmark_looks_total", NULL, 0);
    metrics_count(to, m->looks);
    metrics_head(to, "qosmark_look_duration_seconds", "gauge", "How long it took to judge them the last time.");
    metrics_sample(to, "qosmark_look_duration_seconds", NULL, 0);
    metrics_number(to, seconds(v->look_took_ns));
    if (!process->resident_bytes)
        return;
    metrics_head(to, "qosmark_resident_memory_bytes", "gauge", "Memory of the process.");
    metrics_sample(to, "qosmark_resident_memory_bytes", NULL, 0);
    metrics_count(to, process->resident_bytes);
}

static const struct {
    const char *name, *type, *help;
    size_t at; /* in struct live_publishing, of a uint64_t */
} of_publishing[] = {
    {"qosmark_publish_messages_total", "counter", "Messages made for the collectors.",
     offsetof(struct live_publishing, added)},
    {"qosmark_publish_acknowledged_total", "counter", "Messages that a server of the message bus has stored.",
     offsetof(struct live_publishing, acknowledged)},
    {"qosmark_publish_repeated_total", "counter", "Messages sent once more, for want of an acknowledgement.",
     offsetof(struct live_publishing, repeated)},
    {"qosmark_publish_dropped_total", "counter", "Messages that had no room, or were refused for good: they are lost.",
     offsetof(struct live_publishing, dropped)},
    {"qosmark_publish_spilled_total", "counter", "Messages that went into the file, for want of a server.",
     offsetof(struct live_publishing, spilled)},
    {"qosmark_publish_damaged_total", "counter", "Messages that were damaged in the file: they are lost.",
     offsetof(struct live_publishing, damaged)},
    {"qosmark_publish_connections_total", "counter", "How often a server of the message bus was reached.",
     offsetof(struct live_publishing, connections)},
    {"qosmark_publish_buffered_messages", "gauge", "Messages in memory that no server has acknowledged.",
     offsetof(struct live_publishing, buffered)},
    {"qosmark_publish_buffered_bytes", "gauge", "Bytes of them.", offsetof(struct live_publishing, buffered_bytes)},
    {"qosmark_publish_file_messages", "gauge", "Messages in the file that no server has acknowledged.",
     offsetof(struct live_publishing, waiting)},
    {"qosmark_publish_file_bytes", "gauge", "Bytes of them.", offsetof(struct live_publishing, waiting_bytes)},
};

static void write_publishing(const struct live_publishing *p, struct strbuf *to)
{
    if (!p)
        return;
    metrics_head(to, "qosmark_publish_connected", "gauge", "1 while a server of the message bus is reached.");
    metrics_sample(to, "qosmark_publish_connected", NULL, 0);
    metrics_count(to, p->connected);
    for (size_t i = 0; i < sizeof of_publishing / sizeof of_publishing[0]; i++) {
        uint64_t value;
        memcpy(&value, (const char *)p + of_publishing[i].at, sizeof value);
        metrics_head(to, of_publishing[i].name, of_publishing[i].type, of_publishing[i].help);
        metrics_sample(to, of_publishing[i].name, NULL, 0);
        metrics_count(to, value);
    }
}

bool live_metrics_write(const struct live_metrics *m, const struct live_view *v, const struct live_process *process,
                        struct strbuf *to)
{
    write_packets(m, v, to);
    write_streams(m, v, to);
    write_findings(m, v, to);
    write_points(m, v, to);
    write_classes(m, v, to);
    write_policy(v, to);
    write_publishing(v->publishing, to);
    write_process(m, v, process, to);
    return strbuf_ok(to);
}
