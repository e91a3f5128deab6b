#include <stdlib.h>
#include <string.h>

#include "anonymize/anonymize.h"
#include "base/clock.h"
#include "engine/evidence.h"
#include "engine/limits.h"
#include "live/internal.h"
#include "live/publish.h"
#include "policy/diagnose.h"
#include "policy/judge.h"

static const int64_t SHARE = 10; /* of the time at most one part in so many is spent looking... */
static const int64_t PROMPT_NS = NS_PER_S * 8 / 10,
                     PROMPT_COST_NS = NS_PER_S * 3 / 10; /* ...unless nobody would know in time */
static const int64_t REST_MAX_NS = 3 * NS_PER_S;

void live_look_drop(struct live_run *l)
{
    document_free(l->document);
    l->document = NULL;
    arena_done(&l->words);
    l->words = (struct arena){0};
    l->view = (struct live_view){0};
    l->leaving = 0;
}

/* --- what a document needs ---------------------------------------------------------------------------------------- */

static const struct policy *policy_shown(const struct live_run *l)
{
    return l->shown_policy ? l->shown_policy : l->policy;
}

static int judge(const struct live_run *l, struct document *d)
{
    const struct policy *policy = policy_shown(l);
    if (l->options.anonymizer && anonymize_streams(l->options.anonymizer, d) < 0)
        return ERR_MEMORY;
    return judge_document(d, policy) < 0 || diagnose_document(d, policy) < 0 ? ERR_MEMORY : 0;
}

static bool note_limits(const struct live_run *l, struct document *d)
{
    struct stream_stats streams = stream_table_stats(l->table);
    struct decoder_stats decode = decoder_stats(l->fragments);
    const char *const *notes;
    size_t n = policy_notes(policy_shown(l), &notes);
    bool ok = true;
    for (size_t i = 0; i < l->tap_count; i++) {
        struct decoder_stats tap = decoder_stats(l->taps[i].lane.decoder);
        decode.tunnels_cut += tap.tunnels_cut;
        decode.nested_too_deep += tap.nested_too_deep;
    }
    for (size_t i = 0; i < n; i++)
        ok = ok && document_note(d, "%s", notes[i]);
    ok = ok && (!l->options.publish || live_publish_note(l->options.publish, d));
    return limits_note(d, &streams, &decode) && ok;
}

/* --- streams that end --------------------------------------------------------------------------------------------- */

/* The oldest of those that ended leave the list, and only count from now on. They are taken from the document that
 * showed them last, so that what was said of them stays as it was. */
static int fold(struct live_run *l)
{
    const struct document *d = l->document;
    uint8_t *chosen = calloc(d->record_count + 1, 1);
    if (!chosen)
        return ERR_MEMORY;
    for (size_t i = 0; i < l->view.leaving_count; i++)
        chosen[l->view.leaving[i]] = 1;
    int r = history_fold(l->history, d, chosen);
    free(chosen);
    if (r < 0)
        return r;
    size_t n = l->leaving;
    live_look_drop(l);
    stream_table_forget(l->table, n);
    return 0;
}

int live_look_forget(struct live_run *l)
{
    /* what another policy is to judge is not forgotten before it did */
    if (l->document && l->leaving && !l->rejudged && fold(l) < 0)
        return ERR_MEMORY;
    live_look_drop(l);
    int64_t now_ns = live_stream_time(l);
    return now_ns ? stream_table_expire(l->table, now_ns) : 0;
}

/* Which those are. */
static bool choose_leaving(struct live_run *l, const struct document *d)
{
    size_t ended = stream_table_ended(l->table), most = l->options.max_ended;
    l->leaving = ended > most ? stream_table_ended_whole(l->table, ended - most) : 0;
    uint32_t *leaving = arena_alloc(&l->words, (l->leaving + 1) * sizeof *leaving);
    for (size_t i = 0; leaving && l->leaving && i < d->record_count; i++)
        if (stream_table_ended_rank(l->table, d, i) < l->leaving && l->view.leaving_count < l->leaving)
            leaving[l->view.leaving_count++] = (uint32_t)i;
    l->view.leaving = leaving;
    return leaving != NULL;
}

/* --- the view ----------------------------------------------------------------------------------------------------- */

static void count_verdicts(struct live_run *l, const struct document *d)
{
    struct live_view *v = &l->view;
    history_verdicts(l->history, v->ended_by_verdict);
    for (size_t i = 0; i < d->record_count; i++) {
        enum verdict verdict = document_verdict(d, i);
        if (stream_table_is_ended(l->table, d, i))
            v->ended_by_verdict[verdict]++;
        else
            v->active_by_verdict[verdict]++;
    }
}

static struct live_totals totals_of(const struct live_run *l, const struct document *d)
{
    struct stream_stats stats = stream_table_stats(l->table);
    struct live_totals t = {.streams_ever = stats.streams + stats.ended,
                            .streams_ended = stats.ended,
                            .packets = l->packets,
                            .packets_checked = d->summary.packets_checked,
                            .packets_violating = d->summary.packets_violating};
    for (size_t i = 0; i < l->tap_count; i++) {
        t.dropped_kernel += l->taps[i].point.dropped_kernel;
        t.dropped_interface += l->taps[i].point.dropped_interface;
    }
    return t;
}

