#include "model/socket_address.h"

#include <netinet/in.h>
#include <string.h>

socklen_t socket_address_write(const struct endpoint *e, struct sockaddr_storage *to)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(e->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
    memset(to, 0, sizeof *to);
    if (e->addr.version == 4) {
        memcpy(&v4.sin_addr, e->addr.bytes, 4);
        memcpy(to, &v4, sizeof v4);
        return sizeof v4;
    }
    memcpy(&v6.sin6_addr, e->addr.bytes, 16);
    memcpy(to, &v6, sizeof v6);
    return sizeof v6;
}

bool socket_address_read(const struct sockaddr *from, struct endpoint *ret)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    uint8_t bytes[16];
    *ret = (struct endpoint){0};
    switch (from->sa_family) {
    case AF_INET:
        memcpy(&v4, from, sizeof v4);
        memcpy(bytes, &v4.sin_addr, 4);
        *ret = (struct endpoint){.addr = addr_v4(bytes), .port = ntohs(v4.sin_port)};
        return true;
    case AF_INET6:
        memcpy(&v6, from, sizeof v6);
        memcpy(bytes, &v6.sin6_addr, 16);
        *ret = (struct endpoint){.addr = addr_v6(bytes), .port = ntohs(v6.sin6_port)};
        return true;
    default:
        return false;
    }
}
