#include "model/probe_document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "model/notes.h"

struct probe_document *probe_document_new(void)
{
    struct probe_document *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->policy_name = d->policy_source = d->method = d->engine = d->verdict_text = d->problem = "";
    d->target.name = d->target.node = d->target.interface = "";
    d->forward_behaviour = d->reverse_behaviour = "unknown";
    d->forward_consistent = d->reverse_consistent = "";
    d->limits = (struct probe_limits){.max_rtt_ms = -1, .max_jitter_ms = -1, .max_loss = -1};
    return d;
}

void probe_document_free(struct probe_document *d)
{
    if (!d)
        return;
    free(d->packets);
    free(d->notes);
    arena_done(&d->arena);
    free(d);
}

struct probe_packet *probe_document_add(struct probe_document *d)
{
    void *items = d->packets;
    if (!grow(&items, &d->packet_cap, d->packet_count, sizeof *d->packets))
        return NULL;
    d->packets = items;
    struct probe_packet *p = &d->packets[d->packet_count++];
    *p = (struct probe_packet){
        .rtt_ns = -1,
        .forward_ns = PROBE_NO_TIME,
        .reverse_ns = PROBE_NO_TIME,
        .arrived = PROBE_MARK_UNKNOWN,
        .arrived_ecn = PROBE_MARK_UNKNOWN,
        .replied = PROBE_MARK_UNKNOWN,
        .returned = PROBE_MARK_UNKNOWN,
        .returned_ecn = PROBE_MARK_UNKNOWN,
    };
    return p;
}

const char *probe_document_text(struct probe_document *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(&d->arena, format, args);
    va_end(args);
    return text ? text : "";
}

bool probe_document_note(struct probe_document *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool added = notes_add(&d->notes, &d->note_count, &d->arena, format, args);
    va_end(args);
    return added;
}

uint64_t probe_marks_in(const struct probe_marks *m, dscp_set_t set)
{
    uint64_t n = 0;
    for (dscp_t i = 0; i < DSCP_COUNT; i++)
        if (dscp_set_has(set, i))
            n += m->packets[i];
    return n;
}

uint64_t probe_marks_known(const struct probe_marks *m)
{
    return probe_marks_in(m, ~(dscp_set_t)0);
}

dscp_set_t probe_marks_set(const struct probe_marks *m)
{
    dscp_set_t set = 0;
    for (dscp_t i = 0; i < DSCP_COUNT; i++)
        if (m->packets[i])
            set |= dscp_set_of(i);
    return set;
}

struct probe_marks probe_document_marks(const struct probe_document *d, const char *phase, int class_index)
{
    struct probe_marks m = {0};
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        if (!p->answered || (class_index >= 0 && p->class_index != class_index))
            continue;
        if (phase && (!p->phase || strcmp(p->phase, phase) != 0))
            continue;
        if (p->returned < 0)
            m.unknown++;
        else
            m.packets[p->returned]++;
    }
    return m;
}

const char *probe_change_name(enum probe_change c)
{
    static const char *const names[] = {
        [PROBE_CHANGE_UNKNOWN] = "unknown", [PROBE_CHANGE_PRESERVED] = "preserved", [PROBE_CHANGE_CHANGED] = "changed"};
    return names[c];
}

const char *probe_benefit_name(enum probe_benefit b)
{
    static const char *const names[] = {
        [PROBE_BENEFIT_NONE] = "",         [PROBE_BENEFIT_INCONCLUSIVE] = "inconclusive",
        [PROBE_BENEFIT_HELPED] = "helped", [PROBE_BENEFIT_NO] = "no-benefit",
        [PROBE_BENEFIT_WORSE] = "worse",
    };
    return names[b];
}
