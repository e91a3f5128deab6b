#include <stdlib.h>

#include "probe/probe_figures.h"
#include "probe/probe_loss.h"

/*
 * The packets of the document as the counters of the reflector saw them. A witness counts in its flow and session as
 * any other packet does; it is only in no class's figures.
 */
struct ledger {
    struct loss_probe *probes; /* as the packets of the document */
    size_t count;
};

/* Packets of one counter, gathered in the order sent. */
struct gathered {
    struct loss_probe *probes;
    enum loss_way *ways;
    size_t *packets; /* which packet of the document */
    size_t count;
};

static void number_places(const struct probe_document *d, struct ledger *l, uint32_t *in_flow, uint32_t *in_session)
{
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        uint32_t *session = &in_session[(size_t)p->flow * d->class_count + p->class_index];
        l->probes[i] = (struct loss_probe){
            .sequence = p->sequence,
            .reflected = p->reflected,
            .flow_place = in_flow[p->flow]++,
            .session_place = (*session)++,
            .answered = p->answered,
            .copies = p->copies,
        };
    }
    l->count = d->packet_count;
}

static size_t flows_of(const struct probe_document *d)
{
    size_t flows = 1;
    for (size_t i = 0; i < d->packet_count; i++)
        if (d->packets[i].flow >= flows)
            flows = (size_t)d->packets[i].flow + 1;
    return flows;
}

/* Sorts the packets by counter: one pass that counts, one that places them. */
static void split_by_counter(const struct probe_document *d, const struct ledger *l, bool by_session, size_t *begins,
                             size_t counters, struct gathered *g)
{
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        begins[(by_session ? (size_t)p->flow * d->class_count + p->class_index : p->flow) + 1]++;
    }
    for (size_t i = 0; i < counters; i++)
        begins[i + 1] += begins[i];
    for (size_t i = d->packet_count; i-- > 0;) {
        const struct probe_packet *p = &d->packets[i];
        size_t counter = by_session ? (size_t)p->flow * d->class_count + p->class_index : p->flow;
        /* places fill from the end: begins[counter + 1] comes down to where the counter begins */
        size_t at = --begins[counter + 1];
        g->probes[at] = l->probes[i];
        g->packets[at] = i;
    }
    for (size_t i = 0; i < counters; i++)
        begins[i] = begins[i + 1];
    begins[counters] = d->packet_count;
}

static void add_ways(struct probe_document *d, const struct gathered *g, size_t from, size_t to, bool one_class,
                     int64_t forward, int64_t reverse)
{
    if (one_class && forward >= 0) {
        struct probe_loss *lost = &d->classes[d->packets[g->packets[from]].class_index].lost;
        lost->forward += lost->forward < 0 ? 0 : forward;
        lost->reverse += lost->reverse < 0 ? 0 : reverse;
        return;
    }
    for (size_t i = from; i < to; i++) {
        const struct probe_packet *p = &d->packets[g->packets[i]];
        struct probe_loss *lost = &d->classes[p->class_index].lost;
        if (p->witness)
            continue;
        switch (g->ways[i]) {
        case LOSS_WAY_NONE:
            break;
        case LOSS_WAY_FORWARD:
            lost->forward += lost->forward >= 0;
            break;
        case LOSS_WAY_REVERSE:
            lost->reverse += lost->reverse >= 0;
            break;
        case LOSS_WAY_UNKNOWN:
            lost->forward = lost->reverse = -1;
            break;
        }
    }
}

static bool has_witness(const struct probe_document *d, const struct gathered *g, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (d->packets[g->packets[i]].witness)
            return true;
    return false;
}

static void add_total(struct probe_loss *total, int64_t forward, int64_t reverse)
{
    bool known = total->forward >= 0 && forward >= 0;
    total->forward = known ? total->forward + forward : -1;
    total->reverse = known ? total->reverse + reverse : -1;
}

static int attribute(struct probe_document *d, const struct ledger *l, bool by_session, size_t flows)
{
    size_t counters = by_session ? flows * d->class_count : flows;
    size_t n = d->packet_count;
    size_t *begins = calloc(counters + 2, sizeof *begins);
    struct gathered g = {.probes = calloc(n + 1, sizeof *g.probes),
                         .ways = calloc(n + 1, sizeof *g.ways),
                         .packets = calloc(n + 1, sizeof *g.packets),
                         .count = n};
    int r = begins && g.probes && g.ways && g.packets ? 0 : ERR_MEMORY;
    if (r == 0) {
        split_by_counter(d, l, by_session, begins, counters, &g);
        for (size_t c = 0; c < counters; c++) {
            size_t from = begins[c], to = begins[c + 1];
            int64_t forward, reverse;
            if (from == to)
                continue;
            loss_attribute(g.probes + from, to - from, g.ways + from, &forward, &reverse);
            add_total(&d->lost, forward, reverse);
            add_ways(d, &g, from, to, by_session && !has_witness(d, &g, from, to), forward, reverse);
        }
    }
    free(begins);
    free(g.probes);
    free(g.ways);
    free(g.packets);
    return r;
}

static bool is_service(const struct probe_document *d)
{
    for (size_t i = 0; i < d->packet_count; i++)
        if (d->packets[i].extra || d->packets[i].phase)
            return true;
    return false;
}

int probe_figures_losses(struct probe_document *d)
{
    size_t flows = flows_of(d), n = d->packet_count;
    struct ledger l = {.probes = calloc(n + 1, sizeof *l.probes)};
    uint32_t *in_flow = calloc(flows, sizeof *in_flow);
    uint32_t *in_session = calloc(flows * (d->class_count + 1), sizeof *in_session);
    d->lost = (struct probe_loss){0};
    for (size_t i = 0; i < n; i++)
        d->lost.round_trip += !d->packets[i].answered && !d->packets[i].extra;
    for (size_t i = 0; i < d->class_count; i++)
        d->classes[i].lost = (struct probe_loss){0};
    int r = l.probes && in_flow && in_session ? 0 : ERR_MEMORY;

    if (r == 0 && !is_service(d)) {
        static const enum probe_fact facts[] = {
            [LOSS_COUNTING_UNKNOWN] = PROBE_FACT_UNKNOWN,
            [LOSS_COUNTING_NONE] = PROBE_FACT_NO,
            [LOSS_COUNTING_PER_SESSION] = PROBE_FACT_YES,
            [LOSS_COUNTING_PER_FLOW] = PROBE_FACT_YES,
        };
        number_places(d, &l, in_flow, in_session);
        enum loss_counting counting = loss_counting_of(l.probes, l.count);
        d->reflector.stateful = facts[counting];
        if (d->reflector.stateful == PROBE_FACT_YES)
            r = attribute(d, &l, counting == LOSS_COUNTING_PER_SESSION, flows);
    }
    if (d->lost.round_trip != 0 && d->lost.forward + d->lost.reverse != d->lost.round_trip)
        d->lost.forward = d->lost.reverse = -1;
    for (size_t i = 0; i < d->class_count; i++) {
        struct probe_class *c = &d->classes[i];
        c->lost.round_trip = (int64_t)(c->sent - c->answered);
        /* nothing lost in all is nothing lost each way, whoever counts */
        if (c->lost.round_trip == 0)
            c->lost.forward = c->lost.reverse = 0;
        else if (d->reflector.stateful != PROBE_FACT_YES || c->lost.forward + c->lost.reverse != c->lost.round_trip)
            c->lost.forward = c->lost.reverse = -1;
    }
    free(l.probes);
    free(in_flow);
    free(in_session);
    return r;
}
