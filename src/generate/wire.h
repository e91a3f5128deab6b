#ifndef QOSMARK_GENERATE_WIRE_H
#define QOSMARK_GENERATE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address.h"
#include "generate/generate.h"

/*
 * Ways of generated packets onto a network. Frames out of an interface, as they are (libnet's link layer: needs
 * CAP_NET_RAW, and passes by routing, netfilter and the kernel's map from TOS to queues); or payloads through UDP
 * sockets, one for each port that the generator sends from, all to one address.
 */
struct generate_wire;

int generate_wire_open_link(const char *interface, struct generate_wire **ret, struct error *error);

/* `local` is the address that the sockets are bound to. */
int generate_wire_open_sockets(const struct addr *local, const struct addr *to, struct generate_wire **ret,
                               struct error *error);

/* Sends one packet of the generator's. 1: sent; 0: it is not for this wire (TCP through sockets); negative: failed. */
int generate_wire_send(struct generate_wire *w, const struct generated *p, const struct generate_stream *s,
                       struct error *error);

void generate_wire_free(struct generate_wire *w);

/* The address of this machine from which packets to `to` leave. ERR_IO where there is no way to it. */
int generate_local_address(const struct addr *to, struct addr *ret, struct error *error);

bool generate_link_exists(const char *interface);

#endif
