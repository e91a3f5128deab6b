#include "engine/probe_run.h"
#include "probe/interface.h"
#include "probe/udp_socket.h"

bool probe_is_own_address(const struct addr *a)
{
    char interface[IF_NAMESIZE];
    return interface_find(a, interface) > 0;
}

int probe_route(const struct addr *target, const struct addr *source, char interface[static IF_NAMESIZE],
                double *ret_bps)
{
    /* a connected socket knows its way; nothing is sent */
    struct udp_config config = {.local = {.addr = *source}, .peer = {.addr = *target, .port = 9}};
    struct udp_socket *socket = NULL;
    struct endpoint local;
    interface[0] = '\0';
    *ret_bps = 0;
    if (config.local.addr.version == 0)
        config.local.addr.version = target->version;
    int r = udp_socket_new(&config, &socket, NULL);
    if (r < 0)
        return r == ERR_MEMORY ? r : 0;
    udp_socket_local(socket, &local);
    udp_socket_free(socket);
    r = interface_find(&local.addr, interface);
    if (r > 0)
        *ret_bps = (double)interface_rate(interface);
    return r < 0 ? r : 0;
}
