#ifndef QOSMARK_POLICY_FILTER_H
#define QOSMARK_POLICY_FILTER_H

#include "base/text.h"
#include "model/record.h"

/* A Wireshark display filter that shows exactly the packets of the record whose DSCP is in `wrong`. Marks are those of
 * the layer that was judged. Works without Wireshark having recognised the stream as RTP (no rtp.* fields). */
void filter_for_marks(struct strbuf *to, const struct record *r, dscp_set_t wrong);

#endif
