#include "report/report_live.h"

#include "report/report_json.h"
#include "report/report_live_internal.h"

static const char *const state_names[] = {
    [LIVE_POINT_UP] = "up", [LIVE_POINT_DOWN] = "down", [LIVE_POINT_GONE] = "gone"};

const char *live_state_name(enum live_point_state s)
{
    return (unsigned)s < sizeof state_names / sizeof state_names[0] ? state_names[s] : "unknown";
}

bool live_opened_in(const struct live_finding *f, const struct live_interval *i)
{
    return f->opened_ns > i->from_ns && f->opened_ns <= i->until_ns;
}

bool live_closed_in(const struct live_finding *f, const struct live_interval *i)
{
    return f->closed_ns > i->from_ns && f->closed_ns <= i->until_ns;
}

enum summary_verdict live_interval_verdict(const struct live_interval *i)
{
    return i->packets_violating ? SUMMARY_FAIL : i->packets_checked ? SUMMARY_PASS : SUMMARY_NOTHING_CHECKED;
}

bool live_interval_complete(const struct live_view *v)
{
    bool up = v->interval->dropped_kernel == 0 && v->interval->dropped_interface == 0;
    for (size_t i = 0; i < v->point_count; i++)
        up = up && v->points[i].state == LIVE_POINT_UP;
    return up;
}

static void put_dropped(struct emit *e, uint64_t kernel, uint64_t interface)
{
    emit_key(e, "dropped");
    emit_open(e, '{');
    emit_key(e, "kernel");
    emit_count(e, kernel);
    emit_key(e, "interface");
    emit_count(e, interface);
    emit_close(e, '}');
}

static void put_points(struct emit *e, const struct live_view *v)
{
    emit_key(e, "points");
    emit_open(e, '[');
    for (size_t i = 0; i < v->point_count; i++) {
        const struct live_point *p = &v->points[i];
        emit_open(e, '{');
        emit_key(e, "point");
        emit_text(e, p->name);
        emit_key(e, "state");
        emit_text(e, live_state_name(p->state));
        emit_key(e, "since");
        emit_time(e, p->state_since_ns > 0, p->state_since_ns);
        emit_key(e, "problem");
        emit_text(e, p->problem);
        emit_key(e, "packets");
        emit_count(e, p->packets);
        emit_key(e, "bytes");
        emit_count(e, p->bytes);
        put_dropped(e, p->dropped_kernel, p->dropped_interface);
        emit_close(e, '}');
    }
    emit_close(e, ']');
}

static void put_live_finding(struct emit *e, const struct live_view *v, const struct live_finding *f)
{
    emit_open(e, '{');
    emit_key(e, "id");
    emit_count(e, f->id);
    emit_key(e, "key");
    emit_text(e, f->key);
    emit_key(e, "state");
    emit_text(e, f->closed_ns ? "closed" : "open");
    emit_key(e, "opened");
    emit_time(e, true, f->opened_ns);
    emit_key(e, "last_wrong");
    emit_time(e, f->last_wrong_ns > 0, f->last_wrong_ns);
    emit_key(e, "closed");
    emit_time(e, f->closed_ns != 0, f->closed_ns);
    emit_key(e, "finding");
    emit_finding(e, v->document, &f->finding, false);
    emit_close(e, '}');
}

typedef bool finding_wanted(const struct live_finding *f, const struct live_interval *i);

static void put_findings(struct emit *e, const struct live_view *v, finding_wanted *wanted)
{
    emit_open(e, '[');
    for (size_t i = 0; i < v->finding_count; i++)
        if (!wanted || wanted(&v->findings[i], v->interval))
            put_live_finding(e, v, &v->findings[i]);
    emit_close(e, ']');
}

static uint64_t open_findings(const struct live_view *v)
{
    uint64_t open = 0;
    for (size_t i = 0; i < v->finding_count; i++)
        open += v->findings[i].closed_ns == 0;
    return open;
}

static void put_interval(struct emit *e, const struct live_view *v)
{
    const struct live_interval *in = v->interval;
    emit_open(e, '{');
    emit_key(e, "schema");
    emit_text(e, "qosmark.interval/1");
    emit_key(e, "from");
    emit_time(e, true, in->from_ns);
    emit_key(e, "until");
    emit_time(e, true, in->until_ns);
    emit_key(e, "verdict");
    emit_text(e, summary_verdict_name(live_interval_verdict(in)));
    emit_key(e, "complete");
    emit_bool(e, live_interval_complete(v));
    emit_key(e, "packets");
    emit_count(e, in->packets);
    emit_key(e, "packets_checked");
    emit_count(e, in->packets_checked);
    emit_key(e, "packets_violating");
    emit_count(e, in->packets_violating);
    put_dropped(e, in->dropped_kernel, in->dropped_interface);
    emit_key(e, "streams");
    emit_open(e, '{');
    emit_key(e, "active");
    emit_count(e, v->active_streams);
    emit_key(e, "new");
    emit_count(e, in->new_streams);
    emit_key(e, "ended");
    emit_count(e, in->ended_streams);
    emit_close(e, '}');
    emit_key(e, "by_class");
    emit_open(e, '[');
    for (size_t i = 0; i < in->by_class_count; i++)
        emit_class_row(e, v->document, &in->by_class[i]);
    emit_close(e, ']');
    emit_key(e, "findings");
    emit_open(e, '{');
    emit_key(e, "open");
    emit_count(e, open_findings(v));
    emit_key(e, "opened");
    put_findings(e, v, live_opened_in);
    emit_key(e, "closed");
    put_findings(e, v, live_closed_in);
    emit_close(e, '}');
    put_points(e, v);
    emit_close(e, '}');
}

