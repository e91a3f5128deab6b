#include "probe/probe_loss.h"

enum loss_counting loss_counting_of(const struct loss_probe *probes, size_t n)
{
    bool copied = true, per_session = true, per_flow = true;
    size_t told = 0;
    for (size_t i = 0; i < n; i++) {
        const struct loss_probe *p = &probes[i];
        if (!p->answered)
            continue;
        copied &= p->reflected == p->sequence;
        per_session &= p->reflected <= p->session_place;
        per_flow &= p->reflected <= p->flow_place;
        /* the first packet of a flow has number 0 for everybody */
        told += p->sequence != 0;
    }
    if (told < 2)
        return LOSS_COUNTING_UNKNOWN;
    if (copied)
        return LOSS_COUNTING_NONE;
    return per_session ? LOSS_COUNTING_PER_SESSION : per_flow ? LOSS_COUNTING_PER_FLOW : LOSS_COUNTING_UNKNOWN;
}

static void mark_run(enum loss_way *ways, size_t from, size_t to, uint32_t arrived)
{
    size_t lost = to - from;
    for (size_t i = from; i < to; i++)
        ways[i] = arrived == 0 ? LOSS_WAY_FORWARD : arrived == lost ? LOSS_WAY_REVERSE : LOSS_WAY_UNKNOWN;
}

/* Out of order: what was lost where is not to be told, but how much is, as long as every number came once and the last
 * packet sent was answered. Uses `ways` to tick the numbers off. */
static void count_unordered(const struct loss_probe *probes, size_t n, enum loss_way *ways, int64_t *ret_forward,
                            int64_t *ret_reverse)
{
    size_t answered = 0, counted = 0;
    bool once = n > 0 && probes[n - 1].answered;
    for (size_t i = 0; i < n; i++)
        ways[i] = LOSS_WAY_NONE;
    for (size_t i = 0; i < n && once; i++) {
        if (!probes[i].answered)
            continue;
        once = probes[i].reflected < n && ways[probes[i].reflected] == LOSS_WAY_NONE && probes[i].copies == 0;
        if (once)
            ways[probes[i].reflected] = LOSS_WAY_REVERSE;
        answered++;
        if (probes[i].reflected >= counted)
            counted = (size_t)probes[i].reflected + 1;
    }
    if (once) {
        *ret_forward = (int64_t)(n - counted);
        *ret_reverse = (int64_t)(counted - answered);
    }
    for (size_t i = 0; i < n; i++)
        ways[i] = probes[i].answered ? LOSS_WAY_NONE : LOSS_WAY_UNKNOWN;
}

void loss_attribute(const struct loss_probe *probes, size_t n, enum loss_way *ways, int64_t *ret_forward,
                    int64_t *ret_reverse)
{
    int64_t forward = 0, reverse = 0;
    size_t from = 0;   /* where the run of lost probes began */
    uint32_t next = 0; /* the number that the reflector gives next where nothing is lost */
    bool sound = true;

    *ret_forward = *ret_reverse = -1;
    for (size_t i = 0; i < n; i++) {
        ways[i] = LOSS_WAY_NONE;
        if (!probes[i].answered)
            continue;
        size_t lost = i - from;
        if (probes[i].reflected < next || probes[i].reflected - next > lost) {
            /* the reflector had them in another order than they were sent, or counted one twice, or began anew */
            sound = false;
            break;
        }
        uint32_t arrived = probes[i].reflected - next;
        mark_run(ways, from, i, arrived);
        reverse += arrived;
        forward += (int64_t)lost - arrived;
        next = probes[i].reflected + 1;
        from = i + 1;
    }
    if (!sound) {
        count_unordered(probes, n, ways, ret_forward, ret_reverse);
        return;
    }
    for (size_t i = from; i < n; i++)
        ways[i] = LOSS_WAY_UNKNOWN;
    if (from == n) {
        *ret_forward = forward;
        *ret_reverse = reverse;
    }
}
