#include "probe/interface.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/socket_address.h"

int interface_find(const struct addr *a, char name[static IF_NAMESIZE])
{
    struct ifaddrs *all = NULL;
    bool found = false;
    if (getifaddrs(&all) != 0)
        return errno == ENOMEM || errno == ENOBUFS ? ERR_MEMORY : 0;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        struct endpoint own;
        found = i->ifa_addr && socket_address_read(i->ifa_addr, &own) && addr_equal(&own.addr, a);
        if (found)
            (void)snprintf(name, IF_NAMESIZE, "%s", i->ifa_name);
    }
    freeifaddrs(all);
    return found;
}

uint64_t interface_rate(const char *name)
{
    char path[96], text[32] = "";
    if (strchr(name, '/') || snprintf(path, sizeof path, "/sys/class/net/%s/speed", name) >= (int)sizeof path)
        return 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    long mbit = fgets(text, sizeof text, f) ? strtol(text, NULL, 10) : 0;
    (void)fclose(f);
    return mbit > 0 && mbit < 10000000 ? (uint64_t)mbit * 1000000 : 0; /* -1, or 2^32-1, where it is not known */
}