static void copy_points(struct live_run *l, const struct document *d)
{
    for (size_t i = 0; i < l->tap_count; i++) {
        l->points[i] = l->taps[i].point;
        l->points[i].name = input_point(&d->inputs[i]); /* which may stand for another name */
    }
    l->view.points = l->points;
    l->view.point_count = l->tap_count;
}

static int tally(struct live_run *l, struct document *d, int64_t clock_ns, bool last)
{
    struct live_tally *t = &l->tally;
    struct live_totals totals = totals_of(l, d);
    if (l->rejudged && live_tally_rebase(t, d, &totals) < 0)
        return ERR_MEMORY;
    if (live_tally_look(t, d, clock_ns, l->rejudged) < 0)
        return ERR_MEMORY;
    l->view.series = t->series;
    l->view.series_count = t->series_count;
    if (l->next_interval_ns == 0)
        l->next_interval_ns = clock_ns - l->options.look_ns + l->options.interval_ns;
    if (!last && clock_ns < l->next_interval_ns)
        return 0;
    while (l->next_interval_ns <= clock_ns)
        l->next_interval_ns += l->options.interval_ns;
    return live_tally_interval(t, d, &totals, l->view.now_ns, &l->words, &l->view.interval);
}

static int make_view(struct live_run *l, struct document *d, bool last)
{
    struct live_view *v = &l->view;
    struct live_moment moment = {clock_wall_ns(), clock_monotonic_ns(), l->rejudged};
    size_t ended = stream_table_ended(l->table);
    *v = (struct live_view){.began_ns = l->began_ns,
                            .now_ns = moment.now_ns,
                            .clock_ns = moment.clock_ns,
                            .document = d,
                            .policy = policy_shown(l)};
    v->policy_reloads = l->policy_reloads;
    v->policy_refusals = l->policy_refusals;
    v->policy_refused = l->policy_note[0] != '\0';
    v->active_streams = d->record_count > ended ? d->record_count - ended : 0;
    v->forgotten_streams = history_streams(l->history);
    if (l->rejudged)
        history_turn(l->history);
    count_verdicts(l, d);
    if (!last && !choose_leaving(l, d))
        return ERR_MEMORY;
    if (history_apply(l->history, d) < 0 || history_rows(l->history, d, &v->rows, &v->row_count) < 0)
        return ERR_MEMORY;
    copy_points(l, d);
    if (live_findings_look(l->findings, d, &moment) < 0 ||
        live_findings_view(l->findings, &l->words, &v->findings, &v->finding_count) < 0)
        return ERR_MEMORY;
    return tally(l, d, moment.clock_ns, last);
}

/* --- a look ------------------------------------------------------------------------------------------------------- */

static int make_document(struct live_run *l, struct document *d, bool last, struct error *error)
{
    d->explain = l->options.explain;
    if (last) {
        live_take_rest(l);
        stream_table_finish(l->table);
    }
    if (!live_points_fill(l, d) || stream_table_export(l->table, d) < 0 || !note_limits(l, d) || judge(l, d) < 0)
        return error_set(error, ERR_MEMORY, "out of memory while the streams were judged");
    return 0;
}

/* When the next one is due, so that looking leaves time for what is looked at. */
static void set_pace(struct live_run *l, int64_t began_ns)
{
    int64_t now = clock_monotonic_ns(), cost = now - began_ns, rest = cost * (SHARE - 1);
    if (rest > PROMPT_NS && cost <= PROMPT_COST_NS)
        rest = PROMPT_NS;
    rest = rest < REST_MAX_NS ? rest : REST_MAX_NS;
    l->next_look_ns = began_ns + l->options.look_ns > now + rest ? began_ns + l->options.look_ns : now + rest;
    l->view.look_took_ns = cost;
}

/* By the clock of the packets, which goes on where the host's is set. */
static int publish(struct live_run *l, const struct document *d, bool last)
{
    if (!l->options.publish)
        return 0;
    copy_points(l, d);
    return live_publish_look(l->options.publish, l->table, d, l->points, l->host.began_ns + clock_monotonic_ns(), last);
}

int live_look(struct live_run *l, bool last, struct error *error)
{
    int64_t began_ns = clock_monotonic_ns();
    live_look_drop(l);
    struct document *d = l->document = document_new();
    int r = d ? make_document(l, d, last, error) : error_set(error, ERR_MEMORY, "out of memory");
    if (r < 0)
        return r;
    /* what cannot be written is said by evidence_stats(), and no reason to stop looking */
    if (l->options.evidence)
        (void)evidence_look(l->options.evidence, l->table, d, NULL);
    if (publish(l, d, last) < 0)
        return error_set(error, ERR_MEMORY, "out of memory for the messages to the collectors");
    if (make_view(l, d, last) < 0)
        return error_set(error, ERR_MEMORY, "out of memory while the streams were judged");
    l->view.publishing = l->options.publish ? live_publish_state(l->options.publish) : NULL;
    l->rejudged = false;
    set_pace(l, began_ns);
    return 0;
}
