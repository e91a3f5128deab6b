#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "engine/service_internal.h"
#include "engine/service_judge.h"
#include "probe/probe_figures.h"

/* The packet that was sent, or one more that came back. */
static struct probe_packet *add_packet(struct probe_document *d, const struct service_attempt *a, bool extra)
{
    struct probe_packet *p = probe_document_add(d);
    if (!p)
        return NULL;
    p->class_index = a->control;
    p->round = a->round;
    p->flow = (uint16_t)a->round;
    p->sequence = (uint32_t)(d->packet_count - 1);
    p->extra = extra;
    p->sent_ns = extra ? 0 : a->x.begin_ns;
    p->why_forward = PROBE_WHY_NOBODY_TELLS;
    return p;
}

static void set_mark(struct probe_packet *p, bool known, tos_t tos)
{
    p->answered = true;
    if (known) {
        p->returned = (int8_t)tos_dscp(tos);
        p->returned_ecn = (int8_t)tos_ecn(tos);
    } else {
        p->why_reverse = PROBE_WHY_NO_CMSG;
    }
}

static bool fill_udp(struct probe_document *d, const struct service_attempt *a)
{
    const struct service_exchange *x = &a->x;
    bool evidence = service_attempt_is_evidence(a);
    uint32_t count = evidence && x->datagram_count ? x->datagram_count : 1;
    for (uint32_t i = 0; i < count; i++) {
        struct probe_packet *p = add_packet(d, a, i > 0);
        if (!p)
            return false;
        if (i == 0 && evidence)
            p->rtt_ns = x->answer_ns;
        if (i < x->datagram_count && evidence)
            set_mark(p, x->datagrams[i].tos_known, x->datagrams[i].tos);
    }
    return true;
}

/* Each packet from the server's SYN-ACK on; its RSTs are no packets here (service_watch.h says why). */
static bool fill_tcp(struct probe_document *d, const struct service_attempt *a)
{
    const struct service_watch *w = a->watch;
    bool evidence = service_attempt_is_evidence(a), first = true;
    for (size_t i = 0; evidence && w && i < w->seen_count; i++) {
        enum service_phase phase = service_watch_phase(w, i, a->x.handshake_bytes);
        if (phase == PHASE_RESET)
            continue;
        struct probe_packet *p = add_packet(d, a, !first);
        if (!p)
            return false;
        p->phase = service_phase_name(phase);
        p->rtt_ns = first ? a->x.answer_ns : -1;
        set_mark(p, true, w->seen[i].tos);
        first = false;
    }
    if (!first)
        return true;
    struct probe_packet *p = add_packet(d, a, false);
    if (p && evidence) {
        p->rtt_ns = a->x.answer_ns;
        set_mark(p, false, 0);
    }
    return p != NULL;
}

static bool set_up(struct probe_document *d, const struct service_run_options *o, const struct service_check *c)
{
    const struct service_plan *plan = &c->plan;
    d->policy_name = probe_document_text(d, "%s", policy_name(o->policy));
    d->policy_source = probe_document_text(d, "%s", policy_source(o->policy));
    d->target = (struct probe_target){.name = probe_document_text(d, "%s", o->name),
                                      .node = probe_document_text(d, "%s", o->node),
                                      .endpoint = c->server,
                                      .interface = probe_document_text(d, "%s", c->interface)};
    d->method =
        probe_document_text(d, "%s over %s", service_name(c->way->service), service_transport_name(c->way->transport));
    d->engine = c->way->transport == SERVICE_UDP ? "udp" : "tcp";
    d->class_count = plan->control ? 2 : 1;
    d->classes = arena_alloc(&d->arena, d->class_count * sizeof *d->classes);
    if (!d->classes)
        return false;
    for (size_t i = 0; i < d->class_count; i++) {
        d->classes[i] = (struct probe_class){
            .name = i == 1                              ? "control"
                    : plan->traffic_class == CLASS_NONE ? kind_name(c->way->kind)
                                                        : class_name(plan->traffic_class),
            .traffic_class = i == 1 ? CLASS_NONE : plan->traffic_class,
            .control = i == 1,
            .sent_dscp = i == 1 ? 0 : plan->sent,
            .expected_return = plan->expected,
            .preferred_return = plan->preferred,
            .tolerance = plan->tolerance,
            .forward_reason = "",
            .reverse_reason = "",
            .benefit_reason = "",
        };
    }
    return true;
}

