#ifndef QOSMARK_PROBE_PROBE_LOSS_H
#define QOSMARK_PROBE_PROBE_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which way a probe was lost. A stateful reflector numbers its replies itself, from 0 (RFC 8762 section 4.3.2): a
 * number that never comes back was a reply lost on the way back, and what it did not count was lost on the way there. A
 * stateless one copies the sender's number, and then nobody knows. Pure.
 */

/* How a reflector counts, as its replies show. The sender leaves a gap behind each flow's first number, so that a
 * counter and a copy never look alike, not even where nothing is lost. */
enum loss_counting {
    LOSS_COUNTING_UNKNOWN,     /* too few replies, or numbers that fit none of these */
    LOSS_COUNTING_NONE,        /* stateless */
    LOSS_COUNTING_PER_SESSION, /* of one flow and SSID */
    LOSS_COUNTING_PER_FLOW,    /* it does not look at the SSID */
};

struct loss_probe {
    uint32_t sequence, reflected;
    uint32_t flow_place;    /* how many packets of the flow were sent before it */
    uint32_t session_place; /* how many of the flow and SSID were */
    bool answered;
    uint8_t copies; /* further replies: then the reflector may have had the packet twice, and counts twice */
};

enum loss_counting loss_counting_of(const struct loss_probe *probes, size_t n);

enum loss_way { LOSS_WAY_NONE = 0, LOSS_WAY_FORWARD, LOSS_WAY_REVERSE, LOSS_WAY_UNKNOWN };

/*
 * All probes that one counter counted, in the order sent. Of a run of lost probes between two answered ones it says for
 * each which way it was lost where all of them went the same way, LOSS_WAY_UNKNOWN otherwise. `*ret_forward` and
 * `*ret_reverse` are the sums, or -1 where not even those are known (the last packets were not answered, or numbers
 * came twice). `ways` has room for n.
 */
void loss_attribute(const struct loss_probe *probes, size_t n, enum loss_way *ways, int64_t *ret_forward,
                    int64_t *ret_reverse);

#endif
