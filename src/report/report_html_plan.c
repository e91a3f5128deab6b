#include "report/report_html_plan.h"

#include <stdlib.h>
#include <string.h>

enum { VERDICTS = 4 };

/* What wants reading first. */
static const enum verdict order[VERDICTS] = {VERDICT_VIOLATING, VERDICT_UNDETERMINED, VERDICT_CONFORMING,
                                             VERDICT_UNCHECKED};

static bool bit(const uint8_t *bits, size_t i)
{
    return bits[i / 8] >> (i % 8) & 1;
}

static void set_bit(uint8_t *bits, size_t i)
{
    bits[i / 8] |= (uint8_t)(1U << (i % 8));
}

bool html_plan_shows(const struct html_plan *plan, uint32_t record)
{
    return bit(plan->shown, record);
}

/* The `room` greatest of what is offered, greatest first; of equals the one offered first. */
struct best {
    size_t room, count;
    struct {
        uint64_t weight;
        uint32_t index;
    } at[PLAN_OTHERS];
};

static void offer(struct best *b, uint64_t weight, uint32_t index)
{
    if (b->room == 0 || (b->count == b->room && b->at[b->count - 1].weight >= weight))
        return;
    size_t i = b->count < b->room ? b->count++ : b->count - 1;
    for (; i && b->at[i - 1].weight < weight; i--)
        b->at[i] = b->at[i - 1];
    b->at[i].weight = weight;
    b->at[i].index = index;
}

static unsigned rank_of(enum verdict v)
{
    for (unsigned i = 0; i < VERDICTS; i++)
        if (order[i] == v)
            return VERDICTS - i;
    return 0;
}

static void choose_calls(struct html_plan *plan, const struct document *d)
{
    struct best best = {.room = PLAN_CALLS};
    for (size_t i = 0; i < d->call_count; i++) {
        struct call_counts c = document_call_counts(d, i);
        offer(&best, (uint64_t)rank_of(c.verdict) << 32 | (c.violating & UINT32_MAX), (uint32_t)i);
    }
    for (size_t i = 0; i < best.count; i++) {
        plan->calls[plan->call_count++] = best.at[i].index;
        set_bit(plan->called, best.at[i].index);
    }
}

static uint32_t call_of(const struct document *d, size_t record)
{
    if (d->records)
        return d->records[record].call;
    return d->call_of ? d->call_of[record] : 0;
}

/* Among the calls that are shown: its row is there. */
static bool is_called(const struct html_plan *plan, const struct document *d, size_t record)
{
    uint32_t call = call_of(d, record);
    return call && call <= d->call_count && bit(plan->called, call - 1);
}

static void add_other(struct html_plan *plan, uint32_t record)
{
    if (plan->other_count == PLAN_OTHERS || bit(plan->shown, record))
        return;
    set_bit(plan->shown, record);
    plan->others[plan->other_count++] = record;
}

static void choose_named(struct html_plan *plan, const struct document *d)
{
    struct finding_scratch scratch = {.failed = false};
    for (size_t i = 0; i < plan->finding_count; i++) {
        const struct finding *f = document_finding(d, i, &scratch);
        for (size_t k = 0; k < f->stream_count && k < PLAN_FINDING_STREAMS; k++) {
            uint32_t record = f->streams[k];
            if (record >= d->record_count)
                continue;
            if (is_called(plan, d, record))
                set_bit(plan->shown, record);
            else
                add_other(plan, record);
        }
    }
    finding_scratch_done(&scratch);
}

static void choose_of_call(struct html_plan *plan, const struct document *d, uint32_t call, size_t *left)
{
    size_t room = PLAN_CALL_STREAMS;
    for (unsigned v = 0; v < VERDICTS; v++) {
        for (uint32_t k = d->call_start[call]; k < d->call_start[call + 1] && room && *left; k++) {
            uint32_t record = d->call_streams[k];
            if (document_verdict(d, record) != order[v] || bit(plan->shown, record))
                continue;
            set_bit(plan->shown, record);
            room--;
            (*left)--;
        }
    }
}

/* Of half a million wrong ones those with most wrong packets; what is not wrong in the order of the capture. */
static void choose_others(struct html_plan *plan, const struct document *d)
{
    struct record_scratch scratch = {0};
    for (unsigned v = 0; v < VERDICTS && plan->other_count < PLAN_OTHERS; v++) {
        struct best best = {.room = PLAN_OTHERS - plan->other_count};
        for (size_t i = 0; i < d->record_count; i++) {
            if (document_verdict(d, i) != order[v] || bit(plan->shown, i) || is_called(plan, d, i))
                continue;
            bool wrong = order[v] == VERDICT_VIOLATING;
            if (!wrong && best.count == best.room)
                break;
            offer(&best, wrong ? document_record(d, i, RECORD_PLAIN, &scratch)->violating_packets : 0, (uint32_t)i);
        }
        for (size_t i = 0; i < best.count; i++)
            add_other(plan, best.at[i].index);
    }
    record_scratch_done(&scratch);
}

/* Those that findings name came in the order of the findings. */
static void sort_others(struct html_plan *plan, const struct document *d)
{
    for (size_t i = 1; i < plan->other_count; i++) {
        uint32_t record = plan->others[i];
        unsigned rank = rank_of(document_verdict(d, record));
        size_t at = i;
        for (; at && rank_of(document_verdict(d, plan->others[at - 1])) < rank; at--)
            plan->others[at] = plan->others[at - 1];
        plan->others[at] = record;
    }
}

bool html_plan_make(struct html_plan *plan, const struct document *d)
{
    *plan = (struct html_plan){
        .finding_count = d->finding_count < PLAN_FINDINGS ? d->finding_count : PLAN_FINDINGS,
        .calls = calloc(PLAN_CALLS, sizeof *plan->calls),
        .others = calloc(PLAN_OTHERS, sizeof *plan->others),
        .shown = calloc(d->record_count / 8 + 1, 1),
        .called = calloc(d->call_count / 8 + 1, 1),
    };
    if (!plan->calls || !plan->others || !plan->shown || !plan->called)
        return false;
    size_t left = PLAN_ALL_CALL_STREAMS;
    choose_calls(plan, d);
    choose_named(plan, d);
    for (size_t i = 0; d->call_start && i < plan->call_count; i++)
        choose_of_call(plan, d, plan->calls[i], &left);
    choose_others(plan, d);
    sort_others(plan, d);
    return true;
}

void html_plan_done(struct html_plan *plan)
{
    free(plan->calls);
    free(plan->others);
    free(plan->shown);
    free(plan->called);
}
