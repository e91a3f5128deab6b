#include <math.h>

#include "policy/judge_probe.h"

/*
 * A difference has to be more than chance (the confidence interval) and more than nothing (these). A queue is one only
 * where the unmarked packets stood in it; where nobody waited and nothing was lost, no mark can help, and that is no
 * verdict.
 */
static const double DELAY_LEAST_MS = 0.1;    /* below that nobody hears it */
static const double DELAY_LEAST_SHARE = 0.1; /* of the time that the control stood in the queue */
static const double QUEUE_LEAST_MS = 1.0;
static const double LOSS_LEAST = 0.005;
static const double SAVED_LEAST_SHARE = 0.25; /* "no benefit" excludes that this much of the queue was saved */

enum effect { EFFECT_UNCLEAR, EFFECT_BETTER, EFFECT_WORSE, EFFECT_NONE };

static enum effect delay_effect(const struct probe_class *c)
{
    const struct probe_interval *x = &c->delay_ms;
    if (!x->known)
        return EFFECT_UNCLEAR;
    double queue = c->control_queue_ms > 0 ? c->control_queue_ms : 0;
    double least = DELAY_LEAST_MS > DELAY_LEAST_SHARE * queue ? DELAY_LEAST_MS : DELAY_LEAST_SHARE * queue;
    if (x->high < 0 && x->estimate <= -least)
        return EFFECT_BETTER;
    if (x->low > 0 && x->estimate >= least)
        return EFFECT_WORSE;
    return queue >= QUEUE_LEAST_MS && x->low > -SAVED_LEAST_SHARE * queue ? EFFECT_NONE : EFFECT_UNCLEAR;
}

static enum effect loss_effect(const struct probe_class *c)
{
    const struct probe_interval *x = &c->loss_share;
    if (!x->known)
        return EFFECT_UNCLEAR;
    if (x->high < 0 && x->estimate <= -LOSS_LEAST)
        return EFFECT_BETTER;
    if (x->low > 0 && x->estimate >= LOSS_LEAST)
        return EFFECT_WORSE;
    return c->control_loss_share >= LOSS_LEAST && x->low > -SAVED_LEAST_SHARE * c->control_loss_share ? EFFECT_NONE
                                                                                                      : EFFECT_UNCLEAR;
}

static const char *describe(struct probe_document *d, const struct probe_class *c)
{
    const struct probe_interval *delay = &c->delay_ms, *loss = &c->loss_share;
    const char *round_trip = delay->known ? probe_document_text(d, "round trip %+.2f ms (95 %% sure: %+.2f to %+.2f)",
                                                                delay->estimate, delay->low, delay->high)
                                          : "round trip not comparable";
    return loss->known && (fabs(loss->estimate) >= LOSS_LEAST || c->control_loss_share >= LOSS_LEAST)
               ? probe_document_text(d, "%s, loss %+.1f %% (%+.1f to %+.1f) against the unmarked control", round_trip,
                                     100 * loss->estimate, 100 * loss->low, 100 * loss->high)
               : probe_document_text(d, "%s against the unmarked control", round_trip);
}

void judge_probe_benefit(struct probe_document *d, struct probe_class *c)
{
    c->benefit = PROBE_BENEFIT_NONE;
    c->benefit_reason = "";
    if (c->control || (!c->delay_ms.known && !c->loss_share.known))
        return;
    enum effect delay = delay_effect(c), loss = loss_effect(c);
    const char *figures = describe(d, c);
    c->benefit_reason = figures;
    if (loss == EFFECT_WORSE || (delay == EFFECT_WORSE && loss != EFFECT_BETTER)) {
        c->benefit = PROBE_BENEFIT_WORSE;
    } else if ((delay == EFFECT_BETTER || loss == EFFECT_BETTER) && delay != EFFECT_WORSE) {
        c->benefit = PROBE_BENEFIT_HELPED;
    } else if (delay == EFFECT_NONE ||
               (delay == EFFECT_UNCLEAR && loss == EFFECT_NONE && c->control_queue_ms < QUEUE_LEAST_MS)) {
        c->benefit = PROBE_BENEFIT_NO;
    } else {
        c->benefit = PROBE_BENEFIT_INCONCLUSIVE;
        bool idle = c->control_queue_ms < QUEUE_LEAST_MS && c->control_loss_share < LOSS_LEAST;
        if (idle)
            c->benefit_reason = "there was no queue to jump (--load adds one)";
        else if (c->delay_ms.known)
            c->benefit_reason = probe_document_text(d, "too few packets for the difference there is: %s", figures);
        else
            c->benefit_reason = "too few packets came back to compare with the unmarked control";
    }
}
