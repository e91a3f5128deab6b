#ifndef QOSMARK_PROBE_SERVICE_INTERNAL_H
#define QOSMARK_PROBE_SERVICE_INTERNAL_H

#include "probe/service_exchange.h"

/* The two ways to exchange, for service_exchange.c: same contract as service_exchange_run(). `r` has its way, host,
 * port and token set; its local endpoint is filled in once it is known. */
int service_exchange_udp(const struct service_exchange_options *o, struct service_request *r,
                         struct service_exchange *ret, struct error *error);
int service_exchange_tcp(const struct service_exchange_options *o, struct service_request *r,
                         struct service_exchange *ret, struct error *error);

/* Waits for `events` of `fd` until the monotonic time `deadline_ns`, or until it is to stop: true when one came. */
bool service_wait(const struct service_exchange_options *o, int fd, short events, int64_t deadline_ns);

/* The caller wants no more of it. */
bool service_exchange_stopped(const struct service_exchange_options *o);

/* Outcome and clause for what the kernel says of a connection or datagram (errno). */
void service_exchange_fail(struct service_exchange *x, int error_number);

#endif
