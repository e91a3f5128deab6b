#ifndef QOSMARK_PROBE_TRACE_NET_H
#define QOSMARK_PROBE_TRACE_NET_H

#include <sys/socket.h>

#include "base/error.h"
#include "probe/trace.h"
#include "probe/trace_wire.h"

/*
 * The network behind a struct trace_io, in two ways:
 *
 * raw: packets through libnet, answers from raw sockets. Sees which mark a router quoted. Needs CAP_NET_RAW.
 * socket: UDP sockets and their error queue (IP_RECVERR). Needs nothing, and sees who answered but no quoted mark,
 * since the kernel keeps the quoted header to itself.
 */
struct trace_net;

/* The address that this host sends from to reach `target`; with `wanted` (version 0: none), whether it is this host's.
 * ERR_USAGE where it is not, ERR_IO where there is no route. */
int trace_net_source(const struct addr *target, const struct addr *wanted, struct addr *ret, struct error *error);

/* Opens the way to the target. Of the configuration, source_port and cookie are chosen here and written back. Ports of
 * the flows are taken from the system, so that no program of this host gets the answers. ERR_UNSUPPORTED: no
 * capability, no libnet, or nothing that sockets can do (TCP and ICMP need raw packets). */
int trace_net_open_raw(struct trace_wire_config *config, struct trace_net **ret, struct error *error);
int trace_net_open_socket(struct trace_wire_config *config, struct trace_net **ret, struct error *error);
void trace_net_close(struct trace_net *n);

/* Borrowed until the net is closed. */
const struct trace_io *trace_net_io(const struct trace_net *n);

/* Datagrams that the target itself sent back from the port: something listens there, so it sends no port unreachable.
 */
uint64_t trace_net_replies(const struct trace_net *n);

#endif
