#include "probe/probe_reads.h"

/* A mark was reported for it. */
static bool reported(const struct probe_packet *p)
{
    return p->answered && p->arrived != PROBE_MARK_UNKNOWN && p->why_forward == PROBE_WHY_NONE;
}

static dscp_t sent_mark(const struct probe_document *d, const struct probe_packet *p)
{
    return d->classes[p->class_index].sent_dscp;
}

/* What all packets but the witnesses have in common. */
struct course {
    bool any;
    bool one_sent, one_arrived; /* one mark */
    bool as_asked;              /* each arrived with the mark that it asks for */
    bool nothing;               /* neither DSCP nor ECN arrived */
};

static struct course course_of(const struct probe_document *d)
{
    struct course c = {.one_sent = true, .one_arrived = true, .as_asked = true, .nothing = true};
    const struct probe_packet *first = NULL;
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        if (p->witness || !reported(p))
            continue;
        first = first ? first : p;
        c.any = true;
        c.one_sent &= sent_mark(d, p) == sent_mark(d, first);
        c.one_arrived &= p->arrived == first->arrived;
        c.as_asked &= p->arrived == (int8_t)p->asked;
        c.nothing &= p->arrived == 0 && p->arrived_ecn == 0;
    }
    return c;
}

enum probe_reads_ask probe_reads_ask(const struct probe_document *d)
{
    struct course c = course_of(d);
    if (!c.any || c.one_sent)
        return PROBE_READS_SETTLED;
    return c.one_arrived ? PROBE_READS_SAME_MARK : c.as_asked ? PROBE_READS_ALL_KEPT : PROBE_READS_SETTLED;
}

/* What the witnesses that came back have in common. */
struct testimony {
    size_t count;
    size_t as_asked;  /* arrived with the mark that they ask for and were not sent with */
    size_t otherwise; /* arrived with another one than they ask for */
    bool told;        /* the question was answered: qosmark reflect, which says U where it does not know */
    bool echoed;      /* the question came back unanswered, without U */
    bool ecn;         /* the ECT that they were sent with, or CE, is reported */
};

static struct testimony hear(const struct probe_document *d)
{
    struct testimony t = {0};
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        if (!p->witness || !p->answered)
            continue;
        t.count++;
        t.told |= p->told;
        t.echoed |= p->echoed;
        if (!reported(p) || sent_mark(d, p) == p->asked)
            continue;
        t.as_asked += p->arrived == (int8_t)p->asked;
        t.otherwise += p->arrived != (int8_t)p->asked;
        t.ecn |= p->arrived_ecn > 0;
    }
    return t;
}

static void take_back(struct probe_document *d, enum probe_why why)
{
    for (size_t i = 0; i < d->packet_count; i++) {
        struct probe_packet *p = &d->packets[i];
        if (!reported(p))
            continue;
        p->arrived = p->arrived_ecn = PROBE_MARK_UNKNOWN;
        p->why_forward = (uint8_t)why;
        if (p->why_reverse != PROBE_WHY_REFUSED && p->why_reverse != PROBE_WHY_NO_CMSG) {
            p->replied = PROBE_MARK_UNKNOWN;
            p->why_reverse = (uint8_t)why;
        }
    }
}

void probe_reads_decide(struct probe_document *d)
{
    enum { COPIED_LEAST = 2 };
    struct course c = course_of(d);
    struct testimony t = hear(d);
    bool all_zero = c.nothing && !c.one_sent && !t.ecn;
    if (!c.any || (t.count == 0 && !all_zero))
        return;
    if (t.told) {
        d->reflector.reads = PROBE_FACT_YES;
    } else if (t.echoed && all_zero) {
        take_back(d, PROBE_WHY_ECHO);
        d->reflector.reads = PROBE_FACT_NO;
        d->reflector.tlvs = PROBE_FACT_NO;
    } else if (all_zero) {
        /* a path that clears the byte and a reflector that does not look at it are the same from here */
        take_back(d, PROBE_WHY_UNREAD);
        d->reflector.reads = PROBE_FACT_NO;
    } else if (c.as_asked && !c.one_arrived && t.as_asked >= COPIED_LEAST && t.otherwise == 0) {
        /* the control, unmarked as they are, arrived unmarked */
        take_back(d, PROBE_WHY_COPIED);
        d->reflector.reads = PROBE_FACT_NO;
    } else {
        /* other marks than those asked for are a proof only where not all are one */
        bool shown = t.ecn || (!c.one_arrived && t.otherwise >= COPIED_LEAST);
        d->reflector.reads = shown ? PROBE_FACT_YES : c.one_arrived ? PROBE_FACT_NO : PROBE_FACT_UNKNOWN;
    }
}