/* What each exchange came to, put together. */
struct outcomes {
    uint64_t evidence, seen, blind, again, resets, beyond, silent, sent, sent_otherwise;
    struct probe_marks reset_marks, silent_marks, sent_marks;
    const char *answer, *tls, *unanswered;
};

static void add_watch(struct outcomes *out, const struct service_check *c, const struct service_attempt *a)
{
    const struct service_watch *w = a->watch;
    dscp_t asked = a->control ? 0 : c->plan.sent;
    for (size_t i = 0; i < w->seen_count; i++) {
        bool reset = w->seen[i].flags & TCP_RST, evidence = service_attempt_is_evidence(a);
        out->resets += reset;
        out->seen += !reset && evidence;
        out->silent += !reset && !evidence;
        out->again += w->seen[i].again && !reset;
        if (reset)
            out->reset_marks.packets[tos_dscp(w->seen[i].tos)]++;
        else if (!evidence)
            out->silent_marks.packets[tos_dscp(w->seen[i].tos)]++;
    }
    out->beyond += w->beyond;
    out->sent += w->sent_packets;
    for (dscp_t m = 0; m < DSCP_COUNT; m++) {
        out->sent_otherwise += m == asked ? 0 : w->sent[m];
        out->sent_marks.packets[m] += m == asked ? 0 : w->sent[m];
    }
}

static struct outcomes sum_up(const struct service_check *c)
{
    struct outcomes out = {
        .answer = "", .tls = "", .unanswered = c->interrupted ? SERVICE_INTERRUPTED : c->no_way.text};
    for (size_t i = 0; i < c->attempt_count; i++) {
        const struct service_attempt *a = &c->attempts[i];
        bool evidence = service_attempt_is_evidence(a);
        uint64_t seen = out.seen;
        out.evidence += evidence;
        if (a->x.answer[0])
            out.answer = a->x.answer;
        if (a->x.tls[0])
            out.tls = a->x.tls;
        if (a->x.problem[0])
            out.unanswered = a->x.problem;
        if (a->x.outcome == SERVICE_ANSWERED_OTHERWISE && !a->x.problem[0])
            out.unanswered = SERVICE_SPEAKS_OTHERWISE;
        if (a->watch)
            add_watch(&out, c, a);
        out.blind += evidence && out.seen == seen && c->way->transport != SERVICE_UDP;
    }
    return out;
}

static const char *marks_list(struct probe_document *d, const struct probe_marks *m)
{
    struct strbuf text = {0};
    for (dscp_t i = 0; i < DSCP_COUNT; i++)
        if (m->packets[i])
            strbuf_addf(&text, "%s%s%s (%" PRIu64 ")", text.len ? ", " : "", dscp_is_named(i) ? "" : "DSCP ",
                        dscp_name(i), m->packets[i]);
    const char *copy = probe_document_text(d, "%s", strbuf_text(&text));
    strbuf_done(&text);
    return copy;
}

