#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/probe_run.h"
#include "probe/udp_socket.h"

static bool same_address(const struct ifaddrs *i, const struct addr *a)
{
    struct addr own = {0};
    if (!i->ifa_addr)
        return false;
    if (i->ifa_addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        uint8_t bytes[4];
        memcpy(&in, i->ifa_addr, sizeof in);
        memcpy(bytes, &in.sin_addr, sizeof bytes);
        own = addr_v4(bytes);
    } else if (i->ifa_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        uint8_t bytes[16];
        memcpy(&in6, i->ifa_addr, sizeof in6);
        memcpy(bytes, &in6.sin6_addr, sizeof bytes);
        own = addr_v6(bytes);
    }
    return own.version && addr_equal(&own, a);
}

/* 1, 0 where none has the address, or a negative error. */
static int find_interface(const struct addr *a, char interface[static 32])
{
    struct ifaddrs *all = NULL;
    bool found = false;
    if (getifaddrs(&all) != 0)
        return errno == ENOMEM || errno == ENOBUFS ? ERR_MEMORY : 0;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        found = same_address(i, a);
        if (found)
            (void)snprintf(interface, 32, "%.31s", i->ifa_name);
    }
    freeifaddrs(all);
    return found;
}

bool probe_is_own_address(const struct addr *a)
{
    char interface[32];
    return find_interface(a, interface) > 0;
}

/* Megabits a second; -1 or an error where the driver does not know. */
static double speed_of(const char *interface)
{
    char path[96], text[32] = "";
    if (strchr(interface, '/'))
        return 0;
    (void)snprintf(path, sizeof path, "/sys/class/net/%.31s/speed", interface);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = '\0';
    long mbit = strtol(text, NULL, 10);
    return mbit > 0 && mbit < 10000000 ? (double)mbit * 1e6 : 0;
}

int probe_route(const struct addr *target, const struct addr *source, char interface[static 32], double *ret_bps)
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
    r = find_interface(&local.addr, interface);
    if (r > 0)
        *ret_bps = speed_of(interface);
    return r < 0 ? r : 0;
}
