#ifndef QOSMARK_PROBE_SERVICE_ROUTE_H
#define QOSMARK_PROBE_SERVICE_ROUTE_H

#include "base/error.h"
#include "model/address.h"

#define SERVICE_INTERFACE_MAX 16 /* IF_NAMESIZE of Linux, the NUL included */

/*
 * The interface by which packets leave for an address, as the kernel's routing table has it now (rtnetlink
 * RTM_GETROUTE; no privilege needed). `source` may be NULL or of version 0. ERR_IO with a sentence where there is no
 * route or the system does not tell.
 */
int service_route_interface(const struct addr *to, const struct addr *source, char ret[static SERVICE_INTERFACE_MAX],
                            struct error *error);

#endif
