#include "model/trace_document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/notes.h"

static const char *const answer_names[TRACE_ANSWER_COUNT] = {
    [TRACE_TIME_EXCEEDED] = "time-exceeded",
    [TRACE_PORT_UNREACHABLE] = "port-unreachable",
    [TRACE_UNREACHABLE] = "unreachable",
    [TRACE_ECHO_REPLY] = "echo-reply",
    [TRACE_SYN_ACK] = "syn-ack",
    [TRACE_RESET] = "reset",
    [TRACE_UDP_REPLY] = "udp-reply",
};

static const char *const verdict_names[] = {
    [TRACE_UNKNOWN] = "unknown", [TRACE_PRESERVED] = "preserved", [TRACE_CHANGED] = "changed"};

struct trace_document *trace_document_new(void)
{
    struct trace_document *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->policy_name = d->policy_source = d->target.name = d->proto = d->engine = "";
    d->verdict_text = d->arrived_text = d->problem = "";
    d->behaviour = "unknown";
    return d;
}

void trace_document_free(struct trace_document *d)
{
    if (!d)
        return;
    arena_done(&d->arena);
    free(d->notes);
    free(d);
}

const char *trace_document_text(struct trace_document *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(&d->arena, format, args);
    va_end(args);
    return text ? text : "";
}

bool trace_document_note(struct trace_document *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool added = notes_add(&d->notes, &d->note_count, &d->arena, format, args);
    va_end(args);
    return added;
}

const char *trace_answer_name(enum trace_answer a)
{
    return answer_names[a];
}

bool trace_answer_is_final(enum trace_answer a)
{
    return a != TRACE_TIME_EXCEEDED && a != TRACE_UNREACHABLE;
}

const char *trace_verdict_name(enum trace_verdict v)
{
    return verdict_names[v];
}

const struct trace_hop *trace_path_hop(const struct trace_path *p, uint8_t ttl)
{
    for (size_t i = 0; i < p->hop_count; i++)
        if (p->hops[i].ttl == ttl)
            return &p->hops[i];
    return NULL;
}

int trace_hop_mark(const struct trace_hop *h)
{
    int mark = TRACE_MARK_UNKNOWN;
    for (size_t i = 0; i < h->reply_count; i++) {
        int quoted = h->replies[i].quoted_dscp;
        if (quoted == TRACE_MARK_UNKNOWN)
            continue;
        if (mark != TRACE_MARK_UNKNOWN && mark != quoted)
            return TRACE_MARK_UNKNOWN;
        mark = quoted;
    }
    return mark;
}

const struct trace_path *trace_document_path(const struct trace_document *d, const struct trace_class *c, uint16_t flow)
{
    for (size_t i = 0; i < d->path_count; i++)
        if (d->paths[i].dscp == c->sent_dscp && d->paths[i].flow == flow)
            return &d->paths[i];
    return NULL;
}
