#ifndef QOSMARK_MODEL_SOCKET_ADDRESS_H
#define QOSMARK_MODEL_SOCKET_ADDRESS_H

#include <sys/socket.h>

#include "model/address.h"

/* Addresses as the calls of sockets have them: in network order, in a struct that depends on the version. */

/* Writes an endpoint of IPv4 or IPv6 and returns the length of what was written. The scope of IPv6 is 0. */
socklen_t socket_address_write(const struct endpoint *e, struct sockaddr_storage *to);

/* False where it is neither IPv4 nor IPv6; then *ret is none. `from` is as long as its family wants. */
bool socket_address_read(const struct sockaddr *from, struct endpoint *ret);

#endif