int report_interval_write(const struct live_view *view, const struct report_options *options, report_sink sink,
                          void *user, struct error *error)
{
    if (!view->interval)
        return 0;
    struct out out;
    out_init(&out, sink, user);
    if (options->format == REPORT_JSONL || options->format == REPORT_JSON) {
        struct emit e = {.out = &out};
        put_interval(&e, view);
        out_adds(&out, "\n");
        emit_done(&e);
    } else {
        live_interval_text(&out, view, options);
    }
    return out_conclude(&out, error);
}

static void put_rows(struct emit *e, const struct document *d)
{
    emit_key(e, "by_class");
    emit_open(e, '[');
    for (size_t i = 0; i < d->by_class_count; i++)
        emit_class_row(e, d, &d->by_class[i]);
    emit_close(e, ']');
    emit_key(e, "by_site");
    emit_open(e, '[');
    for (size_t i = 0; i < d->by_site_count; i++)
        emit_site_row(e, d, &d->by_site[i]);
    emit_close(e, ']');
}

static void put_verdict_counts(struct emit *e, const uint64_t counts[static LIVE_VERDICTS])
{
    emit_open(e, '{');
    for (int v = 0; v < LIVE_VERDICTS; v++) {
        emit_key_named(e, verdict_name((enum verdict)v));
        emit_count(e, counts[v]);
    }
    emit_close(e, '}');
}

int report_summary_write(const struct live_view *view, report_sink sink, void *user, struct error *error)
{
    struct out out;
    out_init(&out, sink, user);
    struct emit e = {.out = &out};
    const struct document *d = view->document;
    emit_open(&e, '{');
    emit_key(&e, "schema");
    emit_text(&e, "qosmark.summary/1");
    emit_key(&e, "began");
    emit_time(&e, true, view->began_ns);
    emit_key(&e, "now");
    emit_time(&e, true, view->now_ns);
    emit_key(&e, "policy");
    emit_policy(&e, d);
    emit_key(&e, "summary");
    emit_summary(&e, &d->summary);
    emit_key(&e, "streams");
    emit_open(&e, '{');
    emit_key(&e, "listed");
    emit_count(&e, d->record_count);
    emit_key(&e, "active");
    put_verdict_counts(&e, view->active_by_verdict);
    emit_key(&e, "ended");
    put_verdict_counts(&e, view->ended_by_verdict);
    emit_close(&e, '}');
    put_rows(&e, d);
    emit_key(&e, "findings");
    put_findings(&e, view, NULL);
    put_points(&e, view);
    emit_close(&e, '}');
    out_adds(&out, "\n");
    emit_done(&e);
    return out_conclude(&out, error);
}

int report_streams_write(const struct live_view *view, size_t offset, size_t limit, report_sink sink, void *user,
                         struct error *error)
{
    struct out out;
    out_init(&out, sink, user);
    struct emit e = {.out = &out};
    struct record_scratch scratch = {0};
    const struct document *d = view->document;
    size_t from = offset < d->record_count ? offset : d->record_count;
    size_t end = limit < d->record_count - from ? from + limit : d->record_count;
    emit_open(&e, '{');
    emit_key(&e, "schema");
    emit_text(&e, "qosmark.streams/1");
    emit_key(&e, "now");
    emit_time(&e, true, view->now_ns);
    emit_key(&e, "total");
    emit_count(&e, d->record_count);
    emit_key(&e, "offset");
    emit_count(&e, offset);
    emit_key(&e, "limit");
    emit_count(&e, limit);
    emit_key(&e, "streams");
    emit_open(&e, '[');
    for (size_t i = from; i < end && out_ok(&out); i++)
        emit_record(&e, d, document_record(d, i, RECORD_ALL, &scratch));
    emit_close(&e, ']');
    emit_close(&e, '}');
    out_adds(&out, "\n");
    if (scratch.failed)
        out_fail(&out, ERR_MEMORY);
    record_scratch_done(&scratch);
    emit_done(&e);
    return out_conclude(&out, error);
}