static bool add_notes(struct probe_document *d, const struct service_run_options *o, const struct service_check *c,
                      const struct outcomes *out)
{
    bool ok = true;
    uint64_t asked = c->attempt_count;
    if (out->answer[0])
        ok &= probe_document_note(d, "%s: %s%s%s%s", out->evidence ? "it answers" : "what it sends", out->answer,
                                  out->tls[0] ? " (" : "", out->tls, out->tls[0] ? ", certificate not verified)" : "");
    if (out->evidence && out->evidence < asked)
        ok &= probe_document_note(d, "%" PRIu64 " of %" PRIu64 " requests were not answered: %s", asked - out->evidence,
                                  asked, out->unanswered);
    if (c->interrupted)
        ok &= probe_document_note(d, "it was interrupted: %" PRIu64 " of %" PRIu64 " requests were made", asked,
                                  (uint64_t)o->count * d->class_count);
    if (out->silent)
        ok &= probe_document_note(d, "packets of connections without an answer are not judged: %s",
                                  marks_list(d, &out->silent_marks));
    if (out->resets)
        ok &= probe_document_note(
            d, "RSTs are not judged, because a kernel may send them with the mark of what it refuses: %s",
            marks_list(d, &out->reset_marks));
    if (out->again)
        ok &= probe_document_note(d, "%" PRIu64 " packets were sent again by the server; they are counted", out->again);
    if (out->sent_otherwise)
        ok &= probe_document_note(
            d, "something on this machine changes marks: %" PRIu64 " of the %" PRIu64 " packets sent left it with %s",
            out->sent_otherwise, out->sent, marks_list(d, &out->sent_marks));
    if (c->dropped || out->beyond)
        ok &= probe_document_note(d, "%" PRIu64 " packets are not in the counts: the capture could not hold them",
                                  c->dropped + out->beyond);
    return ok;
}

static bool fill_packets(struct probe_document *d, const struct service_check *c)
{
    bool udp = c->way->transport == SERVICE_UDP;
    for (size_t i = 0; i < c->attempt_count; i++)
        if (!(udp ? fill_udp(d, &c->attempts[i]) : fill_tcp(d, &c->attempts[i])))
            return false;
    if (c->attempt_count) {
        const struct service_exchange *last = &c->attempts[c->attempt_count - 1].x;
        d->target.source = last->local;
        d->target.source.port = 0;
        d->begin_ns = c->attempts[0].x.begin_ns;
        d->end_ns = last->begin_ns + (last->answer_ns > 0 ? last->answer_ns : 0);
    }
    return true;
}

struct probe_document *service_fill(const struct service_run_options *o, const struct service_check *c)
{
    struct probe_document *d = probe_document_new();
    if (!d)
        return NULL;
    struct outcomes out = sum_up(c);
    struct service_facts facts = {
        .way = c->way, .plan = c->plan, .judged = out.evidence, .unanswered = out.unanswered, .unseen = ""};
    bool tcp = c->way->transport != SERVICE_UDP, blind = out.blind && out.blind == out.evidence;
    bool ok = set_up(d, o, c) && fill_packets(d, c) && probe_figures_count(d) == 0;
    if (ok && out.blind)
        facts.unseen =
            c->unseen.text[0]
                ? probe_document_text(d, "%s", c->unseen.text)
                : probe_document_text(d, "the capture on %s saw nothing of %s connections: they come back another way",
                                      c->interface, blind ? "the" : "those");
    ok = ok && service_judge(d, &facts) == 0 && add_notes(d, o, c, &out);
    if (ok && c->failed.text[0] && d->verdict == SUMMARY_NOTHING_CHECKED)
        d->problem = d->verdict_text = probe_document_text(d, "%s", c->failed.text);
    /* a capture that ended on the way has seen the beginning only, and that may pass where the rest would not */
    bool unseen = tcp && out.evidence && c->unseen.text[0];
    if (ok && unseen && !blind)
        ok = probe_document_note(d, "%s", c->unseen.text);
    if (ok && unseen && !blind && d->problem[0] == '\0')
        d->problem = probe_document_text(d, "%s", c->unseen.text);
    /* as of several targets of which one was not probed: what is not known is no fault of the network */
    bool unasked = c->interrupted && c->attempt_count == 0;
    d->system_failed = c->failed.text[0] || unseen || unasked;
    if (!ok || d->arena.failed) {
        probe_document_free(d);
        return NULL;
    }
    return d;
}
