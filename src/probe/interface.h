#ifndef QOSMARK_PROBE_INTERFACE_H
#define QOSMARK_PROBE_INTERFACE_H

#include <net/if.h>

#include "model/address.h"

/* The interface of this host that has the address: 1, 0 where none has it, or ERR_MEMORY. */
int interface_find(const struct addr *a, char name[static IF_NAMESIZE]);

/* Bits a second; 0 where the driver does not know. */
uint64_t interface_rate(const char *name);

#endif
