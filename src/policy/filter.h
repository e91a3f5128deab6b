#ifndef QOSMARK_POLICY_FILTER_H
#define QOSMARK_POLICY_FILTER_H

#include <stdbool.h>

#include "base/text.h"
#include "model/document.h"

/*
 * Wireshark display filters (4.0 and later; tried with tshark 4.0.17). They look at addresses, ports, marks and payload
 * bytes alone, so they hold without Wireshark having recognised anything above UDP and TCP. What cannot be said
 * exactly: the fragments of a datagram but the last carry no ports and are taken by addresses, so other streams between
 * the same two hosts that are fragmented too are shown with them.
 */

/* A Wireshark display filter that shows exactly the packets of the record whose DSCP is in `wrong`. Marks are those of
 * the layer that was judged. Works without Wireshark having recognised the stream as RTP (no rtp.* fields). */
void filter_for_marks(struct strbuf *to, const struct record *r, dscp_set_t wrong);

/* All packets of the record, whatever their mark. */
void filter_for_record(struct strbuf *to, const struct record *r);

/* The packets of the record whose outer mark is not the inner one. */
void filter_for_tunnel(struct strbuf *to, const struct record *r);

/* "outer mark unlike the inner" alone, and without what ICMP errors quote: to be and-ed with a choice of streams. */
void filter_add_tunnel_test(struct strbuf *to, int ip_version);

/* All packets on the record's 5-tuple in its direction whose DSCP is in `wrong`, whichever stream they belong to. */
void filter_for_direction(struct strbuf *to, const struct record *r, dscp_set_t wrong);

/* " && ip.dsfield.dscp == 0" or " && ip.dsfield.dscp in {0, 8}", for a filter that names hosts. `layer` says of which
 * of several IP headers: "#[-1]" the innermost, "#[1]" the outermost, "" the only one. */
void filter_add_marks(struct strbuf *to, int ip_version, const char *layer, dscp_set_t marks);

/* True where the innermost of several IP headers is meant. */
bool filter_is_deep(const struct record *r);

#endif
