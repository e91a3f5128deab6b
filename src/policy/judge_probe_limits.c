#include "policy/judge_probe_finding.h"

/* What a probe says of the service that its classes get: limits, lost classes, and what the marks are good for. */

struct limit {
    const char *code, *what, *unit;
    double limit;
    double (*value)(const struct probe_class *c);
    double scale;
};

static double rtt_of(const struct probe_class *c)
{
    return c->rtt_ms.count ? c->rtt_ms.p95 : -1;
}

static double loss_of(const struct probe_class *c)
{
    return c->sent ? (double)c->lost.round_trip / (double)c->sent : -1;
}

static double jitter_of(const struct probe_class *c)
{
    return c->forward_jitter_ms > c->reverse_jitter_ms ? c->forward_jitter_ms : c->reverse_jitter_ms;
}

static void add_limits(struct probe_document *d)
{
    const struct limit limits[] = {
        {"round-trip-too-long", "round trip (95th percentile)", "ms", d->limits.max_rtt_ms, rtt_of, 1},
        {"too-much-loss", "loss there and back", "%", d->limits.max_loss, loss_of, 100},
        {"too-much-jitter", "jitter", "ms", d->limits.max_jitter_ms, jitter_of, 1},
    };
    uint64_t answered = 0;
    for (size_t i = 0; i < d->class_count; i++)
        answered += d->classes[i].answered;
    for (size_t l = 0; answered && l < sizeof limits / sizeof limits[0]; l++) { /* nobody there: no limit to hold */
        struct probe_finding *f = NULL;
        double worst = 0;
        for (size_t i = 0; i < d->class_count; i++) {
            struct probe_class *c = &d->classes[i];
            double value = limits[l].value(c);
            if (limits[l].limit < 0 || c->control || value <= limits[l].limit)
                continue;
            if (!f && !(f = probe_finding_add(d, limits[l].code, PROBE_WAY_FORWARD)))
                return;
            probe_finding_add_class(f, i);
            f->packets += c->answered;
            c->violating = true;
            worst = value > worst ? value : worst;
        }
        if (!f)
            continue;
        f->direction = "";
        f->violation = f->limit = true;
        f->message = probe_document_text(d, "The %s of %s is up to %.3g %s, above the limit of %.3g %s.",
                                         limits[l].what, probe_finding_classes(d, f), worst * limits[l].scale,
                                         limits[l].unit, limits[l].limit * limits[l].scale, limits[l].unit);
        f->advice = "Compare with the unmarked control's row: where both are slow it is the path, where only the "
                    "classes are it is their queue.";
    }
}

static void add_lost(struct probe_document *d)
{
    struct probe_finding *f = NULL;
    for (size_t i = 0; i < d->class_count; i++) {
        struct probe_class *c = &d->classes[i];
        if (!probe_class_lost(d, c))
            continue;
        if (!f && !(f = probe_finding_add(d, "class-lost", PROBE_WAY_FORWARD)))
            return;
        probe_finding_add_class(f, i);
        f->packets += c->sent;
        c->violating = true;
    }
    if (!f)
        return;
    f->direction = "";
    f->violation = true;
    f->confidence = CONFIDENCE_HIGH;
    f->message =
        probe_document_text(d, "Every packet of %s is lost, on the way there or back, while others are answered.",
                            probe_finding_classes(d, f));
    f->advice =
        "`qosmark trace` shows how far these marks get; look for a filter or policer that drops them, or a queue "
        "of no bandwidth.";
}

static void add_benefit(struct probe_document *d, enum probe_benefit benefit, const char *code, const char *words,
                        const char *advice)
{
    struct probe_finding *f = NULL;
    for (size_t i = 0; i < d->class_count; i++) {
        if (d->classes[i].benefit != benefit)
            continue;
        if (!f && !(f = probe_finding_add(d, code, PROBE_WAY_FORWARD)))
            return;
        probe_finding_add_class(f, i);
        f->packets += d->classes[i].answered;
    }
    if (!f)
        return;
    f->direction = "";
    f->message = probe_document_text(d, "The mark of %s %s: %s.", probe_finding_classes(d, f), words,
                                     d->classes[f->classes[0]].benefit_reason);
    f->advice = advice;
}

void judge_probe_service(struct probe_document *d)
{
    add_lost(d);
    add_limits(d);
}

void judge_probe_benefits(struct probe_document *d)
{
    add_benefit(
        d, PROBE_BENEFIT_WORSE, "worse-than-unmarked", "made things worse than no mark",
        "Look for a policer or a small queue for this mark on the path (police, bandwidth, queue-limit of its class).");
    add_benefit(d, PROBE_BENEFIT_NO, "no-benefit", "did not help",
                "Look at the queueing of the congested link: does any class map there match this mark?");
}
