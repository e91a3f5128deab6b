#ifndef QOSMARK_PROBE_UDP_SOCKET_CONTROL_H
#define QOSMARK_PROBE_UDP_SOCKET_CONTROL_H

/* Between udp_socket.c and udp_socket_control.c only: addresses and control messages as the kernel has them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "model/address.h"
#include "probe/udp_socket.h"

enum { UDP_CONTROL_BYTES = 256 };

/* A control buffer, aligned as cmsg(3) wants it. */
union udp_control {
    uint64_t align;
    uint8_t bytes[UDP_CONTROL_BYTES];
};

socklen_t udp_address_write(const struct endpoint *e, unsigned interface, struct sockaddr_storage *to);

/* Fills the mark, the local address and the interface of `p` into a message whose control buffer is set and empty. */
void udp_control_write(struct msghdr *m, const struct udp_packet *p, int version, bool with_mark);
/* One more, for the number that a transmit time comes back with. */
void udp_control_write_id(struct msghdr *m, uint32_t id);

/* Reads what came with a packet; `dropped` is the kernel's count of packets it had to drop, left where not told. */
void udp_control_read(const struct msghdr *m, struct udp_packet *p, uint32_t *dropped);
/* Reads what came off the error queue. False where it is nothing that is known here. */
bool udp_control_read_event(const struct msghdr *m, struct udp_event *ret);

#endif
